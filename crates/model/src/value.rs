//! The value of a cell, a property or a scalar expression, with its arithmetic and order.

use crate::Error;
use jiff::civil::DateTime;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// Money with four decimals, as a scaled integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub i64);

impl Currency {
    /// Units of the last decimal in one.
    pub const SCALE: i64 = 10_000;

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }
}

/// The value of a cell, a property or a scalar expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing: an empty cell, a null.
    #[default]
    Empty,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Int(i64),
    /// A double; NaN and infinities are values.
    Double(f64),
    /// Money.
    Currency(Currency),
    /// A date and time without zone.
    Date(DateTime),
    /// Text.
    Str(Arc<str>),
    /// A cell that could not be evaluated; it spoils what is computed from it.
    Error(Error),
}

impl Value {
    /// Text as a value.
    pub fn str(text: impl AsRef<str>) -> Value {
        Value::Str(text.as_ref().into())
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        matches!(self, Value::Empty)
    }

    /// The number that it holds; booleans and empty count as numbers do in MDX (0 and 1), text and dates do not.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Empty => Some(0.0),
            Value::Boolean(b) => Some(*b as i64 as f64),
            Value::Int(i) => Some(*i as f64),
            Value::Double(d) => Some(*d),
            Value::Currency(c) => Some(c.to_f64()),
            Value::Date(_) | Value::Str(_) | Value::Error(_) => None,
        }
    }

    /// Whether it is a number: whole, double or money.
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Int(_) | Value::Double(_) | Value::Currency(_))
    }

    /// Order of values for ORDER, TopCount and comparison: empty, then numbers and booleans, dates, text.
    /// Text is compared without regard to case first, then with it. NaN sorts above all numbers but infinity.
    pub fn compare(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Empty, Value::Empty) => Ordering::Equal,
            (Value::Str(a), Value::Str(b)) => crate::name::compare_text(a, b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            _ => match (self.rank(), other.rank()) {
                (2, 2) => {
                    let (a, b) = (self.as_f64().unwrap_or(f64::NAN), other.as_f64().unwrap_or(f64::NAN));
                    // A number that is none stands between the greatest number and infinity.
                    let place = |d: f64| {
                        if d.is_nan() {
                            (1, 0.0)
                        } else if d == f64::INFINITY {
                            (2, 0.0)
                        } else {
                            (0, d)
                        }
                    };
                    place(a).partial_cmp(&place(b)).unwrap_or(Ordering::Equal)
                }
                (a, b) => a.cmp(&b),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Error(_) => 0,
            Value::Empty => 1,
            Value::Boolean(_) | Value::Int(_) | Value::Double(_) | Value::Currency(_) => 2,
            Value::Date(_) => 3,
            Value::Str(_) => 4,
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Boolean(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Value::Int(i)
    }
}

impl From<f64> for Value {
    fn from(d: f64) -> Self {
        Value::Double(d)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Str(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::Str(s.into())
    }
}

/// The plain text of a value, as `CStr` and `MEMBER_KEY` give it; numbers in shortest form.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Empty => Ok(()),
            Value::Boolean(b) => write!(f, "{b}"),
            Value::Int(i) => write!(f, "{i}"),
            Value::Double(d) => write!(f, "{d}"),
            Value::Currency(c) => write!(f, "{}", c.to_f64()),
            Value::Date(d) => write!(f, "{}", d.strftime("%Y-%m-%d %H:%M:%S")),
            Value::Str(s) => f.write_str(s),
            Value::Error(e) => write!(f, "#ERR: {e}"),
        }
    }
}
