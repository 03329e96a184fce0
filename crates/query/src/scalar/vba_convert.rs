//! Visual Basic's conversions and tests of a value's type.

use super::ScalarKind::{Any, Boolean, Integer, Numeric, String as Text};
use super::arguments::to_date;
use super::{Call, Parameter, ScalarFunction, ScalarKind, need, vba};
use facetta_model::{Currency, Error, Result, Value};

const EXPRESSION: &[Parameter] = &[need("expression", Any)];
const NUMBER: &[Parameter] = &[need("number", Any)];

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    vba("CBool", EXPRESSION, Boolean, |c| Ok(c.boolean(0)?.into()), "Converts a value to true or false."),
    vba("CByte", EXPRESSION, Integer, |c| ranged(c, 0, 255), "Converts a value to a whole number from 0 to 255."),
    vba("CCur", EXPRESSION, Numeric, c_cur, "Converts a value to money with four decimals."),
    vba("CDate", EXPRESSION, ScalarKind::Date, |c| Ok(Value::Date(c.date(0)?)), "Converts a value to a date."),
    vba("CDbl", EXPRESSION, Numeric, |c| Ok(Value::Double(c.number(0)?)), "Converts a value to a double."),
    vba(
        "CInt",
        EXPRESSION,
        Integer,
        |c| ranged(c, i64::from(i32::MIN), i64::from(i32::MAX)),
        "Converts a value to a whole number of 32 bits, ties rounded to even.",
    ),
    vba(
        "CLng",
        EXPRESSION,
        Integer,
        |c| Ok(Value::Int(c.integer(0)?)),
        "Converts a value to a whole number, ties rounded to even.",
    ),
    vba(
        "CSng",
        EXPRESSION,
        Numeric,
        |c| Ok(Value::Double(f64::from(c.number(0)? as f32))),
        "Converts a value to a number of single precision.",
    ),
    vba("CStr", EXPRESSION, Text, |c| Ok(c.text(0)?.into_owned().into()), "Converts a value to text."),
    vba("CVar", EXPRESSION, Any, |c| Ok(c.value(0).clone()), "Returns a value as it is."),
    vba(
        "Hex",
        NUMBER,
        Text,
        |c| in_radix(c, 16),
        "Returns a whole number in hexadecimal, negative ones in two's complement.",
    ),
    vba("Oct", NUMBER, Text, |c| in_radix(c, 8), "Returns a whole number in octal, negative ones in two's complement."),
    vba("Str", NUMBER, Text, str, "Returns a number as text, with a space before it unless it is negative."),
    vba(
        "IsArray",
        EXPRESSION,
        Boolean,
        |_| Ok(false.into()),
        "Returns whether a value is an array; a scalar never is.",
    )
    .sees_null(),
    vba(
        "IsDate",
        EXPRESSION,
        Boolean,
        is_date,
        "Returns whether a value is a date or a text that can be converted to one.",
    )
    .sees_null(),
    vba(
        "IsError",
        EXPRESSION,
        Boolean,
        |c| Ok(matches!(c.value(0), Value::Error(_)).into()),
        "Returns whether a value is an error.",
    )
    .sees_null(),
    vba(
        "IsMissing",
        EXPRESSION,
        Boolean,
        |_| Ok(false.into()),
        "Returns whether an argument was left out; one that is given was not.",
    )
    .sees_null(),
    vba("IsNull", EXPRESSION, Boolean, |c| Ok(c.value(0).is_empty().into()), "Returns whether a value is null.")
        .sees_null(),
    vba(
        "IsNumeric",
        EXPRESSION,
        Boolean,
        |c| Ok((c.value(0).is_number() || matches!(c.value(0), Value::Str(_)) && c.number(0).is_ok()).into()),
        "Returns whether a value is a number or a text that spells one.",
    )
    .sees_null(),
    vba(
        "IsObject",
        EXPRESSION,
        Boolean,
        |_| Ok(false.into()),
        "Returns whether a value is an object; a scalar never is.",
    )
    .sees_null(),
    vba("TypeName", EXPRESSION, Text, type_name, "Returns the name of a value's type.").sees_null(),
    vba(
        "RGB",
        &[need("red", Integer), need("green", Integer), need("blue", Integer)],
        Integer,
        rgb,
        "Returns a colour, each part from 0 to 255, as the cell properties BACK_COLOR and FORE_COLOR take it.",
    ),
    vba(
        "QBColor",
        &[need("color", Integer)],
        Integer,
        qb_color,
        "Returns one of the sixteen basic colours as a number.",
    ),
    vba("NullValue", &[], Numeric, |_| Ok(Value::Empty), "Returns null."),
];

fn ranged(call: &Call<'_>, least: i64, most: i64) -> Result<Value> {
    let whole = call.integer(0)?;
    if (least..=most).contains(&whole) {
        return Ok(Value::Int(whole));
    }
    Err(call.invalid(0, &format!("must be from {least} to {most}")))
}

fn c_cur(call: &Call<'_>) -> Result<Value> {
    if let Value::Currency(_) = call.value(0) {
        return Ok(call.value(0).clone());
    }
    let units = call.number(0)? * Currency::SCALE as f64;
    super::arguments::to_integer(units)
        .map(|units| Value::Currency(Currency(units)))
        .ok_or_else(|| call.invalid(0, "must fit an amount of money"))
}

/// 32 bits where they suffice, so that -1 is FFFFFFFF.
fn in_radix(call: &Call<'_>, radix: u32) -> Result<Value> {
    let whole = call.integer(0)?;
    let bits = i32::try_from(whole).map_or(whole as u64, |narrow| u64::from(narrow as u32));
    Ok(if radix == 16 { format!("{bits:X}") } else { format!("{bits:o}") }.into())
}

fn str(call: &Call<'_>) -> Result<Value> {
    let number = call.number(0)?;
    let text = if call.value(0).is_number() { call.value(0).to_string() } else { number.to_string() };
    Ok(if number < 0.0 { text } else { format!(" {text}") }.into())
}

fn is_date(call: &Call<'_>) -> Result<Value> {
    let value = call.value(0);
    Ok((matches!(value, Value::Date(_) | Value::Str(_)) && to_date(value).is_some()).into())
}

fn type_name(call: &Call<'_>) -> Result<Value> {
    Ok(Value::str(match call.value(0) {
        Value::Empty => "Null",
        Value::Boolean(_) => "Boolean",
        Value::Int(_) => "Integer",
        Value::Double(_) => "Double",
        Value::Currency(_) => "Currency",
        Value::Date(_) => "Date",
        Value::Str(_) => "String",
        Value::Error(_) => "Error",
    }))
}

fn rgb(call: &Call<'_>) -> Result<Value> {
    let mut colour = 0;
    for index in (0..3).rev() {
        // More than 255 counts as 255.
        colour = colour << 8 | call.length(index)?.min(255) as i64;
    }
    Ok(Value::Int(colour))
}

fn qb_color(call: &Call<'_>) -> Result<Value> {
    const COLOURS: [i64; 16] = [
        0x00_0000, 0x80_0000, 0x00_8000, 0x80_8000, 0x00_0080, 0x80_0080, 0x00_8080, 0xC0_C0C0, 0x80_8080, 0xFF_0000,
        0x00_FF00, 0xFF_FF00, 0x00_00FF, 0xFF_00FF, 0x00_FFFF, 0xFF_FFFF,
    ];
    let colour: Result<&i64, Error> =
        COLOURS.get(call.length(0)?).ok_or_else(|| call.invalid(0, "must be from 0 to 15"));
    Ok(Value::Int(*colour?))
}
