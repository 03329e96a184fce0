//! Excel's functions of numbers.

use super::ScalarKind::Numeric;
use super::{Call, Library, Parameter, ScalarFunction, need};
use facetta_model::{Result, Value};
use std::f64::consts::PI;

const NUMBER: &[Parameter] = &[need("number", Numeric)];

const fn excel(
    name: &'static str,
    parameters: &'static [Parameter],
    run: fn(&Call<'_>) -> Result<Value>,
    doc: &'static str,
) -> ScalarFunction {
    ScalarFunction::new(Library::Excel, name, parameters, Numeric, run, doc)
}

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    excel("Acos", NUMBER, |c| double(c, f64::acos), "Returns the arccosine of a number, in radians from 0 to pi."),
    excel("Acosh", NUMBER, |c| double(c, f64::acosh), "Returns the inverse hyperbolic cosine of a number."),
    excel("Asin", NUMBER, |c| double(c, f64::asin), "Returns the arcsine of a number, in radians from -pi/2 to pi/2."),
    excel("Asinh", NUMBER, |c| double(c, f64::asinh), "Returns the inverse hyperbolic sine of a number."),
    excel(
        "Atan2",
        &[need("x", Numeric), need("y", Numeric)],
        |c| Ok(Value::Double(c.number(1)?.atan2(c.number(0)?))),
        "Returns the angle of the point (x, y), in radians between -pi and pi.",
    ),
    excel("Atanh", NUMBER, |c| double(c, f64::atanh), "Returns the inverse hyperbolic tangent of a number."),
    excel("Cosh", NUMBER, |c| double(c, f64::cosh), "Returns the hyperbolic cosine of a number."),
    excel("Degrees", NUMBER, |c| double(c, |n| n * 180.0 / PI), "Converts radians to degrees."),
    excel("Log10", NUMBER, |c| double(c, f64::log10), "Returns the base-10 logarithm of a number."),
    excel(
        "Mod",
        &[need("number", Numeric), need("divisor", Numeric)],
        modulo,
        "Returns the remainder of a division, with the sign of the divisor.",
    ),
    excel("Pi", &[], |_| Ok(Value::Double(PI)), "Returns the number pi."),
    excel(
        "Power",
        &[need("number", Numeric), need("power", Numeric)],
        |c| Ok(Value::Double(c.number(0)?.powf(c.number(1)?))),
        "Returns a number raised to a power.",
    ),
    excel("Radians", NUMBER, |c| double(c, |n| n / 180.0 * PI), "Converts degrees to radians."),
    excel("Sinh", NUMBER, |c| double(c, f64::sinh), "Returns the hyperbolic sine of a number."),
    excel("SqrtPi", NUMBER, |c| double(c, |n| (n * PI).sqrt()), "Returns the square root of a number times pi."),
    excel("Tanh", NUMBER, |c| double(c, f64::tanh), "Returns the hyperbolic tangent of a number."),
];

fn double(call: &Call<'_>, function: fn(f64) -> f64) -> Result<Value> {
    Ok(Value::Double(function(call.number(0)?)))
}

/// Excel: MOD(n, d) = n - d * INT(n / d).
fn modulo(call: &Call<'_>) -> Result<Value> {
    if let (Value::Int(number), Value::Int(divisor @ 1..)) = (call.value(0), call.value(1)) {
        return Ok(Value::Int(number.rem_euclid(*divisor)));
    }
    let (number, divisor) = (call.number(0)?, call.number(1)?);
    if divisor == 0.0 {
        return Err(call.no_result("division by zero"));
    }
    Ok(Value::Double(number - divisor * (number / divisor).floor()))
}
