//! Format string → sections of items.

use super::date::DatePart;
use super::number::{Exponent, Pattern};
use super::{Format, Item, Kind, Section, Sections};

/// Named formats and what they stand for; names are compared without regard to case.
/// Source: Visual Basic reference, "Named numeric formats", "Named date/time formats"; `conformance/` for the pictures.
pub(super) const NAMED: &[(&str, &str)] = &[
    ("Standard", "#,##0"),
    ("Fixed", "0"),
    ("Percent", "0.00%"),
    ("Scientific", "0.00e+00"),
    ("Yes/No", "\"Yes\";\"Yes\";\"No\";\"No\""),
    ("True/False", "\"True\";\"True\";\"False\";\"False\""),
    ("On/Off", "\"On\";\"On\";\"Off\";\"Off\""),
    ("Long Date", "dddd, mmmm dd, yyyy"),
    ("Medium Date", "dd-mmm-yy"),
    ("Short Date", "m/d/yy"),
    ("Long Time", "h:mm:ss AM/PM"),
    ("Medium Time", "h:mm AM/PM"),
    ("Short Time", "hh:mm"),
];

/// What a picture is of; the first token that belongs to one of the three decides, and those of the others are then
/// literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Number,
    Date,
    Text,
}

pub(super) fn parse(text: &str) -> Format {
    let named = |name: &str| text.trim().eq_ignore_ascii_case(name);
    if text.is_empty() || named("General Number") || named("General Date") || named("General") {
        return Format(Kind::General);
    }
    if named("Currency") {
        return Format(Kind::Currency);
    }
    match NAMED.iter().find(|(name, _)| named(name)) {
        Some((name, picture)) => match parse_picture(picture) {
            Format(Kind::Number(sections)) if name.contains('/') => Format(Kind::Logical(sections)),
            format => format,
        },
        None => parse_picture(text),
    }
}

fn parse_picture(text: &str) -> Format {
    let (first, of, mut rest) = parse_section(text, None);
    let several = rest.is_some();
    match of {
        Some(Of::Text) => {
            let empty = rest.map(|rest| parse_section(rest, Some(Of::Text)).0).filter(Section::says_something);
            Format(Kind::Text { picture: first, empty })
        }
        Some(Of::Date) => {
            // Read again for numbers: `Yes;No` is words, not years and seconds.
            let numbers = Some(parse_sections(text)).filter(|numbers| several || numbers.positive.number.is_some());
            Format(Kind::Date { picture: first, numbers })
        }
        Some(Of::Number) | None => {
            if !first.says_something() {
                return Format(Kind::General);
            }
            let mut next = || {
                let (section, _, after) = parse_section(rest?, Some(Of::Number));
                rest = after;
                Some(section).filter(Section::says_something)
            };
            let sections = Sections { negative: next(), zero: next(), null: next(), positive: first };
            Format(Kind::Number(sections))
        }
    }
}

/// All sections, for numbers: letters of dates are literal.
fn parse_sections(text: &str) -> Sections {
    let mut rest = Some(text);
    let mut next = || {
        let (section, _, after) = parse_section(rest?, Some(Of::Number));
        rest = after;
        Some(section).filter(Section::says_something)
    };
    Sections { positive: next().unwrap_or_default(), negative: next(), zero: next(), null: next() }
}

impl Section {
    fn says_something(&self) -> bool {
        !self.items.is_empty()
    }
}

/// Reads one section: the section, what it is of, and what follows its semicolon.
fn parse_section(text: &str, of: Option<Of>) -> (Section, Option<Of>, Option<&str>) {
    let mut parser = Parser { of, ..Parser::default() };
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == ';' {
            let (section, of) = parser.finish();
            return (section, of, Some(&rest[1..]));
        }
        let length = parser.token(rest, character);
        rest = rest.get(length..).unwrap_or("");
    }
    let (section, of) = parser.finish();
    (section, of, None)
}

#[derive(Default)]
struct Parser {
    of: Option<Of>,
    items: Vec<Item>,
    /// Places for digits left and right of the point, and the first and last of them that always show.
    whole: u32,
    first_whole_zero: Option<u32>,
    fraction: u32,
    fraction_required: u32,
    /// Lengths of the runs of places between thousands separators, from the left.
    runs: Vec<u32>,
    run: u32,
    /// Separators since the last place: at the end of the whole part they divide by a thousand each.
    pending_separators: i32,
    point: bool,
    shift: i32,
    exponent: Option<Exponent>,
}

impl Parser {
    fn is(&mut self, of: Of) -> bool {
        *self.of.get_or_insert(of) == of
    }

    /// Takes one token off the front of `rest` and answers its length in bytes.
    fn token(&mut self, rest: &str, character: char) -> usize {
        match character {
            '\\' => {
                let escaped = rest[1..].chars().next();
                1 + escaped.map_or(0, |character| self.literal(character))
            }
            '"' => {
                let body = &rest[1..];
                let end = body.find('"').unwrap_or(body.len());
                // An empty pair of quotes makes a section that shows nothing on purpose.
                self.text(&body[..end]);
                end + 2
            }
            '0' | '#' | '.' | ',' | '%' => self.number_token(character),
            'E' | 'e' => self.exponent(rest).unwrap_or_else(|| self.literal(character)),
            '¤' => {
                self.end_number();
                self.of.get_or_insert(Of::Number);
                self.items.push(Item::CurrencySymbol);
                character.len_utf8()
            }
            'U' if rest.starts_with("USD") => {
                self.text("USD");
                3
            }
            '/' | ':' if self.of.is_none_or(|of| of == Of::Date) => {
                self.of = Some(Of::Date);
                self.items.push(if character == '/' { Item::DateSeparator } else { Item::TimeSeparator });
                1
            }
            '<' | '>' if self.of.is_none_or(|of| of == Of::Text) => {
                self.of = Some(Of::Text);
                self.items.push(Item::Text { upper: character == '>' });
                1
            }
            '!' if self.of.is_none_or(|of| of == Of::Text) => {
                self.of = Some(Of::Text);
                self.items.push(Item::FillFromLeft);
                1
            }
            '@' | '&' if self.of.is_none_or(|of| of == Of::Text) => {
                self.of = Some(Of::Text);
                self.items.push(Item::Character { or_space: character == '@' });
                1
            }
            _ => self.date_token(rest).unwrap_or_else(|| self.literal(character)),
        }
    }

    /// Adds a character to be written as it is, and answers its length.
    fn literal(&mut self, character: char) -> usize {
        self.text(character.encode_utf8(&mut [0; 4]));
        character.len_utf8()
    }

    fn text(&mut self, added: &str) {
        self.end_number();
        match self.items.last_mut() {
            Some(Item::Literal(text)) => text.push_str(added),
            _ => self.items.push(Item::Literal(added.into())),
        }
    }

    fn number_token(&mut self, character: char) -> usize {
        // A comma counts right after a digit; it and a percent sign do not by themselves make a picture of numbers.
        let wanted = match character {
            ',' => matches!(self.items.last(), Some(Item::Whole { count: 1.., .. })),
            '%' => self.of.is_none_or(|of| of == Of::Number),
            _ => self.is(Of::Number),
        };
        if !wanted {
            return self.literal(character);
        }
        match character {
            '%' => {
                self.literal('%');
                self.shift = self.shift.saturating_add(2);
            }
            ',' => self.pending_separators = self.pending_separators.saturating_add(1),
            '.' => self.decimal_point(),
            _ if self.point => {
                if character == '0' {
                    self.fraction_required = self.fraction + 1;
                }
                self.place(Item::Fraction { first: self.fraction, count: 1 });
                self.fraction += 1;
            }
            _ => {
                if std::mem::take(&mut self.pending_separators) > 0 {
                    self.runs.push(std::mem::take(&mut self.run));
                }
                if character == '0' {
                    self.first_whole_zero.get_or_insert(self.whole);
                }
                self.place(Item::Whole { first: self.whole, count: 1 });
                self.whole += 1;
                self.run += 1;
            }
        }
        1
    }

    /// Adds a place for a digit, to the run of places before it where there is one.
    fn place(&mut self, item: Item) {
        match (self.items.last_mut(), &item) {
            (Some(Item::Whole { count, .. }), Item::Whole { .. })
            | (Some(Item::Fraction { count, .. }), Item::Fraction { .. }) => *count += 1,
            _ => self.items.push(item),
        }
    }

    fn decimal_point(&mut self) {
        if self.point {
            return;
        }
        self.end_number();
        if self.whole == 0 {
            self.items.push(Item::Whole { first: 0, count: 0 });
        }
        self.point = true;
        self.items.push(Item::Point);
    }

    /// The run of digits ends: separators after its last place scale the number.
    fn end_number(&mut self) {
        let separators = std::mem::take(&mut self.pending_separators);
        self.shift = self.shift.saturating_sub(separators.saturating_mul(3));
    }

    /// `E+00`, `e-0` and the like: only with a digit after the sign.
    fn exponent(&mut self, rest: &str) -> Option<usize> {
        let mut characters = rest.chars();
        let letter = characters.next()?;
        let plus = match characters.next()? {
            '+' => true,
            '-' => false,
            _ => return None,
        };
        let places: Vec<char> = characters.take_while(|c| matches!(c, '0' | '#')).collect();
        if places.is_empty() || self.exponent.is_some() || !self.is(Of::Number) {
            return None;
        }
        self.end_number();
        if self.whole == 0 && !self.point {
            self.items.push(Item::Whole { first: 0, count: 0 });
        }
        let required = places.iter().position(|c| *c == '0').map_or(0, |at| places.len() - at);
        self.exponent = Some(Exponent { letter, plus, required: required as u32 });
        self.items.push(Item::Exponent);
        // Places after the exponent belong to no part of the number any more.
        self.point = true;
        Some(2 + places.len())
    }

    fn date_token(&mut self, rest: &str) -> Option<usize> {
        if self.of.is_some_and(|of| of != Of::Date) {
            return None;
        }
        let (part, length) = DatePart::read(rest)?;
        self.of = Some(Of::Date);
        // `m` and `mm` right after an hour are minutes; text between the two does not matter.
        let before = self.items.iter().rev().find_map(|item| match item {
            Item::Date(part) => Some(*part),
            _ => None,
        });
        let part = match (part, before) {
            (DatePart::Month, Some(hour)) if hour.is_hour() && rest.starts_with('m') => DatePart::Minute,
            (DatePart::Month2, Some(hour)) if hour.is_hour() && rest.starts_with('m') => DatePart::Minute2,
            (part, _) => part,
        };
        self.items.push(Item::Date(part));
        Some(length)
    }

    fn finish(mut self) -> (Section, Option<Of>) {
        self.end_number();
        let has_digits = self.items.iter().any(|i| matches!(i, Item::Whole { .. } | Item::Fraction { .. }));
        let number = has_digits.then(|| Pattern {
            whole: self.whole,
            whole_required: self.first_whole_zero.map_or(0, |first| self.whole - first),
            fraction: self.fraction,
            fraction_required: self.fraction_required,
            groups: groups(&self.runs, self.run),
            shift: self.shift,
            exponent: self.exponent,
        });
        (Section { items: self.items, number }, self.of)
    }
}

/// Sizes of the groups between separators, from the right. One separator means thousands wherever it stands; several
/// say where they want to be, and the leftmost size repeats: `#,##,##0` groups as Indian numbers do.
fn groups(runs: &[u32], last: u32) -> Box<[u32]> {
    match runs {
        [] => Box::default(),
        [_] => Box::new([3]),
        [_, inner @ ..] => std::iter::once(last).chain(inner.iter().rev().copied()).map(|size| size.max(1)).collect(),
    }
}
