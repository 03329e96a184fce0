//! A cursor over a document: elements by local name and namespace, text in one piece, limits for hostile input.
//!
//! What quick-xml leaves to its user is checked here: one root, all elements closed, nothing behind the root, no DTD, only the
//! five entities and references to characters that XML allows. Undeclared prefixes are kept, not refused (spec/decisions.md says so
//! of header blocks; what samples of the documentation leave undeclared in parameters does no harm either).

use super::decode::position;
use super::name::{is_char, split_name};
use super::namespace::Namespace;
use super::scope::Scope;
use facetta_model::{Context, Error, ErrorKind, Result};
use quick_xml::XmlVersion;
use quick_xml::events::attributes::{Attribute as RawAttribute, Attributes};
use quick_xml::events::{BytesRef, BytesStart, Event as Raw};
use std::borrow::Cow;

/// How much of everything a document may have; its size as a whole is bounded before it comes here.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements open at one time.
    pub depth: usize,
    /// Attributes of an element, declarations of namespaces among them.
    pub attributes: usize,
    /// Bytes of a name with its prefix.
    pub name: usize,
    /// Bytes of the value of an attribute.
    pub attribute: usize,
    /// Bytes of the text between two tags.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 256, attributes: 64, name: 1024, attribute: 64 << 10, text: 64 << 20 }
    }
}

/// An attribute that does not declare a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute<'a> {
    /// Its name without prefix.
    pub name: &'a str,
    /// The namespace of its prefix.
    pub namespace: Namespace,
    /// Its value, references resolved.
    pub value: Cow<'a, str>,
}

/// The start of an element.
#[derive(Clone, Debug, PartialEq)]
pub struct Element<'a> {
    /// Its name without prefix.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its attributes in order.
    pub attributes: Vec<Attribute<'a>>,
    /// Where it begins in the text.
    pub offset: usize,
}

impl Element<'_> {
    /// The value of the attribute `name`, with whatever prefix.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name == name).map(|a| &*a.value)
    }
}

/// What the cursor finds next.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// An element begins.
    Start(Element<'a>),
    /// All text up to the next tag, CDATA and references included; never empty.
    Text(Cow<'a, str>),
    /// The element that began last ends.
    End,
}

/// The cursor.
pub struct Reader<'a> {
    xml: quick_xml::Reader<&'a [u8]>,
    text: &'a str,
    context: &'a Context,
    limits: Limits,
    scope: Scope<'a>,
    /// The names of the elements that are open.
    open: Vec<&'a str>,
    /// What comes next, already read.
    pending: Option<Event<'a>>,
    /// The element read last is written `<name/>`: its end comes next.
    is_empty: bool,
    root_seen: bool,
    step: u32,
}

impl<'a> Reader<'a> {
    /// A cursor before the root of `text`, which [`super::decode::decode`] has checked.
    pub fn new(text: &'a str, context: &'a Context) -> Self {
        Self::with_limits(text, context, Limits::default())
    }

    /// The same with limits of its own.
    pub fn with_limits(text: &'a str, context: &'a Context, limits: Limits) -> Self {
        let (xml, scope) = (quick_xml::Reader::from_str(text), Scope::new(limits.attributes * 4));
        let (open, pending, is_empty) = (Vec::with_capacity(16), None, false);
        Self { xml, text, context, limits, scope, open, pending, is_empty, root_seen: false, step: 0 }
    }

    /// The next start, text or end; `None` behind the root, once the whole document has been found well formed.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'a>>> {
        let event = match self.pending.take() {
            Some(event) => Some(event),
            None if std::mem::take(&mut self.is_empty) => Some(Event::End),
            None => self.read()?,
        };
        match &event {
            Some(Event::Start(element)) => self.open.push(element.name),
            Some(Event::End) => {
                self.open.pop();
                self.scope.leave(self.open.len());
            }
            _ => {}
        }
        Ok(event)
    }

    /// The root.
    pub fn root(&mut self) -> Result<Element<'a>> {
        match self.next()? {
            Some(Event::Start(element)) => Ok(element),
            _ => Err(self.error(self.text.len(), "the document has no element")),
        }
    }

    /// The next child of the element that is open; `None`, and the element is closed, if there is no further one.
    /// Text between children must be white space.
    pub fn child(&mut self) -> Result<Option<Element<'a>>> {
        loop {
            match self.next()? {
                Some(Event::Start(element)) => return Ok(Some(element)),
                Some(Event::Text(text)) => self.expect_blank(&text)?,
                Some(Event::End) | None => return Ok(None),
            }
        }
    }

    /// The text of the element that is open, which is closed; a child is an error.
    pub fn content(&mut self) -> Result<String> {
        let mut content = String::new();
        loop {
            match self.next()? {
                Some(Event::Start(element)) => return Err(self.unexpected(&element)),
                Some(Event::Text(text)) if content.is_empty() => content = text.into_owned(),
                Some(Event::Text(text)) => content.push_str(&text),
                Some(Event::End) | None => return Ok(content),
            }
        }
    }

    /// Closes the element that is open, whatever it holds.
    pub fn skip(&mut self) -> Result<()> {
        let depth = self.open.len();
        while self.open.len() >= depth && self.next()?.is_some() {}
        Ok(())
    }

    /// Reads to the end, so that what follows is known to be well formed.
    pub fn finish(&mut self) -> Result<()> {
        while self.next()?.is_some() {}
        Ok(())
    }

    /// The error that `element`, just begun, has no place here.
    pub fn unexpected(&self, element: &Element) -> Error {
        let (line, column) = position(self.text, element.offset);
        let parents = &self.open[..self.open.len().saturating_sub(1)];
        let namespace = match &element.namespace {
            Namespace::Undeclared(prefix) => format!("prefix '{prefix}' is not declared"),
            Namespace::None => "no namespace".to_owned(),
            known => format!("namespace {}", known.uri()),
        };
        let place = if parents.is_empty() { "as root".to_owned() } else { format!("under {}", parents.join("/")) };
        let message = format!(
            "XML for Analysis parser: The {} element at line {line}, column {column} ({namespace}) cannot appear {place}.",
            element.name
        );
        Error::new(ErrorKind::Soap, message)
    }

    /// The context of the command that reads.
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// The error that text stands where only elements may, unless it is white space.
    pub fn expect_blank(&self, text: &str) -> Result<()> {
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let shown: String = text.trim_ascii().chars().take(40).collect();
        let message =
            format!("XML for Analysis parser: The text '{shown}' cannot appear under {}.", self.open.join("/"));
        Err(Error::new(ErrorKind::Soap, message))
    }

    fn error(&self, offset: usize, what: impl std::fmt::Display) -> Error {
        let (line, column) = position(self.text, offset);
        Error::new(ErrorKind::Xml, format!("XML parsing failed at line {line}, column {column}: {what}"))
    }

    /// The next event of the document, adjacent text joined; what follows the text waits in `pending`.
    fn read(&mut self) -> Result<Option<Event<'a>>> {
        // The parser would pass over it, and not count it in its positions.
        if self.text.starts_with('\u{FEFF}') {
            return Err(self.error(0, "a byte order mark where none may be"));
        }
        let mut text: Option<Cow<'a, str>> = None;
        loop {
            self.context.check_every(&mut self.step)?;
            let offset = self.xml.buffer_position() as usize;
            let raw = self
                .xml
                .read_event()
                .map_err(|e| self.error(offset.max(self.xml.error_position() as usize), say(&e)))?;
            let event = match raw {
                Raw::Text(t) => {
                    self.add(&mut text, t.xml10_content(), offset)?;
                    continue;
                }
                Raw::CData(t) => {
                    self.inside(offset)?;
                    self.add(&mut text, t.xml10_content(), offset)?;
                    continue;
                }
                Raw::GeneralRef(reference) => {
                    self.inside(offset)?;
                    let c = self.reference(&reference, offset)?;
                    text.get_or_insert_default().to_mut().push(c);
                    continue;
                }
                Raw::Decl(_) if offset == 0 => continue,
                Raw::Decl(_) => return Err(self.error(offset, "an XML declaration that is not at the start")),
                Raw::Comment(_) => continue,
                Raw::PI(_) => return Err(self.error(offset, "processing instructions are not allowed")),
                Raw::DocType(_) => return Err(self.error(offset, "a document type declaration (DTD) is not allowed")),
                Raw::Start(start) => Some(Event::Start(self.start(&start, offset)?)),
                Raw::Empty(start) => {
                    self.is_empty = true;
                    Some(Event::Start(self.start(&start, offset)?))
                }
                Raw::End(_) => Some(Event::End),
                Raw::Eof if text.as_ref().is_some_and(|t| self.open.is_empty() && !t.trim_ascii().is_empty()) => {
                    return Err(self.error(offset, "text outside the root element"));
                }
                Raw::Eof => self.end_of_document(offset)?,
            };
            return match text.filter(|t| !t.is_empty()) {
                Some(text) if !self.open.is_empty() => {
                    self.pending = event;
                    Ok(Some(Event::Text(text)))
                }
                Some(text) if !text.trim_ascii().is_empty() => Err(self.error(offset, "text outside the root element")),
                _ => Ok(event),
            };
        }
    }

    fn add(&self, text: &mut Option<Cow<'a, str>>, more: Cow<'a, str>, offset: usize) -> Result<()> {
        match text {
            Some(text) => text.to_mut().push_str(&more),
            None => *text = Some(more),
        }
        if text.as_ref().is_some_and(|t| t.len() > self.limits.text) {
            return Err(self.error(offset, format_args!("a text longer than {} bytes", self.limits.text)));
        }
        Ok(())
    }

    fn inside(&self, offset: usize) -> Result<()> {
        if self.open.is_empty() { Err(self.error(offset, "text outside the root element")) } else { Ok(()) }
    }

    fn end_of_document(&self, offset: usize) -> Result<Option<Event<'a>>> {
        match self.open.last() {
            Some(name) => Err(self.error(offset, format_args!("the element '{name}' is not closed"))),
            None if !self.root_seen => Err(self.error(offset, "the document has no element")),
            None => Ok(None),
        }
    }

    fn reference(&self, reference: &BytesRef, offset: usize) -> Result<char> {
        let c = match &**reference {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            name => match reference.resolve_char_ref() {
                Ok(Some(c)) if is_char(c) => c,
                Ok(None) => {
                    return Err(self.error(offset, format_args!("the entity '&{};' is not known", shorten(name))));
                }
                _ => {
                    let what = format_args!("the reference '&{};' is no character", shorten(name)).to_string();
                    return Err(self.error(offset, what));
                }
            },
        };
        Ok(c)
    }

    fn start(&mut self, start: &BytesStart, offset: usize) -> Result<Element<'a>> {
        if self.open.is_empty() && std::mem::replace(&mut self.root_seen, true) {
            return Err(self.error(offset, "a second root element"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.error(offset, format_args!("elements nested deeper than {}", self.limits.depth)));
        }
        // The tag between its `<` and its `>`, borrowed from the text rather than from the event.
        let (tag, length) = (&self.text[offset + 1..][..start.len()], start.name().into_inner().len());
        let (prefix, name) = self.split_name(&tag[..length], offset)?;
        let mut attributes = self.attributes(Attributes::new(tag, length), offset)?;
        // Only now all declarations of the element are known.
        let namespace = self.scope.of_element(prefix);
        for i in 0..attributes.len() {
            let (prefix, name) = self.split_name(attributes[i].name, offset)?;
            let namespace = self.scope.of_attribute(prefix);
            if attributes[..i].iter().any(|a| a.name == name && a.namespace == namespace) {
                return Err(self.error(offset, format_args!("the attribute '{name}' is there twice")));
            }
            (attributes[i].name, attributes[i].namespace) = (name, namespace);
        }
        Ok(Element { name, namespace, attributes, offset })
    }

    /// The attributes of an element, their names still with their prefixes; declarations of namespaces go to the scope.
    fn attributes(&mut self, mut raw: Attributes<'a>, offset: usize) -> Result<Vec<Attribute<'a>>> {
        let mut attributes = Vec::new();
        for (count, attribute) in raw.with_checks(false).enumerate() {
            if count >= self.limits.attributes {
                return Err(self.error(offset, format_args!("more than {} attributes", self.limits.attributes)));
            }
            let attribute = attribute.map_err(|e| self.error(offset, e))?;
            let name = attribute.key.into_inner();
            let value = self.attribute_value(attribute, offset)?;
            match name.strip_prefix("xmlns") {
                Some("") => self.declare("", &value, offset)?,
                Some(prefixed) if let Some(prefix) = prefixed.strip_prefix(':') => {
                    self.split_name(name, offset)?;
                    self.declare(prefix, &value, offset)?;
                }
                _ => attributes.push(Attribute { name, namespace: Namespace::None, value }),
            }
        }
        Ok(attributes)
    }

    fn declare(&mut self, prefix: &'a str, uri: &str, offset: usize) -> Result<()> {
        self.scope.declare(prefix, uri, self.open.len()).map_err(|why| self.error(offset, why))
    }

    fn attribute_value(&self, attribute: RawAttribute<'a>, offset: usize) -> Result<Cow<'a, str>> {
        let name = || shorten(attribute.key.into_inner());
        if attribute.value.len() > self.limits.attribute {
            let what =
                format_args!("the attribute '{}' is longer than {} bytes", name(), self.limits.attribute).to_string();
            return Err(self.error(offset, what));
        }
        // All bytes at once, sixteen and more at a time: nearly every value stands for itself.
        let special = |b: u8| (b < 0x20) | (b == b'&') | (b == b'<');
        if !attribute.value.bytes().fold(false, |any, b| any | special(b)) {
            return Ok(attribute.value);
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|e| self.error(offset, format_args!("the attribute '{}': {}", name(), say(&e))))?;
        if attribute.value.contains('<') || !value.chars().all(is_char) {
            return Err(self.error(offset, format_args!("the attribute '{}' holds a forbidden character", name())));
        }
        Ok(value)
    }

    /// The prefix of a name, empty if it has none, and what follows it.
    fn split_name<'n>(&self, name: &'n str, offset: usize) -> Result<(&'n str, &'n str)> {
        if name.len() > self.limits.name {
            return Err(self.error(offset, format_args!("a name longer than {} bytes", self.limits.name)));
        }
        split_name(name).ok_or_else(|| self.error(offset, format_args!("'{}' is not a name", shorten(name))))
    }
}

/// The first characters, for messages.
fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The parser's complaint without the name of its category.
fn say(error: &quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Syntax(e) => e.to_string(),
        quick_xml::Error::IllFormed(e) => e.to_string(),
        quick_xml::Error::InvalidAttr(e) => e.to_string(),
        other => other.to_string(),
    }
}
