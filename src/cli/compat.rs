//! `facetta compat`: COMPAT.md from the server's own tables.

use anyhow::Result;

/// Prints the page.
pub(super) fn run() -> Result<()> {
    anyhow::bail!("compat")
}
