//! Visual Basic's functions of texts. Positions count characters from 1.

use super::ScalarKind::{Any, Integer, String as Text};
use super::{Call, Parameter, ScalarFunction, may, need, vba};
use facetta_model::{Result, Value};

const TEXT: &[Parameter] = &[need("string", Text)];
const CODE: &[Parameter] = &[need("charcode", Integer)];

pub(super) static FUNCTIONS: &[ScalarFunction] = &[
    vba("Asc", TEXT, Integer, asc, "Returns the code of the first character of a text."),
    vba("AscB", TEXT, Integer, asc_b, "Returns the lowest byte of the code of the first character of a text."),
    vba("AscW", TEXT, Integer, asc, "Returns the Unicode code of the first character of a text."),
    vba("Chr", CODE, Text, chr, "Returns the character with a code."),
    vba("ChrB", CODE, Text, chr_b, "Returns the character with the lowest byte of a code."),
    vba("ChrW", CODE, Text, chr, "Returns the character with a Unicode code."),
    vba(
        "InStr",
        &[need("stringcheck", Text), need("stringmatch", Text)],
        Integer,
        |c| find(c, 0, 1, None),
        "Returns the position of the first occurrence of one text within another, 0 if there is none.",
    ),
    vba(
        "InStr",
        &[need("start", Integer), need("stringcheck", Text), need("stringmatch", Text), may("compare", Integer)],
        Integer,
        |c| find(c, 1, 2, Some(0)),
        "Returns the position of the first occurrence of one text within another, from a position on.",
    ),
    vba(
        "InStrRev",
        &[need("stringcheck", Text), need("stringmatch", Text), may("start", Integer), may("compare", Integer)],
        Integer,
        find_last,
        "Returns the position of the last occurrence of one text within another, 0 if there is none.",
    ),
    vba("LCase", TEXT, Text, |c| Ok(c.text(0)?.to_lowercase().into()), "Returns a text in lower case."),
    vba(
        "Left",
        &[need("string", Text), need("length", Integer)],
        Text,
        left,
        "Returns the first characters of a text.",
    ),
    vba("Len", TEXT, Integer, len, "Returns the number of characters of a text, 0 for null.").sees_null(),
    vba(
        "LTrim",
        TEXT,
        Text,
        |c| Ok(c.text(0)?.trim_start_matches(blank).into()),
        "Returns a text without leading blanks.",
    ),
    vba(
        "Mid",
        &[need("value", Text), need("start", Integer), may("length", Integer)],
        Text,
        mid,
        "Returns characters of a text from a position on.",
    ),
    vba(
        "Replace",
        &[
            need("expression", Text),
            need("find", Text),
            need("replace", Text),
            may("start", Integer),
            may("count", Integer),
            may("compare", Integer),
        ],
        Text,
        replace,
        "Returns a text in which occurrences of another are replaced by a third.",
    ),
    vba(
        "Right",
        &[need("string", Text), need("length", Integer)],
        Text,
        right,
        "Returns the last characters of a text.",
    ),
    vba(
        "RTrim",
        TEXT,
        Text,
        |c| Ok(c.text(0)?.trim_end_matches(blank).into()),
        "Returns a text without trailing blanks.",
    ),
    vba("Space", &[need("number", Integer)], Text, |c| repeat(c, ' '), "Returns a text of so many spaces."),
    vba(
        "StrComp",
        &[need("string1", Text), need("string2", Text), may("compare", Integer)],
        Integer,
        str_comp,
        "Compares two texts: -1 when the first is less, 0 when they are equal, 1 when it is greater.",
    ),
    vba(
        "String",
        &[need("number", Integer), need("character", Text)],
        Text,
        |c| match c.text(1)?.chars().next() {
            None | Some('\0') => Ok("".into()),
            Some(character) => repeat(c, character),
        },
        "Returns a text of so many times the first character of another.",
    ),
    vba(
        "StrReverse",
        TEXT,
        Text,
        |c| Ok(c.text(0)?.chars().rev().collect::<String>().into()),
        "Returns a text backwards.",
    ),
    vba(
        "Trim",
        TEXT,
        Text,
        |c| Ok(c.text(0)?.trim_matches(blank).into()),
        "Returns a text without leading and trailing blanks.",
    ),
    vba("UCase", TEXT, Text, |c| Ok(c.text(0)?.to_uppercase().into()), "Returns a text in upper case."),
    vba(
        "Val",
        &[need("string", Any)],
        super::ScalarKind::Numeric,
        val,
        "Returns the number at the start of a text, 0 if there is none.",
    ),
];

/// What the Trim functions take off: the space and what comes before it, as Mondrian does.
fn blank(character: char) -> bool {
    character <= ' '
}

fn asc(call: &Call<'_>) -> Result<Value> {
    match call.text(0)?.chars().next() {
        Some(character) => Ok(Value::Int(i64::from(u32::from(character)))),
        None => Err(call.invalid(0, "must not be empty")),
    }
}

fn asc_b(call: &Call<'_>) -> Result<Value> {
    Ok(match asc(call)? {
        Value::Int(code) => Value::Int(code & 0xFF),
        other => other,
    })
}

fn chr(call: &Call<'_>) -> Result<Value> {
    let character = u32::try_from(call.integer(0)?).ok().and_then(char::from_u32);
    character
        .map(|c| Value::str(c.encode_utf8(&mut [0; 4])))
        .ok_or_else(|| call.invalid(0, "must be the code of a character"))
}

fn chr_b(call: &Call<'_>) -> Result<Value> {
    let byte = (call.integer(0)? & 0xFF) as u8;
    Ok(Value::str(char::from(byte).encode_utf8(&mut [0; 4])))
}

fn len(call: &Call<'_>) -> Result<Value> {
    Ok(Value::Int(call.text(0)?.chars().count() as i64))
}

/// The byte at which character number `index` (from 0) begins, or the end of the text.
fn offset(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}

fn left(call: &Call<'_>) -> Result<Value> {
    let (text, length) = (call.text(0)?, call.length(1)?);
    Ok(text[..offset(&text, length)].into())
}

fn right(call: &Call<'_>) -> Result<Value> {
    let (text, length) = (call.text(0)?, call.length(1)?);
    let skipped = text.chars().count().saturating_sub(length);
    Ok(text[offset(&text, skipped)..].into())
}

fn mid(call: &Call<'_>) -> Result<Value> {
    let text = call.text(0)?;
    let start = call.integer(1)?;
    let Some(before) = usize::try_from(start).ok().and_then(|start| start.checked_sub(1)) else {
        return Err(call.invalid(1, "must be positive"));
    };
    let rest = &text[offset(&text, before)..];
    if call.values.len() < 3 {
        return Ok(rest.into());
    }
    Ok(rest[..offset(rest, call.length(2)?)].into())
}

/// The argument `compare`: 0 compares exactly, 1 without regard to case.
fn ignores_case(call: &Call<'_>, compare: Option<usize>) -> Result<bool> {
    Ok(match compare {
        Some(index) => call.integer_or(index, 0)? == 1,
        None => false,
    })
}

/// A text as it is compared; each character stays one character, so that positions hold.
fn comparable(text: &str, ignore_case: bool) -> String {
    let fold = |c: char| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    };
    if ignore_case { text.chars().map(fold).collect() } else { text.to_owned() }
}

/// A start position: from 1, or -1 which stands for none.
fn start(call: &Call<'_>, index: usize) -> Result<Option<usize>> {
    match call.integer_or(index, -1)? {
        -1 => Ok(None),
        position @ 1.. => Ok(Some(usize::try_from(position).unwrap_or(usize::MAX))),
        _ => Err(call.invalid(index, "must be -1 or a location in the string to start")),
    }
}

fn find(call: &Call<'_>, text: usize, wanted: usize, from: Option<usize>) -> Result<Value> {
    let ignore_case = ignores_case(call, from.map(|_| 3))?;
    let (text, wanted) = (comparable(&call.text(text)?, ignore_case), comparable(&call.text(wanted)?, ignore_case));
    let from = from.map_or(Ok(None), |index| start(call, index))?.unwrap_or(1) - 1;
    if from > 0 && from >= text.chars().count() {
        return Ok(Value::Int(0));
    }
    let begin = offset(&text, from);
    Ok(position(&text, text[begin..].find(&wanted).map(|at| begin + at)))
}

fn find_last(call: &Call<'_>) -> Result<Value> {
    let ignore_case = ignores_case(call, Some(3))?;
    let (text, wanted) = (comparable(&call.text(0)?, ignore_case), comparable(&call.text(1)?, ignore_case));
    // The start is where the occurrence may end at the latest.
    let end = start(call, 2)?.map_or(text.len(), |position| offset(&text, position));
    Ok(position(&text, text[..end].rfind(&wanted)))
}

fn position(text: &str, at: Option<usize>) -> Value {
    Value::Int(at.map_or(0, |at| text[..at].chars().count() as i64 + 1))
}

fn str_comp(call: &Call<'_>) -> Result<Value> {
    let ignore_case = ignores_case(call, Some(2))?;
    let order = comparable(&call.text(0)?, ignore_case).cmp(&comparable(&call.text(1)?, ignore_case));
    Ok(Value::Int(order as i64))
}

/// Unlike Visual Basic's, which cuts the text off before the start, but like Mondrian's, the text before the start
/// stays.
fn replace(call: &Call<'_>) -> Result<Value> {
    let (text, wanted, replacement) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let from = usize::try_from(call.integer_or(3, 1)?.max(1) - 1).unwrap_or(usize::MAX);
    let count = usize::try_from(call.integer_or(4, -1)?).unwrap_or(usize::MAX);
    if wanted.is_empty() {
        return Ok(text.into_owned().into());
    }
    let ignore_case = ignores_case(call, Some(5))?;
    let begin = offset(&text, from);
    let (haystack, wanted) = (comparable(&text[begin..], ignore_case), comparable(&wanted, ignore_case));
    let replaced = haystack.matches(wanted.as_str()).take(count).count();
    call.check_length(replaced.checked_mul(replacement.len()).and_then(|bytes| bytes.checked_add(text.len())))?;
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..begin]);
    // Folding may change the length in bytes but not in characters, so the original is walked by characters.
    let mut original = text[begin..].chars();
    let mut walked = 0;
    for (at, found) in haystack.match_indices(wanted.as_str()).take(count) {
        out.extend(original.by_ref().take(haystack[walked..at].chars().count()));
        original.by_ref().take(found.chars().count()).for_each(drop);
        out.push_str(&replacement);
        walked = at + found.len();
    }
    out.extend(original);
    Ok(out.into())
}

fn repeat(call: &Call<'_>, character: char) -> Result<Value> {
    let count = call.length(0)?;
    call.check_length(count.checked_mul(character.len_utf8()))?;
    Ok(std::iter::repeat_n(character, count).collect::<String>().into())
}

/// The longest start of a text that is a number, blanks left out; `&H` and `&O` begin hexadecimal and octal ones.
fn val(call: &Call<'_>) -> Result<Value> {
    if call.value(0).is_number() {
        return Ok(call.value(0).clone());
    }
    let text: String = call.text(0)?.chars().filter(|c| !c.is_whitespace()).collect();
    let digits_of = |radix: u32, rest: &str| {
        let end = rest.find(|c: char| !c.is_digit(radix)).unwrap_or(rest.len());
        i64::from_str_radix(&rest[..end], radix).unwrap_or(0)
    };
    match text.get(..2).map(str::to_ascii_uppercase).as_deref() {
        Some("&H") => return Ok(Value::Int(digits_of(16, &text[2..]))),
        Some("&O") => return Ok(Value::Int(digits_of(8, &text[2..]))),
        _ => {}
    }
    // A number is short: what is longer than any double's text cannot add to it.
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(text.len());
    let longest = (1..=end.min(400)).rev().find_map(|end| text[..end].parse::<f64>().ok());
    Ok(Value::Double(longest.unwrap_or(0.0)))
}
