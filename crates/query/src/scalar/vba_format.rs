//! Visual Basic's functions that format values.

use super::ScalarKind::{Any, Date, Integer, String as Text};
use super::{Call, Parameter, ScalarFunction, may, need, vba};
use crate::format::Format;
use facetta_model::{Result, Value};

const NUMBER: &[Parameter] = &[
    need("expression", Any),
    may("numDigitsAfterDecimal", Integer),
    may("includeLeadingDigit", Integer),
    may("useParensForNegativeNumbers", Integer),
    may("groupDigits", Integer),
];

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    vba(
        "Format",
        &[need("expression", Any), need("format", Text)],
        Text,
        |c| format(c, &c.text(1)?, c.value(0)),
        "Returns a value as the text that a format string makes of it.",
    )
    .sees_null(),
    vba("FormatNumber", NUMBER, Text, |c| format_number(c, Unit::None), "Returns a number as text."),
    vba(
        "FormatCurrency",
        NUMBER,
        Text,
        |c| format_number(c, Unit::Currency),
        "Returns a number as an amount of money.",
    ),
    vba("FormatPercent", NUMBER, Text, |c| format_number(c, Unit::Percent), "Returns a number as a percentage."),
    vba(
        "FormatDateTime",
        &[need("date", Date), may("namedFormat", Integer)],
        Text,
        format_date_time,
        "Returns a date as text: 0 general, 1 long date, 2 short date, 3 long time, 4 short time.",
    ),
    vba(
        "CurrentDateString",
        &[need("format", Text)],
        Text,
        |c| format(c, &c.text(0)?, &Value::Date(c.context.now)),
        "Returns the current date as the text that a format string makes of it.",
    )
    .volatile(),
];

fn format(call: &Call<'_>, picture: &str, value: &Value) -> Result<Value> {
    let mut out = String::new();
    Format::parse(picture).write(value, call.context.locale, &mut out);
    Ok(out.into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    None,
    Currency,
    Percent,
}

/// Visual Basic's three states: -1 yes, 0 no, -2 (or left out) what the unit has.
fn choice(call: &Call<'_>, index: usize, default: bool) -> Result<bool> {
    Ok(match call.integer_or(index, -2)? {
        -2 => default,
        0 => false,
        _ => true,
    })
}

/// Builds the picture that the arguments describe. -1 decimals means the two that are usual, and in a currency what its
/// locale has.
fn format_number(call: &Call<'_>, unit: Unit) -> Result<Value> {
    let number = Value::Double(call.number(0)?);
    let currency = call.context.locale.currency_picture;
    let usual = match unit {
        Unit::Currency if !currency.contains('.') => 0,
        _ => 2,
    };
    let decimals = match call.integer_or(1, -1)? {
        -1 => usual,
        decimals @ 0..=99 => decimals as usize,
        _ => return Err(call.invalid(1, "must be -1 or from 0 to 99")),
    };
    let leading = if choice(call, 2, true)? { "0" } else { "#" };
    let whole = if choice(call, 4, true)? { format!("#,##{leading}") } else { leading.to_owned() };
    let digits = match decimals {
        0 => whole,
        decimals => format!("{whole}.{}", "0".repeat(decimals)),
    };
    let picture = match unit {
        Unit::None => digits,
        Unit::Percent => format!("{digits}%"),
        // The digits of the locale's picture make place for those asked for; its signs stay where they are.
        Unit::Currency => {
            let places = |c: char| matches!(c, '#' | '0' | ',' | '.');
            let start = currency.find(places).unwrap_or(0);
            let end = start + currency[start..].find(|c| !places(c)).unwrap_or(currency.len() - start);
            format!("{}{digits}{}", &currency[..start], &currency[end..])
        }
    };
    let parentheses = choice(call, 3, unit == Unit::Currency)?;
    let picture = if parentheses { format!("{picture};({picture})") } else { picture };
    format(call, &picture, &number)
}

fn format_date_time(call: &Call<'_>) -> Result<Value> {
    let picture = match call.integer_or(1, 0)? {
        0 => "General Date",
        1 => "Long Date",
        2 => "Short Date",
        3 => "Long Time",
        4 => "Short Time",
        _ => return Err(call.invalid(1, "must be from 0 to 4")),
    };
    format(call, picture, &Value::Date(call.date(0)?))
}
