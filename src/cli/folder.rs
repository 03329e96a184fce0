//! Where state is kept when nobody says: the platform's folder for data of programs.

use anyhow::{Context, Result};
use std::env::var_os;
use std::path::PathBuf;

/// `$XDG_DATA_HOME/facetta` or `~/.local/share/facetta`; `~/Library/Application Support/facetta` on macOS;
/// `%LOCALAPPDATA%\facetta` on Windows.
pub(super) fn data() -> Result<PathBuf> {
    let folder = |name: &str| var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        // What is not absolute is to be ignored (XDG Base Directory Specification).
        let xdg = folder("XDG_DATA_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| folder("HOME").map(|home| home.join(".local/share")))
    };
    let base = base.context("there is no home folder to keep state in; say where with --data-dir")?;
    Ok(base.join("facetta"))
}
