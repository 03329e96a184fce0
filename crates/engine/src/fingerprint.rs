//! Whether a source is still what it was: size and time of each file, then its hash.

use crate::manifest::{Stamp, TableFingerprint};
use crate::process::{Source, SourceTable, io_error};
use facetta_model::{Context, Result, bail};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A file changed so shortly before it was looked at could change again within the resolution of its time.
const FRESH_NANOS: u64 = 2_000_000_000;

/// What the tables of a source look like, without their hashes.
pub(crate) fn look(source: &Source, tables: &[String]) -> Result<Vec<TableFingerprint>> {
    let found: Vec<SourceTable> = source.tables(tables)?;
    let each = found.into_iter().map(|table| {
        Ok(match table {
            SourceTable::File { name, path } => {
                TableFingerprint { table: name, stamp: Some(stamp(&path)?), hash: String::new() }
            }
            SourceTable::Memory { name, fingerprint } => {
                TableFingerprint { table: name, stamp: None, hash: fingerprint }
            }
        })
    });
    each.collect()
}

/// Adds the hashes; an error if a file changed since it was looked at.
pub(crate) fn seal(
    source: &Source,
    tables: &[String],
    looked: Vec<TableFingerprint>,
    context: &Context,
) -> Result<Vec<TableFingerprint>> {
    let mut sealed = Vec::with_capacity(looked.len());
    for (table, mut fingerprint) in source.tables(tables)?.into_iter().zip(looked) {
        if let (SourceTable::File { path, .. }, Some(before)) = (&table, fingerprint.stamp) {
            fingerprint.hash = hash(path, context)?;
            let now = stamp(path)?;
            if (now.bytes, now.modified) != (before.bytes, before.modified) {
                bail!(Io, "the file '{}' changed while it was read", path.display());
            }
        }
        sealed.push(fingerprint);
    }
    Ok(sealed)
}

/// Whether the tables are those of `stored`; the fingerprints as they are now, if so.
pub(crate) fn unchanged(
    source: &Source,
    tables: &[String],
    stored: &[TableFingerprint],
    context: &Context,
) -> Result<Option<Vec<TableFingerprint>>> {
    let found = source.tables(tables)?;
    if found.len() != stored.len() {
        return Ok(None);
    }
    let mut now = Vec::with_capacity(found.len());
    for (table, stored) in found.into_iter().zip(stored) {
        let same = match (&table, stored.stamp) {
            (SourceTable::Memory { name, fingerprint }, None) => {
                now.push(stored.clone());
                *name == stored.table && *fingerprint == stored.hash
            }
            (SourceTable::File { name, path }, Some(before)) => {
                let mut at = stamp(path)?;
                let stamped = (at.bytes, at.modified) == (before.bytes, before.modified) && !before.fresh;
                let same = *name == stored.table
                    && at.bytes == before.bytes
                    && (stamped || hash(path, context)? == stored.hash);
                if stamped {
                    at.fresh = false;
                }
                now.push(TableFingerprint { stamp: Some(at), ..stored.clone() });
                same
            }
            _ => false,
        };
        if !same {
            return Ok(None);
        }
    }
    Ok(Some(now))
}

fn stamp(path: &Path) -> Result<Stamp> {
    let metadata = std::fs::metadata(path).map_err(|e| io_error(path, e))?;
    let nanos = |t: SystemTime| t.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    let modified = metadata.modified().map(nanos).map_err(|e| io_error(path, e))?;
    let fresh = nanos(SystemTime::now()).saturating_sub(modified) < FRESH_NANOS;
    Ok(Stamp { bytes: metadata.len(), modified, fresh })
}

fn hash(path: &Path, context: &Context) -> Result<String> {
    let mut file = File::open(path).map_err(|e| io_error(path, e))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        context.check()?;
        let read = file.read(&mut buffer).map_err(|e| io_error(path, e))?;
        if read == 0 {
            return Ok(hasher.finalize().to_hex().to_string());
        }
        hasher.update(&buffer[..read]);
    }
}
