//! The column store: loads sources, answers subcube requests.

mod buffer;
mod codec;
mod column;
mod cpu;
mod distinct;
mod files;
mod fingerprint;
mod group;
pub mod log;
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
#[cfg(test)]
mod version_tests;
mod writeback;

// The tests' helpers are shared with the tests outside, where the crate has its name.
#[cfg(test)]
#[path = "../tests/common/chain.rs"]
mod chain;
#[cfg(test)]
extern crate self as facetta_engine;
#[cfg(test)]
#[path = "../tests/common/shop.rs"]
mod shop;

pub use process::{BatchesOf, ColumnProfile, MemoryTable, ProfileKind, Progress, Source, Step, TableProfile};
pub use snapshot::Answers;
pub use store::{Database, Store};
pub use writeback::{CellWrite, DefinitionChange, Savepoint, Transaction, Written};
