//! Numbers: decimal digits, rounding, and their layout in a picture.

use super::Locale;
use facetta_model::{Currency, Value};
use std::fmt::Write;

/// The layout of digits in one section.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Places left of the point.
    pub(super) whole: u32,
    /// How many of them, from the right, show a zero when the number has no digit there.
    pub(super) whole_required: u32,
    /// Places right of the point; the number is rounded to so many decimals.
    pub(super) fraction: u32,
    /// How many of them, from the left, always show.
    pub(super) fraction_required: u32,
    /// Sizes of the groups of digits, from the right, the last one repeating; empty: no separators.
    pub(super) groups: Box<[u32]>,
    /// Powers of ten to multiply by: 2 for each percent sign, -3 for each scaling comma.
    pub(super) shift: i32,
    /// Scientific notation.
    pub(super) exponent: Option<Exponent>,
}

/// How an exponent shows.
#[derive(Debug)]
pub(super) struct Exponent {
    /// `E` or `e`.
    pub(super) letter: char,
    /// Whether a positive exponent has a plus sign.
    pub(super) plus: bool,
    /// Digits that it has at least.
    pub(super) required: u32,
}

/// Most digits that a value has: 20 of an unsigned 64-bit number; a double has 17.
const CAPACITY: usize = 20;

/// A number in decimal: `0.d1d2d3… × 10^point`, without leading or trailing zeros. Zero has no digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits {
    negative: bool,
    digits: [u8; CAPACITY],
    length: usize,
    point: i32,
    /// What stands for a value that has no digits.
    special: Option<&'static str>,
}

impl Digits {
    pub(super) fn zero() -> Digits {
        Digits { negative: false, digits: [0; CAPACITY], length: 0, point: 0, special: None }
    }

    pub(super) fn from_value(value: &Value) -> Digits {
        match value {
            Value::Int(i) => Digits::from_i64(*i),
            Value::Currency(c) => Digits::from_scaled(c.0, 4),
            other => Digits::from_f64(other.as_f64().unwrap_or(f64::NAN)),
        }
    }

    pub(super) fn from_i64(value: i64) -> Digits {
        Digits::from_scaled(value, 0)
    }

    /// `value` divided by ten to the power of `scale`.
    fn from_scaled(value: i64, scale: i32) -> Digits {
        let mut digits = [0; CAPACITY];
        let mut at = CAPACITY;
        let mut left = value.unsigned_abs();
        while left > 0 {
            at -= 1;
            digits[at] = (left % 10) as u8;
            left /= 10;
        }
        digits.copy_within(at.., 0);
        let length = CAPACITY - at;
        let mut result = Digits { negative: value < 0, digits, length, point: length as i32 - scale, special: None };
        result.trim();
        result
    }

    /// The shortest decimal that reads back as the same double.
    pub(super) fn from_f64(value: f64) -> Digits {
        let mut result = Digits { negative: value < 0.0, ..Digits::zero() };
        if !value.is_finite() {
            result.special = Some(if value.is_nan() { "NaN" } else { "Infinity" });
            return result;
        }
        let mut text = Buffer::<32>::default();
        // `1.2345e-7`: cannot overflow, a double has at most 17 digits.
        let _ = write!(text, "{:e}", value.abs());
        let (mantissa, exponent) = text.as_str().split_once('e').unwrap_or(("0", "0"));
        for digit in mantissa.bytes().filter(u8::is_ascii_digit).take(CAPACITY) {
            result.digits[result.length] = digit - b'0';
            result.length += 1;
        }
        result.point = exponent.parse::<i32>().unwrap_or(0) + 1;
        result.trim();
        result
    }

    /// A decimal as Rust writes it: `-12.340`, of no more digits than fit.
    fn from_text(text: &str) -> Digits {
        let mut result = Digits { negative: text.starts_with('-'), ..Digits::zero() };
        let whole = text.find('.').unwrap_or(text.len()) - usize::from(result.negative);
        let digits = text.bytes().filter(u8::is_ascii_digit);
        let leading = digits.clone().take_while(|digit| *digit == b'0').count();
        for digit in digits.skip(leading).take(CAPACITY) {
            result.digits[result.length] = digit - b'0';
            result.length += 1;
        }
        result.point = whole as i32 - leading as i32;
        result.trim();
        result
    }

    pub(super) fn negative(&self) -> bool {
        self.negative
    }

    pub(super) fn is_zero(&self) -> bool {
        self.length == 0 && self.special.is_none()
    }

    pub(super) fn absolute(self) -> Digits {
        Digits { negative: false, ..self }
    }

    fn shifted(mut self, by: i32) -> Digits {
        if self.length > 0 {
            self.point = self.point.saturating_add(by);
        }
        self
    }

    /// Rounds half up (away from zero) to so many decimals.
    fn round(&mut self, decimals: i32) {
        let keep = self.point.saturating_add(decimals);
        if keep >= self.length as i32 || self.special.is_some() {
            return;
        }
        if keep < 0 {
            return self.clear();
        }
        let keep = keep as usize;
        let up = self.digits[keep] >= 5;
        self.length = keep;
        if up {
            self.increment();
        }
        self.trim();
    }

    /// Adds one to the last digit.
    fn increment(&mut self) {
        while self.length > 0 {
            let last = self.length - 1;
            if self.digits[last] < 9 {
                self.digits[last] += 1;
                return;
            }
            // A nine becomes a zero, which is not kept, and carries.
            self.length = last;
        }
        self.digits[0] = 1;
        self.length = 1;
        self.point += 1;
    }

    fn trim(&mut self) {
        while self.length > 0 && self.digits[self.length - 1] == 0 {
            self.length -= 1;
        }
        if self.length == 0 {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.length = 0;
        self.point = 0;
        self.negative = false;
    }

    /// The digit at a place: 0 is the units, -1 the tenths.
    fn at(&self, place: i64) -> char {
        let index = i64::from(self.point) - 1 - place;
        let digit = usize::try_from(index).ok().filter(|i| *i < self.length).map_or(0, |i| self.digits[i]);
        char::from(b'0' + digit)
    }

    /// Digits left of the point.
    fn whole(&self) -> u32 {
        self.point.max(0) as u32
    }

    /// Digits right of the point.
    fn fraction(&self) -> u32 {
        (self.length as i32).saturating_sub(self.point).max(0) as u32
    }
}

/// A number rounded and placed, ready to be written piece by piece.
pub(super) struct LaidOut<'a> {
    pattern: &'a Pattern,
    digits: Digits,
    exponent: i32,
}

impl Pattern {
    /// Whether anything but zeros shows of a number.
    pub(super) fn shows(&self, digits: Digits) -> bool {
        if digits.special.is_some() || self.exponent.is_some() {
            return !digits.is_zero();
        }
        let mut rounded = digits.shifted(self.shift);
        rounded.round(self.decimals());
        !rounded.is_zero()
    }

    fn decimals(&self) -> i32 {
        i32::try_from(self.fraction).unwrap_or(i32::MAX)
    }

    pub(super) fn lay_out(&self, digits: Digits) -> LaidOut<'_> {
        let mut digits = digits.shifted(self.shift);
        let mut exponent = 0;
        if self.exponent.is_some() && digits.length > 0 {
            let mantissa = self.whole.clamp(1, 400) as i32;
            exponent = digits.point.saturating_sub(mantissa);
            digits.point = mantissa;
            digits.round(self.decimals());
            // 9.99 rounded is 10: one more for the exponent.
            if digits.point > mantissa {
                exponent += 1;
                digits.point = mantissa;
            }
        } else {
            digits.round(self.decimals());
        }
        LaidOut { pattern: self, digits, exponent }
    }

    /// Whether a separator stands right of a place, that is left of `place` digits.
    fn separates(&self, place: i64) -> bool {
        let mut left = place;
        let mut groups = self.groups.iter().map(|size| i64::from(*size));
        let Some(mut size) = groups.next() else { return false };
        while left > 0 {
            match groups.next() {
                Some(next) => {
                    left -= size;
                    size = next;
                }
                None => return left % size == 0,
            }
        }
        left == 0 && place > 0
    }
}

impl LaidOut<'_> {
    pub(super) fn write_whole(&self, first: u32, count: u32, locale: &Locale, out: &mut String) {
        if let Some(special) = self.digits.special {
            if first == 0 {
                out.push_str(special);
            }
            return;
        }
        let places = i64::from(self.pattern.whole);
        // A mantissa always has its digit: `.0E+0` of zero is the exception that a picture can ask for.
        let required = match (&self.pattern.exponent, self.pattern.whole) {
            (Some(_), 0) => 1,
            _ => i64::from(self.pattern.whole_required),
        };
        let whole = i64::from(self.digits.whole());
        let top = if first == 0 { whole.max(places).max(required) } else { places - i64::from(first) };
        let bottom = (places - i64::from(first) - i64::from(count)).max(0);
        for place in (bottom..top).rev() {
            if place >= whole && place >= required {
                continue;
            }
            out.push(self.digits.at(place));
            if !self.pattern.groups.is_empty() && self.pattern.separates(place) {
                out.push_str(locale.thousands);
            }
        }
    }

    pub(super) fn write_point(&self, locale: &Locale, out: &mut String) {
        if self.digits.special.is_none() {
            out.push_str(locale.decimal);
        }
    }

    pub(super) fn write_fraction(&self, first: u32, count: u32, out: &mut String) {
        if self.digits.special.is_some() {
            return;
        }
        let shown = self.digits.fraction().max(self.pattern.fraction_required);
        for place in first..first.saturating_add(count).min(shown) {
            out.push(self.digits.at(-1 - i64::from(place)));
        }
    }

    pub(super) fn write_exponent(&self, out: &mut String) {
        let Some(exponent) = self.pattern.exponent.as_ref().filter(|_| self.digits.special.is_none()) else { return };
        out.push(exponent.letter);
        match self.exponent {
            negative if negative < 0 => out.push('-'),
            _ if exponent.plus => out.push('+'),
            _ => {}
        }
        let magnitude = self.exponent.unsigned_abs();
        // Not the formatter's own width, which has a limit; a picture has none.
        let length = magnitude.checked_ilog10().unwrap_or(0) + 1;
        out.extend(std::iter::repeat_n('0', exponent.required.saturating_sub(length) as usize));
        // Writing to a String cannot fail.
        let _ = write!(out, "{magnitude}");
    }
}

/// Decimals of a number without a format.
const GENERAL_DECIMALS: usize = 3;

/// Writes a number without a format: separated thousands, at most three decimals, half to even on the exact value.
pub(super) fn write_general(value: &Value, locale: &Locale, out: &mut String) {
    let digits = match value {
        Value::Currency(money) => Digits::from_scaled(thousandths(*money), GENERAL_DECIMALS as i32),
        // From 10^15 on a double has no third decimal, and its exact value more digits than it means.
        Value::Double(d) if d.is_finite() && d.abs() < 1e15 => {
            let mut text = Buffer::<32>::default();
            let _ = write!(text, "{d:.GENERAL_DECIMALS$}");
            Digits::from_text(text.as_str())
        }
        other => Digits::from_value(other),
    };
    if digits.negative() {
        out.push('-');
    }
    if let Some(special) = digits.special {
        return out.push_str(special);
    }
    for place in (0..i64::from(digits.whole()).max(1)).rev() {
        out.push(digits.at(place));
        if place > 0 && place % 3 == 0 {
            out.push_str(locale.thousands);
        }
    }
    if digits.fraction() > 0 {
        out.push_str(locale.decimal);
        (1..=i64::from(digits.fraction())).for_each(|place| out.push(digits.at(-place)));
    }
}

/// Money in thousandths, half to even.
fn thousandths(money: Currency) -> i64 {
    let (whole, rest) = (money.0.div_euclid(10), money.0.rem_euclid(10));
    match rest {
        0..5 => whole,
        5 => whole + (whole & 1),
        _ => whole + 1,
    }
}

/// The nearest number with so many decimals, ties to even; ties are those of the shortest decimal that reads back as
/// the number, so that 2.345 is one. A negative number of decimals rounds left of the point.
pub(crate) fn round_half_even(number: f64, decimals: i32) -> f64 {
    let mut digits = Digits::from_f64(number);
    let keep = digits.point.saturating_add(decimals);
    if digits.special.is_some() || keep >= digits.length as i32 {
        return number;
    }
    let tie = usize::try_from(keep).is_ok_and(|keep| digits.length == keep + 1 && digits.digits[keep] == 5);
    let even = usize::try_from(keep - 1).map_or(true, |last| digits.digits[last].is_multiple_of(2));
    if tie && even {
        digits.length = keep as usize;
        digits.trim();
    } else {
        digits.round(decimals);
    }
    let mut text = Buffer::<40>::default();
    let _ = write!(text, "0.");
    digits.digits[..digits.length].iter().for_each(|digit| {
        let _ = write!(text, "{digit}");
    });
    let _ = write!(text, "e{}", digits.point);
    let rounded: f64 = if digits.length == 0 { 0.0 } else { text.as_str().parse().unwrap_or(number) };
    rounded.copysign(if digits.length == 0 { 1.0 } else { number })
}

/// Text on the stack, so that a cell costs no allocation.
struct Buffer<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Buffer { bytes: [0; N], length: 0 }
    }
}

impl<const N: usize> Buffer<N> {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl<const N: usize> Write for Buffer<N> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
