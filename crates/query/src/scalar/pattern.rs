//! Regular expressions of MATCHES: Java's spelling where clients use it, matched in linear time.

use facetta_model::{Error, ErrorKind, Result};
use regex::Regex;

/// Bytes that a compiled expression may take.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled expression that a whole text must match.
#[derive(Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression; an error where it is wrong, too large, or needs what cannot be matched in linear time (back
    /// references, looking around).
    pub fn new(written: &str) -> Result<Pattern> {
        let whole = format!(r"\A(?:{})\z", unquoted(written));
        let compiled = regex::RegexBuilder::new(&whole).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).build();
        compiled.map(Pattern).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Error::new(
                ErrorKind::Invalid,
                format!("'{written}' is no regular expression that can be matched: {reason}"),
            )
        })
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// The expression with what stands between `\Q` and `\E` escaped, which Java knows and the engine does not.
fn unquoted(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = quote_start(rest) {
        out.push_str(&rest[..at]);
        let quoted = &rest[at + 2..];
        let (quoted, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
        out.push_str(&regex::escape(quoted));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where the next `\Q` is whose backslash is not itself escaped.
fn quote_start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'\\', b'Q') => return Some(at),
            (b'\\', _) => at += 2,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_match_quoted_parts_too() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().matches(text);
        assert!(matches("a.*", "abc") && !matches("b.*", "abc") && !matches("ab", "abc"));
        assert!(matches(r"(?i).*\Qjeanne\E.*", "Mary JEANNE Derry"));
        assert!(matches(r"\Qa.b\E+", "a.bb") && !matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"\\Q", r"\Q"));
        assert!(matches("a|b", "b") && !matches("a|b", "ab"));
    }

    #[test]
    fn what_is_not_linear_is_an_error() {
        assert!(Pattern::new(r"(a)\1").is_err() && Pattern::new("(?=a)b").is_err() && Pattern::new("(").is_err());
        assert!(Pattern::new("((a{1000}){1000}){1000}").is_err());
    }
}
