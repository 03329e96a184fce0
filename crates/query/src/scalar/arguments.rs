//! The arguments of a call, each converted to what its function asks for.

use super::vba_date::parse_date;
use super::{ScalarContext, ScalarFunction};
use crate::format::date::from_serial;
use facetta_model::{Error, ErrorKind, Result, Value};
use jiff::civil::DateTime;
use std::borrow::Cow;

/// The longest text that a function makes. Texts grow by multiplication (`Replace`, `String`), so that a short
/// statement could otherwise ask for all memory.
pub(super) const LONGEST_TEXT: usize = 1 << 22;

/// A call of a scalar function. Arguments are numbered from 0; one that was left out is null.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) function: &'a ScalarFunction,
    pub(super) context: &'a ScalarContext,
    pub(super) values: &'a [Value],
    pub(super) series: &'a [f64],
}

impl Call<'_> {
    pub(super) fn value(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Empty)
    }

    fn given(&self, index: usize) -> bool {
        !self.value(index).is_empty()
    }

    pub(super) fn number(&self, index: usize) -> Result<f64> {
        to_number(self.value(index)).ok_or_else(|| self.wrong(index, "a number"))
    }

    pub(super) fn number_or(&self, index: usize, default: f64) -> Result<f64> {
        if self.given(index) { self.number(index) } else { Ok(default) }
    }

    /// A whole number, rounded half to even.
    pub(super) fn integer(&self, index: usize) -> Result<i64> {
        if let Value::Int(whole) = self.value(index) {
            return Ok(*whole);
        }
        to_integer(self.number(index)?).ok_or_else(|| self.wrong(index, "a whole number of 64 bits"))
    }

    pub(super) fn integer_or(&self, index: usize, default: i64) -> Result<i64> {
        if self.given(index) { self.integer(index) } else { Ok(default) }
    }

    /// A length or a count: a whole number that is not negative.
    pub(super) fn length(&self, index: usize) -> Result<usize> {
        let length = self.integer(index)?;
        usize::try_from(length).map_err(|_| self.invalid(index, "must be non-negative"))
    }

    pub(super) fn text(&self, index: usize) -> Result<Cow<'_, str>> {
        Ok(match self.value(index) {
            Value::Str(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_string()),
        })
    }

    pub(super) fn date(&self, index: usize) -> Result<DateTime> {
        to_date(self.value(index)).ok_or_else(|| self.wrong(index, "a date"))
    }

    pub(super) fn boolean(&self, index: usize) -> Result<bool> {
        to_boolean(self.value(index)).ok_or_else(|| self.wrong(index, "true or false"))
    }

    pub(super) fn boolean_or(&self, index: usize, default: bool) -> Result<bool> {
        if self.given(index) { self.boolean(index) } else { Ok(default) }
    }

    /// An argument that its function cannot do with: `Start parameter of Mid function must be positive`.
    pub(super) fn invalid(&self, index: usize, must: &str) -> Error {
        let name = self.function.parameters.get(index).map_or("argument", |parameter| parameter.name);
        let mut initial = name.chars();
        let name: String = initial.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(initial).collect();
        let message = format!("Invalid parameter. {name} parameter of {} function {must}", self.function.name);
        Error::new(ErrorKind::Invalid, message)
    }

    /// A result that the arguments do not have.
    pub(super) fn no_result(&self, why: &str) -> Error {
        Error::new(ErrorKind::Invalid, format!("'{}' has no result: {why}", self.function.name))
    }

    fn wrong(&self, index: usize, what: &str) -> Error {
        let (name, value) = (self.function.name, self.value(index));
        let message = match value {
            Value::Empty => format!("argument {} of '{name}' must be {what}, not null", index + 1),
            value => format!("argument {} of '{name}' must be {what}, not '{}'", index + 1, shortened(value)),
        };
        Error::new(ErrorKind::Type, message)
    }

    /// Room for a text of so many bytes.
    pub(super) fn check_length(&self, bytes: Option<usize>) -> Result<usize> {
        bytes.filter(|bytes| *bytes <= LONGEST_TEXT).ok_or_else(|| {
            let message = format!("the text that '{}' makes is longer than {LONGEST_TEXT} bytes", self.function.name);
            Error::new(ErrorKind::Invalid, message)
        })
    }
}

/// The start of a value's text, for messages.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A number: itself, the number that a text spells, the serial number of a date.
pub(super) fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => parse_number(text),
        // True is 1 in MDX, not -1 as in Visual Basic.
        Value::Date(moment) => Some(crate::format::date::to_serial(*moment)),
        other => other.as_f64(),
    }
}

/// The number that a whole text spells, as `CDbl` and comparisons read it.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    // Rust also reads `inf`, `nan` and `infinity`, which are not numbers here.
    text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)).then(|| text.parse().ok()).flatten()
}

/// The nearest whole number, ties to even; none where it does not fit.
pub(super) fn to_integer(number: f64) -> Option<i64> {
    let rounded = number.round_ties_even();
    // 2^63 itself does not fit, and is the first double that does not.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded).then_some(rounded as i64)
}

pub(super) fn to_date(value: &Value) -> Option<DateTime> {
    match value {
        Value::Date(moment) => Some(*moment),
        Value::Str(text) => parse_date(text),
        Value::Int(_) | Value::Double(_) | Value::Currency(_) => value.as_f64().and_then(from_serial),
        Value::Empty | Value::Boolean(_) | Value::Error(_) => None,
    }
}

pub(super) fn to_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(truth) => Some(*truth),
        Value::Str(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::Str(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::Empty | Value::Error(_) => None,
        other => to_number(other).map(|number| number != 0.0),
    }
}
