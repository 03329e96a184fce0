//! A column of values of one type: keys and properties of members.

use crate::{Strings, Value};
use jiff::civil::DateTime;

/// Values of one type, with a mark for those that are null.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueColumn {
    /// The values; a null has any value in its place.
    pub data: ValueData,
    /// Where true, the value is null; none if none is.
    pub nulls: Option<Vec<bool>>,
}

/// The values of a [`ValueColumn`].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ValueData {
    Int(Vec<i64>),
    Double(Vec<f64>),
    Boolean(Vec<bool>),
    Date(Vec<DateTime>),
    Str(Strings),
}

impl ValueColumn {
    /// The value at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> Value {
        if self.is_null(index) {
            return Value::Empty;
        }
        match &self.data {
            ValueData::Int(v) => Value::Int(v[index]),
            ValueData::Double(v) => Value::Double(v[index]),
            ValueData::Boolean(v) => Value::Boolean(v[index]),
            ValueData::Date(v) => Value::Date(v[index]),
            ValueData::Str(v) => Value::str(v.get(index)),
        }
    }

    /// Whether the value at `index` is null.
    pub fn is_null(&self, index: usize) -> bool {
        self.nulls.as_ref().is_some_and(|n| n[index])
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match &self.data {
            ValueData::Int(v) => v.len(),
            ValueData::Double(v) => v.len(),
            ValueData::Boolean(v) => v.len(),
            ValueData::Date(v) => v.len(),
            ValueData::Str(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let data = match &self.data {
            ValueData::Str(v) => v.bytes(),
            ValueData::Boolean(v) => v.len(),
            ValueData::Date(v) => v.len() * size_of::<DateTime>(),
            ValueData::Int(v) => v.len() * 8,
            ValueData::Double(v) => v.len() * 8,
        };
        data + self.nulls.as_ref().map_or(0, Vec::len)
    }
}
