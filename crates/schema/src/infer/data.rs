//! The tables that inference looks at: names, types, and values as hashes.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A table of the source.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name in a definition: that of the file, without the ending.
    pub name: String,
    /// How many rows it has. The columns may hold fewer values: the first rows of a very large table will do.
    pub rows: u64,
    /// The columns, all with the same number of values; those of kind [`ColumnKind::Other`] may have none.
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// [`hash_value`] of each value as text (numbers without needless zeros, dates as `2024-01-31`), 0 for NULL.
    pub values: Vec<u64>,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ColumnKind {
    Integer,
    /// Numbers with a fraction.
    Number,
    Text,
    Boolean,
    Date,
    DateTime,
    /// What cannot be used: lists, binary data.
    Other,
}

/// The hash of a value's text; never 0, which stands for NULL.
pub fn hash_value(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

impl Column {
    /// How many different values it has, NULL not counted.
    pub(super) fn distinct(&self) -> usize {
        let values: HashSet<u64> = self.values.iter().copied().filter(|v| *v != 0).collect();
        values.len()
    }

    /// Whether each row has a value of its own.
    pub(super) fn is_unique(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.values.len());
        !self.values.is_empty() && self.values.iter().all(|v| *v != 0 && seen.insert(*v))
    }

    /// Whether all its values are among those of `key`; a column without any is not in anything.
    pub(super) fn is_within(&self, key: &Column) -> bool {
        let keys: HashSet<u64> = key.values.iter().copied().collect();
        let mut values = self.values.iter().filter(|v| **v != 0).peekable();
        values.peek().is_some() && values.all(|v| keys.contains(v))
    }

    /// Whether each of its values goes with one value of `parent` only.
    pub(super) fn determines(&self, parent: &Column) -> bool {
        let mut known = HashMap::new();
        let mut pairs = self.values.iter().zip(&parent.values);
        pairs.all(|(value, parent)| *known.entry(*value).or_insert(*parent) == *parent)
    }

    /// Whether it can be the key of a table, or point to one.
    pub(super) fn can_be_key(&self) -> bool {
        matches!(self.kind, ColumnKind::Integer | ColumnKind::Text | ColumnKind::Date)
    }

    /// Its values at the rows of `keys` whose key is `at`: what a join gives. 0 where there is no such row.
    pub(super) fn joined(&self, keys: &Column, at: &Column) -> Vec<u64> {
        let rows: HashMap<u64, u64> = keys.values.iter().copied().zip(self.values.iter().copied()).collect();
        at.values.iter().map(|key| rows.get(key).copied().unwrap_or(0)).collect()
    }
}
