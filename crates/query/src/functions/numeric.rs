//! Arithmetic, and numbers about members and sets.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Col, Evaluator, Values};
use crate::expr::{Call, Kind, Kind::*};
use facetta_model::{Currency, Error, ErrorKind, Result, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    function("+", &[Numeric, Numeric], Numeric, Run::Row(plus), "The sum of two numbers.").infix(),
    function("+", &[String, String], String, Run::Row(plus), "Two texts, one after the other.").infix(),
    function("-", &[Numeric, Numeric], Numeric, Run::Row(minus), "The difference of two numbers.").infix(),
    function("-", &[Numeric], Numeric, Run::Row(negative), "The negative of a number.").prefix(),
    function("*", &[Numeric, Numeric], Numeric, Run::Row(times), "The product of two numbers.").infix(),
    function("/", &[Numeric, Numeric], Numeric, Run::Row(quotient), "The quotient of two numbers.").infix(),
    function("^", &[Numeric, Numeric], Numeric, Run::Row(power), "A number raised to a power.").infix(),
    function(
        "Divide",
        &[Numeric, Numeric],
        Numeric,
        Run::Row(divide),
        "The quotient, or null where the divisor is zero.",
    ),
    function(
        "Divide",
        &[Numeric, Numeric, Numeric],
        Numeric,
        Run::Row(divide),
        "The quotient, or the third number where the divisor is zero.",
    ),
    function("NullValue", &[], Numeric, Run::Row(null), "The empty value."),
    function("CoalesceEmpty", &[Kind::Value], Kind::Value, Run::Values(coalesce), "The first value that is not empty.")
        .repeat(1),
];

/// A number where one is wanted; text that looks like one counts.
pub(crate) fn number(value: &Value) -> Result<f64> {
    if let Value::Error(e) = value {
        return Err(e.clone());
    }
    let parsed = || match value {
        Value::Str(s) => s.trim().parse().ok(),
        Value::Date(d) => Some(crate::format::date::to_serial(*d)),
        _ => None,
    };
    value
        .as_f64()
        .or_else(parsed)
        .ok_or_else(|| Error::new(ErrorKind::Type, format!("a number was expected, not '{value}'")))
}

fn arithmetic(a: &Value, b: &Value, whole: fn(i64, i64) -> Option<i64>, real: fn(f64, f64) -> f64) -> Result<Value> {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => match whole(*x, *y) {
            Some(i) => Ok(Value::Int(i)),
            None => Ok(Value::Double(real(*x as f64, *y as f64))),
        },
        (Value::Double(x), Value::Double(y)) => Ok(Value::Double(real(*x, *y))),
        _ => Ok(Value::Double(real(number(a)?, number(b)?))),
    }
}

fn plus(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty, b] => Ok(b.clone()),
        [a, Value::Empty] => Ok(a.clone()),
        [Value::Str(a), Value::Str(b)] => Ok(Value::from(format!("{a}{b}"))),
        [Value::Currency(a), Value::Currency(b)] if a.0.checked_add(b.0).is_some() => {
            Ok(Value::Currency(Currency(a.0 + b.0)))
        }
        [a, b] => arithmetic(a, b, i64::checked_add, |x, y| x + y),
        _ => Ok(Value::Empty),
    }
}

/// The sum of two values, an error if there is none.
pub(crate) fn add(a: &Value, b: &Value) -> Value {
    plus(&[a.clone(), b.clone()]).unwrap_or_else(Value::Error)
}

fn minus(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty, Value::Empty] => Ok(Value::Empty),
        [Value::Empty, b] => negative(std::slice::from_ref(b)),
        [a, Value::Empty] => Ok(a.clone()),
        [a, b] => arithmetic(a, b, i64::checked_sub, |x, y| x - y),
        _ => Ok(Value::Empty),
    }
}

fn negative(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty] | [] => Ok(Value::Empty),
        [Value::Int(i)] if *i != i64::MIN => Ok(Value::Int(-i)),
        [v, ..] => Ok(Value::Double(-number(v)?)),
    }
}

fn times(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty, _] | [_, Value::Empty] => Ok(Value::Empty),
        [a, b] => arithmetic(a, b, i64::checked_mul, |x, y| x * y),
        _ => Ok(Value::Empty),
    }
}

fn quotient(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty, _] => Ok(Value::Empty),
        // Division by an empty cell is infinite whatever the sign, as that of empty is not known.
        [a, Value::Empty] => number(a).map(|_| Value::Double(f64::INFINITY)),
        [a, b] => Ok(Value::Double(number(a)? / number(b)?)),
        _ => Ok(Value::Empty),
    }
}

fn power(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty, _] => Ok(Value::Empty),
        [a, b] => Ok(Value::Double(number(a)?.powf(number(b)?))),
        _ => Ok(Value::Empty),
    }
}

fn divide(args: &[Value]) -> Result<Value> {
    let [a, b, rest @ ..] = args else { return Ok(Value::Empty) };
    match number(b)? {
        0.0 => Ok(rest.first().cloned().unwrap_or_default()),
        divisor if !a.is_empty() => Ok(Value::Double(number(a)? / divisor)),
        _ => Ok(Value::Empty),
    }
}

fn null(_: &[Value]) -> Result<Value> {
    Ok(Value::Empty)
}

fn coalesce(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let mut out = vec![Value::Empty; batch.len];
    let mut rest: Vec<u32> = (0..batch.len as u32).collect();
    for arg in &call.args {
        evaluator.put(arg, batch, &rest, &mut out)?;
        rest.retain(|&row| out[row as usize].is_empty());
    }
    Ok(Col::Many(out))
}
