//! What is wrong with a definition file: every error at once, each with its place.

use facetta_model::definition::Place;
use facetta_model::{Error, ErrorKind};
use std::fmt;
use std::sync::Arc;

/// More errors than this are counted but not kept.
const MAX_ERRORS: usize = 100;

/// One thing that is wrong in a definition file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line from 1; 0 if the file as a whole is meant.
    pub line: u32,
    /// The element, such as `Level 'Store City'`; empty if there is none.
    pub element: String,
    /// A short fact, names in quotes, no full stop.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.element.is_empty() {
            write!(f, ": {}", self.element)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with a definition, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaErrors {
    /// The errors; of very many only the first hundred.
    pub errors: Vec<SchemaError>,
    /// How many more there are.
    pub more: usize,
}

impl fmt::Display for SchemaErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        if self.more > 0 { write!(f, "\n… and {} more errors", self.more) } else { Ok(()) }
    }
}

impl std::error::Error for SchemaErrors {}

impl From<SchemaErrors> for Error {
    fn from(errors: SchemaErrors) -> Self {
        Error::new(ErrorKind::Definition, errors.to_string())
    }
}

/// Collects the errors of one file.
#[derive(Debug)]
pub(crate) struct Problems {
    file: Arc<str>,
    found: Vec<SchemaError>,
    more: usize,
    /// How many of the errors are about references to parts that were read.
    references: usize,
    /// Whether parts could not be read, so that what refers to them finds nothing.
    gaps: bool,
}

impl Problems {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.into(), found: Vec::new(), more: 0, references: 0, gaps: false }
    }

    /// The file, to be shared by places.
    pub(crate) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Adds an error at `line` of the file.
    pub(crate) fn add(&mut self, line: u32, element: impl Into<String>, message: impl Into<String>) {
        if self.found.len() >= MAX_ERRORS {
            self.more += 1;
            return;
        }
        let file = self.file.clone();
        self.found.push(SchemaError { file, line, element: element.into(), message: message.into() });
    }

    /// Adds an error at a place.
    pub(crate) fn at(&mut self, place: &Place, message: impl Into<String>) {
        self.add(place.line, place.element.clone(), message);
    }

    /// Adds an error about something that refers to a part that is not there; what holds it was read.
    pub(crate) fn reference(&mut self, line: u32, element: impl Into<String>, message: impl Into<String>) {
        self.references += 1;
        self.add(line, element, message);
    }

    /// From now on what is wrong so far counts as gaps in the definition; see [`Problems::missing`].
    pub(crate) fn note_gaps(&mut self) {
        self.gaps = self.count() > self.references;
    }

    /// Adds an error about something that is not there, unless there are gaps: it may be what could not be read.
    pub(crate) fn missing(&mut self, place: &Place, message: impl Into<String>) {
        if !self.gaps {
            self.at(place, message);
        }
    }

    /// How many errors there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `value`, unless something is wrong.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, SchemaErrors> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|e| e.line);
        // What two cubes share is checked with each.
        self.found.dedup();
        Err(SchemaErrors { errors: self.found, more: self.more })
    }

    /// The errors found, of which there is at least one.
    pub(crate) fn fail<T>(mut self, line: u32, message: impl Into<String>) -> Result<T, SchemaErrors> {
        self.add(line, "", message);
        self.found.sort_by_key(|e| e.line);
        Err(SchemaErrors { errors: self.found, more: self.more })
    }
}

/// How many known words are compared with a wrong one.
const MAX_HINTS: usize = 500;

/// A hint at the known word that `wrong` most likely means: `; did you mean 'column'?`, or nothing.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let folded = wrong.to_lowercase();
    let length = wrong.chars().count();
    let allowed = (length / 3).max(1);
    // Most words are told apart by their lengths alone.
    let near = known.into_iter().take(MAX_HINTS).filter(|word| word.chars().count().abs_diff(length) <= allowed);
    match near.map(|word| (distance(&folded, &word.to_lowercase()), word)).min() {
        Some((distance, word)) if distance <= allowed => format!("; did you mean '{word}'?"),
        _ => String::new(),
    }
}

/// The list of known words, for a message.
pub(crate) fn one_of<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    known.into_iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
}

/// How many letters must be changed, added, left out or swapped with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: [Vec<usize>; 3] = [Vec::new(), (0..=b.len()).collect(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        rows[2][0] = i;
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut least = (rows[1][j - 1] + usize::from(!same)).min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = least;
        }
        rows.rotate_left(1);
        rows[2] = vec![0; b.len() + 1];
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word() {
        let known = ["column", "caption", "name", "hideMemberIf"];
        let cases = [("colunm", "; did you mean 'column'?"), ("Column", "; did you mean 'column'?"), ("xyz", "")];
        for (wrong, hint) in cases {
            assert_eq!(did_you_mean(wrong, known), hint, "{wrong}");
        }
        assert_eq!(distance("abcd", "abdc"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn many_errors_are_cut() {
        let mut problems = Problems::new("a.xml");
        (0..MAX_ERRORS + 7).for_each(|i| problems.add(i as u32, "Level 'x'", "is wrong"));
        let errors = problems.finish(()).unwrap_err();
        assert_eq!(errors.more, 7);
        assert!(errors.to_string().ends_with("a.xml:99: Level 'x': is wrong\n… and 7 more errors"));
    }
}
