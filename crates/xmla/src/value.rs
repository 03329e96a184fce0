//! Values and fields in their wire form: text, and the `xsi:type` where a value says its own.

use crate::xml::writer::{currency_into, date_into, double_into, escape_text_into};
use facetta_model::{ColumnType, Error, Field, Value};
use std::io::Write;

/// The `xsi:type` of a value; none for an empty one and an error.
pub(crate) fn value_type(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Empty | Value::Error(_) => return None,
        Value::Boolean(_) => "xsd:boolean",
        Value::Int(i) => int_type(*i),
        Value::Double(_) => "xsd:double",
        Value::Currency(_) => "xsd:decimal",
        Value::Date(_) => "xsd:dateTime",
        Value::Str(_) => "xsd:string",
    })
}

fn int_type(i: i64) -> &'static str {
    if i32::try_from(i).is_ok() { "xsd:int" } else { "xsd:long" }
}

/// Appends the text of a value; an error is the elements of [`error_into`].
pub(crate) fn value_into(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Boolean(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(i) => int_into(out, *i),
        Value::Double(d) => double_into(out, *d),
        Value::Currency(c) => currency_into(out, *c),
        Value::Date(d) => date_into(out, *d),
        Value::Str(s) => escape_text_into(out, s),
        Value::Error(e) => error_into(out, e, None),
    }
}

/// Appends the Error element of a cell or a field, in a namespace of its own if one is given. Documentation and schema of
/// Analysis Services disagree on its form (spec/results.md 2.4), so it has both: attributes, and children.
pub(crate) fn error_into(out: &mut Vec<u8>, error: &Error, namespace: Option<&str>) {
    let mut description = Vec::new();
    crate::xml::writer::escape_attribute_into(&mut description, &error.to_string());
    let description = String::from_utf8_lossy(&description);
    let (code, ns) = (error.code(), namespace.map_or(String::new(), |n| format!(" xmlns=\"{n}\"")));
    // Writing into a Vec does not fail.
    let _ = write!(
        out,
        "<Error{ns} ErrorCode=\"{code}\" Description=\"{description}\"><ErrorCode>{code}</ErrorCode>\
         <Description>{description}</Description></Error>"
    );
}

/// Appends a whole number.
pub(crate) fn int_into(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    uint_into(out, number.unsigned_abs());
}

/// Appends a whole number that is not negative. Answers hold millions: the formatting machinery is passed by.
pub(crate) fn uint_into(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The `xsi:type` of a field of a column without a type.
pub(crate) fn field_type(field: &Field) -> Option<&'static str> {
    Some(match field {
        Field::Null | Field::Rows(_) | Field::Many(_) => return None,
        Field::Str(_) | Field::Shared(_) => "xsd:string",
        Field::Int(i) => int_type(*i),
        Field::Uint(u) if u32::try_from(*u).is_ok() => "xsd:unsignedInt",
        Field::Uint(_) => "xsd:unsignedLong",
        Field::Double(_) => "xsd:double",
        Field::Boolean(_) => "xsd:boolean",
        Field::DateTime(_) => "xsd:dateTime",
        Field::Value(value) => return value_type(value),
    })
}

/// Appends the text of a simple field; nothing for null and for what has fields of its own.
pub(crate) fn field_into(out: &mut Vec<u8>, field: &Field, error_namespace: &str) {
    match field {
        Field::Null | Field::Rows(_) | Field::Many(_) => {}
        Field::Str(s) => escape_text_into(out, s),
        Field::Shared(s) => escape_text_into(out, s),
        Field::Int(i) => int_into(out, *i),
        Field::Uint(u) => uint_into(out, *u),
        Field::Double(d) => double_into(out, *d),
        Field::Boolean(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Field::DateTime(d) => date_into(out, *d),
        Field::Value(Value::Error(e)) => error_into(out, e, Some(error_namespace)),
        Field::Value(value) => value_into(out, value),
    }
}

/// The name of a column's type in an inline schema; none for a variant and for a nested rowset.
pub(crate) fn column_type(ty: &ColumnType) -> Option<&'static str> {
    Some(match ty {
        ColumnType::String => "xsd:string",
        ColumnType::Boolean => "xsd:boolean",
        ColumnType::Short => "xsd:short",
        ColumnType::UnsignedShort => "xsd:unsignedShort",
        ColumnType::Int => "xsd:int",
        ColumnType::UnsignedInt => "xsd:unsignedInt",
        ColumnType::Long => "xsd:long",
        ColumnType::UnsignedLong => "xsd:unsignedLong",
        ColumnType::Float => "xsd:float",
        ColumnType::Double => "xsd:double",
        ColumnType::DateTime => "xsd:dateTime",
        ColumnType::Uuid => "uuid",
        ColumnType::Xml => "xmlDocument",
        ColumnType::Variant | ColumnType::Nested(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        for n in [0, 1, -1, 10, 1234567, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            int_into(&mut out, n);
            assert_eq!(String::from_utf8(out).unwrap(), n.to_string());
        }
    }
}
