//! FORMAT_STRING: a format compiled once and written many times.
//!
//! The language is that of the `Format` function of Visual Basic for Applications, which MDX takes over for the cell
//! property FORMAT_STRING: named formats, or up to four sections (positive; negative; zero; null). Where Analysis
//! Services, Mondrian and Visual Basic differ, the expected texts in `conformance/` decide:
//!
//! - `Standard` has no decimals, `Fixed` neither, and `Scientific` a small `e`.
//! - An empty format string shows numbers with separated thousands and at most three decimals ([`Format::general`]).
//! - Literal words that hold a letter of a date (`Yes;No`) stay literal in a format of several sections.
//! - `|` and what follows (`|#,##0|style='red'`) is written as it stands; the client makes sense of it. A minus sign
//!   stands inside the first bar.
//!
//! Nothing is an error: what has no meaning in a format is text to be shown, as in Visual Basic.

pub mod date;
mod locale;
mod number;
mod parse;
#[cfg(test)]
mod tests;

pub use locale::{Language, Locale};

use date::DatePart;
use facetta_model::Value;
pub(crate) use number::round_half_even;
use number::{Digits, Pattern};
use std::fmt::Write;
use std::sync::Arc;

/// A compiled format string.
#[derive(Debug)]
pub struct Format(Kind);

#[derive(Debug)]
enum Kind {
    /// No format: each type of value as it is read most easily.
    General,
    /// The currency format of the locale, negative numbers in parentheses.
    Currency,
    /// Yes/No and its like: booleans count as numbers here.
    Logical(Sections),
    /// A picture of numbers.
    Number(Sections),
    /// A picture of dates. Numbers are shown by `numbers` when there are several sections or the picture has places
    /// for digits (`Sales: 0`), else as serial dates.
    Date { picture: Section, numbers: Option<Sections> },
    /// A picture of texts, and what shows null and the empty text.
    Text { picture: Section, empty: Option<Section> },
}

/// What shows a number: the first section, and the others where they say something.
#[derive(Debug)]
struct Sections {
    positive: Section,
    negative: Option<Section>,
    zero: Option<Section>,
    null: Option<Section>,
}

/// One section: what to write, in order, and how its digits are laid out.
#[derive(Debug, Default)]
struct Section {
    items: Vec<Item>,
    /// Present when the section has a place for digits.
    number: Option<Pattern>,
}

/// A piece of a section.
#[derive(Debug)]
enum Item {
    /// Text that is written as it is.
    Literal(String),
    /// The currency symbol of the locale.
    CurrencySymbol,
    /// The separator of dates of the locale.
    DateSeparator,
    /// The separator of times of the locale.
    TimeSeparator,
    /// Places for digits left of the point, counted from the left: `count` places from place `first` on.
    Whole { first: u32, count: u32 },
    /// The decimal point.
    Point,
    /// Places for digits right of the point.
    Fraction { first: u32, count: u32 },
    /// `E+00` and its digits.
    Exponent,
    /// A part of a date or time.
    Date(DatePart),
    /// The whole text, in lower case or in upper case.
    Text { upper: bool },
    /// A place for one character; when the text is too short, a space or nothing.
    Character { or_space: bool },
    /// Placeholders for characters are filled from the left.
    FillFromLeft,
}

impl Format {
    /// Compiles a format string. It never fails: text without a meaning is shown as it is.
    pub fn parse(text: &str) -> Arc<Format> {
        Arc::new(parse::parse(text))
    }

    /// The format of a cell that has none: numbers with separated thousands and at most three decimals (rounded half
    /// to even), dates as General Date, booleans and texts as they are.
    pub fn general() -> &'static Format {
        static GENERAL: Format = Format(Kind::General);
        &GENERAL
    }

    /// Whether it shows something for null.
    pub fn shows_null(&self) -> bool {
        match &self.0 {
            Kind::Number(sections) | Kind::Logical(sections) | Kind::Date { numbers: Some(sections), .. } => {
                sections.null.is_some()
            }
            Kind::Text { empty, .. } => empty.is_some(),
            Kind::General | Kind::Currency | Kind::Date { numbers: None, .. } => false,
        }
    }

    /// Appends `value` to `out`. An error shows as `#Error`, its place and its message, whatever the format
    /// (spec/results.md 2.4).
    pub fn write(&self, value: &Value, locale: &Locale, out: &mut String) {
        let kind = match &self.0 {
            Kind::Currency => return locale.currency().write(value, locale, out),
            kind => kind,
        };
        match value {
            Value::Error(error) => {
                let _ = write!(out, "#Error {error}");
            }
            Value::Empty => write_null(kind, locale, out),
            Value::Str(text) => write_text(kind, text, locale, out),
            Value::Boolean(truth) => match kind {
                // True is -1 in Visual Basic, so that it takes the section of negative numbers.
                Kind::Logical(sections) => write_number(sections, Digits::from_i64(-i64::from(*truth)), locale, out),
                _ => out.push_str(if *truth { "true" } else { "false" }),
            },
            Value::Date(moment) => match kind {
                Kind::General => date::write_general(*moment, locale, out),
                Kind::Date { picture, .. } => write_date(picture, *moment, locale, out),
                Kind::Text { picture, .. } => {
                    write_cased(picture, locale, out, |out| date::write_general(*moment, locale, out));
                }
                Kind::Number(sections) | Kind::Logical(sections) => {
                    write_number(sections, Digits::from_f64(date::to_serial(*moment)), locale, out);
                }
                Kind::Currency => {}
            },
            Value::Int(_) | Value::Double(_) | Value::Currency(_) => self.write_numeric(value, locale, out),
        }
    }

    fn write_numeric(&self, value: &Value, locale: &Locale, out: &mut String) {
        match &self.0 {
            Kind::General | Kind::Currency => number::write_general(value, locale, out),
            Kind::Text { picture, .. } => {
                write_cased(picture, locale, out, |out| number::write_general(value, locale, out));
            }
            Kind::Number(sections) | Kind::Logical(sections) => {
                write_number(sections, Digits::from_value(value), locale, out);
            }
            Kind::Date { numbers: Some(sections), .. } => {
                write_number(sections, Digits::from_value(value), locale, out);
            }
            Kind::Date { picture, numbers: None } => match value.as_f64().and_then(date::from_serial) {
                Some(moment) => write_date(picture, moment, locale, out),
                None => number::write_general(value, locale, out),
            },
        }
    }
}

fn write_null(kind: &Kind, locale: &Locale, out: &mut String) {
    let section = match kind {
        Kind::Number(sections) | Kind::Logical(sections) | Kind::Date { numbers: Some(sections), .. } => &sections.null,
        Kind::Text { empty, .. } => empty,
        Kind::General | Kind::Currency | Kind::Date { numbers: None, .. } => &None,
    };
    if let Some(section) = section {
        write_section(section, Digits::zero(), false, locale, out);
    }
}

/// Only a picture of texts changes a text: a number's or date's leaves it alone.
fn write_text(kind: &Kind, text: &str, locale: &Locale, out: &mut String) {
    match kind {
        Kind::Text { empty: Some(section), .. } if text.is_empty() => {
            write_section(section, Digits::zero(), false, locale, out);
        }
        Kind::Text { picture, .. } if picture.items.iter().any(|item| matches!(item, Item::Text { .. })) => {
            write_cased(picture, locale, out, |out| out.push_str(text));
        }
        Kind::Text { picture, .. } => write_characters(picture, text, locale, out),
        _ => out.push_str(text),
    }
}

/// Writes a picture with `<` or `>`: each of the two is the whole value, in its case.
fn write_cased(picture: &Section, locale: &Locale, out: &mut String, value: impl Fn(&mut String)) {
    for item in &picture.items {
        match item {
            Item::Text { upper } => {
                let start = out.len();
                value(out);
                change_case(out, start, *upper);
            }
            Item::Character { or_space } => out.push(if *or_space { '@' } else { '&' }),
            other => write_fixed(other, locale, out),
        }
    }
}

/// Changes the case of what `out` holds from `start` on.
fn change_case(out: &mut String, start: usize, upper: bool) {
    if out[start..].is_ascii() {
        match (out.get_mut(start..), upper) {
            (Some(tail), true) => tail.make_ascii_uppercase(),
            (Some(tail), false) => tail.make_ascii_lowercase(),
            (None, _) => {}
        }
    } else {
        // Letters may change their length in bytes, so the tail is built anew.
        let tail = if upper { out[start..].to_uppercase() } else { out[start..].to_lowercase() };
        out.truncate(start);
        out.push_str(&tail);
    }
}

/// Writes a picture of `@` and `&`: its places take the characters of the text, the last ones unless there is a `!`;
/// the first place takes all that is too much.
fn write_characters(picture: &Section, text: &str, locale: &Locale, out: &mut String) {
    let places = picture.items.iter().filter(|item| matches!(item, Item::Character { .. })).count();
    if places == 0 {
        return out.push_str(text);
    }
    let from_left = picture.items.iter().any(|item| matches!(item, Item::FillFromLeft));
    let length = text.chars().count();
    let (missing, surplus) = (places.saturating_sub(length), length.saturating_sub(places));
    let mut characters = text.chars();
    let mut place = 0;
    for item in &picture.items {
        let Item::Character { or_space } = item else {
            write_fixed(item, locale, out);
            continue;
        };
        place += 1;
        let (empty, overfull) =
            if from_left { (place > length, place == places) } else { (place <= missing, place == 1) };
        if empty {
            if *or_space {
                out.push(' ');
            }
            continue;
        }
        out.extend(characters.by_ref().take(if overfull { 1 + surplus } else { 1 }));
    }
}

fn write_date(picture: &Section, moment: jiff::civil::DateTime, locale: &Locale, out: &mut String) {
    let clock = if picture.items.iter().any(|item| matches!(item, Item::Date(part) if part.twelve_hours()))
        && !picture.items.iter().any(|item| matches!(item, Item::Date(DatePart::Hour24)))
    {
        date::Clock::Twelve
    } else {
        date::Clock::TwentyFour
    };
    for item in &picture.items {
        match item {
            Item::Date(part) => date::write_part(*part, moment, clock, locale, out),
            other => write_fixed(other, locale, out),
        }
    }
}

/// Chooses the section for a number and writes it. A negative number that its section would show as zero takes the
/// section for zero, or loses its sign.
fn write_number(sections: &Sections, digits: Digits, locale: &Locale, out: &mut String) {
    if digits.is_zero() {
        let section = sections.zero.as_ref().unwrap_or(&sections.positive);
        return write_section(section, digits.absolute(), false, locale, out);
    }
    if !digits.negative() {
        return write_section(&sections.positive, digits, false, locale, out);
    }
    let shows = |section: &Section| section.number.as_ref().is_none_or(|pattern| pattern.shows(digits));
    match (&sections.negative, &sections.zero) {
        (Some(negative), _) if shows(negative) => write_section(negative, digits.absolute(), false, locale, out),
        (Some(_), Some(zero)) => write_section(zero, Digits::zero(), false, locale, out),
        (Some(_), None) => write_section(&sections.positive, digits.absolute(), shows(&sections.positive), locale, out),
        (None, _) if shows(&sections.positive) => {
            let start = out.len();
            out.push('-');
            write_section(&sections.positive, digits.absolute(), false, locale, out);
            if out[start..].starts_with("-|") {
                out.replace_range(start..start + 2, "|-");
            }
        }
        (None, _) => write_section(&sections.positive, Digits::zero(), false, locale, out),
    }
}

/// Writes the items of a section; `digits` has no sign of its own, `minus` puts one before the first digit.
fn write_section(section: &Section, digits: Digits, minus: bool, locale: &Locale, out: &mut String) {
    let Some(pattern) = &section.number else {
        return section.items.iter().for_each(|item| write_fixed(item, locale, out));
    };
    let laid_out = pattern.lay_out(digits);
    let mut minus = minus;
    for item in &section.items {
        match item {
            Item::Whole { first, count } => {
                if std::mem::take(&mut minus) {
                    out.push('-');
                }
                laid_out.write_whole(*first, *count, locale, out);
            }
            Item::Point => laid_out.write_point(locale, out),
            Item::Fraction { first, count } => laid_out.write_fraction(*first, *count, out),
            Item::Exponent => laid_out.write_exponent(out),
            other => write_fixed(other, locale, out),
        }
    }
}

/// Writes an item that does not depend on the value.
fn write_fixed(item: &Item, locale: &Locale, out: &mut String) {
    match item {
        Item::Literal(text) => out.push_str(text),
        Item::CurrencySymbol => out.push_str(locale.currency_symbol),
        Item::DateSeparator => out.push_str(locale.date_separator),
        Item::TimeSeparator => out.push_str(locale.time_separator),
        Item::Character { or_space } => out.push(if *or_space { '@' } else { '&' }),
        Item::Whole { .. }
        | Item::Point
        | Item::Fraction { .. }
        | Item::Exponent
        | Item::Date(_)
        | Item::Text { .. }
        | Item::FillFromLeft => {}
    }
}
