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
        _ => Ok(Command::Statement(text)),
    }
}

fn pasted(outer: &Reader, text: &str) -> Result<Command> {
    let mut reader = Reader::new(text, outer.context());
    let root = reader.root()?;
    let command = Command::read_at(&mut reader, &root, Place::Pasted)?;
    reader.finish()?;
    Ok(command)
}
