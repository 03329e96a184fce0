//! Visual Basic's functions of numbers.

use super::ScalarKind::{Integer, Numeric};
use super::{Call, Parameter, ScalarFunction, may, need, vba};
use crate::format::round_half_even;
use facetta_model::{Currency, Result, Value};
use std::sync::atomic::Ordering;

const NUMBER: &[Parameter] = &[need("number", Numeric)];

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    vba("Abs", NUMBER, Numeric, abs, "Returns the absolute value of a number."),
    vba("Atn", NUMBER, Numeric, |c| double(c, f64::atan), "Returns the arctangent of a number, in radians."),
    vba("Cos", NUMBER, Numeric, |c| double(c, f64::cos), "Returns the cosine of an angle in radians."),
    vba("Exp", NUMBER, Numeric, |c| double(c, f64::exp), "Returns e raised to a power."),
    vba(
        "Fix",
        NUMBER,
        Integer,
        |c| whole(c, f64::trunc, |units| units / Currency::SCALE),
        "Returns the integer part of a number, negative numbers rounded up.",
    ),
    vba(
        "Int",
        NUMBER,
        Integer,
        |c| whole(c, f64::floor, |units| units.div_euclid(Currency::SCALE)),
        "Returns the largest integer that is not above a number.",
    ),
    vba("Log", NUMBER, Numeric, |c| double(c, f64::ln), "Returns the natural logarithm of a number."),
    vba(
        "Rnd",
        &[may("number", Numeric)],
        Numeric,
        rnd,
        "Returns a random number from 0 up to 1: the next one, for 0 the last one again, for a negative number always the same.",
    )
    .volatile(),
    vba(
        "Round",
        &[need("number", Numeric), may("numDigitsAfterDecimal", Integer)],
        Numeric,
        round,
        "Returns a number rounded to a number of decimals, ties to even.",
    ),
    vba("Sgn", NUMBER, Integer, sgn, "Returns the sign of a number: -1, 0 or 1."),
    vba("Sin", NUMBER, Numeric, |c| double(c, f64::sin), "Returns the sine of an angle in radians."),
    vba("Sqr", NUMBER, Numeric, |c| double(c, f64::sqrt), "Returns the square root of a number."),
    vba("Tan", NUMBER, Numeric, |c| double(c, f64::tan), "Returns the tangent of an angle in radians."),
    vba("InverseNormal", NUMBER, Numeric, inverse_normal, "Returns the inverse of the standard normal distribution at a probability."),
];

fn double(call: &Call<'_>, function: fn(f64) -> f64) -> Result<Value> {
    Ok(Value::Double(function(call.number(0)?)))
}

fn abs(call: &Call<'_>) -> Result<Value> {
    Ok(match call.value(0) {
        Value::Int(whole) => whole.checked_abs().map_or(Value::Double((*whole as f64).abs()), Value::Int),
        Value::Currency(money) if money.0 > i64::MIN => Value::Currency(Currency(money.0.abs())),
        _ => Value::Double(call.number(0)?.abs()),
    })
}

/// A whole number: exact where it fits 64 bits, else a double.
fn whole(call: &Call<'_>, of_double: fn(f64) -> f64, of_money: fn(i64) -> i64) -> Result<Value> {
    Ok(match call.value(0) {
        Value::Int(whole) => Value::Int(*whole),
        Value::Currency(money) => Value::Int(of_money(money.0)),
        _ => {
            let number = of_double(call.number(0)?);
            super::arguments::to_integer(number).map_or(Value::Double(number), Value::Int)
        }
    })
}

/// `Round` of Visual Basic rounds ties to even; a negative number of decimals rounds left of the point, as in Excel.
fn round(call: &Call<'_>) -> Result<Value> {
    let decimals = call.integer_or(1, 0)?;
    if let (Value::Int(_), 0..) = (call.value(0), decimals) {
        return Ok(call.value(0).clone());
    }
    let decimals = i32::try_from(decimals.clamp(-400, 400)).unwrap_or(0);
    Ok(Value::Double(round_half_even(call.number(0)?, decimals)))
}

fn sgn(call: &Call<'_>) -> Result<Value> {
    let number = call.number(0)?;
    Ok(Value::Int(if number > 0.0 {
        1
    } else if number < 0.0 {
        -1
    } else {
        0
    }))
}

/// The seed with which Visual Basic starts.
pub(super) const FIRST_SEED: u32 = 0x5_0000;

/// Visual Basic's generator: 24 bits, x → x · 0x43FD43FD + 0xC39EC3 (documented in Microsoft's article 231847).
fn rnd(call: &Call<'_>) -> Result<Value> {
    let next = |seed: u32| seed.wrapping_mul(0x43FD_43FD).wrapping_add(0x00C3_9EC3) & 0x00FF_FFFF;
    let argument = call.number_or(0, 1.0)?;
    let random = &call.context.random;
    let seed = if argument < 0.0 {
        let bits = (argument as f32).to_bits();
        let seed = next(bits.wrapping_add(bits >> 24) & 0x00FF_FFFF);
        random.store(seed, Ordering::Relaxed);
        seed
    } else if argument == 0.0 {
        random.load(Ordering::Relaxed)
    } else {
        let update = |seed| Some(next(seed));
        let (Ok(before) | Err(before)) = random.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
        next(before)
    };
    Ok(Value::Double(f64::from(seed) / 16_777_216.0))
}

fn inverse_normal(call: &Call<'_>) -> Result<Value> {
    let p = call.number(0)?;
    if p > 0.0 && p < 1.0 {
        return Ok(Value::Double(normal_quantile(p)));
    }
    Err(call.invalid(0, "must be above 0 and below 1"))
}

/// Coefficients of a quotient of polynomials, above and below the line, the constant ones first.
type Quotient = [[f64; 8]; 2];

const CENTRE: Quotient = [
    [
        3.387_132_872_796_366_6,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_4e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];

const NEAR_TAIL: Quotient = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

const FAR_TAIL: Quotient = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// Wichura's algorithm AS 241 (Applied Statistics 37, 1988), with a relative error of about 1e-16.
fn normal_quantile(p: f64) -> f64 {
    let quotient = |[above, below]: &Quotient, x: f64| {
        let polynomial = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
        polynomial(above) / polynomial(below)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * quotient(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let tail = if r <= 5.0 { quotient(&NEAR_TAIL, r - 1.6) } else { quotient(&FAR_TAIL, r - 5.0) };
    if q < 0.0 { -tail } else { tail }
}
