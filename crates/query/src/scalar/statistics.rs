//! Statistics over numbers: the kernels of MDX's statistical functions. Nulls are left out by the caller.
//!
//! Every kernel answers `None` for no numbers, which shows as null, and NaN where a formula divides zero by zero (the
//! sample variance of one number). Sums are compensated (Neumaier), so that the order of cells matters little.

/// A sum with its rounding errors kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        // What the larger of the two could not take of the smaller one.
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    /// The sum.
    pub fn total(self) -> f64 {
        // An infinity or NaN makes the lost part NaN, which says nothing.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

/// The sum of numbers; 0 for none.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    values.into_iter().for_each(|value| sum.add(value));
    sum.total()
}

/// Whether a variance is that of the whole population or an estimate from a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// Divided by n: VarP, StdevP, Covariance.
    Whole,
    /// Divided by n - 1: Var, Stdev, CovarianceN.
    Sample,
}

impl Population {
    fn divisor(self, count: usize) -> f64 {
        match self {
            Population::Whole => count as f64,
            Population::Sample => count as f64 - 1.0,
        }
    }
}

/// The arithmetic mean (Avg).
pub fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| sum(values.iter().copied()) / values.len() as f64)
}

/// The least number (Min); NaN is skipped.
pub fn min(values: &[f64]) -> Option<f64> {
    values.iter().copied().reduce(f64::min)
}

/// The greatest number (Max); NaN is skipped.
pub fn max(values: &[f64]) -> Option<f64> {
    values.iter().copied().reduce(f64::max)
}

/// The mean square distance from the mean (Var, VarP).
pub fn variance(values: &[f64], population: Population) -> Option<f64> {
    covariance(values, values, population)
}

/// The square root of the variance (Stdev, StdevP).
pub fn standard_deviation(values: &[f64], population: Population) -> Option<f64> {
    variance(values, population).map(f64::sqrt)
}

/// How two series vary together (Covariance, CovarianceN); none when they are not of one length.
pub fn covariance(xs: &[f64], ys: &[f64], population: Population) -> Option<f64> {
    if xs.len() != ys.len() {
        return None;
    }
    let (x_mean, y_mean) = (average(xs)?, average(ys)?);
    Some(sum(xs.iter().zip(ys).map(|(x, y)| (x - x_mean) * (y - y_mean))) / population.divisor(xs.len()))
}

/// Pearson's coefficient (Correlation).
pub fn correlation(xs: &[f64], ys: &[f64]) -> Option<f64> {
    let (x, y) = (variance(xs, Population::Whole)?, variance(ys, Population::Whole)?);
    Some(covariance(xs, ys, Population::Whole)? / (x.sqrt() * y.sqrt()))
}

/// The middle number, or the mean of the two in the middle (Median). Sorts the numbers.
pub fn median(values: &mut [f64]) -> Option<f64> {
    percentile(values, 50.0)
}

/// The number below which `percent` of 100 of the numbers lie, interpolated as Excel's PERCENTILE.INC does. Sorts the
/// numbers. Percentages below 0 and above 100 count as these.
pub fn percentile(values: &mut [f64], percent: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    if percent.is_nan() {
        return Some(f64::NAN);
    }
    let rank = last as f64 * (percent.clamp(0.0, 100.0) / 100.0);
    let (low, share) = ((rank.floor() as usize).min(last), rank.fract());
    let (below, above) = (values[low], values[(low + 1).min(last)]);
    // Halfway is the mean itself, without the error of a multiplication.
    Some(if share == 0.5 { (below + above) / 2.0 } else { below + (above - below) * share })
}

/// The number at a quartile from 1 to 3 (FirstQ, ThirdQ), as Mondrian takes it: at a quarter of the count, or the mean
/// of that number and the next one when the count divides. Sorts the numbers.
pub fn quartile(values: &mut [f64], quartile: u8) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let quarters = values.len() * usize::from(quartile.clamp(1, 3));
    let at = (quarters / 4).min(last);
    Some(if quarters.is_multiple_of(4) && at < last { (values[at] + values[at + 1]) / 2.0 } else { values[at] })
}

/// The line that fits points best, by least squares (LinRegSlope, LinRegIntercept, LinRegPoint, LinRegR2,
/// LinRegVariance).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// How much y grows with x.
    pub slope: f64,
    /// The y of x = 0.
    pub intercept: f64,
    /// The coefficient of determination: the share of y's variance that the line explains.
    pub r_squared: f64,
    /// The variance of the errors: their squares divided by n - 2; NaN for fewer than three points.
    pub variance: f64,
}

impl Regression {
    /// Fits a line; none for no points or two series of different length.
    pub fn fit(xs: &[f64], ys: &[f64]) -> Option<Regression> {
        if xs.len() != ys.len() {
            return None;
        }
        let (x_mean, y_mean) = (average(xs)?, average(ys)?);
        let sum_xx = sum(xs.iter().map(|x| (x - x_mean).powi(2)));
        let sum_xy = sum(xs.iter().zip(ys).map(|(x, y)| (x - x_mean) * (y - y_mean)));
        let slope = sum_xy / sum_xx;
        let intercept = y_mean - slope * x_mean;
        let errors = sum(xs.iter().zip(ys).map(|(x, y)| (y - (intercept + slope * x)).powi(2)));
        let total = sum(ys.iter().map(|y| (y - y_mean).powi(2)));
        let variance = if xs.len() > 2 { errors / (xs.len() - 2) as f64 } else { f64::NAN };
        Some(Regression { slope, intercept, r_squared: 1.0 - errors / total, variance })
    }

    /// The y of the line at an x (LinRegPoint).
    pub fn point(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XS: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
    const YS: [f64; 5] = [2.0, 4.0, 5.0, 4.0, 5.0];

    fn near(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got - expected).abs() < 1e-12, "{got}, not {expected}");
    }

    #[test]
    fn of_one_series() {
        near(average(&YS), 4.0);
        near(min(&YS), 2.0);
        near(max(&YS), 5.0);
        near(variance(&YS, Population::Whole), 1.2);
        near(variance(&YS, Population::Sample), 1.5);
        near(standard_deviation(&YS, Population::Sample), 1.5_f64.sqrt());
        near(median(&mut YS.clone()), 4.0);
        near(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn of_two_series() {
        near(covariance(&XS, &YS, Population::Whole), 1.2);
        near(covariance(&XS, &YS, Population::Sample), 1.5);
        near(correlation(&XS, &YS), 0.774_596_669_241_483_4);
        let line = Regression::fit(&XS, &YS).unwrap();
        near(Some(line.slope), 0.6);
        near(Some(line.intercept), 2.2);
        near(Some(line.r_squared), 0.6);
        near(Some(line.variance), 0.8);
        near(Some(line.point(10.0)), 8.2);
    }

    /// Excel's PERCENTILE.INC, and the sales of three states in the conformance cases.
    #[test]
    fn percentiles() {
        let mut states = [263_793.22, 142_277.07, 159_167.84];
        near(percentile(&mut states, 0.0), 142_277.07);
        near(percentile(&mut states, 50.0), 159_167.84);
        near(percentile(&mut states, 100.0), 263_793.22);
        near(percentile(&mut [1.0, 2.0, 3.0, 4.0], 40.0), 2.2);
        near(percentile(&mut [1.0, 2.0], -5.0), 1.0);
        near(percentile(&mut [7.0], 40.0), 7.0);
        near(quartile(&mut [1.0, 2.0, 3.0, 4.0, 5.0], 1), 2.0);
        near(quartile(&mut [1.0, 2.0, 3.0, 4.0], 1), 2.5);
        near(quartile(&mut [1.0, 2.0, 3.0, 4.0], 3), 4.0);
    }

    #[test]
    fn nothing_has_no_statistics() {
        assert_eq!(average(&[]), None);
        assert_eq!(min(&[]), None);
        assert_eq!(variance(&[], Population::Whole), None);
        assert_eq!(median(&mut []), None);
        assert_eq!(quartile(&mut [], 1), None);
        assert_eq!(correlation(&[], &[]), None);
        assert_eq!(covariance(&XS, &YS[1..], Population::Whole), None);
        assert!(Regression::fit(&[], &[]).is_none());
        assert!(variance(&[1.0], Population::Sample).unwrap().is_nan());
        assert!(Regression::fit(&XS[..1], &YS[..1]).unwrap().slope.is_nan());
    }

    #[test]
    fn sums_keep_what_is_small() {
        assert_eq!(sum([1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum([0.1; 10]), 1.0);
        assert_eq!(sum([f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
