//! The bytes of a document to text: byte order mark, declared encoding, forbidden characters.

use facetta_model::{Context, Result, bail};
use std::borrow::Cow;

/// Bytes looked at between two polls of the context.
const BLOCK: usize = 256 << 10;

/// The text of a document, without its byte order mark.
///
/// UTF-8 and UTF-16 are told by mark or by their first character; ISO-8859-1 and US-ASCII by the declaration. A document
/// that declares UTF-16 but is written in single bytes is read as UTF-8: serialisers of .NET write such.
pub fn decode<'a>(bytes: &'a [u8], context: &Context) -> Result<Cow<'a, str>> {
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes, context)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes, context)?,
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes, context)?,
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes, context)?,
        _ => {
            let declared = declared_encoding(bytes).unwrap_or("utf-8");
            match declared.to_ascii_lowercase().as_str() {
                "utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16" => utf8(bytes)?,
                "iso-8859-1" | "latin1" => Cow::Owned(bytes.iter().map(|&b| b as char).collect()),
                _ => bail!(Xml, "XML parsing failed at line 1, column 1: the encoding '{declared}' is not supported"),
            }
        }
    };
    check_characters(&text, context)?;
    Ok(text)
}

/// Line and column, from 1, of the byte at `offset`.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let offset = offset.min(text.len());
    let before = &text.as_bytes()[..offset];
    let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    // Bytes that continue a character of UTF-8 are no columns of their own.
    (line, 1 + before[start..].iter().filter(|&&b| b & 0xC0 != 0x80).count())
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let (line, column) = position(valid, valid.len());
            bail!(Xml, "XML parsing failed at line {line}, column {column}: a byte sequence that is not UTF-8")
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, context: &Context) -> Result<Cow<'static, str>> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut valid = odd.is_empty();
    let mut units = pairs.iter().map(|&pair| unit(pair));
    let mut step = 0;
    for c in char::decode_utf16(&mut units) {
        context.check_every(&mut step)?;
        match c {
            Ok(c) => text.push(c),
            Err(_) => {
                valid = false;
                break;
            }
        }
    }
    if !valid {
        let (line, column) = position(&text, text.len());
        bail!(Xml, "XML parsing failed at line {line}, column {column}: a byte sequence that is not UTF-16");
    }
    Ok(Cow::Owned(text))
}

/// The value of `encoding` in the XML declaration, if the document begins with one.
fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let head = bytes.strip_prefix(b"<?xml")?;
    let end = head.iter().take(256).position(|&b| b == b'>')?;
    let (_, rest) = std::str::from_utf8(&head[..end]).ok()?.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(name, _)| name)
}

/// Refuses what no XML document may hold: control characters, U+FFFE and U+FFFF.
fn check_characters(text: &str, context: &Context) -> Result<()> {
    let bytes = text.as_bytes();
    for (n, block) in bytes.chunks(BLOCK).enumerate() {
        context.check()?;
        // Sixteen bytes at a time and more; nearly every document ends here.
        let suspicious = |b: u8| ((b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r')) | (b == 0xEF);
        if !block.iter().fold(false, |any, &b| any | suspicious(b)) {
            continue;
        }
        let bad = |i: usize| {
            let b = bytes[i];
            b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')
                || b == 0xEF && bytes.get(i + 1) == Some(&0xBF) && bytes.get(i + 2).is_some_and(|&b| b >= 0xBE)
        };
        if let Some(i) = (n * BLOCK..n * BLOCK + block.len()).find(|&i| bad(i)) {
            let (line, column) = position(text, i);
            let code = text[i..].chars().next().unwrap_or_default() as u32;
            bail!(Xml, "XML parsing failed at line {line}, column {column}: the character U+{code:04X} is not allowed");
        }
    }
    Ok(())
}
