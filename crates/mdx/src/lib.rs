//! MDX and DMV text to syntax tree and back.
//!
//! The tree ([`ast`]) is plain data with spans and knows no catalog; names are the resolver's business (crate `query`).

#[macro_use]
mod words;
pub mod ast;

/// How high a syntax tree may be: expressions, subselects and script blocks within each other. Text that nests deeper is
/// refused, so that whoever walks a tree may recurse.
pub const MAX_HEIGHT: usize = 400;
