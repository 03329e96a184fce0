//! The days of the demo: three years, one row a day.

use super::table::{Table, dates, ints, table, texts};
use facetta_model::calendar;

/// The first year; the last is two later.
pub(super) const FIRST_YEAR: i32 = 2023;
/// How many years.
pub(super) const YEARS: usize = 3;
/// How many months.
pub(super) const MONTHS: usize = 12 * YEARS;
/// Days from 1 January 1970 to the first day.
const FIRST_DAY: i32 = 19_358;

/// A day.
#[derive(Clone, Copy)]
pub(super) struct Day {
    /// Days since 1 January 1970.
    pub(super) number: i32,
    /// Year, such as 2023.
    pub(super) year: i32,
    /// Month, from 1.
    pub(super) month: i32,
    /// Day of the month, from 1.
    pub(super) day: i32,
    /// 0 is Monday.
    pub(super) weekday: usize,
}

impl Day {
    /// As in 20230131: the key that facts carry.
    pub(super) fn key(self) -> i32 {
        self.month_key() * 100 + self.day
    }

    /// As in 202301.
    pub(super) fn month_key(self) -> i32 {
        self.year * 100 + self.month
    }

    /// Months since the first one.
    pub(super) fn month_index(self) -> usize {
        ((self.year - FIRST_YEAR) * 12 + self.month - 1) as usize
    }
}

/// Every day in order.
pub(super) fn days() -> Vec<Day> {
    let mut days = Vec::with_capacity(366 * YEARS);
    for year in FIRST_YEAR..FIRST_YEAR + YEARS as i32 {
        // None of the years is a multiple of 100.
        let february = if year % 4 == 0 { 29 } else { 28 };
        for (month, length) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            for day in 1..=length {
                let number = FIRST_DAY + days.len() as i32;
                // 1 January 1970 was a Thursday.
                days.push(Day { number, year, month, day, weekday: ((number + 3) % 7) as usize });
            }
        }
    }
    days
}

/// The keys of all months, as in 202301.
pub(super) fn month_keys() -> [i32; MONTHS] {
    std::array::from_fn(|i| (FIRST_YEAR + (i / 12) as i32) * 100 + (i % 12) as i32 + 1)
}

/// The table `dates`.
pub(super) fn dates_table(days: &[Day]) -> Table {
    let int = |f: fn(&Day) -> i32| ints(days.iter().map(f).collect());
    let text = |f: fn(&Day) -> String| texts(days.iter().map(f));
    table(
        "dates",
        [
            ("date_key", int(|d| d.key())),
            ("date", dates(days.iter().map(|d| d.number).collect())),
            ("day_name", text(|d| format!("{} {} {}", d.day, calendar::MONTHS[d.month as usize - 1], d.year))),
            ("year", int(|d| d.year)),
            ("quarter_key", int(|d| d.year * 10 + (d.month + 2) / 3)),
            ("quarter_name", text(|d| format!("Q{} {}", (d.month + 2) / 3, d.year))),
            ("month_key", int(|d| d.month_key())),
            ("month_name", text(|d| format!("{} {}", calendar::MONTHS[d.month as usize - 1], d.year))),
            ("month_of_year", int(|d| d.month)),
            ("month_of_year_name", text(|d| calendar::MONTHS[d.month as usize - 1].to_string())),
            ("weekday_key", int(|d| d.weekday as i32 + 1)),
            ("weekday_name", text(|d| calendar::WEEKDAYS[d.weekday].to_string())),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_right_where_it_is_known() {
        let days = days();
        assert_eq!(days.len(), 365 + 366 + 365);
        let known = [(20230101, 6, 19358), (20240229, 3, 19782), (20251231, 2, 20453)];
        for (key, weekday, number) in known {
            let day = days.iter().find(|d| d.key() == key).unwrap();
            assert_eq!((day.weekday, day.number), (weekday, number), "{key}");
        }
        assert_eq!(month_keys()[MONTHS - 1], 202512);
        assert_eq!(days.last().unwrap().month_index(), MONTHS - 1);
    }
}
