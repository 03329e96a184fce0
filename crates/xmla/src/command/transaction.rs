//! BeginTransaction, CommitTransaction, RollbackTransaction (spec/protocol.md section 8).

use super::Command;
use crate::xml::reader::Reader;
use facetta_model::{Result, bail};

/// How safe a commit has to be before it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// On the disk of this machine; also where nothing is said.
    #[default]
    LocalDisk,
    /// On every replica.
    Full,
}

impl Durability {
    /// Reads the children of the CommitTransaction that is open and closes it.
    pub(super) fn read(reader: &mut Reader) -> Result<Durability> {
        let mut durability = None;
        while let Some(child) = reader.child()? {
            if child.name != "DurabilityGuarantee" || durability.is_some() {
                return Err(reader.unexpected(&child));
            }
            durability = Some(match reader.content()?.trim() {
                "LocalDisk" => Durability::LocalDisk,
                "Full" => Durability::Full,
                other => {
                    bail!(TypeMismatch, "XML for Analysis parser: '{other}' is no value of 'DurabilityGuarantee'.")
                }
            });
        }
        Ok(durability.unwrap_or_default())
    }
}

/// `command`, if the element that is open has no children; it is closed.
pub(super) fn no_children(reader: &mut Reader, command: Command) -> Result<Command> {
    match reader.child()? {
        Some(child) => Err(reader.unexpected(&child)),
        None => Ok(command),
    }
}
