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
mod writeback;

pub use process::{BatchesOf, ColumnProfile, MemoryTable, ProfileKind, Progress, Source, Step, TableProfile};
pub use store::{Database, Store};
pub use writeback::{CellWrite, Savepoint, Transaction, Written};
