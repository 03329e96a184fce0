//! A generated table, and short ways to make its columns.

use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use std::sync::Arc;

/// A table of the demo.
pub(crate) struct Table {
    /// Name of the table and of its file.
    pub(crate) name: &'static str,
    /// All its rows.
    pub(crate) rows: RecordBatch,
}

/// A table of columns; those without nulls are declared so.
pub(super) fn table<const N: usize>(name: &'static str, columns: [(&'static str, ArrayRef); N]) -> Table {
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), array.null_count() > 0);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    // The generators make all columns of a table in one loop, so that they are equally long.
    let rows = RecordBatch::try_new(Arc::new(schema), arrays).expect("columns of one length");
    Table { name, rows }
}

/// Whole numbers.
pub(super) fn ints(values: Vec<i32>) -> ArrayRef {
    Arc::new(Int32Array::from(values))
}

/// Whole numbers, some null.
pub(super) fn optional_ints(values: Vec<Option<i32>>) -> ArrayRef {
    Arc::new(Int32Array::from(values))
}

/// Texts.
pub(super) fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Days since 1 January 1970.
pub(super) fn dates(values: Vec<i32>) -> ArrayRef {
    Arc::new(Date32Array::from(values))
}

/// Money, given in cents; exact decimals with two digits.
pub(super) fn money(cents: Vec<i32>) -> ArrayRef {
    let values: Decimal128Array = cents.into_iter().map(|c| Some(i128::from(c))).collect();
    // Nine digits hold every i32 below ten million units of money; the generators stay far below.
    Arc::new(values.with_data_type(DataType::Decimal128(9, 2)))
}
