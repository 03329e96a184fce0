//! Visual Basic's functions of dates and times. A time alone is a time of day 0, 30 December 1899.

use super::ScalarKind::{Boolean, Date, Integer, Numeric, String as Text};
use super::{Call, Parameter, ScalarFunction, may, need, vba};
use crate::format::date::day_zero;
use facetta_model::{Error, Result, Value};
use jiff::civil::{Date as CivilDate, DateTime, Time};
use jiff::{Span, civil};

const DATE: &[Parameter] = &[need("date", Date)];
const TIME: &[Parameter] = &[need("time", Date)];

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    vba("Date", &[], Date, |c| Ok(Value::Date(c.context.now.date().at(0, 0, 0, 0))), "Returns the current date.")
        .volatile(),
    vba(
        "DateAdd",
        &[need("interval", Text), need("number", Numeric), need("date", Date)],
        Date,
        date_add,
        "Returns a date to which a number of intervals (yyyy, q, m, y, d, w, ww, h, n, s) was added.",
    ),
    vba(
        "DateDiff",
        &[
            need("interval", Text),
            need("date1", Date),
            need("date2", Date),
            may("firstdayofweek", Integer),
            may("firstweekofyear", Integer),
        ],
        Integer,
        date_diff,
        "Returns how many boundaries of an interval lie between two dates.",
    ),
    vba(
        "DatePart",
        &[need("interval", Text), need("date", Date), may("firstdayofweek", Integer), may("firstweekofyear", Integer)],
        Integer,
        date_part,
        "Returns a part of a date: yyyy, q, m, y, d, w, ww, h, n or s.",
    ),
    vba(
        "DateSerial",
        &[need("year", Integer), need("month", Integer), need("day", Integer)],
        Date,
        date_serial,
        "Returns the date of a year, month and day; months and days beyond their range carry over.",
    ),
    vba(
        "DateValue",
        DATE,
        Date,
        |c| Ok(Value::Date(c.date(0)?.date().at(0, 0, 0, 0))),
        "Returns a date without its time.",
    ),
    vba(
        "Day",
        DATE,
        Integer,
        |c| Ok(i64::from(c.date(0)?.day()).into()),
        "Returns the day of the month, from 1 to 31.",
    ),
    vba("Hour", TIME, Integer, |c| Ok(i64::from(c.date(0)?.hour()).into()), "Returns the hour, from 0 to 23."),
    vba("Minute", TIME, Integer, |c| Ok(i64::from(c.date(0)?.minute()).into()), "Returns the minute, from 0 to 59."),
    vba("Month", DATE, Integer, |c| Ok(i64::from(c.date(0)?.month()).into()), "Returns the month, from 1 to 12."),
    vba(
        "MonthName",
        &[need("month", Integer), may("abbreviate", Boolean)],
        Text,
        month_name,
        "Returns the name of a month.",
    ),
    vba("Now", &[], Date, |c| Ok(Value::Date(c.context.now)), "Returns the current date and time.").volatile(),
    vba("Second", TIME, Integer, |c| Ok(i64::from(c.date(0)?.second()).into()), "Returns the second, from 0 to 59."),
    vba(
        "Time",
        &[],
        Date,
        |c| Ok(Value::Date(day_zero().date().to_datetime(c.context.now.time()))),
        "Returns the current time.",
    )
    .volatile(),
    vba(
        "TimeSerial",
        &[need("hour", Integer), need("minute", Integer), need("second", Integer)],
        Date,
        time_serial,
        "Returns the time of an hour, minute and second; what is beyond its range carries over.",
    ),
    vba(
        "TimeValue",
        TIME,
        Date,
        |c| Ok(Value::Date(day_zero().date().to_datetime(c.date(0)?.time()))),
        "Returns a time without its date.",
    ),
    vba("Timer", &[], Numeric, timer, "Returns the seconds since midnight.").volatile(),
    vba(
        "Weekday",
        &[need("date", Date), may("firstdayofweek", Integer)],
        Integer,
        |c| Ok(Value::Int(i64::from(days_into_week(c.date(0)?.date(), first_day(c, 1)?)) + 1)),
        "Returns the day of the week as a number, 1 for the first one (Sunday unless said otherwise).",
    ),
    vba(
        "WeekdayName",
        &[need("weekday", Integer), may("abbreviate", Boolean), may("firstdayofweek", Integer)],
        Text,
        weekday_name,
        "Returns the name of a day of the week.",
    ),
    vba("Year", DATE, Integer, |c| Ok(i64::from(c.date(0)?.year()).into()), "Returns the year."),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interval {
    Year,
    Quarter,
    Month,
    DayOfYear,
    Day,
    Weekday,
    Week,
    Hour,
    Minute,
    Second,
}

fn interval(call: &Call<'_>) -> Result<Interval> {
    Ok(match call.text(0)?.to_ascii_lowercase().as_str() {
        "yyyy" => Interval::Year,
        "q" => Interval::Quarter,
        "m" => Interval::Month,
        "y" => Interval::DayOfYear,
        "d" => Interval::Day,
        "w" => Interval::Weekday,
        "ww" => Interval::Week,
        "h" => Interval::Hour,
        "n" => Interval::Minute,
        "s" => Interval::Second,
        _ => return Err(call.invalid(0, "must be yyyy, q, m, y, d, w, ww, h, n or s")),
    })
}

/// The first day of the week: 1 is Sunday, which 0 (what the system has) also means.
fn first_day(call: &Call<'_>, index: usize) -> Result<i8> {
    match call.integer_or(index, 1)? {
        0 => Ok(1),
        day @ 1..=7 => Ok(day as i8),
        _ => Err(call.invalid(index, "must be from 0 to 7")),
    }
}

/// Days since the week of a date began, from 0 to 6.
fn days_into_week(date: CivilDate, first_day: i8) -> i8 {
    (date.weekday().to_sunday_zero_offset() - (first_day - 1)).rem_euclid(7)
}

fn out_of_range(call: &Call<'_>) -> Error {
    call.no_result("the date lies outside of the years from -9999 to 9999")
}

fn days_since_zero(date: CivilDate) -> i64 {
    i64::from((date - day_zero().date()).get_days())
}

fn seconds_since_zero(moment: DateTime) -> i64 {
    let time = moment.time();
    days_since_zero(moment.date()) * 86_400
        + (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60
        + i64::from(time.second())
}

fn date_add(call: &Call<'_>) -> Result<Value> {
    let (interval, number, date) = (interval(call)?, call.integer(1)?, call.date(2)?);
    let span = Span::new();
    let span = match interval {
        Interval::Year => span.try_years(number),
        Interval::Quarter => span.try_months(number.saturating_mul(3)),
        Interval::Month => span.try_months(number),
        Interval::DayOfYear | Interval::Day | Interval::Weekday => span.try_days(number),
        Interval::Week => span.try_weeks(number),
        Interval::Hour => span.try_hours(number),
        Interval::Minute => span.try_minutes(number),
        Interval::Second => span.try_seconds(number),
    };
    span.and_then(|span| date.checked_add(span)).map(Value::Date).map_err(|_| out_of_range(call))
}

/// Counts boundaries that lie between: from 31 December to 1 January is a year. Only `w` counts whole weeks.
fn date_diff(call: &Call<'_>) -> Result<Value> {
    let (interval, from, to) = (interval(call)?, call.date(1)?, call.date(2)?);
    let first_day = first_day(call, 3)?;
    first_week(call, 4)?;
    let months = |moment: DateTime| i64::from(moment.year()) * 12 + i64::from(moment.month()) - 1;
    let day = |moment: DateTime| days_since_zero(moment.date());
    let week = |moment: DateTime| (day(moment) - i64::from(days_into_week(moment.date(), first_day))).div_euclid(7);
    let between = |ordinal: &dyn Fn(DateTime) -> i64| ordinal(to) - ordinal(from);
    Ok(Value::Int(match interval {
        Interval::Year => between(&|m| i64::from(m.year())),
        Interval::Quarter => between(&|m| months(m).div_euclid(3)),
        Interval::Month => between(&months),
        Interval::DayOfYear | Interval::Day => between(&day),
        Interval::Weekday => between(&day) / 7,
        Interval::Week => between(&week),
        Interval::Hour => between(&|m| seconds_since_zero(m).div_euclid(3600)),
        Interval::Minute => between(&|m| seconds_since_zero(m).div_euclid(60)),
        Interval::Second => between(&seconds_since_zero),
    }))
}

/// Which week is the first of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstWeek {
    /// The one with 1 January.
    FirstOfJanuary,
    /// The first one with four days in the year, as ISO 8601 has it.
    FourDays,
    /// The first one that lies in the year as a whole.
    Whole,
}

fn first_week(call: &Call<'_>, index: usize) -> Result<FirstWeek> {
    match call.integer_or(index, 1)? {
        0 | 1 => Ok(FirstWeek::FirstOfJanuary),
        2 => Ok(FirstWeek::FourDays),
        3 => Ok(FirstWeek::Whole),
        _ => Err(call.invalid(index, "must be from 0 to 3")),
    }
}

fn date_part(call: &Call<'_>) -> Result<Value> {
    let (interval, moment) = (interval(call)?, call.date(1)?);
    let (first_day, first_week) = (first_day(call, 2)?, first_week(call, 3)?);
    Ok(Value::Int(match interval {
        Interval::Year => i64::from(moment.year()),
        Interval::Quarter => (i64::from(moment.month()) - 1) / 3 + 1,
        Interval::Month => i64::from(moment.month()),
        Interval::DayOfYear => i64::from(moment.day_of_year()),
        Interval::Day => i64::from(moment.day()),
        Interval::Weekday => i64::from(days_into_week(moment.date(), first_day)) + 1,
        Interval::Week => week_of_year(moment.date(), first_day, first_week),
        Interval::Hour => i64::from(moment.hour()),
        Interval::Minute => i64::from(moment.minute()),
        Interval::Second => i64::from(moment.second()),
    }))
}

/// The days before a year's first week that stand in the week of its 1 January; whether that week is the first one.
fn first_week_of(new_year: CivilDate, first_day: i8, first_week: FirstWeek) -> (i64, bool) {
    let before = i64::from(days_into_week(new_year, first_day));
    let counts = match first_week {
        FirstWeek::FirstOfJanuary => true,
        FirstWeek::FourDays => 7 - before >= 4,
        FirstWeek::Whole => before == 0,
    };
    (before, counts)
}

fn week_of_year(date: CivilDate, first_day: i8, first_week: FirstWeek) -> i64 {
    let (before, counts) = first_week_of(date.first_of_year(), first_day, first_week);
    let week = (i64::from(date.day_of_year()) - 1 + before) / 7 + i64::from(counts);
    if week == 0 {
        // Days before the first week belong to the last week of the year before.
        return match date.first_of_year().yesterday() {
            Ok(eve) => week_of_year(eve, first_day, first_week),
            Err(_) => 0,
        };
    }
    // Days in the week of the next year's 1 January belong to that year, if that is its first week; but under the rule
    // of 1 January each year counts its own days.
    let days_left = i64::from(date.days_in_year()) - i64::from(date.day_of_year());
    let next_year = date.last_of_year().tomorrow();
    if let (Ok(next_year), FirstWeek::FourDays) = (next_year, first_week) {
        let (before, counts) = first_week_of(next_year, first_day, first_week);
        if counts && days_left < before {
            return 1;
        }
    }
    week
}

/// Years from 0 to 29 are those of this century's start, 30 to 99 those of the last.
fn full_year(year: i64) -> i64 {
    match year {
        0..30 => year + 2000,
        30..100 => year + 1900,
        _ => year,
    }
}

fn date_serial(call: &Call<'_>) -> Result<Value> {
    let (year, month, day) = (full_year(call.integer(0)?), call.integer(1)?, call.integer(2)?);
    let date = || {
        let months = year.checked_mul(12)?.checked_add(month.checked_sub(1)?)?;
        let (year, month) = (i16::try_from(months.div_euclid(12)).ok()?, (months.rem_euclid(12) + 1) as i8);
        let days = Span::new().try_days(day.checked_sub(1)?).ok()?;
        CivilDate::new(year, month, 1).ok()?.checked_add(days).ok()
    };
    date().map(|date| Value::Date(date.at(0, 0, 0, 0))).ok_or_else(|| out_of_range(call))
}

fn time_serial(call: &Call<'_>) -> Result<Value> {
    let (hour, minute, second) = (call.integer(0)?, call.integer(1)?, call.integer(2)?);
    let moment = || {
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        let seconds = minutes.checked_mul(60)?.checked_add(second)?;
        day_zero().checked_add(Span::new().try_seconds(seconds).ok()?).ok()
    };
    moment().map(Value::Date).ok_or_else(|| out_of_range(call))
}

fn timer(call: &Call<'_>) -> Result<Value> {
    let time = call.context.now.time();
    let whole = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    Ok(Value::Double(whole as f64 + f64::from(time.subsec_nanosecond()) / 1e9))
}

fn month_name(call: &Call<'_>) -> Result<Value> {
    let language = call.context.locale.language;
    let names = if call.boolean_or(1, false)? { &language.months_short } else { &language.months_long };
    let index = usize::try_from(call.integer(0)?).ok().and_then(|month| month.checked_sub(1));
    let name = index.and_then(|index| names.get(index)).ok_or_else(|| call.invalid(0, "must be from 1 to 12"))?;
    Ok((*name).into())
}

fn weekday_name(call: &Call<'_>) -> Result<Value> {
    let language = call.context.locale.language;
    let names = if call.boolean_or(1, false)? { &language.days_short } else { &language.days_long };
    let day @ 1..=7 = call.integer(0)? else { return Err(call.invalid(0, "must be from 1 to 7")) };
    let index = (day - 1 + i64::from(first_day(call, 2)?) - 1).rem_euclid(7);
    Ok(names.get(index as usize).copied().unwrap_or_default().into())
}

/// The date, the time or both that a text spells: `2010-09-07`, `9/7/2010 6:05 PM`, `7.9.2010`, `7-Sep-2010`,
/// `September 7, 2010`, `18:05:04`. Where day and month are both numbers, the month comes first, except before full
/// stops.
pub(super) fn parse_date(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return Some(moment);
    }
    let (mut date_words, mut time) = (Vec::new(), None);
    for word in text.split([' ', ',', 'T']).filter(|word| !word.is_empty()) {
        let half = ["am", "pm"].iter().position(|half| {
            word.len() >= 2
                && word.is_char_boundary(word.len() - 2)
                && word[word.len() - 2..].eq_ignore_ascii_case(half)
        });
        let clock = if half.is_some() { &word[..word.len() - 2] } else { word };
        match (clock, half) {
            ("", Some(half)) => {
                // `6 PM`: the hour stands before, as a word of its own.
                let clock = time.take().or_else(|| parse_time(date_words.pop()?))?;
                time = Some(on_half_day(clock, half)?);
            }
            (clock, Some(half)) => time = Some(on_half_day(parse_time(clock)?, half)?),
            (clock, None) if clock.contains(':') => time = Some(parse_time(clock)?),
            (word, None) => date_words.push(word),
        }
    }
    let midnight = Time::midnight();
    match (date_words.as_slice(), time) {
        ([], Some(time)) => Some(day_zero().date().to_datetime(time)),
        ([], None) => None,
        (words, time) => Some(parse_day(words)?.to_datetime(time.unwrap_or(midnight))),
    }
}

/// `6`, `6:05`, `6:05:04` or `6:05:04.5`.
fn parse_time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let part = |text: Option<&str>| text.map_or(Some(0), |text| text.parse::<i8>().ok());
    let (hour, minute) = (part(parts.next())?, part(parts.next())?);
    let (second, fraction) = match parts.next() {
        Some(text) => match text.split_once('.') {
            Some((second, fraction)) => (second.parse().ok()?, format!("0.{fraction}").parse::<f64>().ok()?),
            None => (text.parse().ok()?, 0.0),
        },
        None => (0, 0.0),
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, ((fraction * 1000.0) as i32).min(999) * 1_000_000).ok()
}

fn on_half_day(time: Time, half: usize) -> Option<Time> {
    let hour @ 1..=12 = time.hour() else { return None };
    time.with().hour(hour % 12 + 12 * half as i8).build().ok()
}

fn parse_day(words: &[&str]) -> Option<CivilDate> {
    let by_numbers = |year: &str, month: i8, day: &str| {
        let year = i16::try_from(full_year(year.parse::<u16>().ok()?.into())).ok()?;
        civil::Date::new(year, month, day.parse().ok()?).ok()
    };
    let parts: Vec<&str> = match words {
        [word] => word.split(['/', '-', '.']).collect(),
        words => words.to_vec(),
    };
    let [first, second, third] = parts.as_slice() else { return None };
    match (month_of(first), month_of(second)) {
        (Some(month), _) => by_numbers(third, month, second),
        (None, Some(month)) => by_numbers(third, month, first),
        (None, None) if words.len() > 1 => None,
        (None, None) if first.len() == 4 => by_numbers(first, second.parse().ok()?, third),
        (None, None) if words.iter().any(|word| word.contains('.')) => by_numbers(third, second.parse().ok()?, first),
        (None, None) => by_numbers(third, first.parse().ok()?, second),
    }
}

/// The month that an English name, or at least its first three letters, spells.
fn month_of(word: &str) -> Option<i8> {
    let names = &crate::format::Locale::en_us().language.months_long;
    let is_start =
        |name: &&str| word.len() >= 3 && name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    names.iter().position(is_start).map(|index| index as i8 + 1)
}
