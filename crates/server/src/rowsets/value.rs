//! Values of restrictions and of DMV conditions: reading them by type, and comparing them with fields.

use crate::rowsets::definition::Type;
use facetta_model::{Error, ErrorKind, Field, Result, Value, name};
use jiff::civil::DateTime;
use std::cmp::Ordering;

/// A restriction as checked: the row's field must equal one of the values.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The column or extra restriction.
    pub name: &'static str,
    /// The values.
    pub values: Vec<Field>,
}

/// Restrictions whose empty value wants the empty name, which nothing has; of others an empty value wants nothing
/// (spec/protocol.md section 3).
const SCOPES: &[&str] = &["CATALOG_NAME", "CUBE_NAME"];

/// The values of a restriction by its type; `None` if it restricts nothing.
///
/// # Errors
/// A value is not of the type, or beyond its range.
pub fn parse_restriction(name: &str, ty: Type, values: &[String]) -> Result<Option<Vec<Field>>> {
    let given: Vec<&String> = values.iter().filter(|v| !v.trim().is_empty() || SCOPES.contains(&name)).collect();
    if given.is_empty() {
        return Ok(None);
    }
    given.into_iter().map(|v| parse_field(ty, v)).collect::<Result<_>>().map(Some)
}

/// The field that a text writes, by type.
///
/// # Errors
/// It is not of the type, or beyond its range.
pub fn parse_field(ty: Type, text: &str) -> Result<Field> {
    let trimmed = text.trim();
    let whole = |least: i128, most: i128| {
        let number: i128 = trimmed.parse().map_err(|_| mismatch())?;
        if number < least || number > most { Err(out_of_range()) } else { Ok(number) }
    };
    Ok(match ty {
        Type::Str | Type::Xml | Type::Variant | Type::Nested(_) => Field::from(text.to_owned()),
        Type::Uuid => Field::from(crate::guid::Guid::parse(trimmed).ok_or_else(mismatch)?.to_string()),
        Type::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" => Field::Boolean(true),
            "false" | "0" => Field::Boolean(false),
            _ => return Err(mismatch()),
        },
        Type::Short => Field::Int(whole(i16::MIN.into(), i16::MAX.into())? as i64),
        Type::Int => Field::Int(whole(i32::MIN.into(), i32::MAX.into())? as i64),
        Type::Long => Field::Int(whole(i64::MIN.into(), i64::MAX.into())? as i64),
        Type::UShort => Field::Uint(whole(0, u16::MAX.into())? as u64),
        Type::UInt => Field::Uint(whole(0, u32::MAX.into())? as u64),
        Type::ULong => Field::Uint(whole(0, u64::MAX.into())? as u64),
        Type::Float | Type::Double => Field::Double(trimmed.parse().map_err(|_| mismatch())?),
        Type::Date => Field::DateTime(parse_date(trimmed).ok_or_else(mismatch)?),
    })
}

/// A date and time in ISO form, with or without zone Z and time.
pub fn parse_date(text: &str) -> Option<DateTime> {
    text.trim_end_matches('Z').parse().ok()
}

/// The words of Windows for these two mistakes, which clients of Analysis Services show.
fn mismatch() -> Error {
    Error::new(ErrorKind::TypeMismatch, "The following system error occurred:  Type mismatch. ")
}

fn out_of_range() -> Error {
    Error::new(ErrorKind::TypeMismatch, "The following system error occurred:  Out of present range. ")
}

/// Whether a field equals one of the values. A field that is left out equals none.
pub fn accepts(values: &[Field], field: &Field) -> bool {
    values.iter().any(|v| compare(v, field) == Some(Ordering::Equal))
}

/// Whether a field has a bit that one of the values has too.
pub fn shares_bits(values: &[Field], field: &Field) -> bool {
    let whole = |field: &Field| match plain(field) {
        Some(Plain::Whole(number)) => number,
        _ => 0,
    };
    values.iter().any(|v| whole(v) & whole(field) != 0)
}

/// What can be compared.
enum Plain<'a> {
    Text(&'a str),
    Whole(i128),
    Real(f64),
    Flag(bool),
    Date(DateTime),
}

fn plain(field: &Field) -> Option<Plain<'_>> {
    Some(match field {
        Field::Null | Field::Rows(_) | Field::Many(_) => return None,
        Field::Str(s) => Plain::Text(s),
        Field::Shared(s) => Plain::Text(s),
        Field::Int(i) => Plain::Whole((*i).into()),
        Field::Uint(u) => Plain::Whole((*u).into()),
        Field::Double(d) => Plain::Real(*d),
        Field::Boolean(b) => Plain::Flag(*b),
        Field::DateTime(d) => Plain::Date(*d),
        Field::Value(v) => match v {
            Value::Empty | Value::Error(_) => return None,
            Value::Boolean(b) => Plain::Flag(*b),
            Value::Int(i) => Plain::Whole((*i).into()),
            Value::Double(d) => Plain::Real(*d),
            Value::Currency(c) => Plain::Real(c.to_f64()),
            Value::Date(d) => Plain::Date(*d),
            Value::Str(s) => Plain::Text(s),
        },
    })
}

/// How two fields stand to each other; `None` if one is null or they have nothing in common. Text compares without regard
/// to case, and with numbers, booleans and dates as what it writes (spec/dmv.md section 1).
pub fn compare(a: &Field, b: &Field) -> Option<Ordering> {
    use Plain::*;
    match (plain(a)?, plain(b)?) {
        (Text(a), Text(b)) => Some(if name::same(a, b) { Ordering::Equal } else { name::compare_text(a, b) }),
        (Whole(a), Whole(b)) => Some(a.cmp(&b)),
        (Date(a), Date(b)) => Some(a.cmp(&b)),
        (Flag(a), Flag(b)) => Some(a.cmp(&b)),
        (Date(a), Text(b)) => parse_date(b).map(|b| a.cmp(&b)),
        (Text(a), Date(b)) => parse_date(a).map(|a| a.cmp(&b)),
        (Flag(a), Text(b)) => truth(b).map(|b| a.cmp(&b)),
        (Text(a), Flag(b)) => truth(a).map(|a| a.cmp(&b)),
        (a, b) => real(&a)?.partial_cmp(&real(&b)?),
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn real(plain: &Plain<'_>) -> Option<f64> {
    match plain {
        Plain::Text(t) => t.trim().parse().ok(),
        Plain::Whole(w) => Some(*w as f64),
        Plain::Real(r) => Some(*r),
        Plain::Flag(b) => Some(f64::from(u8::from(*b))),
        Plain::Date(_) => None,
    }
}

/// Order for ORDER BY, MIN and MAX: nulls first, then as [`compare`] says.
pub fn order(a: &Field, b: &Field) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => compare(a, b).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_type() {
        let cases = [
            (Type::Int, "12", Some(Field::Int(12))),
            (Type::Int, "x", None),
            (Type::Short, "40000", None),
            (Type::UInt, "-1", None),
            (Type::ULong, "18446744073709551615", Some(Field::Uint(u64::MAX))),
            (Type::Bool, "TRUE", Some(Field::Boolean(true))),
            (Type::Bool, "2", None),
            (Type::Uuid, "x", None),
            (Type::Date, "2024-01-02T03:04:05Z", parse_date("2024-01-02T03:04:05").map(Field::DateTime)),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(parse_field(ty, text).ok(), expected, "{ty:?} {text}");
        }
    }

    #[test]
    fn a_null_equals_nothing() {
        assert!(!accepts(&[Field::from("")], &Field::Null));
        assert_eq!(compare(&Field::Null, &Field::Null), None);
    }

    #[test]
    fn text_compares_with_what_it_writes() {
        assert!(accepts(&[Field::from("12")], &Field::Int(12)));
        assert!(accepts(&[Field::from("ABC")], &Field::from("abc")));
        assert!(accepts(&[Field::from("1")], &Field::Boolean(true)));
        assert_eq!(compare(&Field::from("2024-01-01"), &Field::DateTime(DateTime::MAX)), Some(Ordering::Less));
        assert_eq!(compare(&Field::from("x"), &Field::Int(1)), None);
    }
}
