//! Cube definition files (Mondrian XML, YAML) to a checked definition.
//!
//! [`load`] reads a file of either form. What comes out is checked: every index holds, every name that a definition
//! refers to exists in it, every formula parses; whether tables and columns exist is for whoever loads the data.

mod check;
mod error;
pub mod infer;
mod load;
mod mondrian;
mod names;
mod sql;
mod virtual_cube;
mod yaml;

pub use check::check;
pub use error::{SchemaError, SchemaErrors};
pub use load::{load, parse, parse_mondrian, parse_yaml};
pub use sql::parse_sql;
