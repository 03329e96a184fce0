//! Errors and warnings on the wire: the SOAP fault, and Exception and Messages in an answer that has begun.

use crate::xml::namespace::Namespace;
use crate::xml::writer::{Writer, Written};
use facetta_model::{Error, ErrorKind, Location};

/// What stands in Source: who says it.
const SOURCE: &str = "Facetta";

/// Bytes of a message that are told: one that quotes what was sent must not send all of it back.
const MAX_MESSAGE: usize = 8 << 10;

/// An error's message with its place, cut to what clients are told.
fn message(error: &Error) -> String {
    let mut text = error.to_string();
    if text.len() > MAX_MESSAGE {
        text.truncate(text.floor_char_boundary(MAX_MESSAGE));
        text.push('…');
    }
    text
}

/// Something that a command which succeeded has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The number that clients see.
    pub code: u32,
    /// The text.
    pub description: String,
}

impl Warning {
    /// What a Cancel answers when nothing was running (spec/protocol.md section 7).
    pub fn nothing_to_cancel() -> Self {
        let description = "Errors in the metadata manager. The command cannot be cancelled because there is no command \
                           currently running on the session.";
        Warning { code: 0x4114_0003, description: description.to_owned() }
    }
}

/// Writes the Fault, child of the SOAP body (spec/protocol.md section 12).
pub(crate) fn write_fault(w: &mut Writer, error: &Error) -> Written {
    w.start("soap:Fault");
    w.attribute("xmlns", Namespace::Soap.uri());
    let code = match error.kind() {
        ErrorKind::MustUnderstand => "soap:MustUnderstand".to_owned(),
        _ => format!("XMLAnalysisError.0x{:08x}", error.code()),
    };
    w.element("faultcode", &code)?;
    w.element("faultstring", &message(error))?;
    w.start("detail");
    write_error(w, error)?;
    w.end()?;
    w.end()
}

/// Writes Messages, the last child of a root.
pub(crate) fn write_messages(w: &mut Writer, warnings: &[Warning], error: Option<&Error>) -> Written {
    if warnings.is_empty() && error.is_none() {
        return Ok(());
    }
    w.start("Messages");
    w.attribute("xmlns", Namespace::Exception.uri());
    for warning in warnings {
        w.start("Warning");
        w.attribute("WarningCode", &warning.code.to_string());
        w.attribute("Description", &warning.description);
        w.attribute("Source", SOURCE);
        w.attribute("HelpFile", "");
        w.end()?;
    }
    if let Some(error) = error {
        write_error(w, error)?;
    }
    w.end()
}

/// Ends an answer that cannot go on: Exception where it stopped, all elements under the root (of which `root` are open)
/// closed, then Messages, then the rest closed.
pub(crate) fn write_exception(w: &mut Writer, root: usize, error: &Error) -> Written {
    w.start("Exception");
    w.attribute("xmlns", Namespace::Exception.uri());
    w.end()?;
    w.end_to(root)?;
    write_messages(w, &[], Some(error))?;
    w.end_to(0)
}

fn write_error(w: &mut Writer, error: &Error) -> Written {
    w.start("Error");
    w.attribute("ErrorCode", &error.code().to_string());
    w.attribute("Description", &message(error));
    w.attribute("Source", SOURCE);
    w.attribute("HelpFile", "");
    if let Some(location) = error.location() {
        write_location(w, location)?;
    }
    w.end()
}

fn write_location(w: &mut Writer, location: Location) -> Written {
    w.start("Location");
    w.attribute("xmlns", Namespace::Engine.uri());
    let places =
        [("Start", location.start_line, location.start_column), ("End", location.end_line, location.end_column)];
    for (name, line, column) in places {
        w.start(name);
        w.element("Line", &line.to_string())?;
        w.element("Column", &column.to_string())?;
        w.end()?;
    }
    w.element("LineOffset", "0")?;
    w.element("TextLength", &location.length.to_string())?;
    w.end()
}
