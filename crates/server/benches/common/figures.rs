//! Times in order, a table of them, and limits: a bench that exceeds one says so and fails.

use std::process::ExitCode;
use std::time::Duration;

/// Some times.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort_unstable();
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The time below which a part of them is, in milliseconds: the nearest rank.
    pub fn at(&self, part: f64) -> f64 {
        let rank = (self.0.len() as f64 * part).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).map_or(0.0, |t| t.as_secs_f64() * 1e3)
    }

    pub fn worst(&self) -> f64 {
        self.at(1.0)
    }
}

/// What was beyond its limit.
#[derive(Debug, Default)]
pub struct Limits(Vec<String>);

impl Limits {
    /// Notes a figure that must not be over its limit.
    pub fn at_most(&mut self, what: &str, figure: f64, limit: f64) {
        if figure > limit {
            self.0.push(format!("{what}: {figure:.2} is over {limit}"));
        }
    }

    /// Notes a figure that must not be under its limit.
    pub fn at_least(&mut self, what: &str, figure: f64, limit: f64) {
        if figure < limit {
            self.0.push(format!("{what}: {figure:.2} is under {limit}"));
        }
    }

    /// Says what was beyond its limit; the status that the bench ends with.
    pub fn verdict(self) -> ExitCode {
        for line in &self.0 {
            println!("BEYOND ITS LIMIT  {line}");
        }
        if self.0.is_empty() {
            println!("all figures are within their limits");
            return ExitCode::SUCCESS;
        }
        ExitCode::FAILURE
    }
}
