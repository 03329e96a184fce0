//! YAML text to a tree with lines, within limits: one document, no anchors, aliases or tags, no key twice.

use crate::error::Problems;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

/// How deep lists and maps may nest.
const MAX_DEPTH: usize = 32;
/// How many keys a map may have: each is compared with the others.
const MAX_KEYS: usize = 5_000;
/// How many values a file may have.
const MAX_NODES: usize = 200_000;

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    /// The line where it begins.
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// A text, number or word, as written.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: u32,
    pub(super) node: Node,
}

impl Node {
    /// Its text, if it is a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// A list or map that is not closed yet.
enum Open {
    List(u32, Vec<Node>),
    /// With the key that waits for its value.
    Map(u32, Vec<Entry>, Option<(String, u32)>),
}

/// Reads the one document of a file. What cannot be read ends the reading: one error.
pub(super) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut builder = Builder { open: Vec::new(), root: None, documents: 0, nodes: 0, duplicates: Vec::new() };
    let mut line = 1;
    for next in Parser::new_from_str(text) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                problems.add(
                    error.marker().line() as u32,
                    "",
                    format!("The YAML is not well formed: {}", error.info()),
                );
                return None;
            }
        };
        line = span.start.line() as u32;
        if let Err(message) = builder.event(event, line) {
            problems.add(line, "", message);
            return None;
        }
    }
    for (line, key) in builder.duplicates {
        problems.add(line, "", format!("The key '{key}' stands twice"));
    }
    if builder.root.is_none() {
        problems.add(line, "", "The file holds no definition");
    }
    builder.root
}

struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    /// Keys that stand twice, with their lines.
    duplicates: Vec<(u32, String)>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u32) -> Result<(), String> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 { Err("The file has a second document".to_owned()) } else { Ok(()) }
            }
            Event::Alias(_) => Err("Aliases (*name) are not supported".to_owned()),
            Event::Scalar(text, style, anchor, tag) => {
                allowed(anchor, tag.is_some())?;
                self.scalar(&text, style, line)
            }
            Event::SequenceStart(_, anchor, tag) => {
                allowed(anchor, tag.is_some())?;
                self.begin(Open::List(line, Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                allowed(anchor, tag.is_some())?;
                self.begin(Open::Map(line, Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(line, items)) => self.close(Node { line, value: Value::List(items) }),
                Some(Open::Map(line, entries, _)) => self.close(Node { line, value: Value::Map(entries) }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        self.count()?;
        if let Some(Open::Map(_, _, None)) = self.open.last() {
            return Err("A key is a text, not a list or map".to_owned());
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("Values nest more than {MAX_DEPTH} deep"));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, line: u32) -> Result<(), String> {
        self.count()?;
        if let Some(Open::Map(_, entries, waiting @ None)) = self.open.last_mut() {
            if entries.iter().any(|e| e.key == text) {
                self.duplicates.push((line, text.to_owned()));
            }
            if entries.len() >= MAX_KEYS {
                return Err(format!("A map has more than {MAX_KEYS} keys"));
            }
            *waiting = Some((text.to_owned(), line));
            return Ok(());
        }
        let is_null = style == ScalarStyle::Plain && matches!(text, "" | "~" | "null");
        let value = if is_null { Value::Null } else { Value::Scalar(text.to_owned()) };
        self.close(Node { line, value })
    }

    /// Puts a whole value where it belongs.
    fn close(&mut self, node: Node) -> Result<(), String> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, waiting)) => {
                let (key, line) = waiting.take().ok_or("A value has no key")?;
                entries.push(Entry { key, line, node });
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(format!("The file has more than {MAX_NODES} values")) } else { Ok(()) }
    }
}

fn allowed(anchor: usize, tag: bool) -> Result<(), String> {
    match (anchor, tag) {
        (0, false) => Ok(()),
        (0, true) => Err("Tags (!name) are not supported".to_owned()),
        _ => Err("Anchors (&name) are not supported".to_owned()),
    }
}
