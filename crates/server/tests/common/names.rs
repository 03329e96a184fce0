//! Names for what the server numbers at random or in order: `{id.a}`, `{spid.a}`, `{connection.a}` for client `a`'s session
//! and socket. Scripts write them, and answers are shown with them.

use std::collections::BTreeMap;

/// Texts with names: statements that run for hours, and such whose answer is too long to wait for; DMVs, and MDX over the shop.
const TEXTS: [(&str, &str); 4] = [
    (
        "{slow}",
        "SELECT COUNT(*) FROM $SYSTEM.DISCOVER_KEYWORDS a JOIN $SYSTEM.DISCOVER_KEYWORDS b ON a.Keyword <> b.Keyword \
      JOIN $SYSTEM.DISCOVER_KEYWORDS c ON b.Keyword <> c.Keyword JOIN $SYSTEM.DISCOVER_KEYWORDS d ON c.Keyword <> d.Keyword",
    ),
    (
        "{endless}",
        "SELECT a.Keyword FROM $SYSTEM.DISCOVER_KEYWORDS a JOIN $SYSTEM.DISCOVER_KEYWORDS b ON a.Keyword <> b.Keyword \
      JOIN $SYSTEM.DISCOVER_KEYWORDS c ON b.Keyword <> c.Keyword JOIN $SYSTEM.DISCOVER_KEYWORDS d ON c.Keyword <> d.Keyword",
    ),
    (
        "{mdx.slow}",
        "WITH MEMBER [Measures].[X] AS Sum(Crossjoin([A].[A].[A].Members, [B].[B].[B].Members, [C].[C].[C].Members, \
      [D].[D].[D].Members, [E].[E].[E].Members), 1) SELECT {[Measures].[X]} ON COLUMNS FROM [Wide]",
    ),
    (
        "{mdx.endless}",
        "SELECT {[Measures].[Number]} ON COLUMNS, Crossjoin([A].[A].[A].Members, [B].[B].[B].Members, \
      [C].[C].[C].Members) ON ROWS FROM [Wide]",
    ),
];

/// What is known by name.
#[derive(Debug, Default)]
pub struct Names {
    known: BTreeMap<(Kind, String), String>,
    strangers: BTreeMap<Kind, u32>,
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A GUID.
    Id,
    /// A SPID.
    Spid,
    /// A connection's id.
    Connection,
}

const KINDS: [(Kind, &str); 3] = [(Kind::Id, "id"), (Kind::Spid, "spid"), (Kind::Connection, "connection")];

impl Names {
    /// Names a value; the first thing of a client is `a`, later ones `a.2`, `a.3`.
    pub fn add(&mut self, kind: Kind, value: &str, client: &str) {
        let named = self.known.get(&(kind, value.to_owned()));
        if named.is_some_and(|label| label == client || label.starts_with(&format!("{client}."))) {
            return;
        }
        let taken = |label: &str| self.known.iter().any(|((k, _), l)| *k == kind && l == label);
        let numbered = (2..).map(|n| format!("{client}.{n}"));
        let label = std::iter::once(client.to_owned()).chain(numbered).find(|l| !taken(l)).unwrap_or_default();
        self.known.insert((kind, value.to_owned()), label);
    }

    /// Forgets what of a kind is known: the server numbers anew.
    pub fn forget(&mut self, kind: Kind) {
        self.known.retain(|(k, _), _| *k != kind);
    }

    /// `text` with each `{id.a}` and the like replaced by what it names.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let text = TEXTS.iter().fold(text.to_owned(), |text, (name, long)| text.replace(name, long));
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            let found = KINDS.iter().find_map(|(kind, word)| {
                let label = from.strip_prefix('{')?.strip_prefix(word)?.strip_prefix('.')?;
                label.split_once('}').map(|(label, after)| (*kind, label, after))
            });
            match found {
                Some((kind, label, after)) => {
                    let named = self.known.iter().find(|((k, _), l)| *k == kind && *l == label);
                    filled.push_str(&named.ok_or_else(|| format!("nothing is named {kind:?} {label}"))?.0.1);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = &from[1..];
                }
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// A field of a rowset as scripts show it.
    pub fn field(&mut self, column: &str, value: &str) -> String {
        let column = column.to_ascii_uppercase();
        let is = |end: &str| column == end || column.ends_with(&format!("_{end}"));
        if is("SPID") {
            return self.label(Kind::Spid, value);
        }
        if is("CONNECTION_ID") {
            return self.label(Kind::Connection, value);
        }
        // What depends on the machine and not on the script.
        if column.contains("CPU_TIME") {
            return "<ms>".to_owned();
        }
        if column.contains("BYTES") || is("USED_MEMORY") {
            return "<n>".to_owned();
        }
        if column.contains("GUID") {
            return value.to_owned();
        }
        self.hide(value)
    }

    fn label(&mut self, kind: Kind, value: &str) -> String {
        let word = KINDS.iter().find(|(k, _)| *k == kind).map_or("", |(_, word)| *word);
        let key = (kind, value.to_owned());
        if !self.known.contains_key(&key) {
            let count = self.strangers.entry(kind).or_default();
            *count += 1;
            self.known.insert(key.clone(), count.to_string());
        }
        format!("{{{word}.{}}}", self.known[&key])
    }

    /// `text` with GUIDs, and SPIDs and connections that are said to be some, replaced by names.
    pub fn hide(&mut self, text: &str) -> String {
        let text = TEXTS.iter().fold(text.to_owned(), |text, (name, long)| text.replace(long, name));
        let mut shown = String::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if let Some(guid) = rest.get(..36).filter(|g| is_guid(g)) {
                shown.push_str(&self.label(Kind::Id, guid));
                rest = &rest[36..];
                continue;
            }
            let number =
                [("SPID ", Kind::Spid), ("ConnectionID ", Kind::Connection)].into_iter().find_map(|(word, kind)| {
                    let after = rest.strip_prefix(word)?;
                    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    let known = self.known.contains_key(&(kind, after[..digits].to_owned()));
                    known.then(|| (word, kind, &after[..digits], &after[digits..]))
                });
            if let Some((word, kind, digits, after)) = number {
                shown.push_str(word);
                let digits = digits.to_owned();
                shown.push_str(&self.label(kind, &digits));
                rest = after;
                continue;
            }
            let mut characters = rest.chars();
            shown.extend(characters.next());
            rest = characters.as_str();
        }
        shown
    }
}

fn is_guid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.bytes().enumerate().all(|(i, b)| if hyphens.contains(&i) { b == b'-' } else { b.is_ascii_hexdigit() })
}
