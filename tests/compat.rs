//! COMPAT.md says what the tables of this version say.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[test]
fn compat_md_is_in_step() {
    let printed = Command::new(env!("CARGO_BIN_EXE_facetta")).arg("compat").output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let file = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("COMPAT.md")).unwrap();
    assert!(printed.stdout == file, "COMPAT.md is out of step: run `cargo xtask compat`");
}
