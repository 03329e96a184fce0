//! How a statement is carried out: which tuples are not empty, which cells the axes need, what subselects leave.

mod explain;
mod left;
mod nonempty;
mod subselect;

pub(crate) use explain::explain;
pub(crate) use left::Left;
