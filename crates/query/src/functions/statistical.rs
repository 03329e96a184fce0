//! Statistics over the values of a set; the kernels are [`crate::scalar::statistics`].

use super::{Function, Run, function};
use crate::evaluate::{Batch, Col, Evaluator, Values};
use crate::expr::{Call, Expr, Kind, Kind::*};
use crate::scalar::statistics::{self, Population, Regression};
use facetta_model::Result;

type Cell = facetta_model::Value;
/// The values over a set, or the error of the set.
type Series = Result<Vec<Cell>, Cell>;

pub(crate) const FUNCTIONS: &[Function] = &[
    function("Avg", &[Kind::Set], Numeric, Run::Values(avg), "The mean of the cells of a set that are not empty.")
        .on_cells(),
    function("Avg", &[Kind::Set, Numeric], Numeric, Run::Values(avg), "The mean of a value over a set.").each(1),
    function("Median", &[Kind::Set], Numeric, Run::Values(median), "The middle of the cells of a set.").on_cells(),
    function("Median", &[Kind::Set, Numeric], Numeric, Run::Values(median), "The middle of a value over a set.")
        .each(1),
    function(
        "Percentile",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(percentile),
        "The value below which a percentage of the values over a set lies.",
    )
    .each(1),
    function("FirstQ", &[Kind::Set], Numeric, Run::Values(first_quartile), "The first quartile of the cells of a set.")
        .on_cells(),
    function(
        "FirstQ",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(first_quartile),
        "The first quartile of a value over a set.",
    )
    .each(1),
    function("ThirdQ", &[Kind::Set], Numeric, Run::Values(third_quartile), "The third quartile of the cells of a set.")
        .on_cells(),
    function(
        "ThirdQ",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(third_quartile),
        "The third quartile of a value over a set.",
    )
    .each(1),
    function(
        "Stdev",
        &[Kind::Set],
        Numeric,
        Run::Values(stdev),
        "The standard deviation of a sample, of the cells of a set.",
    )
    .on_cells(),
    function(
        "Stdev",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(stdev),
        "The standard deviation of a sample, of a value over a set.",
    )
    .each(1),
    function(
        "Stddev",
        &[Kind::Set],
        Numeric,
        Run::Values(stdev),
        "The standard deviation of a sample, of the cells of a set.",
    )
    .on_cells(),
    function(
        "Stddev",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(stdev),
        "The standard deviation of a sample, of a value over a set.",
    )
    .each(1),
    function(
        "StdevP",
        &[Kind::Set],
        Numeric,
        Run::Values(stdev_p),
        "The standard deviation of a population, of the cells of a set.",
    )
    .on_cells(),
    function(
        "StdevP",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(stdev_p),
        "The standard deviation of a population, of a value over a set.",
    )
    .each(1),
    function(
        "StddevP",
        &[Kind::Set],
        Numeric,
        Run::Values(stdev_p),
        "The standard deviation of a population, of the cells of a set.",
    )
    .on_cells(),
    function(
        "StddevP",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(stdev_p),
        "The standard deviation of a population, of a value over a set.",
    )
    .each(1),
    function("Var", &[Kind::Set], Numeric, Run::Values(var), "The variance of a sample, of the cells of a set.")
        .on_cells(),
    function(
        "Var",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(var),
        "The variance of a sample, of a value over a set.",
    )
    .each(1),
    function("Variance", &[Kind::Set], Numeric, Run::Values(var), "The variance of a sample, of the cells of a set.")
        .on_cells(),
    function(
        "Variance",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(var),
        "The variance of a sample, of a value over a set.",
    )
    .each(1),
    function("VarP", &[Kind::Set], Numeric, Run::Values(var_p), "The variance of a population, of the cells of a set.")
        .on_cells(),
    function(
        "VarP",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(var_p),
        "The variance of a population, of a value over a set.",
    )
    .each(1),
    function(
        "VarianceP",
        &[Kind::Set],
        Numeric,
        Run::Values(var_p),
        "The variance of a population, of the cells of a set.",
    )
    .on_cells(),
    function(
        "VarianceP",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(var_p),
        "The variance of a population, of a value over a set.",
    )
    .each(1),
    function(
        "Correlation",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(correlation),
        "The correlation of a value with the cells of a set.",
    )
    .each(1)
    .on_cells(),
    function(
        "Correlation",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(correlation),
        "The correlation of two values over a set.",
    )
    .each(1)
    .each(2),
    function(
        "Covariance",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(covariance),
        "The covariance of a value with the cells of a set, of a population.",
    )
    .each(1)
    .on_cells(),
    function(
        "Covariance",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(covariance),
        "The covariance of two values over a set, of a population.",
    )
    .each(1)
    .each(2),
    function(
        "CovarianceN",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(covariance_n),
        "The covariance of a value with the cells of a set, of a sample.",
    )
    .each(1)
    .on_cells(),
    function(
        "CovarianceN",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(covariance_n),
        "The covariance of two values over a set, of a sample.",
    )
    .each(1)
    .each(2),
    function(
        "LinRegSlope",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(slope),
        "The slope of the line through a value against the cells of a set.",
    )
    .each(1)
    .on_cells(),
    function(
        "LinRegSlope",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(slope),
        "The slope of the line through a value against another.",
    )
    .each(1)
    .each(2),
    function(
        "LinRegIntercept",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(intercept),
        "Where the line through a value against the cells of a set crosses the axis.",
    )
    .each(1)
    .on_cells(),
    function(
        "LinRegIntercept",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(intercept),
        "Where the line through a value against another crosses the axis.",
    )
    .each(1)
    .each(2),
    function(
        "LinRegR2",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(r_squared),
        "How well a line fits a value against the cells of a set.",
    )
    .each(1)
    .on_cells(),
    function(
        "LinRegR2",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(r_squared),
        "How well a line fits a value against another.",
    )
    .each(1)
    .each(2),
    function(
        "LinRegVariance",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(regression_variance),
        "The variance of a value about its line against the cells of a set.",
    )
    .each(1)
    .on_cells(),
    function(
        "LinRegVariance",
        &[Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(regression_variance),
        "The variance of a value about its line against another.",
    )
    .each(1)
    .each(2),
    function(
        "LinRegPoint",
        &[Numeric, Kind::Set, Numeric],
        Numeric,
        Run::Values(point),
        "The value of the line through a value against the cells of a set.",
    )
    .each(2)
    .on_cells(),
    function(
        "LinRegPoint",
        &[Numeric, Kind::Set, Numeric, Numeric],
        Numeric,
        Run::Values(point),
        "The value of the line through a value against another.",
    )
    .each(2)
    .each(3),
];

/// The numbers that `value` yields over the set of each row, empty ones left out; errors stand for their row.
fn numbers(
    evaluator: &Evaluator,
    set: &Expr,
    value: Option<&Expr>,
    batch: &Batch,
) -> Result<Vec<Result<Vec<f64>, Cell>>> {
    let sets = evaluator.sets(set, batch)?;
    let mut out: Vec<Result<Vec<f64>, Cell>> =
        (0..batch.len).map(|row| sets.error(row).map_or(Ok(Vec::new()), |e| Err(Cell::Error(e.clone())))).collect();
    let mut charge = evaluator.context.charge("Statistics", 0)?;
    let mut count = 0;
    evaluator.for_each_value(batch, &sets, set, value, &mut |row, _, v| {
        if let Ok(list) = &mut out[row] {
            match super::numeric::number(v) {
                _ if v.is_empty() => {}
                Ok(d) => list.push(d),
                Err(e) => out[row] = Err(Cell::Error(e)),
            }
            count += 1;
            if count % 65_536 == 0 {
                charge.resize(count * 8)?;
            }
        }
        Ok(())
    })?;
    Ok(out)
}

fn one_series(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    kernel: impl Fn(&mut [f64]) -> Option<f64>,
) -> Result<Values> {
    let series = numbers(evaluator, &call.args[0], call.arg(1), batch)?;
    let value = |s: Result<Vec<f64>, Cell>| match s {
        Ok(mut s) => kernel(&mut s).map_or(Cell::Empty, Cell::Double),
        Err(e) => e,
    };
    Ok(Col::Many(series.into_iter().map(value).collect()))
}

fn avg(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::average(s))
}

fn median(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, statistics::median)
}

fn percentile(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let percents = evaluator.values(&call.args[2], batch)?;
    let series = numbers(evaluator, &call.args[0], call.arg(1), batch)?;
    let value = |(row, s): (usize, Result<Vec<f64>, Cell>)| match (s, super::numeric::number(percents.get(row))) {
        (Ok(mut s), Ok(percent)) => statistics::percentile(&mut s, percent).map_or(Cell::Empty, Cell::Double),
        (Err(e), _) => e,
        (_, Err(e)) => Cell::Error(e),
    };
    Ok(Col::Many(series.into_iter().enumerate().map(value).collect()))
}

fn first_quartile(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::quartile(s, 1))
}

fn third_quartile(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::quartile(s, 3))
}

fn stdev(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::standard_deviation(s, Population::Sample))
}

fn stdev_p(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::standard_deviation(s, Population::Whole))
}

fn var(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::variance(s, Population::Sample))
}

fn var_p(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    one_series(evaluator, call, batch, |s| statistics::variance(s, Population::Whole))
}

/// A kernel of two series over one set: `y` is the argument at `first`, `x` the one after it or the cells themselves.
fn two_series(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    set: usize,
    kernel: impl Fn(usize, &[f64], &[f64]) -> Option<f64>,
) -> Result<Values> {
    let nan = evaluator.cube.compatibility.statistics_of_nothing_are_nan();
    let line = call.function.name.starts_with("LinReg");
    let ys = pairs(evaluator, &call.args[set], call.arg(set + 1), batch)?;
    let xs = pairs(evaluator, &call.args[set], call.arg(set + 2), batch)?;
    let value = |(row, (x, y)): (usize, (Series, Series))| {
        let (x, y) = match (x, y) {
            (Ok(x), Ok(y)) => (x, y),
            (Err(e), _) | (_, Err(e)) => return e,
        };
        let values = x.len();
        let count = |s: &[Cell]| s.iter().filter(|v| !v.is_empty()).count();
        if nan && call.function.name.starts_with("Cov") && count(&x) != count(&y) {
            // Mondrian compares the series without their empty values, which must be of one length.
            return Cell::Empty;
        }
        let both: Vec<(f64, f64)> = x
            .iter()
            .zip(&y)
            .filter(|(x, y)| !x.is_empty() && !y.is_empty())
            .filter_map(|(x, y)| Some((x.as_f64()?, y.as_f64()?)))
            .collect();
        let (x, y): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
        if x.is_empty() && nan && (values > 0 || !line) {
            return Cell::Double(f64::NAN);
        }
        kernel(row, &x, &y).map_or(Cell::Empty, Cell::Double)
    };
    Ok(Col::Many(xs.into_iter().zip(ys).enumerate().map(value).collect()))
}

fn pairs(evaluator: &Evaluator, set: &Expr, value: Option<&Expr>, batch: &Batch) -> Result<Vec<Series>> {
    let sets = evaluator.sets(set, batch)?;
    let mut out: Vec<Series> =
        (0..batch.len).map(|row| sets.error(row).map_or(Ok(Vec::new()), |e| Err(Cell::Error(e.clone())))).collect();
    evaluator.for_each_value(batch, &sets, set, value, &mut |row, _, v| {
        match (&mut out[row], v) {
            (Ok(_), Cell::Error(_)) => out[row] = Err(v.clone()),
            (Ok(list), _) => list.push(v.clone()),
            (Err(_), _) => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn correlation(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| statistics::correlation(x, y))
}

fn covariance(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| statistics::covariance(x, y, Population::Whole))
}

fn covariance_n(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| statistics::covariance(x, y, Population::Sample))
}

fn slope(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| Regression::fit(x, y).map(|r| r.slope))
}

fn intercept(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| Regression::fit(x, y).map(|r| r.intercept))
}

fn r_squared(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| Regression::fit(x, y).map(|r| r.r_squared))
}

fn regression_variance(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    two_series(evaluator, call, batch, 0, |_, x, y| Regression::fit(x, y).map(|r| r.variance))
}

fn point(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let at = evaluator.values(&call.args[0], batch)?;
    two_series(evaluator, call, batch, 1, |row, x, y| {
        Some(Regression::fit(x, y)?.point(super::numeric::number(at.get(row)).ok()?))
    })
}
