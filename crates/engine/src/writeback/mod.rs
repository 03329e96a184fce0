//! Writeback: changes of cells beside the segments, private to a transaction until it commits.
//!
//! A change is a delta for one leaf cell and one measure: what is to be added to what the fact rows hold. Deltas are
//! rows of small segments of their own, so that every total follows by the ordinary scan. On disk they are kept by
//! the keys of their leaf members, never by codes (spec/decisions.md, Transactions): a catalog that is loaded again
//! numbers its members anew. What administrators define for everybody is changed in the same transactions and kept in the
//! same log, as text.

mod allocate;
mod cells;
mod definitions;
mod delta;
mod durable;
mod merge;
#[cfg(test)]
mod merge_tests;
mod runs;
mod transaction;

pub use definitions::DefinitionChange;
pub use transaction::{CellWrite, Savepoint, Transaction, Written};

pub(crate) use definitions::with_definitions;
pub(crate) use durable::{Keeper, Places};
pub(crate) use merge::{COMMITS, merge_log};
pub(crate) use transaction::{Commits, with_segments};
