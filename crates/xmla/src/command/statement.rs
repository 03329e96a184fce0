//! Statement: text of MDX, or a command pasted where a statement was expected.

use super::{Command, Place};
use crate::xml::reader::{Event, Reader};
use facetta_model::Result;

/// Reads the content of a Statement. Query windows send whatever was typed as a Statement, the documented Cancel sample too:
/// a text that begins with `<`, or an element in place of text, is a command (spec/protocol.md section 7, last line).
pub(super) fn read(reader: &mut Reader, place: Place) -> Result<Command> {
    let mut text = String::new();
    while let Some(event) = reader.next()? {
        match event {
            Event::Text(more) => text.push_str(&more),
            Event::Start(element) if place == Place::Command && text.trim_ascii().is_empty() => {
                let command = Command::read_at(reader, &element, Place::Pasted)?;
                return match reader.child()? {
                    Some(second) => Err(reader.unexpected(&second)),
                    None => Ok(command),
                };
            }
            Event::Start(element) => return Err(reader.unexpected(&element)),
            Event::End => break,
        }
    }
    match text.trim_ascii().as_bytes().first() {
        Some(b'<') if place == Place::Command => pasted(reader, text.trim_ascii()),
        Some(b'{') => Ok(Command::NotSupported("TMSL script")),
        _ if is_dax(&text) => Ok(Command::NotSupported("DAX query")),
        _ => Ok(Command::Statement(text)),
    }
}

/// Whether a text is a query in DAX, by its first word (spec/dmv.md section 6).
fn is_dax(text: &str) -> bool {
    let word = text.trim_ascii_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    word.eq_ignore_ascii_case("EVALUATE") || word.eq_ignore_ascii_case("DEFINE")
}

fn pasted(outer: &Reader, text: &str) -> Result<Command> {
    let mut reader = Reader::new(text, outer.context());
    let root = reader.root()?;
    let command = Command::read_at(&mut reader, &root, Place::Pasted)?;
    reader.finish()?;
    Ok(command)
}
