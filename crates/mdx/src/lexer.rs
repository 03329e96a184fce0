//! Text to tokens with spans: names in brackets, keys, strings, numbers, comments, punctuation.
//!
//! The lexer knows no keywords: a bare word is a [`TokenKind::Word`] and the grammar decides what it means where it stands.
//! What is no token at all is a token too, of kind [`TokenKind::Bad`], so that an error is told when the parser gets there.

use facetta_model::Span;
use std::borrow::Cow;
use std::cell::Cell;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A bare name or keyword: letters, digits, `_`, `$`.
    Word,
    /// A name in brackets.
    Quoted,
    /// `&[key]`.
    QuotedKey,
    /// `&key`.
    WordKey,
    /// A text in single quotes.
    SingleQuoted,
    /// A text in double quotes.
    DoubleQuoted,
    /// A number without sign.
    Number,
    /// `@name`.
    Parameter,
    Comma,
    Dot,
    Semicolon,
    Colon,
    Bang,
    OpenParenthesis,
    CloseParenthesis,
    OpenBrace,
    CloseBrace,
    Plus,
    Minus,
    Asterisk,
    Slash,
    Caret,
    Concat,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Nothing is left.
    End,
    /// No token.
    Bad(Flaw),
}

/// Why something is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A character that starts nothing.
    Character,
    /// A string without its closing quote.
    OpenString,
    /// A name without its closing bracket.
    OpenName,
    /// A comment without `*/`.
    OpenComment,
}

/// A piece of text: what it is and the bytes it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Reads tokens one by one. Cheap to clone: a clone looks ahead.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Lexer { text, position: 0 }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The next token; [`TokenKind::End`] for ever at the end.
    pub(crate) fn next_token(&mut self) -> Token {
        if let Some(start) = self.skip_blank() {
            return self.bad(Flaw::OpenComment, start, self.text.len());
        }
        let start = self.position;
        let Some(&byte) = self.bytes().get(start) else {
            return Token { kind: TokenKind::End, start, end: start };
        };
        let (kind, end) = match byte {
            b'[' => self.bracketed(start, TokenKind::Quoted),
            b'&' => self.key(start),
            b'\'' => self.string(start, TokenKind::SingleQuoted),
            b'"' => self.string(start, TokenKind::DoubleQuoted),
            b'0'..=b'9' => (TokenKind::Number, self.number(start)),
            b'.' if self.digit_at(start + 1) => (TokenKind::Number, self.number(start)),
            b'@' => match self.word(start + 1) {
                end if end > start + 1 => (TokenKind::Parameter, end),
                end => (TokenKind::Bad(Flaw::Character), end),
            },
            _ => match self.punctuation(start) {
                Some(found) => found,
                None => self.word_or_bad(start),
            },
        };
        self.position = end;
        Token { kind, start, end }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn rest(&self, from: usize) -> &'a str {
        self.text.get(from..).unwrap_or("")
    }

    fn bad(&mut self, flaw: Flaw, start: usize, end: usize) -> Token {
        self.position = end;
        Token { kind: TokenKind::Bad(flaw), start, end }
    }

    /// Skips white space and comments. A comment in `/* */` ends at the first `*/`: one opened within it needs no end of
    /// its own (the conformance cases have both). The start of a comment that has no end is returned.
    fn skip_blank(&mut self) -> Option<usize> {
        loop {
            let rest = self.rest(self.position);
            match rest.as_bytes() {
                [b' ' | b'\t' | b'\n' | b'\r', ..] => self.position += 1,
                [b'-', b'-', ..] | [b'/', b'/', ..] => {
                    self.position += rest.find(['\n', '\r']).unwrap_or(rest.len());
                }
                [b'/', b'*', ..] => match rest.get(2..).and_then(|body| body.find("*/")) {
                    Some(length) => self.position += length + 4,
                    None => return Some(self.position),
                },
                [byte, ..] if byte.is_ascii_graphic() => return None,
                _ => match rest.chars().next() {
                    Some(c) if c.is_whitespace() || c == '\u{feff}' => self.position += c.len_utf8(),
                    _ => return None,
                },
            }
        }
    }

    fn punctuation(&self, start: usize) -> Option<(TokenKind, usize)> {
        use TokenKind::*;
        let kind = match self.bytes().get(start..)? {
            [b'<', b'>', ..] => return Some((NotEqual, start + 2)),
            [b'<', b'=', ..] => return Some((LessOrEqual, start + 2)),
            [b'>', b'=', ..] => return Some((GreaterOrEqual, start + 2)),
            [b'|', b'|', ..] => return Some((Concat, start + 2)),
            [byte, ..] => match byte {
                b',' => Comma,
                b'.' => Dot,
                b';' => Semicolon,
                b':' => Colon,
                b'!' => Bang,
                b'(' => OpenParenthesis,
                b')' => CloseParenthesis,
                b'{' => OpenBrace,
                b'}' => CloseBrace,
                b'+' => Plus,
                b'-' => Minus,
                b'*' => Asterisk,
                b'/' => Slash,
                b'^' => Caret,
                b'=' => Equal,
                b'<' => Less,
                b'>' => Greater,
                _ => return None,
            },
            [] => return None,
        };
        Some((kind, start + 1))
    }

    /// Where the letters, digits, `_` and `$` from `start` on end.
    fn word(&self, start: usize) -> usize {
        let mut end = start;
        while let Some(&byte) = self.bytes().get(end) {
            if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' {
                end += 1;
            } else if byte.is_ascii() {
                break;
            } else {
                match self.rest(end).chars().next() {
                    Some(c) if c.is_alphanumeric() => end += c.len_utf8(),
                    _ => break,
                }
            }
        }
        end
    }

    fn word_or_bad(&self, start: usize) -> (TokenKind, usize) {
        match self.word(start) {
            end if end > start => (TokenKind::Word, end),
            _ => {
                let length = self.rest(start).chars().next().map_or(0, char::len_utf8);
                (TokenKind::Bad(Flaw::Character), start + length)
            }
        }
    }

    /// A name in brackets whose opening bracket is at `open`.
    fn bracketed(&self, open: usize, kind: TokenKind) -> (TokenKind, usize) {
        match closing(self.bytes(), open + 1, b']') {
            Some(end) => (kind, end),
            None => (TokenKind::Bad(Flaw::OpenName), self.text.len()),
        }
    }

    fn key(&self, start: usize) -> (TokenKind, usize) {
        if self.bytes().get(start + 1) == Some(&b'[') {
            return self.bracketed(start + 1, TokenKind::QuotedKey);
        }
        match self.word(start + 1) {
            end if end > start + 1 => (TokenKind::WordKey, end),
            end => (TokenKind::Bad(Flaw::Character), end),
        }
    }

    fn string(&self, start: usize, kind: TokenKind) -> (TokenKind, usize) {
        let quote = if kind == TokenKind::SingleQuoted { b'\'' } else { b'"' };
        match closing(self.bytes(), start + 1, quote) {
            Some(end) => (kind, end),
            None => (TokenKind::Bad(Flaw::OpenString), self.text.len()),
        }
    }

    fn digit_at(&self, position: usize) -> bool {
        self.bytes().get(position).is_some_and(u8::is_ascii_digit)
    }

    fn digits(&self, mut position: usize) -> usize {
        while self.digit_at(position) {
            position += 1;
        }
        position
    }

    /// Where the number that starts at `start` ends: `1`, `1.5`, `.5`, `1.`, `1e2`, `1.5E-3`.
    fn number(&self, start: usize) -> usize {
        let mut end = self.digits(start);
        if self.bytes().get(end) == Some(&b'.') {
            // `1.` is a number, but `1.Name` would be a step from one; the grammar has no such thing, so tell it there.
            if self.digit_at(end + 1) {
                end = self.digits(end + 1);
            } else if self.word(end + 1) == end + 1 && !matches!(self.bytes().get(end + 1), Some(b'[' | b'&' | b'.')) {
                end += 1;
            }
        }
        if matches!(self.bytes().get(end), Some(b'e' | b'E')) {
            let sign = matches!(self.bytes().get(end + 1), Some(b'+' | b'-')) as usize;
            if self.digit_at(end + 1 + sign) {
                end = self.digits(end + 1 + sign);
            }
        }
        end
    }
}

/// Just past the `close` that is not doubled, from `position` on.
fn closing(bytes: &[u8], mut position: usize, close: u8) -> Option<usize> {
    loop {
        if *bytes.get(position)? == close {
            if bytes.get(position + 1) != Some(&close) {
                return Some(position + 1);
            }
            position += 1;
        }
        position += 1;
    }
}

/// `body` with each doubled `close`, an ASCII character, read as one.
pub(crate) fn undouble(body: &str, close: u8) -> Cow<'_, str> {
    if !body.as_bytes().contains(&close) {
        return Cow::Borrowed(body);
    }
    let mut out = Vec::with_capacity(body.len());
    let mut first = false;
    for &byte in body.as_bytes() {
        first = byte == close && !first;
        if byte != close || first {
            out.push(byte);
        }
    }
    // Leaving out ASCII characters leaves UTF-8.
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// Where the text of a formula in quotes stands in the statement, once doubled quotes are read as one.
#[derive(Debug, Default)]
pub(crate) struct OffsetMap {
    /// Offset of the formula's first byte in the statement.
    base: usize,
    /// Offsets in the formula just past each quote that was doubled.
    doubled: Vec<u32>,
    /// How many of them lay before the last offset asked; the next is seldom far.
    before: Cell<usize>,
}

impl OffsetMap {
    /// The map of a formula that stands at `base` in the statement as `raw`, quotes still doubled.
    pub(crate) fn new(base: usize, raw: &str) -> Self {
        let mut doubled = Vec::new();
        let mut open = false;
        for (offset, &byte) in raw.as_bytes().iter().enumerate() {
            if byte == b'\'' {
                if open {
                    doubled.push((offset - doubled.len()) as u32);
                }
                open = !open;
            }
        }
        OffsetMap { base, doubled, before: Cell::new(0) }
    }

    /// The bytes of the statement that `start..end` of the formula came from.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.offset(start), self.offset(end))
    }

    fn offset(&self, offset: usize) -> usize {
        let mut before = self.before.get();
        while self.doubled.get(before).is_some_and(|&d| d as usize <= offset) {
            before += 1;
        }
        while before > 0 && self.doubled.get(before - 1).is_some_and(|&d| d as usize > offset) {
            before -= 1;
        }
        self.before.set(before);
        self.base + offset + before
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.doubled.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(TokenKind, &str)> {
        let mut lexer = Lexer::new(text);
        let mut out = Vec::new();
        loop {
            let token = lexer.next_token();
            if token.kind == TokenKind::End {
                return out;
            }
            out.push((token.kind, &text[token.start..token.end]));
        }
    }

    #[test]
    fn every_kind_of_token() {
        use TokenKind::*;
        let cases: &[(&str, &[(TokenKind, &str)])] = &[
            ("", &[]),
            ("[a]]b]", &[(Quoted, "[a]]b]")]),
            ("[]", &[(Quoted, "[]")]),
            ("&[a]]b]&k1&7", &[(QuotedKey, "&[a]]b]"), (WordKey, "&k1"), (WordKey, "&7")]),
            ("'it''s' \"a\"\"b\"", &[(SingleQuoted, "'it''s'"), (DoubleQuoted, "\"a\"\"b\"")]),
            (
                "1 1.5 .5 1e2 1E-3 1.",
                &[(Number, "1"), (Number, "1.5"), (Number, ".5"), (Number, "1e2"), (Number, "1E-3"), (Number, "1.")],
            ),
            ("1e2e3", &[(Number, "1e2"), (Word, "e3")]),
            ("0from", &[(Number, "0"), (Word, "from")]),
            ("1.Name", &[(Number, "1"), (Dot, "."), (Word, "Name")]),
            ("$Foo __x Größe", &[(Word, "$Foo"), (Word, "__x"), (Word, "Größe")]),
            ("@p1 @", &[(Parameter, "@p1"), (Bad(Flaw::Character), "@")]),
            ("VBA!Exp", &[(Word, "VBA"), (Bang, "!"), (Word, "Exp")]),
            ("a-- x\rb// y\nc/* /* z */d", &[(Word, "a"), (Word, "b"), (Word, "c"), (Word, "d")]),
            (
                "<> <= >= < > = || | #",
                &[
                    (NotEqual, "<>"),
                    (LessOrEqual, "<="),
                    (GreaterOrEqual, ">="),
                    (Less, "<"),
                    (Greater, ">"),
                    (Equal, "="),
                    (Concat, "||"),
                    (Bad(Flaw::Character), "|"),
                    (Bad(Flaw::Character), "#"),
                ],
            ),
            ("[a 'b", &[(Bad(Flaw::OpenName), "[a 'b")]),
            ("'a''", &[(Bad(Flaw::OpenString), "'a''")]),
            ("a /* b", &[(Word, "a"), (Bad(Flaw::OpenComment), "/* b")]),
            ("\u{feff}\u{a0}a€", &[(Word, "a"), (Bad(Flaw::Character), "€")]),
        ];
        for (text, expected) in cases {
            assert_eq!(tokens(text), *expected, "{text}");
        }
    }

    #[test]
    fn offsets_inside_quotes_point_into_the_statement() {
        let statement = "as 'a ''b'' c'";
        let raw = &statement[4..13];
        let text = undouble(raw, b'\'');
        assert_eq!(text, "a 'b' c");
        let map = OffsetMap::new(4, raw);
        for (word, expected) in [("a", 4), ("b", 8), ("c", 12)] {
            let at = text.find(word).unwrap();
            assert_eq!(map.span(at, at + 1), Span::new(expected, expected + 1), "{word}");
        }
        // The quotes that open and close the inner string.
        assert_eq!(map.span(2, 5), Span::new(6, 11));
    }
}
