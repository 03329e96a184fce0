//! A first definition for a folder of tables: which one holds facts, what its measures and dimensions are.
//!
//! The caller reads the files into [`Table`]s; what comes back is commented YAML for a person to go on with. It loads as
//! it is. Guesses rest on names and values: a link needs a name that fits and values that are all there.

mod data;
mod dimension;
mod fact;
mod link;
mod words;
mod write;

pub use data::{Column, ColumnKind, Table, hash_value};

use facetta_model::{Error, ErrorKind, Result, error};

/// Infers a definition named `catalog` from tables and writes it as YAML.
///
/// # Errors
/// Kind Definition if there is no table with a row and a column.
pub fn infer(catalog: &str, tables: &[Table]) -> Result<String> {
    let sketch = fact::sketch(tables).ok_or_else(|| error!(Definition, "There is no table with rows and columns"))?;
    let text = write::write(catalog, &sketch);
    match crate::parse_yaml(&text, "facetta.yaml") {
        Ok(_) => Ok(text),
        Err(errors) => Err(Error::new(ErrorKind::Internal, format!("The inferred schema does not load: {errors}"))),
    }
}
