//! The child of Command: what an Execute asks to be done. A file for each command that takes arguments.

mod cancel;
mod statement;
mod transaction;

pub use cancel::Cancel;
pub use transaction::Durability;

use crate::xml::reader::{Element, Reader};
use facetta_model::{Result, bail};

/// What an Execute asks to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A statement of MDX, or a DMV query; empty text is a statement that does nothing.
    Statement(String),
    /// Stops what runs elsewhere.
    Cancel(Cancel),
    /// Begins a transaction, or counts one up.
    BeginTransaction,
    /// Counts a transaction down, and commits it at zero.
    CommitTransaction(Durability),
    /// Undoes the whole transaction.
    RollbackTransaction,
    /// A command of the protocol that is not done yet, by its name.
    NotSupported(&'static str),
}

/// Commands of the protocol (spec/protocol.md sections 8 to 10) that fault by name.
pub const NOT_SUPPORTED: &[&str] = &[
    "Alter",
    "Attach",
    "Backup",
    "Batch",
    "ClearCache",
    "CloneDatabase",
    "Create",
    "DBCC",
    "Delete",
    "DesignAggregations",
    "Detach",
    "Drop",
    "ImageLoad",
    "ImageSave",
    "Insert",
    "Lock",
    "MergePartitions",
    "NotifyTableChange",
    "Process",
    "Restore",
    "SetAuthContext",
    "Subscribe",
    "Synchronize",
    "Unlock",
    "Unsubscribe",
    "Update",
    "UpdateCells",
];

/// Where the text of a Statement is looked at for a command pasted into it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Under Command: a Statement may hold a command as text.
    Command,
    /// Inside such a text: no further.
    Pasted,
}

impl Command {
    /// Reads the command that `element` begins and closes it. Namespaces do not matter: clients send the commands of the
    /// engine's namespace in the one of the protocol too.
    pub(crate) fn read(reader: &mut Reader, element: &Element) -> Result<Command> {
        Self::read_at(reader, element, Place::Command)
    }

    fn read_at(reader: &mut Reader, element: &Element, place: Place) -> Result<Command> {
        match element.name {
            "Statement" => statement::read(reader, place),
            "Cancel" => Ok(Command::Cancel(Cancel::read(reader)?)),
            "BeginTransaction" => transaction::no_children(reader, Command::BeginTransaction),
            "RollbackTransaction" => transaction::no_children(reader, Command::RollbackTransaction),
            "CommitTransaction" => Ok(Command::CommitTransaction(Durability::read(reader)?)),
            name => match NOT_SUPPORTED.iter().find(|known| **known == name) {
                Some(known) => reader.skip().map(|()| Command::NotSupported(known)),
                None => {
                    bail!(Soap, "XML for Analysis parser: The '{name}' command was not recognized by the server.")
                }
            },
        }
    }

    /// The name of its element.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Statement(_) => "Statement",
            Command::Cancel(_) => "Cancel",
            Command::BeginTransaction => "BeginTransaction",
            Command::CommitTransaction(_) => "CommitTransaction",
            Command::RollbackTransaction => "RollbackTransaction",
            Command::NotSupported(name) => name,
        }
    }

    /// The statement, or the command as an element: what COMMAND_TEXT shows.
    pub fn text(&self) -> String {
        match self {
            Command::Statement(text) => text.clone(),
            Command::Cancel(cancel) => cancel.to_string(),
            other => format!("<{}/>", other.name()),
        }
    }
}
