//! The one error type: what went wrong, its number on the wire, and where in the statement.

use std::fmt;

/// A half-open range of byte offsets into a statement's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The smallest range that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place in a statement as people count: lines and columns from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Line of the first character.
    pub start_line: u32,
    /// Column of the first character.
    pub start_column: u32,
    /// Line of the last character.
    pub end_line: u32,
    /// Column of the last character.
    pub end_column: u32,
    /// Number of bytes covered.
    pub length: u32,
}

impl Location {
    /// Where `span` lies in `text`.
    pub fn of(span: Span, text: &str) -> Location {
        let (start_line, start_column) = line_and_column(text, span.start as usize);
        let (end_line, end_column) = line_and_column(text, (span.end.max(span.start + 1) - 1) as usize);
        Location { start_line, start_column, end_line, end_column, length: span.end.saturating_sub(span.start) }
    }
}

fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let offset = offset.min(text.len());
    let before = &text.as_bytes()[..offset];
    let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
    let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    // Continuation bytes of UTF-8 are not characters of their own.
    let column = 1 + before[line_start..].iter().filter(|&&b| b & 0xC0 != 0x80).count();
    (line as u32, column as u32)
}

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal $(, $class:ident)?;)+) => {
        /// What kind of thing went wrong; each kind has its number on the wire (`ErrorCode`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[doc = $doc])+ $kind,)+ }

        impl ErrorKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$kind),+];

            /// The number that clients see, as Analysis Services numbers it where that is known.
            pub const fn code(self) -> u32 {
                match self { $(ErrorKind::$kind => $code,)+ }
            }

            /// The name of the kind, as written in golden scripts.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorKind::$kind => stringify!($kind),)+ }
            }
        }
    };
}

// Codes: spec/protocol.md section 12. Where none is verified: 0xC10A.... for MDX, 0xC10C.... for the
// parsing of requests, 0xC11C.... for the server's own operation.
error_kinds! {
    /// A statement's text does not follow the grammar.
    Syntax = 0xC10A_0004;
    /// A name in a statement (member, level, hierarchy, dimension, set, property, function) means nothing here.
    NotFound = 0xC10A_0006;
    /// The cube in FROM does not exist.
    CubeNotFound = 0xC10A_0007;
    /// Arguments fit no overload, or an expression has the wrong type.
    Type = 0xC10A_0049;
    /// One hierarchy is used where it may be used only once.
    HierarchyTwice = 0xC10A_004D;
    /// The statement is right but its meaning cannot be carried out (a bad argument value, a mixed set).
    Invalid = 0xC10A_0050;
    /// A calculation refers to itself.
    Recursion = 0xC10A_0051;
    /// The current member of a hierarchy was asked for of which the slicer holds a set, where that ends the query.
    CurrentMemberOfSet = 0xC10A_0052;
    /// A definition of a session or of all was right when it was made and is not any more; its use ends the statement.
    Unresolved = 0xC10A_0053;
    /// A calculated cell cannot be drilled through.
    DrillthroughCalculated = 0xC10A_00B8;
    /// What parses and is a part of the language, but is not done yet; the message names it.
    NotSupported = 0xC10A_00F0;
    /// The XML is not well formed, or breaks a limit of the reader.
    Xml = 0xC10C_0001;
    /// The SOAP message is not one: wrong envelope, header, or body.
    Soap = 0xC10C_0002;
    /// The SOAP body is empty.
    EmptyBody = 0xC10F_000A;
    /// A header that must be understood is not.
    MustUnderstand = 0xC10C_0003;
    /// The request type of a Discover is unknown.
    RequestType = 0xC10C_0034;
    /// A restriction's name is unknown to the rowset.
    RestrictionUnknown = 0xC10C_0035;
    /// A restriction that the rowset demands is missing.
    RestrictionRequired = 0xC10C_0036;
    /// A value has the wrong type.
    TypeMismatch = 0xC10C_0037;
    /// A known property has a value that it cannot have.
    Property = 0xC10C_0038;
    /// A session header is malformed, or two contradict each other.
    SessionHeader = 0xC10C_0009;
    /// No such session: never begun, ended, expired, or another user's.
    SessionNotFound = 0xC10C_000A;
    /// The catalog does not exist, or the user may not see it.
    CatalogNotFound = 0xC10C_0011;
    /// A Cancel names nothing that exists, or names things that do not belong together.
    CancelTarget = 0xC11C_0021;
    /// The user may not do this.
    Permission = 0xC11C_0022;
    /// A transaction command without a transaction, or in a session that cannot have one.
    Transaction = 0xC11C_0023;
    /// Another transaction committed a change to the same cells first.
    Conflict = 0xC11C_0024;
    /// The transaction of this session was lost when the server stopped.
    TransactionLost = 0xC11C_0025;
    /// The operation was cancelled.
    Cancelled = 0xC11C_0002;
    /// The operation was cancelled because its time was over.
    Timeout = 0xC11C_0003;
    /// The command reached its limit of memory.
    MemoryLimit = 0xC11C_0004;
    /// The server has reached a limit (sessions, queue, size of a request).
    ServerLimit = 0xC11C_0005;
    /// The server is stopping or still loading.
    Unavailable = 0xC11C_0007;
    /// A cell cannot be written.
    NotWritable = 0xC11C_0026;
    /// A schema, configuration or source is wrong.
    Definition = 0xC106_0001;
    /// A file or source could not be read or written.
    Io = 0xC106_0002;
    /// A defect of ours: something that cannot happen did.
    Internal = 0xC100_0007;
}

/// An error: kind, message, and where in the statement it belongs.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    location: Option<Location>,
}

/// What every function of ours that can fail returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`. The message is a short fact with names in quotes and no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), span: None, location: None }))
    }

    /// The same error, pointing at `span` unless it already points somewhere.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The same error with line and column of its span in `text`, unless it already has them.
    #[must_use]
    pub fn located_in(mut self, text: &str) -> Self {
        if let (Some(span), None) = (self.0.span, self.0.location) {
            self.0.location = Some(Location::of(span, text));
        }
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The number that clients see.
    pub fn code(&self) -> u32 {
        self.0.kind.code()
    }

    /// The message, without any place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The bytes of the statement that it points at.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// Line and column, once [`Error::located_in`] has been asked.
    pub fn location(&self) -> Option<Location> {
        self.0.location
    }

    /// A part of the language or of the protocol that is not done yet.
    pub fn not_supported(what: impl fmt::Display) -> Self {
        Error::new(ErrorKind::NotSupported, format!("{what} is not supported yet"))
    }

    /// A defect of ours.
    pub fn internal(what: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Internal, format!("Internal error: {what}"))
    }

    /// Whether the command was stopped from outside: cancelled, timed out or over its memory.
    pub fn is_interrupt(&self) -> bool {
        matches!(self.kind(), ErrorKind::Cancelled | ErrorKind::Timeout | ErrorKind::MemoryLimit)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.location {
            Some(l) => write!(f, "Query ({}, {}) {}", l.start_line, l.start_column, self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind.name())
    }
}

impl std::error::Error for Error {}

/// An error of `kind` from a format string: `error!(NotFound, "…{}…", name)`.
#[macro_export]
macro_rules! error {
    ($kind:ident, $($message:tt)+) => {
        $crate::Error::new($crate::ErrorKind::$kind, format!($($message)+))
    };
}

/// Returns an error of `kind` from a format string: `bail!(NotFound, "…{}…", name)`.
#[macro_export]
macro_rules! bail {
    ($kind:ident, $($message:tt)+) => { return Err($crate::error!($kind, $($message)+)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<u32> = ErrorKind::ALL.iter().map(|k| k.code()).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(count, codes.len());
    }

    #[test]
    fn location_counts_characters_and_lines() {
        let text = "select\n é x";
        let at = text.find('x').unwrap();
        let error = error!(Syntax, "bad {}", "x").at(Span::new(at, at + 1)).located_in(text);
        assert_eq!(error.to_string(), "Query (2, 4) bad x");
    }
}
