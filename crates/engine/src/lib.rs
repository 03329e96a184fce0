//! The column store: loads sources, answers subcube requests.

mod buffer;
mod column;
mod cpu;
mod distinct;
mod group;
mod measure;
mod naive;
mod plan;
mod process;
mod rows;
mod scan;
mod segment;
mod snapshot;
mod store;
mod tuples;
mod version;

pub use process::{BatchesOf, MemoryTable, Progress, Source, Step};
pub use store::{Database, Store};
