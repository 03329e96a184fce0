//! `cargo xtask compat`: COMPAT.md from the server's own tables.

use crate::machine::Machine;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::Stdio;

/// Asks the binary for its tables and writes them, or with `--check` compares them with the file.
pub(crate) fn run(words: &[&str]) -> Result<bool> {
    let machine = Machine::find()?;
    let check = match words {
        [] => false,
        ["--check"] => true,
        other => bail!("unexpected: {}", other.join(" ")),
    };
    let mut command = machine.cargo(&["run", "--quiet", "--locked", "--package", "facetta", "--", "compat"]);
    let output = command.stderr(Stdio::inherit()).output().context("running cargo")?;
    ensure!(output.status.success(), "'facetta compat' ended with {}", output.status);
    let text = String::from_utf8(output.stdout).context("COMPAT.md must be UTF-8")?;
    let path = machine.root.join("COMPAT.md");
    if check {
        let same = fs::read_to_string(&path).is_ok_and(|old| old == text);
        println!("COMPAT.md is {}", if same { "in step" } else { "out of step: run cargo xtask compat" });
        return Ok(same);
    }
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(true)
}
