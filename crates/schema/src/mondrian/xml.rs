//! XML text to a tree of elements with lines, within limits: no document types, no entities but the five.

use crate::error::Problems;
use facetta_model::definition::Place;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

/// How deep elements may nest.
const MAX_DEPTH: usize = 64;
/// How many elements a file may have.
const MAX_ELEMENTS: usize = 200_000;
/// How many attributes an element may have.
const MAX_ATTRIBUTES: usize = 64;

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    /// Its name, without any prefix.
    pub(super) name: String,
    /// The line where it begins.
    pub(super) line: u32,
    /// How errors name it: see [`Element::label`].
    label: String,
    attributes: Vec<(String, String)>,
    /// The elements in it, in order.
    pub(super) children: Vec<Element>,
    /// The text in it, without that of its children.
    pub(super) text: String,
}

impl Element {
    /// The value of an attribute. An empty one is as good as none: schema editors write them.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.written(name).filter(|value| !value.is_empty())
    }

    /// The value of an attribute, even if it is empty.
    pub(super) fn written(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value of an attribute as text to keep.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Whether an attribute says true; `default` if there is none. The table of elements has checked the value.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value.trim() == "true")
    }

    /// Every attribute: name and value.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The children of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The first child of a name.
    pub(super) fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|c| c.name == name)
    }

    /// How errors name it: `Level 'Store City'`, or `KeyExpression of Level 'Store City'` if it has no name.
    pub(super) fn label(&self) -> String {
        self.label.clone()
    }

    /// Where it stands.
    pub(super) fn place(&self, problems: &Problems) -> Place {
        Place { file: problems.file().clone(), line: self.line, element: self.label() }
    }
}

/// Reads the one root element of a document. What is not well formed, or beyond a limit, ends the reading: one error.
pub(super) fn parse(text: &str, problems: &mut Problems) -> Option<Element> {
    let mut builder = Builder { text, lines: 1, counted: 0, open: Vec::new(), root: None, elements: 0 };
    match builder.run() {
        Ok(root) => Some(root),
        Err(message) => {
            let line = builder.lines;
            problems.add(line, builder.open.last().map(Element::label).unwrap_or_default(), message);
            None
        }
    }
}

struct Builder<'a> {
    text: &'a str,
    /// The line at byte `counted`.
    lines: u32,
    counted: usize,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<Element, String> {
        let mut reader = Reader::from_str(self.text);
        reader.config_mut().check_comments = true;
        loop {
            // A byte order mark is no part of the positions that the reader counts from.
            let at = reader.buffer_position();
            let event = reader.read_event();
            self.count_lines(if event.is_ok() { at } else { reader.error_position() });
            match event.map_err(|e| format!("The XML is not well formed: {e}"))? {
                Event::Start(start) => {
                    let element = self.element(&start)?;
                    self.open.push(element);
                }
                Event::Empty(start) => {
                    let element = self.element(&start)?;
                    self.close(element);
                }
                Event::End(_) => {
                    // The reader has checked that the tags match.
                    if let Some(element) = self.open.pop() {
                        self.close(element);
                    }
                }
                Event::Text(text) => self.add_text(&text.xml10_content())?,
                Event::CData(text) => self.add_text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let resolved = resolve(&reference)?;
                    self.add_text(&resolved)?;
                }
                Event::DocType(_) => return Err("A document type (DOCTYPE) is not allowed".to_owned()),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        if let Some(open) = self.open.last() {
            return Err(format!("The file ends before '{}' of line {} is closed", open.name, open.line));
        }
        self.root.take().ok_or_else(|| "The file holds no element".to_owned())
    }

    fn count_lines(&mut self, position: u64) {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        if let Some(passed) = self.text.as_bytes().get(self.counted..position) {
            self.lines += passed.iter().filter(|&&b| b == b'\n').count() as u32;
            self.counted = position;
        }
    }

    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, String> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(format!("The file has more than {MAX_ELEMENTS} elements"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("Elements nest more than {MAX_DEPTH} deep"));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err("The file has a second root element".to_owned());
        }
        let name = start.local_name().as_ref().to_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| format!("Element '{name}': {e}"))?;
            let key = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xsi:") {
                continue;
            }
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(format!("Element '{name}' has more than {MAX_ATTRIBUTES} attributes"));
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|e| format!("Attribute '{key}' of '{name}': {e}"))?;
            attributes.push((key.to_owned(), allowed(&value)?.to_owned()));
        }
        let label = label(&name, &attributes, self.open.last());
        Ok(Element { name, line: self.lines, label, attributes, children: Vec::new(), text: String::new() })
    }

    fn close(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn add_text(&mut self, text: &str) -> Result<(), String> {
        let text = allowed(text)?;
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() => {}
            None => return Err("Text stands outside the root element".to_owned()),
        }
        Ok(())
    }
}

/// The attributes that name an element, and how much of a name a label shows.
const NAMING: &[&str] = &["name", "cube", "hierarchy", "member", "dimension", "cubeName", "roleName"];
const MAX_LABEL: usize = 60;

fn label(name: &str, attributes: &[(String, String)], parent: Option<&Element>) -> String {
    let name: String = name.chars().take(MAX_LABEL).collect();
    let own = NAMING.iter().find_map(|naming| attributes.iter().find(|(key, _)| key == naming));
    match (own, parent) {
        (Some((_, own)), _) => format!("{name} '{}'", own.chars().take(MAX_LABEL).collect::<String>()),
        // Elements without a name nest a few deep at most; what is deeper is wrong anyhow.
        (None, Some(parent)) if parent.label.len() < 4 * MAX_LABEL => format!("{name} of {}", parent.label),
        (None, _) => name,
    }
}

/// What `&name;` in text stands for.
fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    let name = reference.xml10_content();
    if let Some(c) = reference.resolve_char_ref().map_err(|e| format!("'&{name};': {e}"))? {
        return Ok(c.to_string());
    }
    match resolve_predefined_entity(&name) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("The entity '&{name};' is not known")),
    }
}

/// The same text, if XML 1.0 allows all its characters.
fn allowed(text: &str) -> Result<&str, String> {
    match text.chars().find(|&c| (c < ' ' && !"\t\r\n".contains(c)) || matches!(c, '\u{fffe}' | '\u{ffff}')) {
        Some(c) => Err(format!("The character U+{:04X} is not allowed", c as u32)),
        None => Ok(text),
    }
}
