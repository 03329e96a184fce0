//! What each command does; the files have the names of those in `xmla/command`.

pub mod cancel;
pub mod definitions;
pub mod statement;
pub mod transaction;
pub mod update;

use facetta_model::{CellSet, Rowset};
use facetta_xmla::Warning;

/// What a command or Discover yields.
pub enum Reply {
    /// Nothing to show.
    Empty,
    /// Nothing to show, with a warning.
    Warned(Warning),
    /// What a Cancel has done, with a warning if nothing ran.
    Receipt(Rowset, Option<Warning>),
    /// A rowset.
    Rowset(Rowset),
    /// A cell set.
    CellSet(CellSet),
}
