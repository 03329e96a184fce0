//! Writing XML: escaping, numbers and dates in their wire form, and a buffer that a sink takes in chunks.

use super::name::is_char;
use facetta_model::{Context, Currency, Error};
use jiff::civil::DateTime;
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::atomic::Ordering::Relaxed;

/// Bytes collected before the sink gets them.
const CHUNK: usize = 32 << 10;

/// Bytes for which there is room from the start.
const SHORT: usize = 2 << 10;

/// Why writing stopped.
#[derive(Debug)]
pub enum Failure {
    /// The sink takes no more: nothing further can be told to the client.
    Sink(io::Error),
    /// What was to be written could not be made, or the command was stopped; the client can be told.
    Command(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Command(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Sink(error)
    }
}

/// What writers return.
pub type Written<T = ()> = Result<T, Failure>;

/// Writes one document into a sink, chunk by chunk. The sink may block: that is the back-pressure.
pub struct Writer<'a> {
    sink: &'a mut dyn Write,
    context: &'a Context,
    buffer: Vec<u8>,
    sent: u64,
    open: Vec<u32>,
    names: String,
    in_tag: bool,
    step: u32,
}

impl<'a> Writer<'a> {
    /// A writer with nothing written.
    pub fn new(sink: &'a mut dyn Write, context: &'a Context) -> Self {
        // Most answers are short; what is long makes room for a chunk soon.
        let buffer = Vec::with_capacity(SHORT);
        let (open, names) = (Vec::with_capacity(16), String::with_capacity(256));
        Self { sink, context, buffer, sent: 0, open, names, in_tag: false, step: 0 }
    }

    /// The context of the command that writes.
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// Polls the context now and then; for loops whose steps are short.
    pub fn poll(&mut self) -> Written {
        Ok(self.context.check_every(&mut self.step)?)
    }

    /// Begins an element. The name is written as it is.
    pub fn start(&mut self, name: &str) {
        self.close_tag();
        self.open.push(self.names.len() as u32);
        self.names.push_str(name);
        self.buffer.push(b'<');
        self.buffer.extend_from_slice(name.as_bytes());
        self.in_tag = true;
    }

    /// Adds an attribute to the element just begun.
    pub fn attribute(&mut self, name: &str, value: &str) {
        debug_assert!(self.in_tag);
        self.buffer.push(b' ');
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.extend_from_slice(b"=\"");
        escape_attribute_into(&mut self.buffer, value);
        self.buffer.push(b'"');
    }

    /// Ends the element that is open; one that is empty is written `<name/>`.
    pub fn end(&mut self) -> Written {
        if std::mem::take(&mut self.in_tag) {
            self.pop_name();
            self.buffer.extend_from_slice(b"/>");
        } else {
            self.end_long();
        }
        self.flush_full()
    }

    /// Ends the element that is open; one that is empty is written `<name></name>`.
    pub fn end_with_tag(&mut self) -> Written {
        self.close_tag();
        self.end_long();
        self.flush_full()
    }

    /// Writes escaped text into the element that is open.
    pub fn text(&mut self, text: &str) {
        self.close_tag();
        escape_text_into(&mut self.buffer, text);
    }

    /// Writes markup as it is.
    pub fn raw(&mut self, markup: &str) {
        self.close_tag();
        self.buffer.extend_from_slice(markup.as_bytes());
    }

    /// The buffer, for values that are formatted into it; what goes there must be markup or escaped.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        self.close_tag();
        &mut self.buffer
    }

    /// An element with text.
    pub fn element(&mut self, name: &str, text: &str) -> Written {
        self.start(name);
        self.text(text);
        self.end()
    }

    /// Elements that are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Ends elements until `depth` are open.
    pub fn end_to(&mut self, depth: usize) -> Written {
        while self.open.len() > depth {
            self.end()?;
        }
        Ok(())
    }

    /// Whether the sink has got nothing yet, so that all can still be taken back.
    pub fn is_unsent(&self) -> bool {
        self.sent == 0
    }

    /// Takes back all that was written. Only while [`Writer::is_unsent`].
    pub fn take_back(&mut self) {
        debug_assert!(self.is_unsent());
        self.buffer.clear();
        self.open.clear();
        self.names.clear();
        self.in_tag = false;
    }

    /// Gives the sink what has been collected, if it is enough for a chunk.
    pub fn flush_full(&mut self) -> Written {
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Gives the sink all that has been collected.
    pub fn flush(&mut self) -> Written {
        self.sink.write_all(&self.buffer)?;
        self.sent += self.buffer.len() as u64;
        self.context.counters().bytes_written.fetch_add(self.buffer.len() as u64, Relaxed);
        self.buffer.clear();
        Ok(())
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.buffer.push(b'>');
        }
    }

    fn end_long(&mut self) {
        let start = self.open.last().map_or(0, |&s| s as usize);
        self.buffer.extend_from_slice(b"</");
        self.buffer.extend_from_slice(&self.names.as_bytes()[start..]);
        self.buffer.push(b'>');
        self.pop_name();
    }

    fn pop_name(&mut self) {
        let start = self.open.pop().map_or(0, |s| s as usize);
        self.names.truncate(start);
    }
}

/// `text` with what markup would take for itself escaped, for content of elements.
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| TEXT_PLAIN[b as usize]) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    escape_text_into(&mut out, text);
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Bytes that stand for themselves in text. 0xEF may begin U+FFFE and U+FFFF, which no document may hold.
const TEXT_PLAIN: [bool; 256] = plain(b"&<>\r");
/// Bytes that stand for themselves in an attribute; line ends and tabs would be read back as spaces.
const ATTRIBUTE_PLAIN: [bool; 256] = plain(b"&<>\r\n\t\"");

const fn plain(special: &[u8]) -> [bool; 256] {
    let mut table = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = matches!(control as u8, b'\t' | b'\n' | b'\r');
        control += 1;
    }
    table[0xEF] = false;
    let mut i = 0;
    while i < special.len() {
        table[special[i] as usize] = false;
        i += 1;
    }
    table
}

/// Appends `text` escaped for the content of an element.
pub fn escape_text_into(out: &mut Vec<u8>, text: &str) {
    escape_into(out, text, &TEXT_PLAIN);
}

/// Appends `text` escaped for a value of an attribute in double quotes.
pub fn escape_attribute_into(out: &mut Vec<u8>, text: &str) {
    escape_into(out, text, &ATTRIBUTE_PLAIN);
}

fn escape_into(out: &mut Vec<u8>, text: &str, plain: &[bool; 256]) {
    let bytes = text.as_bytes();
    let mut done = 0;
    while let Some(length) = bytes[done..].iter().position(|&b| !plain[b as usize]) {
        let at = done + length;
        out.extend_from_slice(&bytes[done..at]);
        // Only whole characters are ever stopped at.
        let c = text[at..].chars().next().unwrap_or_default();
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\r' => out.extend_from_slice(b"&#xD;"),
            '\n' => out.extend_from_slice(b"&#xA;"),
            '\t' => out.extend_from_slice(b"&#x9;"),
            c if is_char(c) => out.extend_from_slice(&bytes[at..at + c.len_utf8()]),
            // Data may hold what no document may; a reader would refuse the whole answer.
            _ => out.extend_from_slice("\u{FFFD}".as_bytes()),
        }
        done = at + c.len_utf8();
    }
    out.extend_from_slice(&bytes[done..]);
}

/// Appends a double: shortest form that reads back the same, with an exponent where digits alone would be long
/// (`1.0980927420302856E8`), `NaN`, `INF`, `-INF`.
pub fn double_into(out: &mut Vec<u8>, number: f64) {
    let magnitude = number.abs();
    // Writing into a Vec does not fail.
    let _ = if number.is_nan() {
        out.write_all(b"NaN")
    } else if number.is_infinite() {
        out.write_all(if number > 0.0 { b"INF" } else { b"-INF" })
    } else if number == 0.0 || (1e-3..1e7).contains(&magnitude) {
        write!(out, "{number}")
    } else {
        write!(out, "{number:E}")
    };
}

/// Appends money: up to four decimals, without trailing zeros.
pub fn currency_into(out: &mut Vec<u8>, money: Currency) {
    let magnitude = money.0.unsigned_abs();
    let (whole, part) = (magnitude / Currency::SCALE as u64, magnitude % Currency::SCALE as u64);
    let sign = if money.0 < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{whole}");
    if part != 0 {
        let digits = format!("{part:04}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

/// Appends a date and time: seconds always, a fraction of at most seven digits (what .NET keeps) without trailing zeros, no zone.
pub fn date_into(out: &mut Vec<u8>, date: DateTime) {
    let (d, t) = (date.date(), date.time());
    let _ = write!(
        out,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        d.year(),
        d.month(),
        d.day(),
        t.hour(),
        t.minute(),
        t.second()
    );
    let ticks = t.subsec_nanosecond() / 100;
    if ticks != 0 {
        let digits = format!("{ticks:07}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_markup_takes_for_itself_is_escaped() {
        assert_eq!(escape("a<b & c>\r\n\"d\""), "a&lt;b &amp; c&gt;&#xD;\n\"d\"");
        assert_eq!(escape("\u{1}\u{FFFE}\u{FFFD}ﬁ"), "\u{FFFD}\u{FFFD}\u{FFFD}ﬁ");
        assert_eq!(written(|o| escape_attribute_into(o, "a\"\n\tb'")), "a&quot;&#xA;&#x9;b'");
    }

    #[test]
    fn doubles_read_back_the_same() {
        let cases = [
            (109_809_274.203_028_56, "1.0980927420302856E8"),
            (17.5, "17.5"),
            (-17.0, "-17"),
            (0.0, "0"),
            (0.0001, "1E-4"),
            (1e7, "1E7"),
            (9_999_999.5, "9999999.5"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "INF"),
            (f64::NEG_INFINITY, "-INF"),
        ];
        for (number, text) in cases {
            assert_eq!(written(|o| double_into(o, number)), text);
            assert!(number.is_nan() || text.replace("INF", "inf").parse() == Ok(number));
        }
    }

    #[test]
    fn money_and_dates() {
        let money = |n| written(|o| currency_into(o, Currency(n)));
        assert_eq!(money(175_000), "17.5");
        assert_eq!(money(-1), "-0.0001");
        assert_eq!(money(i64::MIN), "-922337203685477.5808");
        assert_eq!(money(0), "0");
        let date = |t: &str| written(|o| date_into(o, t.parse().unwrap()));
        assert_eq!(date("2022-03-22T01:45:31.2100"), "2022-03-22T01:45:31.21");
        assert_eq!(date("0022-03-02T01:05:00"), "0022-03-02T01:05:00");
    }

    #[test]
    fn a_writer_closes_what_it_opened() {
        let context = Context::unlimited();
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out, &context);
        w.start("a");
        w.attribute("b", "<");
        w.start("c");
        w.end_with_tag().unwrap();
        w.start("d");
        w.text("&");
        w.end_to(0).unwrap();
        w.flush().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"<a b="&lt;"><c></c><d>&amp;</d></a>"#);
        assert_eq!(context.counters().bytes_written.load(Relaxed), 35);
    }
}
