//! Files that survive a crash: written whole, synced, then renamed into place.

use facetta_model::{Error, Result, error};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// A failure to write in the data folder.
pub(crate) fn write_error(path: &Path, e: impl std::fmt::Display) -> Error {
    error!(Io, "cannot write '{}': {e}", path.display())
}

/// A failure to read in the data folder.
pub(crate) fn read_error(path: &Path, e: impl std::fmt::Display) -> Error {
    error!(Io, "cannot read '{}': {e}", path.display())
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| write_error(path, e))
}

/// Writes a file whole, and syncs it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| write_error(path, e))
}

/// Puts a file in the place of another at once: a reader sees the old one or the new one, also after a crash.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let fresh = path.with_extension("new");
    write(&fresh, bytes)?;
    fs::rename(&fresh, path).map_err(|e| write_error(path, e))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    // Where folders cannot be opened, their names are durable by themselves.
    match File::open(path) {
        Ok(folder) => folder.sync_all().map_err(|e| write_error(path, e)),
        Err(_) if cfg!(windows) => Ok(()),
        Err(e) => Err(write_error(path, e)),
    }
}

/// A name as one part of a path, on any file system: letters, digits and `-` stay, the rest is written in hex.
pub(crate) fn safe_name(name: &str) -> String {
    let mut safe = String::new();
    for byte in facetta_model::name::fold(name).bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => safe.push(byte as char),
            other => safe.push_str(&format!("_{other:02x}")),
        }
    }
    if safe.len() > 120 {
        safe.truncate(80);
        safe.push_str(&blake3::hash(name.as_bytes()).to_hex()[..32]);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_differ() {
        assert_eq!(safe_name("FoodMart"), "foodmart");
        assert_eq!(safe_name("../a b"), "_2e_2e_2fa_20b");
        assert_ne!(safe_name(&"x".repeat(300)), safe_name(&"x".repeat(301)));
    }
}
