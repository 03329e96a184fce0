//! Names in XML: which characters they may have, and the `_xHHHH_` form of those they may not (spec/results.md 1.4).

use facetta_model::NameEncoding;
use std::borrow::Cow;
use std::fmt::Write;

/// Whether a name without prefix may start with `c` (XML 1.0, production 4).
pub fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Whether a name without prefix may go on with `c` (XML 1.0, production 4a).
pub fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether `name` is a name without prefix.
pub fn is_name(name: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if let [first, rest @ ..] = name.as_bytes()
        && (first.is_ascii_alphabetic() || *first == b'_')
        && rest.iter().all(plain)
    {
        return true;
    }
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// The prefix of a name, empty if it has none, and what follows it; none if it is no name (Namespaces in XML, production 7).
pub fn split_name(name: &str) -> Option<(&str, &str)> {
    match name.split_once(':') {
        None => is_name(name).then_some(("", name)),
        Some((prefix, local)) => (is_name(prefix) && is_name(local)).then_some((prefix, local)),
    }
}

/// Whether XML 1.0 allows `c` in a document at all (production 2).
pub fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// `name` as the name of an element: what may not stand there becomes `_xHHHH_`, one for each UTF-16 unit.
/// An empty name becomes `_`, which alone of all names does not come back from [`decode_name`].
pub fn encode_name(name: &str) -> Cow<'_, str> {
    encode_name_as(name, NameEncoding::UpperCase)
}

/// As [`encode_name`], with the digits of `encoding`.
pub fn encode_name_as(name: &str, encoding: NameEncoding) -> Cow<'_, str> {
    if name.is_empty() {
        return Cow::Borrowed("_");
    }
    let plain = |(i, c): (usize, char)| {
        // Beyond the first plane names are legal only since the fifth edition of XML 1.0, which old readers do not know.
        let legal = if i == 0 { is_name_start(c) } else { is_name_char(c) };
        legal && (c as u32) <= 0xFFFF && !(c == '_' && escape_at(&name[i..]).is_some())
    };
    if name.char_indices().all(plain) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 16);
    for (i, c) in name.char_indices() {
        if plain((i, c)) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = match encoding {
                    NameEncoding::UpperCase => write!(out, "_x{unit:04X}_"),
                    NameEncoding::LowerCase => write!(out, "_x{unit:04x}_"),
                };
            }
        }
    }
    Cow::Owned(out)
}

/// The name that [`encode_name`] was given.
pub fn decode_name(name: &str) -> Cow<'_, str> {
    if !name.contains("_x") {
        return Cow::Borrowed(name);
    }
    let mut units: Vec<u16> = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        if let Some(unit) = escape_at(rest) {
            units.push(unit);
            rest = &rest[ESCAPE_LENGTH..];
        } else {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            rest = &rest[c.len_utf8()..];
        }
    }
    Cow::Owned(String::from_utf16_lossy(&units))
}

const ESCAPE_LENGTH: usize = "_x0000_".len();

/// The UTF-16 unit of the escape that `text` begins with, if it does.
fn escape_at(text: &str) -> Option<u16> {
    let bytes = text.as_bytes().get(..ESCAPE_LENGTH)?;
    let digits = bytes.strip_prefix(b"_x")?.strip_suffix(b"_")?;
    digits.iter().try_fold(0u16, |n, &b| Some(n << 4 | (b as char).to_digit(16)? as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_as_analysis_services_writes_them() {
        let cases = [
            ("Store Sqft", "Store_x0020_Sqft"),
            ("[Measures].[Revenue]", "_x005B_Measures_x005D_._x005B_Revenue_x005D_"),
            ("$Dim&(a):b,c'/%", "_x0024_Dim_x0026__x0028_a_x0029__x003A_b_x002C_c_x0027__x002F__x0025_"),
            ("1997", "_x0031_997"),
            ("-a.b", "_x002D_a.b"),
            ("a_x0020_b", "a_x005F_x0020_b"),
            ("a_x20_b", "a_x20_b"),
            ("Größe", "Größe"),
            ("𝄞", "_xD834__xDD1E_"),
            ("CATALOG_NAME", "CATALOG_NAME"),
            ("", "_"),
        ];
        for (name, encoded) in cases {
            assert_eq!(encode_name(name), encoded);
        }
        assert_eq!(encode_name_as("[a]", NameEncoding::LowerCase), "_x005b_a_x005d_");
        assert_eq!(decode_name("_x005b_a_x005d_"), "[a]", "Mondrian writes lower case");
    }

    #[test]
    fn names_have_at_most_one_prefix() {
        let cases = [
            ("a", Some(("", "a"))),
            ("a:b-1", Some(("a", "b-1"))),
            ("größe:ß.é", Some(("größe", "ß.é"))),
            ("_:_", Some(("_", "_"))),
            ("", None),
            (":", None),
            ("a:", None),
            (":a", None),
            ("a:b:c", None),
            ("é:b:c", None),
            ("1a", None),
            ("a:1", None),
            ("é:-", None),
            ("a b", None),
            ("a×", None),
        ];
        for (name, parts) in cases {
            assert_eq!(split_name(name), parts, "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "\\PC{1,20}|(_x[0-9A-Fa-f]{0,5}_?){1,4}|.{1,8}") {
            let encoded = encode_name(&name);
            prop_assert!(is_name(&encoded), "{encoded}");
            prop_assert_eq!(decode_name(&encoded), name.as_str());
        }

        #[test]
        fn decoding_never_fails(name in ".{0,40}") {
            let _ = decode_name(&name);
        }
    }
}
