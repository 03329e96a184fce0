//! Definitions that a transaction adds to a catalog (CREATE GLOBAL) or takes away: private until it commits, kept in its log.

use crate::codec::{Reader, Writer};
use crate::version::Version;
use facetta_model::Result;
use facetta_model::catalog::{Catalog, GlobalDefinition};
use jiff::civil::DateTime;
use std::sync::Arc;

/// One change of a catalog's definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionChange {
    /// Which definition; see [`GlobalDefinition::key`].
    pub key: Arc<str>,
    /// The statement that makes it; none takes it away. One that is there already is replaced.
    pub text: Option<Arc<str>>,
}

/// A hash that tells a definition from others and from cells.
pub(crate) fn key_hash(key: &str) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(format!("definition\0{key}").as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(half)
}

/// The definitions after some changes.
fn changed(now: &Arc<[GlobalDefinition]>, changes: &[DefinitionChange]) -> Arc<[GlobalDefinition]> {
    let mut all = now.to_vec();
    for change in changes {
        all.retain(|d| d.key != change.key);
        if let Some(text) = &change.text {
            all.push(GlobalDefinition { key: change.key.clone(), text: text.clone() });
        }
    }
    all.into()
}

/// A version with other definitions; its data is the same. The schema is newer if `time` says when.
pub(crate) fn with_definitions(version: Version, changes: &[DefinitionChange], time: Option<DateTime>) -> Version {
    if changes.is_empty() {
        return version;
    }
    let catalog = &version.catalog;
    let catalog = Catalog {
        global_definitions: changed(&catalog.global_definitions, changes),
        last_schema_update: time.unwrap_or(catalog.last_schema_update),
        ..Catalog::clone(catalog)
    };
    Version { catalog: Arc::new(catalog), ..version }
}

/// Writes changes into a frame.
pub(crate) fn write(writer: &mut Writer, changes: &[DefinitionChange]) {
    writer.u32(changes.len() as u32);
    for change in changes {
        writer.text(&change.key);
        writer.u8(u8::from(change.text.is_some()));
        writer.text(change.text.as_deref().unwrap_or_default());
    }
}

/// Reads changes from a frame.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Vec<DefinitionChange>> {
    let mut changes = Vec::new();
    for _ in 0..reader.count(9)? {
        let key = reader.text()?.into();
        let present = reader.u8()? != 0;
        let text = reader.text()?;
        changes.push(DefinitionChange { key, text: present.then(|| text.into()) });
    }
    Ok(changes)
}
