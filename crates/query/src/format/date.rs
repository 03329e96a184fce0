//! Dates: their parts in a picture, General Date, and serial numbers.

use super::Locale;
use jiff::Span;
use jiff::civil::DateTime;
use std::fmt::Write;

/// A part of a date or time that a picture asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatePart {
    /// `C`, `c`: date and time, each only where it is not zero.
    Complete,
    Day,
    Day2,
    DayShort,
    DayLong,
    /// `ddddd`: the short date.
    DateShort,
    /// `dddddd`: the long date.
    DateLong,
    Weekday,
    Week,
    Month,
    Month2,
    MonthShort,
    MonthLong,
    Quarter,
    DayOfYear,
    Year2,
    Year4,
    Hour,
    Hour2,
    /// `HH`: two digits, of the 24-hour clock even beside AM/PM.
    Hour24,
    Minute,
    Minute2,
    Second,
    Second2,
    /// `ttttt`: the whole time.
    Time,
    /// AM/PM and its shorter and lower forms.
    HalfDay {
        short: bool,
        lower: bool,
    },
}

/// Which clock the hours of a picture belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Twelve,
    TwentyFour,
}

/// The tokens, longest of a letter first. Letters are as Visual Basic has them, in lower case; of capitals only those
/// that other pictures of dates use, since a single capital is more often the start of a word.
const TOKENS: &[(&str, DatePart)] = &[
    ("AM/PM", DatePart::HalfDay { short: false, lower: false }),
    ("am/pm", DatePart::HalfDay { short: false, lower: true }),
    ("AMPM", DatePart::HalfDay { short: false, lower: false }),
    ("ampm", DatePart::HalfDay { short: false, lower: false }),
    ("A/P", DatePart::HalfDay { short: true, lower: false }),
    ("a/p", DatePart::HalfDay { short: true, lower: true }),
    ("C", DatePart::Complete),
    ("c", DatePart::Complete),
    ("dddddd", DatePart::DateLong),
    ("ddddd", DatePart::DateShort),
    ("dddd", DatePart::DayLong),
    ("DDDD", DatePart::DayLong),
    ("ddd", DatePart::DayShort),
    ("Ddd", DatePart::DayShort),
    ("DDD", DatePart::DayShort),
    ("dd", DatePart::Day2),
    ("DD", DatePart::Day2),
    ("d", DatePart::Day),
    ("ww", DatePart::Week),
    ("w", DatePart::Weekday),
    ("MMMMM", DatePart::MonthLong),
    ("mmmmm", DatePart::MonthLong),
    ("MMMM", DatePart::MonthLong),
    ("mmmm", DatePart::MonthLong),
    ("MMM", DatePart::MonthShort),
    ("mmm", DatePart::MonthShort),
    ("MM", DatePart::Month2),
    ("mm", DatePart::Month2),
    ("M", DatePart::Month),
    ("m", DatePart::Month),
    ("q", DatePart::Quarter),
    ("YYYY", DatePart::Year4),
    ("yyyy", DatePart::Year4),
    ("YY", DatePart::Year2),
    ("yy", DatePart::Year2),
    ("y", DatePart::DayOfYear),
    ("HH", DatePart::Hour24),
    ("hh", DatePart::Hour2),
    ("h", DatePart::Hour),
    ("nn", DatePart::Minute2),
    ("n", DatePart::Minute),
    ("SS", DatePart::Second2),
    ("ss", DatePart::Second2),
    ("s", DatePart::Second),
    ("ttttt", DatePart::Time),
];

impl DatePart {
    /// The part that the front of `text` asks for, and how many bytes it takes.
    pub(super) fn read(text: &str) -> Option<(DatePart, usize)> {
        TOKENS.iter().find(|(token, _)| text.starts_with(token)).map(|(token, part)| (*part, token.len()))
    }

    pub(super) fn is_hour(self) -> bool {
        matches!(self, DatePart::Hour | DatePart::Hour2 | DatePart::Hour24)
    }

    /// Whether it makes the hours of its picture those of the 12-hour clock.
    pub(super) fn twelve_hours(self) -> bool {
        matches!(self, DatePart::HalfDay { .. })
    }
}

/// Appends one part of `moment`.
pub(super) fn write_part(part: DatePart, moment: DateTime, clock: Clock, locale: &Locale, out: &mut String) {
    let weekday = moment.weekday().to_sunday_zero_offset() as usize;
    let month = moment.month() as usize - 1;
    let hour = match (clock, moment.hour()) {
        (Clock::Twelve, hour) => (hour + 11) % 12 + 1,
        (Clock::TwentyFour, hour) => hour,
    };
    let language = locale.language;
    match part {
        DatePart::Complete => write_complete(moment, locale, out),
        DatePart::Day => write_number(moment.day(), 1, out),
        DatePart::Day2 => write_number(moment.day(), 2, out),
        DatePart::DayShort => out.push_str(language.days_short[weekday]),
        DatePart::DayLong => out.push_str(language.days_long[weekday]),
        DatePart::DateShort => write_short_date(moment, locale, out),
        DatePart::DateLong => {
            out.push_str(language.months_long[month]);
            out.push(' ');
            write_number(moment.day(), 2, out);
            out.push_str(", ");
            write_number(moment.year(), 1, out);
        }
        DatePart::Weekday => write_number(weekday + 1, 1, out),
        DatePart::Week => write_number(week_of_year(moment), 1, out),
        DatePart::Month => write_number(moment.month(), 1, out),
        DatePart::Month2 => write_number(moment.month(), 2, out),
        DatePart::MonthShort => out.push_str(language.months_short[month]),
        DatePart::MonthLong => out.push_str(language.months_long[month]),
        DatePart::Quarter => write_number(month / 3 + 1, 1, out),
        DatePart::DayOfYear => write_number(moment.day_of_year(), 1, out),
        DatePart::Year2 => write_number(moment.year().rem_euclid(100), 2, out),
        DatePart::Year4 => write_number(moment.year(), 1, out),
        DatePart::Hour => write_number(hour, 1, out),
        DatePart::Hour2 | DatePart::Hour24 => write_number(hour, 2, out),
        DatePart::Minute => write_number(moment.minute(), 1, out),
        DatePart::Minute2 => write_number(moment.minute(), 2, out),
        DatePart::Second => write_number(moment.second(), 1, out),
        DatePart::Second2 => write_number(moment.second(), 2, out),
        DatePart::Time => write_time(hour, moment, locale, out),
        DatePart::HalfDay { short, lower } => out.push_str(match (moment.hour() < 12, short, lower) {
            (true, false, false) => "AM",
            (true, false, true) => "am",
            (true, true, false) => "A",
            (true, true, true) => "a",
            (false, false, false) => "PM",
            (false, false, true) => "pm",
            (false, true, false) => "P",
            (false, true, true) => "p",
        }),
    }
}

/// General Date, which also shows dates without a format: date and time of the 12-hour clock, the time only when it is
/// not midnight and the date only when it is not day 0.
pub(super) fn write_general(moment: DateTime, locale: &Locale, out: &mut String) {
    let has_date = moment.date() != day_zero().date();
    let has_time = moment.time() != jiff::civil::Time::midnight();
    if has_date || !has_time {
        write_short_date(moment, locale, out);
    }
    if has_date && has_time {
        out.push(' ');
    }
    if has_time {
        write_time((moment.hour() + 11) % 12 + 1, moment, locale, out);
        out.push_str(if moment.hour() < 12 { " AM" } else { " PM" });
    }
}

fn write_complete(moment: DateTime, locale: &Locale, out: &mut String) {
    let has_date = moment.date() != day_zero().date();
    let has_time = moment.time() != jiff::civil::Time::midnight();
    if has_date || !has_time {
        write_short_date(moment, locale, out);
    }
    if has_date && has_time {
        out.push(' ');
    }
    if has_time {
        write_time(moment.hour(), moment, locale, out);
    }
}

fn write_short_date(moment: DateTime, locale: &Locale, out: &mut String) {
    write_number(moment.month(), 1, out);
    out.push_str(locale.date_separator);
    write_number(moment.day(), 1, out);
    out.push_str(locale.date_separator);
    write_number(moment.year().rem_euclid(100), 2, out);
}

fn write_time(hour: i8, moment: DateTime, locale: &Locale, out: &mut String) {
    write_number(hour, 1, out);
    out.push_str(locale.time_separator);
    write_number(moment.minute(), 2, out);
    out.push_str(locale.time_separator);
    write_number(moment.second(), 2, out);
}

fn write_number(number: impl std::fmt::Display, width: usize, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{number:0>width$}");
}

/// Weeks begin on Sunday, and the first one holds the first of January.
fn week_of_year(moment: DateTime) -> i64 {
    let before = i64::from(moment.day_of_year()) - 1;
    let first_weekday = (i64::from(moment.weekday().to_sunday_zero_offset()) - before).rem_euclid(7);
    (before + first_weekday) / 7 + 1
}

/// The day whose serial number is 0, as in OLE Automation and Visual Basic.
pub fn day_zero() -> DateTime {
    jiff::civil::date(1899, 12, 30).at(0, 0, 0, 0)
}

const MILLISECONDS_PER_DAY: f64 = 86_400_000.0;

/// Days since 30 December 1899 as Visual Basic counts them, the time as the fraction of a day (to the millisecond).
/// Before that day the fraction still counts forward from midnight: -1.25 is 06:00 of 29 December 1899.
pub fn to_serial(moment: DateTime) -> f64 {
    let days = (moment.date() - day_zero().date()).get_days();
    let time = moment.time();
    let milliseconds = ((i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second()))
        * 1000
        + i64::from(time.millisecond());
    let fraction = milliseconds as f64 / MILLISECONDS_PER_DAY;
    if days < 0 { f64::from(days) - fraction } else { f64::from(days) + fraction }
}

/// The moment of a serial number, to the millisecond; none when it lies outside of the years that a date can have.
pub fn from_serial(serial: f64) -> Option<DateTime> {
    if !serial.is_finite() || serial.abs() > 1e9 {
        return None;
    }
    let days = Span::new().try_days(serial.trunc() as i64).ok()?;
    let milliseconds = (serial.fract().abs() * MILLISECONDS_PER_DAY).round() as i64;
    let time = Span::new().try_milliseconds(milliseconds).ok()?;
    day_zero().checked_add(days).ok()?.checked_add(time).ok()
}
