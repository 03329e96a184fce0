//! MDX and DMV text to syntax tree and back.
//!
//! The tree ([`ast`]) is plain data with spans and knows no catalog; names are the resolver's business (crate `query`).
//! [`classify`] tells from the first tokens what a statement is, [`parse_statement`], [`parse_script`] and
//! [`parse_expression`] make trees.

#[macro_use]
mod words;
pub mod ast;
mod classify;
mod grammar;
mod lexer;
mod parser;
mod print;

pub use classify::{StatementClass, classify};
pub use parser::{Parsed, parse, parse_expression, parse_script, parse_statement};
pub use print::{mondrian_expression, mondrian_statement};

/// How high a syntax tree may be, and how deep the parser recurses to make it: a level of brackets costs one, with operators
/// around it two or more. Text that nests deeper is refused, so that whoever walks a tree may recurse.
pub const MAX_HEIGHT: usize = 256;
