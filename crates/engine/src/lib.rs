//! The column store: loads sources, answers subcube requests.

mod buffer;
mod codec;
mod column;
mod cpu;
mod distinct;
mod files;
mod fingerprint;
mod group;
mod manifest;
mod measure;
mod naive;
mod plan;
mod process;
mod rows;
mod scan;
mod segment;
mod segment_file;
mod snapshot;
mod store;
mod tuples;
mod version;

pub use process::{BatchesOf, MemoryTable, Progress, Source, Step};
pub use store::{Database, Store};
