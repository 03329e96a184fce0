//! Visual Basic's functions of finance. Money paid out is negative, money received positive.

use super::ScalarKind::{Boolean, Numeric, Series};
use super::{Call, Parameter, ScalarFunction, may, need, vba};
use facetta_model::{Result, Value};

const RATE: Parameter = need("rate", Numeric);
const PER: Parameter = need("per", Numeric);
const NPER: Parameter = need("nper", Numeric);
const PMT: Parameter = need("pmt", Numeric);
const PRESENT: Parameter = need("pv", Numeric);
const FUTURE: Parameter = may("fv", Numeric);
/// Whether payments are due at the start of a period.
const DUE: Parameter = may("type", Boolean);
const ASSET: [Parameter; 3] = [need("cost", Numeric), need("salvage", Numeric), need("life", Numeric)];

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    vba(
        "DDB",
        &[ASSET[0], ASSET[1], ASSET[2], need("period", Numeric), may("factor", Numeric)],
        Numeric,
        ddb,
        "Returns the depreciation of an asset in a period by the double-declining balance method.",
    ),
    vba(
        "FV",
        &[RATE, NPER, PMT, may("pv", Numeric), DUE],
        Numeric,
        |c| {
            Ok(future_value(c.number(0)?, c.number(1)?, c.number(2)?, c.number_or(3, 0.0)?, c.boolean_or(4, false)?)
                .into())
        },
        "Returns the future value of an annuity.",
    ),
    vba(
        "IPmt",
        &[RATE, PER, NPER, PRESENT, FUTURE, DUE],
        Numeric,
        ipmt,
        "Returns the interest in a payment of an annuity.",
    ),
    vba(
        "IRR",
        &[need("values", Series), may("guess", Numeric)],
        Numeric,
        irr,
        "Returns the internal rate of return of a series of cash flows.",
    ),
    vba(
        "MIRR",
        &[need("values", Series), need("financeRate", Numeric), need("reinvestRate", Numeric)],
        Numeric,
        mirr,
        "Returns the modified internal rate of return of a series of cash flows.",
    ),
    vba("NPer", &[RATE, PMT, PRESENT, FUTURE, DUE], Numeric, nper, "Returns the number of periods of an annuity."),
    vba(
        "NPV",
        &[RATE, need("values", Series)],
        Numeric,
        |c| Ok(net_present_value(c.number(0)?, c.series).into()),
        "Returns the net present value of a series of cash flows, the first one after a period.",
    ),
    vba(
        "Pmt",
        &[RATE, NPER, PRESENT, FUTURE, DUE],
        Numeric,
        |c| Ok(payment(c.number(0)?, c.number(1)?, c.number(2)?, c.number_or(3, 0.0)?, c.boolean_or(4, false)?).into()),
        "Returns the payment of an annuity.",
    ),
    vba(
        "PPmt",
        &[RATE, PER, NPER, PRESENT, FUTURE, DUE],
        Numeric,
        ppmt,
        "Returns the principal in a payment of an annuity.",
    ),
    vba(
        "PV",
        &[RATE, NPER, PMT, FUTURE, DUE],
        Numeric,
        |c| {
            Ok(present_value(c.number(0)?, c.number(1)?, c.number(2)?, c.number_or(3, 0.0)?, c.boolean_or(4, false)?)
                .into())
        },
        "Returns the present value of an annuity.",
    ),
    vba(
        "Rate",
        &[NPER, PMT, PRESENT, FUTURE, DUE, may("guess", Numeric)],
        Numeric,
        rate,
        "Returns the interest rate of an annuity per period.",
    ),
    vba(
        "SLN",
        &ASSET,
        Numeric,
        |c| Ok(((c.number(0)? - c.number(1)?) / c.number(2)?).into()),
        "Returns the straight-line depreciation of an asset in a period.",
    ),
    vba(
        "SYD",
        &[ASSET[0], ASSET[1], ASSET[2], need("period", Numeric)],
        Numeric,
        syd,
        "Returns the depreciation of an asset in a period by the sum of its years' digits.",
    ),
];

/// How a payment at the start of a period counts at its end.
fn due_factor(rate: f64, due: bool) -> f64 {
    if due { 1.0 + rate } else { 1.0 }
}

/// The future value of so many payments of 1 at the end of each period.
fn annuity(rate: f64, periods: f64) -> f64 {
    // expm1 and ln_1p keep the digits of small rates.
    if rate == 0.0 { periods } else { (periods * rate.ln_1p()).exp_m1() / rate }
}

fn future_value(rate: f64, periods: f64, payment: f64, present: f64, due: bool) -> f64 {
    -(present * (1.0 + rate).powf(periods) + payment * due_factor(rate, due) * annuity(rate, periods))
}

fn present_value(rate: f64, periods: f64, payment: f64, future: f64, due: bool) -> f64 {
    -(future + payment * due_factor(rate, due) * annuity(rate, periods)) / (1.0 + rate).powf(periods)
}

fn payment(rate: f64, periods: f64, present: f64, future: f64, due: bool) -> f64 {
    -(future + present * (1.0 + rate).powf(periods)) / (due_factor(rate, due) * annuity(rate, periods))
}

/// The arguments rate, per, nper, pv, fv, type: the payment and the interest in it.
fn payment_and_interest(call: &Call<'_>) -> Result<(f64, f64)> {
    let (rate, period, periods, present) = (call.number(0)?, call.number(1)?, call.number(2)?, call.number(3)?);
    let (future, due) = (call.number_or(4, 0.0)?, call.boolean_or(5, false)?);
    if !(period >= 1.0 && period < periods + 1.0) {
        return Err(call.invalid(1, "must be from 1 to the number of periods"));
    }
    let payment = payment(rate, periods, present, future, due);
    // The interest is that on the balance after the periods before; a payment at the start pays none in the first.
    let interest = match due {
        true if period == 1.0 => 0.0,
        true => (future_value(rate, period - 2.0, payment, present, true) - payment) * rate,
        false => future_value(rate, period - 1.0, payment, present, false) * rate,
    };
    Ok((payment, interest))
}

fn ipmt(call: &Call<'_>) -> Result<Value> {
    Ok(payment_and_interest(call)?.1.into())
}

fn ppmt(call: &Call<'_>) -> Result<Value> {
    let (payment, interest) = payment_and_interest(call)?;
    Ok((payment - interest).into())
}

fn nper(call: &Call<'_>) -> Result<Value> {
    let (rate, payment, present) = (call.number(0)?, call.number(1)?, call.number(2)?);
    let (future, due) = (call.number_or(3, 0.0)?, call.boolean_or(4, false)?);
    if rate == 0.0 {
        return Ok((-(future + present) / payment).into());
    }
    let yearly = payment * due_factor(rate, due) / rate;
    Ok((((yearly - future) / (yearly + present)).ln() / rate.ln_1p()).into())
}

/// The sum of cash flows, the first one discounted by one period.
fn net_present_value(rate: f64, flows: &[f64]) -> f64 {
    // From the last to the first: one division each.
    flows.iter().rev().fold(0.0, |sum, flow| (sum + flow) / (1.0 + rate))
}

fn irr(call: &Call<'_>) -> Result<Value> {
    // The guess is the only argument beside the series.
    let guess = call.number_or(0, 0.1)?;
    if !(call.series.iter().any(|flow| *flow > 0.0) && call.series.iter().any(|flow| *flow < 0.0)) {
        return Err(call.no_result("the cash flows must have a payment and a receipt"));
    }
    let rate = root(|rate| net_present_value(rate, call.series), guess);
    rate.map(Value::Double).ok_or_else(|| call.no_result("no rate was found"))
}

fn mirr(call: &Call<'_>) -> Result<Value> {
    let (finance, reinvest) = (call.number(0)?, call.number(1)?);
    let share = |rate: f64, wanted: fn(f64) -> bool| {
        let flows: Vec<f64> = call.series.iter().map(|flow| if wanted(*flow) { *flow } else { 0.0 }).collect();
        net_present_value(rate, &flows)
    };
    let (receipts, payments) = (share(reinvest, |flow| flow > 0.0), share(finance, |flow| flow < 0.0));
    let periods = call.series.len() as f64;
    if receipts == 0.0 || payments == 0.0 || periods < 2.0 {
        return Err(call.no_result("the cash flows must have a payment and a receipt"));
    }
    let growth = -receipts * (1.0 + reinvest).powf(periods) / (payments * (1.0 + finance));
    Ok((growth.powf(1.0 / (periods - 1.0)) - 1.0).into())
}

fn rate(call: &Call<'_>) -> Result<Value> {
    let (periods, payment, present) = (call.number(0)?, call.number(1)?, call.number(2)?);
    let (future, due, guess) = (call.number_or(3, 0.0)?, call.boolean_or(4, false)?, call.number_or(5, 0.1)?);
    if periods <= 0.0 {
        return Err(call.invalid(0, "must be positive"));
    }
    let rate = root(|rate| future_value(rate, periods, payment, present, due) - future, guess);
    rate.map(Value::Double).ok_or_else(|| call.no_result("no rate was found"))
}

/// A rate above -1 at which a function is 0: by Newton's method from a guess, else by halving between two rates where
/// its sign changes.
fn root(function: impl Fn(f64) -> f64, guess: f64) -> Option<f64> {
    let mut rate = guess;
    for _ in 0..64 {
        let step = 1e-7 * rate.abs().max(1e-3);
        let (value, above, below) = (function(rate), function(rate + step), function(rate - step));
        let next = rate - value / ((above - below) / (2.0 * step));
        if !next.is_finite() || next <= -1.0 {
            break;
        }
        if (next - rate).abs() <= 1e-13 * (1.0 + rate.abs()) {
            return Some(next);
        }
        rate = next;
    }
    let grid = [-0.999_999, -0.9, -0.5, -0.1, -0.01, 0.0, 0.01, 0.1, 0.5, 1.0, 10.0, 100.0, 1e4];
    let (mut low, mut high) = grid.windows(2).find_map(|pair| match pair {
        [low, high] if function(*low) * function(*high) <= 0.0 => Some((*low, *high)),
        _ => None,
    })?;
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if function(low) * function(middle) <= 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some((low + high) / 2.0)
}

/// What of the balance a period takes, never below the salvage value.
fn ddb(call: &Call<'_>) -> Result<Value> {
    let (cost, salvage, life) = (call.number(0)?, call.number(1)?, call.number(2)?);
    let (period, factor) = (call.number(3)?, call.number_or(4, 2.0)?);
    if !(life > 0.0 && period >= 1.0 && period <= life && factor > 0.0) {
        return Err(call.no_result("life, period and factor must be positive, and the period not above the life"));
    }
    let kept = (1.0 - factor / life).max(0.0);
    let balance = |periods: f64| (cost * kept.powf(periods)).max(salvage).min(cost);
    Ok((balance(period - 1.0) - balance(period)).max(0.0).into())
}

fn syd(call: &Call<'_>) -> Result<Value> {
    let (cost, salvage, life, period) = (call.number(0)?, call.number(1)?, call.number(2)?, call.number(3)?);
    if !(life > 0.0 && period > 0.0 && period <= life) {
        return Err(call.no_result("life and period must be positive, and the period not above the life"));
    }
    Ok(((cost - salvage) * (life - period + 1.0) * 2.0 / (life * (life + 1.0))).into())
}
