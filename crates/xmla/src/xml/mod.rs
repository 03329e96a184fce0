//! XML as this protocol needs it: bytes to text, a cursor over elements with limits, names, and a writer.

pub mod decode;
pub mod name;
pub mod namespace;
pub mod reader;
mod scope;
pub mod writer;
