//! From a file, or its text, to a checked definition.

use crate::error::Problems;
use crate::{SchemaErrors, check, mondrian, yaml};
use facetta_model::definition::Definition;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Definition files may have this many bytes at most.
const MAX_BYTES: usize = 8 << 20;

/// Reads and checks a definition file. Its content decides what form it has: XML begins with `<`.
///
/// # Errors
/// Everything that is wrong, with file, line and element. The file is named as `path` names it.
pub fn load(path: &Path) -> Result<Definition, SchemaErrors> {
    let file = path.display().to_string();
    let problems = Problems::new(&file);
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file that is too large is told from one that just fits.
    let read = File::open(path).and_then(|f| f.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return problems.fail(0, format!("The file cannot be read: {error}"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(&text, &file),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..valid].iter().filter(|&&b| b == b'\n').count();
            problems.fail(line as u32, "The file is not UTF-8 text")
        }
    }
}

/// Reads and checks the text of a definition in whichever form it has; `file` is its name in errors.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, file: &str) -> Result<Definition, SchemaErrors> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') { parse_mondrian(text, file) } else { parse_yaml(text, file) }
}

/// Reads and checks a Mondrian 3 schema.
///
/// # Errors
/// As [`load`].
pub fn parse_mondrian(text: &str, file: &str) -> Result<Definition, SchemaErrors> {
    let mut problems = within_size(text, file)?;
    let definition = mondrian::read(text, &mut problems);
    finish(definition, problems)
}

/// Reads and checks a definition in our own YAML form.
///
/// # Errors
/// As [`load`].
pub fn parse_yaml(text: &str, file: &str) -> Result<Definition, SchemaErrors> {
    let mut problems = within_size(text, file)?;
    let definition = yaml::read(text.trim_start_matches('\u{feff}'), &mut problems);
    finish(definition, problems)
}

fn within_size(text: &str, file: &str) -> Result<Problems, SchemaErrors> {
    let problems = Problems::new(file);
    if text.len() > MAX_BYTES {
        return problems.fail(0, format!("The file is larger than {} MiB", MAX_BYTES >> 20));
    }
    Ok(problems)
}

/// Checks what was read, even if there are errors already: all are to be told at once.
fn finish(definition: Option<Definition>, mut problems: Problems) -> Result<Definition, SchemaErrors> {
    match definition {
        Some(definition) => {
            problems.note_gaps();
            check::run(&definition, &mut problems);
            problems.finish(definition)
        }
        None if problems.is_empty() => problems.fail(0, "The file holds no definition"),
        None => problems.finish(Definition::default()),
    }
}
