//! The clock that sessions and commands are timed by: the machine's, or one that a test turns by hand.

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// A moment, in microseconds since 1970 UTC. Moments of one clock never run backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Date and time, UTC.
    pub fn to_datetime(self) -> DateTime {
        let timestamp = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX);
        Offset::UTC.to_datetime(timestamp)
    }

    /// Whole milliseconds since `earlier`, zero if that is later.
    pub fn millis_since(self, earlier: Moment) -> u64 {
        ((self.0 - earlier.0) / 1000).max(0) as u64
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Moment> for Moment {
    type Output = Duration;
    fn sub(self, earlier: Moment) -> Duration {
        Duration::from_micros((self.0 - earlier.0).max(0) as u64)
    }
}

/// Tells the moment; cheap to clone, all clones tell the same.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The machine's wall clock when the server started, and time measured since: a wall clock that is set back does
    /// not end sessions early or keep them for ever.
    Machine { started: Instant, wall: Moment },
    /// As a test says.
    Virtual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn machine() -> Self {
        Clock(Source::Machine { started: Instant::now(), wall: Moment(Timestamp::now().as_microsecond()) })
    }

    /// A clock that stands at `start` until [`Clock::advance`] turns it.
    pub fn virtual_from(start: Moment) -> Self {
        Clock(Source::Virtual(Arc::new(AtomicI64::new(start.0))))
    }

    /// The moment.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::Machine { started, wall } => *wall + started.elapsed(),
            Source::Virtual(now) => Moment(now.load(SeqCst)),
        }
    }

    /// Turns a virtual clock forward; the machine's clock cannot be turned and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Virtual(now) = &self.0 {
            now.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_when_turned() {
        let clock = Clock::virtual_from(Moment(0));
        let year = Duration::from_secs(365 * 86_400);
        clock.clone().advance(year);
        assert_eq!(clock.now() - Moment(0), year);
        assert_eq!(clock.now().to_datetime().to_string(), "1971-01-01T00:00:00");
    }
}
