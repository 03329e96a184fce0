//! GUIDs from the system's random source: names of sessions and transactions.

use facetta_model::{Error, Result};
use std::fmt;

/// 128 random bits, written as an upper-case GUID without braces.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(pub u128);

impl Guid {
    /// A new one.
    ///
    /// # Errors
    /// The system has no random bytes to give.
    pub fn random() -> Result<Guid> {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(|e| Error::internal(format_args!("no random bytes: {e}")))?;
        Ok(Guid(u128::from_be_bytes(bytes)))
    }

    /// The one that `text` writes, in either case, with or without braces.
    pub fn parse(text: &str) -> Option<Guid> {
        let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let mut value = 0u128;
        for (i, &b) in bytes.iter().enumerate() {
            match i {
                8 | 13 | 18 | 23 if b == b'-' => {}
                8 | 13 | 18 | 23 => return None,
                _ => value = value << 4 | u128::from(char::from(b).to_digit(16)?),
            }
        }
        Some(Guid(value))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        let (a, b, c, d) = ((v >> 96) as u32, (v >> 80) as u16, (v >> 64) as u16, (v >> 48) as u16);
        write!(f, "{a:08X}-{b:04X}-{c:04X}-{d:04X}-{:012X}", v & 0xFFFF_FFFF_FFFF)
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let guid = Guid(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
        assert_eq!(guid.to_string(), "01234567-89AB-CDEF-0123-456789ABCDEF");
        assert_eq!(Guid::parse(&guid.to_string().to_lowercase()), Some(guid));
        assert_eq!(Guid::parse("{01234567-89AB-CDEF-0123-456789ABCDEF}"), Some(guid));
    }

    #[test]
    fn nothing_else_is_read() {
        for text in [
            "",
            "581",
            "01234567-89AB-CDEF-0123-456789ABCDE",
            "01234567089AB-CDEF-0123-456789ABCDEF",
            "é".repeat(18).as_str(),
        ] {
            assert_eq!(Guid::parse(text), None, "{text}");
        }
    }
}
