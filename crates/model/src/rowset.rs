//! A rowset: columns, and a source of batches of rows that is pulled.

use crate::{Context, NameEncoding, Result, Value};
use jiff::civil::DateTime;
use std::borrow::Cow;
use std::sync::Arc;

/// The type of a column on the wire (spec/results.md section 1).
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnType {
    /// `xsd:string`
    String,
    /// `xsd:boolean`
    Boolean,
    /// `xsd:short`
    Short,
    /// `xsd:unsignedShort`
    UnsignedShort,
    /// `xsd:int`
    Int,
    /// `xsd:unsignedInt`
    UnsignedInt,
    /// `xsd:long`
    Long,
    /// `xsd:unsignedLong`
    UnsignedLong,
    /// `xsd:float`
    Float,
    /// `xsd:double`
    Double,
    /// `xsd:dateTime`
    DateTime,
    /// `uuid`
    Uuid,
    /// `xmlDocument`: the value is markup, written as it is
    Xml,
    /// Declared without a type; each value says its own.
    Variant,
    /// A rowset of its own, repeated inside the row.
    Nested(Arc<[Column]>),
}

/// A column of a rowset.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name, as `sql:field` has it; the element's name is its encoded form.
    pub name: Cow<'static, str>,
    /// The type.
    pub ty: ColumnType,
    /// Whether a row may leave it out (`minOccurs="0"`).
    pub optional: bool,
}

impl Column {
    /// A column that may be null.
    pub fn new(name: impl Into<Cow<'static, str>>, ty: ColumnType) -> Self {
        Self { name: name.into(), ty, optional: true }
    }
}

/// One field of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field {
    /// Left out.
    #[default]
    Null,
    /// Text; also a uuid in upper case without braces, and markup for [`ColumnType::Xml`].
    Str(Cow<'static, str>),
    /// Text that many rows share.
    Shared(Arc<str>),
    /// A whole number.
    Int(i64),
    /// A whole number that is never negative.
    Uint(u64),
    /// A double.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// A date and time, UTC.
    DateTime(DateTime),
    /// A value that says its own type.
    Value(Value),
    /// The rows of a nested rowset, each as wide as its columns.
    Rows(Vec<Vec<Field>>),
    /// An element repeated: several values of a column that is an array.
    Many(Vec<Field>),
}

macro_rules! field_from {
    ($($ty:ty => |$v:ident| $e:expr;)+) => {$(
        impl From<$ty> for Field { fn from($v: $ty) -> Self { $e } }
    )+};
}

field_from! {
    &'static str => |v| Field::Str(Cow::Borrowed(v));
    String => |v| Field::Str(Cow::Owned(v));
    Arc<str> => |v| Field::Shared(v);
    bool => |v| Field::Boolean(v);
    i16 => |v| Field::Int(v.into());
    i32 => |v| Field::Int(v.into());
    i64 => |v| Field::Int(v);
    u16 => |v| Field::Uint(v.into());
    u32 => |v| Field::Uint(v.into());
    u64 => |v| Field::Uint(v);
    f64 => |v| Field::Double(v);
    DateTime => |v| Field::DateTime(v);
    Value => |v| Field::Value(v);
}

impl<T: Into<Field>> From<Option<T>> for Field {
    fn from(v: Option<T>) -> Self {
        v.map_or(Field::Null, Into::into)
    }
}

impl Field {
    /// The text that it holds, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Field::Str(s) => Some(s),
            Field::Shared(s) | Field::Value(Value::Str(s)) => Some(s),
            _ => None,
        }
    }

    /// Whether it is left out.
    pub fn is_null(&self) -> bool {
        matches!(self, Field::Null | Field::Value(Value::Empty))
    }
}

/// Some rows of a rowset, one after the other in one vector.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    width: usize,
    fields: Vec<Field>,
}

impl Batch {
    /// No rows yet, each to have `width` fields.
    pub fn new(width: usize) -> Self {
        Self { width, fields: Vec::new() }
    }

    /// Appends a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = Field>) {
        self.fields.extend(row);
        debug_assert!(self.width == 0 || self.fields.len().is_multiple_of(self.width));
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Field]> {
        self.fields.chunks_exact(self.width.max(1))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.fields.len() / self.width.max(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Yields the next batch of rows at each pull, `None` at the end. A batch holds at most a few thousand rows.
pub type RowSource = Box<dyn FnMut(&Context) -> Result<Option<Batch>> + Send>;

/// A rowset: columns, and rows that are pulled.
pub struct Rowset {
    /// The columns in the order of every row's fields.
    pub columns: Arc<[Column]>,
    /// How the names of its elements encode what XML does not allow in names.
    pub names: NameEncoding,
    /// The rows.
    pub rows: RowSource,
}

impl Rowset {
    /// A rowset of columns and the rows that a source yields.
    pub fn new(columns: impl Into<Arc<[Column]>>, rows: RowSource) -> Self {
        Self { columns: columns.into(), names: NameEncoding::default(), rows }
    }

    /// A rowset whose rows are there already.
    pub fn of(columns: impl Into<Arc<[Column]>>, rows: impl IntoIterator<Item = Vec<Field>>) -> Self {
        let columns = columns.into();
        let mut batch = Batch::new(columns.len());
        rows.into_iter().for_each(|row| batch.push(row));
        let mut batch = Some(batch).filter(|b| !b.is_empty());
        Self::new(columns, Box::new(move |_| Ok(batch.take())))
    }
}
