//! Typed access to the keys of a map: what is unknown, missing or of the wrong type is an error with its line.

use super::node::{Entry, Node, Value};
use crate::error::{Problems, did_you_mean, one_of};
use crate::sql;
use facetta_model::definition::{DataType, Expression, Place, Texts};

/// A map of the file that describes one thing.
pub(super) struct Fields<'n> {
    /// What it describes, for errors: `Level 'Year'`.
    pub(super) label: String,
    pub(super) line: u32,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// The keys of `node`, which must be among `known`.
    pub(super) fn new(
        node: &'n Node,
        line: u32,
        label: String,
        known: &[&'static str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                problems.add(node.line, label, format!("Expected a map with keys such as {}", one_of(first(known))));
                return None;
            }
        };
        for entry in entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let hint = match did_you_mean(&entry.key, known.iter().copied()) {
                hint if hint.is_empty() => format!("; known here are {}", one_of(known.iter().copied())),
                hint => hint,
            };
            problems.add(entry.line, label.clone(), format!("The key '{}' is not known{hint}", entry.key));
        }
        Some(Self { label, line, entries })
    }

    /// A thing that has no map of its own.
    pub(super) fn empty(line: u32, label: String) -> Self {
        Self { label, line, entries: &[] }
    }

    /// Where it stands.
    pub(super) fn place(&self, problems: &Problems) -> Place {
        Place { file: problems.file().clone(), line: self.line, element: self.label.clone() }
    }

    /// Adds an error here.
    pub(super) fn wrong(&self, problems: &mut Problems, message: impl Into<String>) {
        problems.add(self.line, self.label.clone(), message);
    }

    /// The value of a key, if there is one.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|e| e.key == key).map(|e| &e.node).filter(|n| !n.is_null())
    }

    /// Whether a key is there, even without a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.key == key)
    }

    pub(super) fn text(&self, key: &str, problems: &mut Problems) -> Option<String> {
        let node = self.get(key)?;
        if node.scalar().is_none() {
            problems.add(node.line, self.label.clone(), format!("'{key}' is a text, not a list or map"));
        }
        node.scalar().map(str::to_owned)
    }

    pub(super) fn required(&self, key: &str, problems: &mut Problems) -> Option<String> {
        if self.get(key).is_none() {
            self.wrong(problems, format!("The key '{key}' is missing"));
        }
        self.text(key, problems)
    }

    pub(super) fn flag(&self, key: &str, default: bool, problems: &mut Problems) -> bool {
        let Some(node) = self.get(key) else { return default };
        flag(node).unwrap_or_else(|| {
            problems.add(node.line, self.label.clone(), format!("'{key}' is true or false"));
            default
        })
    }

    /// One of some words, each with its meaning.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&'static str, T)], problems: &mut Problems) -> Option<T> {
        let node = self.get(key)?;
        let found = node.scalar().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let known = one_of(words.iter().map(|(word, _)| *word));
            let written = node.scalar().map_or(String::new(), |text| format!(", not '{text}'"));
            problems.add(node.line, self.label.clone(), format!("'{key}' is one of {known}{written}"));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A column or an SQL expression.
    pub(super) fn expression(&self, key: &str, problems: &mut Problems) -> Option<Expression> {
        let node = self.get(key)?;
        let Some(text) = node.scalar() else {
            problems.add(node.line, self.label.clone(), format!("'{key}' is a column or an expression"));
            return None;
        };
        expression(text, node.line, &self.label, problems)
    }

    pub(super) fn data_type(&self, problems: &mut Problems) -> DataType {
        self.word("type", DATA_TYPES, problems).unwrap_or(DataType::Native)
    }

    /// Caption, description, visibility and folder.
    pub(super) fn texts(&self, problems: &mut Problems) -> Texts {
        Texts {
            caption: self.text("caption", problems),
            description: self.text("description", problems),
            visible: self.flag("visible", true, problems),
            display_folder: self.text("folder", problems),
        }
    }

    /// The things that a key lists by name.
    pub(super) fn items(&self, key: &str, problems: &mut Problems) -> Vec<Item<'n>> {
        self.get(key).map_or_else(Vec::new, |node| items(node, key, &self.label, problems))
    }
}

fn first<'a>(known: &'a [&'static str]) -> impl Iterator<Item = &'a str> {
    known.iter().copied().take(3)
}

/// The types that `type:` may name.
pub(super) const DATA_TYPES: &[(&str, DataType)] = &[
    ("string", DataType::String),
    ("integer", DataType::Integer),
    ("numeric", DataType::Numeric),
    ("boolean", DataType::Boolean),
    ("date", DataType::Date),
    ("datetime", DataType::DateTime),
];

/// `true` or `false`.
pub(super) fn flag(node: &Node) -> Option<bool> {
    match node.scalar()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// One of several things listed by name: `Name: …` in a map or a list, or a plain word in a list.
pub(super) struct Item<'n> {
    /// The name, or the plain word.
    pub(super) name: &'n str,
    pub(super) line: u32,
    /// What follows the name; none for a plain word.
    pub(super) node: Option<&'n Node>,
}

impl<'n> Item<'n> {
    /// The text that follows the name, if it is one.
    pub(super) fn scalar(&self) -> Option<&'n str> {
        self.node.and_then(Node::scalar)
    }

    /// For lists of columns: the name of the thing and its column. A plain word is a column that is named in words:
    /// `member_card` is called `Member Card`.
    pub(super) fn column(&self) -> (String, Option<&'n str>) {
        match self.node {
            None => (in_words(self.name), Some(self.name)),
            Some(node) => (self.name.to_owned(), node.scalar()),
        }
    }
}

/// The things that a list or map names.
pub(super) fn items<'n>(node: &'n Node, key: &str, label: &str, problems: &mut Problems) -> Vec<Item<'n>> {
    match &node.value {
        Value::Map(entries) => entries.iter().map(entry).collect(),
        Value::Scalar(name) => vec![Item { name, line: node.line, node: None }],
        Value::Null => Vec::new(),
        Value::List(list) => {
            let mut items = Vec::with_capacity(list.len());
            for node in list {
                match &node.value {
                    Value::Scalar(name) => items.push(Item { name, line: node.line, node: None }),
                    Value::Map(entries) if entries.len() == 1 => items.extend(entries.iter().map(entry)),
                    _ => {
                        let message = format!("An item of '{key}' is a name, or 'Name: …' with one name");
                        problems.add(node.line, label, message);
                    }
                }
            }
            items
        }
    }
}

fn entry(entry: &Entry) -> Item<'_> {
    Item { name: &entry.key, line: entry.line, node: Some(&entry.node) }
}

/// The column name in words: `store_city` is `Store City`. What has capital letters or spaces stays, but for `_`.
pub(crate) fn in_words(column: &str) -> String {
    let written = column.contains(char::is_uppercase) && column.contains(char::is_lowercase);
    let words = column.rsplit('.').next().unwrap_or(column).split('_').filter(|w| !w.is_empty()).map(|word| {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if !written => first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect(),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

/// A column or an SQL expression. Words with spaces between them are a column too: `Order Date`.
pub(super) fn expression(text: &str, line: u32, label: &str, problems: &mut Problems) -> Option<Expression> {
    if text.contains(' ') && text.split(' ').all(sql::is_plain_name) {
        return Some(Expression::column(text));
    }
    match sql::parse(text) {
        Ok(expression) => Some(expression),
        Err(error) => {
            problems.add(line + error.line, label, format!("'{text}': {}", error.message));
            None
        }
    }
}
