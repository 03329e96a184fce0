//! A macro for enums whose variants are written as fixed words.

/// An enum with a table of its words: `ALL`, `text()` in upper case, and `from_word()` without regard to case.
macro_rules! words {
    ($(#[doc = $title:literal])+ $type:ident { $($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+ }) => {
        $(#[doc = $title])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[doc = $doc])+ $name,)+ }

        impl $type {
            /// Every one, in the order of the table.
            pub const ALL: &'static [$type] = &[$($type::$name),+];

            /// How it is written, in upper case.
            pub const fn text(self) -> &'static str {
                match self { $($type::$name => $text,)+ }
            }

            /// The one written `word`, without regard to case.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.text().eq_ignore_ascii_case(word))
            }
        }
    };
}
