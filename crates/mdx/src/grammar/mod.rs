//! The grammar, a file for each part: methods of [`Parser`](crate::parser::Parser).

mod ddl;
mod dml;
mod dmv;
mod drillthrough;
mod expression;
mod script;
mod select;

pub(crate) use select::AXIS_NAMES;
