//! What tables hold, before there is a definition: names, types, and values as hashes of their text.

use super::source::{Source, Table};
use super::vector::Type;
use facetta_model::{Context, Result};
use std::sync::Arc;

/// What a table of a source holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TableProfile {
    /// Its name.
    pub name: String,
    /// How many rows it has; those that were read, where the source does not know.
    pub rows: u64,
    /// Its columns in order.
    pub columns: Vec<ColumnProfile>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ProfileKind,
    /// For each row that was read the hash of the value's text, 0 for null; nothing if the values cannot be used.
    pub values: Vec<u64>,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ProfileKind {
    Integer,
    /// Numbers with a fraction.
    Number,
    Text,
    Boolean,
    Date,
    DateTime,
    /// What has no scalar meaning: lists, structures, bytes.
    Other,
}

impl Source {
    /// What each table holds, by name; of large tables the first `max_rows` rows. `hash` makes a number that is not 0 of a
    /// value's text, as [`TableProfile`] has it.
    ///
    /// # Errors
    /// The source cannot be read; interrupts of the context.
    pub fn profile(&self, max_rows: usize, hash: &dyn Fn(&str) -> u64, context: &Context) -> Result<Vec<TableProfile>> {
        self.open()?.all().iter().map(|table| profile(table, max_rows, hash, context)).collect()
    }
}

fn profile(table: &Table<'_>, max_rows: usize, hash: &dyn Fn(&str) -> u64, context: &Context) -> Result<TableProfile> {
    let info = table.info(context)?;
    let mut columns: Vec<ColumnProfile> = info
        .columns
        .iter()
        .map(|(name, ty)| ColumnProfile { name: name.clone(), kind: kind(*ty), values: Vec::new() })
        .collect();
    let usable: Arc<[usize]> = (0..columns.len()).filter(|&at| columns[at].kind != ProfileKind::Other).collect();
    let _held = context.charge("Profile", usable.len() * max_rows.min(info.rows.unwrap_or(u64::MAX) as usize) * 8)?;
    let mut read = 0;
    for batch in table.read(usable.clone(), context)? {
        let batch = batch?;
        let rows = batch.first().map_or(0, |vector| vector.len()).min(max_rows - read);
        for (&at, vector) in usable.iter().zip(&batch) {
            let value = |row| if vector.is_null(row) { 0 } else { hash(&vector.text(row)) };
            columns[at].values.extend((0..rows).map(value));
        }
        read += rows;
        if read == max_rows {
            break;
        }
    }
    Ok(TableProfile { name: table.name.clone(), rows: info.rows.unwrap_or(read as u64), columns })
}

fn kind(ty: Option<Type>) -> ProfileKind {
    match ty {
        Some(Type::Int) => ProfileKind::Integer,
        Some(Type::Decimal(_) | Type::Double) => ProfileKind::Number,
        // A column of nothing but nulls may be anything; text claims least.
        Some(Type::Text | Type::Null) => ProfileKind::Text,
        Some(Type::Boolean) => ProfileKind::Boolean,
        Some(Type::Day) => ProfileKind::Date,
        Some(Type::Moment) => ProfileKind::DateTime,
        None => ProfileKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryTable;
    use arrow_array::{ArrayRef, BinaryArray, Float64Array, Int32Array, RecordBatch, StringArray};

    fn source() -> Source {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
            ("blob", Arc::new(BinaryArray::from(vec![b"a".as_slice(), b"b", b"c"]))),
            ("name", Arc::new(StringArray::from(vec!["x", "y", "x"]))),
            ("share", Arc::new(Float64Array::from(vec![0.5, 1.0, 1.5]))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
        let schema = batch.schema();
        let batches = Box::new(move || -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send> {
            Box::new([Ok(batch.clone()), Ok(batch.clone())].into_iter())
        });
        let fingerprint = String::new();
        Source::Memory(vec![MemoryTable { name: "t".into(), schema, batches, fingerprint }])
    }

    #[test]
    fn a_profile_has_kinds_nulls_and_at_most_so_many_rows() {
        let length = |text: &str| text.len() as u64;
        let tables = source().profile(5, &length, &Context::unlimited()).unwrap();
        let columns: Vec<_> = tables[0].columns.iter().map(|c| (c.kind, c.values.as_slice())).collect();
        let expected: [(ProfileKind, &[u64]); 4] = [
            (ProfileKind::Integer, &[1, 0, 1, 1, 0]),
            (ProfileKind::Other, &[]),
            (ProfileKind::Text, &[1, 1, 1, 1, 1]),
            (ProfileKind::Number, &[3, 1, 3, 3, 1]),
        ];
        assert_eq!(columns, expected);
    }

    #[test]
    fn an_interrupt_ends_it() {
        let context = Context::unlimited();
        context.token().cancel(facetta_model::CancelReason::Cancel);
        assert!(source().profile(5, &|_| 1, &context).is_err());
    }
}
