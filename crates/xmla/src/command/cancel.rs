//! Cancel: which command, session or connection is to be stopped (spec/protocol.md section 7).

use crate::xml::reader::{Element, Reader};
use facetta_model::{Result, bail};
use std::fmt;

/// What a Cancel names; nothing is the sending session's running command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancel {
    /// ConnectionID: a socket.
    pub connection_id: Option<i64>,
    /// SessionID: a GUID; kept as it is written.
    pub session_id: Option<String>,
    /// SPID: a session by its number.
    pub spid: Option<i64>,
    /// CancelAssociated: end the session, or the connection's sessions, too.
    pub cancel_associated: bool,
}

impl Cancel {
    /// Whether it has no id.
    pub fn names_nothing(&self) -> bool {
        self.connection_id.is_none() && self.session_id.is_none() && self.spid.is_none()
    }

    /// Reads the children of the Cancel that is open and closes it.
    pub(super) fn read(reader: &mut Reader) -> Result<Cancel> {
        let mut cancel = Cancel::default();
        let mut seen: Vec<&str> = Vec::new();
        while let Some(child) = reader.child()? {
            if seen.contains(&child.name) {
                bail!(Soap, "XML for Analysis parser: The '{}' element is there twice under Cancel.", child.name);
            }
            match child.name {
                "ConnectionID" => cancel.connection_id = Some(integer(reader, &child)?),
                "SPID" => cancel.spid = Some(integer(reader, &child)?),
                "SessionID" => cancel.session_id = Some(reader.content()?.trim().to_owned()),
                "CancelAssociated" => cancel.cancel_associated = boolean(reader, &child)?,
                _ => return Err(reader.unexpected(&child)),
            }
            seen.push(child.name);
        }
        Ok(cancel)
    }
}

fn integer(reader: &mut Reader, element: &Element) -> Result<i64> {
    let text = reader.content()?;
    match text.trim().parse() {
        Ok(number) => Ok(number),
        Err(_) => {
            bail!(TypeMismatch, "XML for Analysis parser: '{}' is no integer in '{}'.", text.trim(), element.name)
        }
    }
}

fn boolean(reader: &mut Reader, element: &Element) -> Result<bool> {
    let text = reader.content()?;
    match text.trim() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        other => bail!(TypeMismatch, "XML for Analysis parser: '{other}' is no boolean in '{}'.", element.name),
    }
}

/// The element, as it can be sent again.
impl fmt::Display for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<Cancel xmlns="http://schemas.microsoft.com/analysisservices/2003/engine">"#)?;
        if let Some(id) = self.connection_id {
            write!(f, "<ConnectionID>{id}</ConnectionID>")?;
        }
        if let Some(id) = &self.session_id {
            let id = crate::xml::writer::escape(id);
            write!(f, "<SessionID>{id}</SessionID>")?;
        }
        if let Some(spid) = self.spid {
            write!(f, "<SPID>{spid}</SPID>")?;
        }
        if self.cancel_associated {
            write!(f, "<CancelAssociated>1</CancelAssociated>")?;
        }
        write!(f, "</Cancel>")
    }
}
