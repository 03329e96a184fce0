//! The scalar functions of expressions: what [`facetta_model::definition::FUNCTIONS`] promises, computed.

use super::expression::{choose, compare, concat, doubles, negate};
use super::vector::{Data, Type, Vector, power_of_ten, to_civil};
use facetta_model::calendar::{MONTHS, WEEKDAYS};
use facetta_model::definition::{self, DataType};
use facetta_model::{Result, Strings, bail, error};
use jiff::civil::DateTime;
use std::borrow::Cow;
use std::cmp::Ordering;

/// The value of each argument in each row.
pub(crate) type Arguments<'a, 'b> = &'a [Cow<'b, Vector>];

type Call = fn(Arguments<'_, '_>, usize) -> Result<Vector>;

/// How each function is computed; the second argument is the number of rows.
static CALLS: &[(&str, Call)] = &[
    ("year", |a, _| dates(&a[0], |d| i64::from(d.year()))),
    ("quarter", |a, _| dates(&a[0], |d| i64::from((d.month() - 1) / 3 + 1))),
    ("month", |a, _| dates(&a[0], |d| i64::from(d.month()))),
    ("month_name", |a, _| date_names(&a[0], |d| MONTHS[usize::from(d.month().unsigned_abs()) - 1])),
    ("week", |a, _| dates(&a[0], |d| i64::from(d.date().iso_week_date().week()))),
    ("day", |a, _| dates(&a[0], |d| i64::from(d.day()))),
    ("weekday", |a, _| dates(&a[0], |d| i64::from(d.weekday().to_monday_one_offset()))),
    ("weekday_name", |a, _| date_names(&a[0], |d| WEEKDAYS[d.weekday().to_monday_zero_offset() as usize])),
    ("date", day),
    ("lower", |a, _| texts(&a[0], |t, out| out.extend(t.chars().flat_map(char::to_lowercase)))),
    ("upper", |a, _| texts(&a[0], |t, out| out.extend(t.chars().flat_map(char::to_uppercase)))),
    ("trim", |a, _| texts(&a[0], |t, out| out.push_str(t.trim_matches(' ')))),
    ("length", length),
    ("substring", substring),
    ("concat", |a, rows| Ok(concat(a, rows))),
    ("coalesce", coalesce),
    ("nullif", nullif),
    ("abs", abs),
    ("round", |a, rows| {
        let places = match a.get(1).map(|p| p.convert(DataType::Integer)).transpose()? {
            Some(places) if rows > 0 && !places.is_null(0) => places.value(0).as_f64().unwrap_or(0.0),
            _ => 0.0,
        };
        rounded(&a[0], places.clamp(0.0, 18.0) as u8, Rounding::Nearest)
    }),
    ("floor", |a, _| rounded(&a[0], 0, Rounding::Down)),
    ("ceiling", |a, _| rounded(&a[0], 0, Rounding::Up)),
];

/// A function of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function(usize);

impl Function {
    /// The function of a name that takes so many arguments.
    pub(crate) fn find(name: &str, arguments: usize) -> Result<Function> {
        let Some(known) = definition::function(name) else { bail!(Definition, "the function '{name}' is unknown") };
        if !(known.minimum..=known.maximum).contains(&arguments) {
            bail!(Definition, "the function '{name}' cannot have {arguments} arguments");
        }
        let at = CALLS.iter().position(|(n, _)| *n == known.name);
        at.map(Function).ok_or_else(|| facetta_model::Error::not_supported(format!("the function '{name}'")))
    }

    /// Its value in each row.
    pub(crate) fn call(self, arguments: Arguments<'_, '_>, rows: usize) -> Result<Vector> {
        CALLS[self.0].1(arguments, rows)
    }
}

fn texts(argument: &Vector, write: impl Fn(&str, &mut String)) -> Result<Vector> {
    if argument.ty() == Type::Null {
        return Ok(Vector::null(argument.len()));
    }
    let mut out = Strings::default();
    (0..argument.len()).for_each(|i| out.push_with(|to| write(&argument.text(i), to)));
    Ok(Vector::new(Data::Text(out), argument.nulls.clone()))
}

/// The moments of a vector of dates, or of texts that are dates.
fn moments(argument: &Vector) -> Result<Cow<'_, Vector>> {
    match argument.ty() {
        Type::Null | Type::Day | Type::Moment => Ok(Cow::Borrowed(argument)),
        Type::Text => argument.convert(DataType::DateTime),
        other => bail!(Definition, "a part of a date is asked of {}", other.name()),
    }
}

fn dates(argument: &Vector, part: impl Fn(DateTime) -> i64) -> Result<Vector> {
    let moments = moments(argument)?;
    let Data::Date { micros, .. } = &moments.data else { return Ok(Vector::null(argument.len())) };
    let values = micros.iter().map(|&m| part(to_civil(m))).collect();
    Ok(Vector::new(Data::Int(values), moments.nulls.clone()))
}

fn date_names(argument: &Vector, name: impl Fn(DateTime) -> &'static str) -> Result<Vector> {
    let moments = moments(argument)?;
    let Data::Date { micros, .. } = &moments.data else { return Ok(Vector::null(argument.len())) };
    let values = micros.iter().map(|&m| name(to_civil(m))).collect();
    Ok(Vector::new(Data::Text(values), moments.nulls.clone()))
}

fn day(arguments: Arguments<'_, '_>, _rows: usize) -> Result<Vector> {
    let moments = moments(&arguments[0])?;
    let Data::Date { micros, .. } = &moments.data else { return Ok(Vector::null(moments.len())) };
    let day = 86_400_000_000;
    let micros = micros.iter().map(|m| m.div_euclid(day) * day).collect();
    Ok(Vector::new(Data::Date { micros, days: true }, moments.nulls.clone()))
}

fn length(arguments: Arguments<'_, '_>, rows: usize) -> Result<Vector> {
    let argument = &arguments[0];
    if argument.ty() == Type::Null {
        return Ok(Vector::null(rows));
    }
    let lengths = (0..rows).map(|i| argument.text(i).chars().count() as i64).collect();
    Ok(Vector::new(Data::Int(lengths), argument.nulls.clone()))
}

/// `substring(text, start [, length])`, from 1, in characters.
fn substring(arguments: Arguments<'_, '_>, rows: usize) -> Result<Vector> {
    let bounds: Result<Vec<_>> = arguments[1..].iter().map(|a| a.convert(DataType::Integer)).collect();
    let bounds = bounds?;
    let mut out = Strings::default();
    let mut nulls = Vec::with_capacity(rows);
    for row in 0..rows {
        let whole = |v: &Vector| if let Data::Int(v) = &v.data { v[row] } else { 0 };
        let start = whole(&bounds[0]);
        let end = bounds.get(1).map_or(i64::MAX, |length| start.saturating_add(whole(length).max(0)));
        let skip = usize::try_from(start.saturating_sub(1)).unwrap_or(0);
        let take = usize::try_from(end.saturating_sub(start.max(1)).max(0)).unwrap_or(usize::MAX);
        nulls.push(arguments.iter().any(|a| a.is_null(row)));
        out.push_with(|to| to.extend(arguments[0].text(row).chars().skip(skip).take(take)));
    }
    Ok(Vector::new(Data::Text(out), Some(nulls)))
}

fn coalesce(arguments: Arguments<'_, '_>, rows: usize) -> Result<Vector> {
    let first = |row: usize| arguments.iter().position(|a| !a.is_null(row)).unwrap_or(0);
    choose(arguments, &(0..rows).map(first).collect::<Vec<_>>())
}

fn nullif(arguments: Arguments<'_, '_>, rows: usize) -> Result<Vector> {
    let equal = compare(&arguments[0], &arguments[1], Ordering::is_eq)?;
    let mut result = arguments[0].as_ref().clone();
    if let Data::Boolean(equal_values) = &equal.data {
        let nulls = (0..rows).map(|i| result.is_null(i) || (equal_values[i] && !equal.is_null(i))).collect();
        result.nulls = Some(nulls);
    }
    Ok(result)
}

fn abs(arguments: Arguments<'_, '_>, rows: usize) -> Result<Vector> {
    let argument = &arguments[0];
    let negated = negate(argument)?;
    let is_negative = |i: usize| match &argument.data {
        Data::Int(v) => v[i] < 0,
        Data::Decimal { units, .. } => units[i] < 0,
        Data::Double(v) => v[i] < 0.0,
        _ => false,
    };
    let choice: Vec<usize> = (0..rows).map(|i| usize::from(is_negative(i))).collect();
    choose(&[Cow::Borrowed(argument.as_ref()), Cow::Owned(negated)], &choice)
}

#[derive(Clone, Copy)]
enum Rounding {
    /// Half away from zero.
    Nearest,
    Down,
    Up,
}

fn rounded(argument: &Vector, places: u8, rounding: Rounding) -> Result<Vector> {
    let data = match &argument.data {
        Data::Null(_) | Data::Int(_) => return Ok(argument.clone()),
        Data::Decimal { scale, .. } if *scale <= places => return Ok(argument.clone()),
        Data::Decimal { units, scale } => {
            let power = power_of_ten(scale - places);
            let round = |u: &i128| match rounding {
                Rounding::Nearest => {
                    let away = if u % power * 2 >= power { 1 } else { 0 } - i128::from(u % power * 2 <= -power);
                    u / power + away
                }
                Rounding::Down => u.div_euclid(power),
                Rounding::Up => -(-u).div_euclid(power),
            };
            Data::Decimal { units: units.iter().map(round).collect(), scale: places }
        }
        Data::Double(_) => {
            let power = 10f64.powi(i32::from(places));
            let round = |d: &f64| match rounding {
                Rounding::Nearest => (d * power).round() / power,
                Rounding::Down => d.floor(),
                Rounding::Up => d.ceil(),
            };
            Data::Double(doubles(argument).iter().map(round).collect())
        }
        _ => return Err(error!(Definition, "cannot round {}", argument.ty().name())),
    };
    Ok(Vector::new(data, argument.nulls.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_model_is_computed() {
        for function in definition::FUNCTIONS {
            assert!(CALLS.iter().any(|(n, _)| *n == function.name), "{}", function.name);
        }
        assert_eq!(CALLS.len(), definition::FUNCTIONS.len());
    }
}
