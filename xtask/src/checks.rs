//! The steps that need only a toolchain: format, lints, documentation, dependencies, tests, the release build.

use crate::floors::{self, Floors};
use crate::machine::Machine;
use crate::step::Line;
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// A build from nothing on two cores fits.
const BUILD: Duration = Duration::from_secs(30 * 60);
const QUICK: Duration = Duration::from_secs(5 * 60);

pub(crate) fn fmt(machine: &mut Machine) -> Result<Line> {
    machine.succeed("fmt", machine.cargo(&["fmt", "--all", "--check", "--", "--color", "never"]), QUICK)?;
    Ok("formatted".to_string())
}

pub(crate) fn clippy(machine: &mut Machine) -> Result<Line> {
    let words = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    machine.succeed("clippy", machine.cargo(&words), BUILD)?;
    Ok("no warnings".to_string())
}

pub(crate) fn doc(machine: &mut Machine) -> Result<Line> {
    let mut command = machine.cargo(&["doc", "--locked", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    machine.succeed("doc", command, BUILD)?;
    Ok("no warnings".to_string())
}

pub(crate) fn deny(machine: &mut Machine) -> Result<Line> {
    let words = ["deny", "--workspace", "check", "licenses", "bans", "sources"];
    let text = machine.succeed("deny", machine.cargo(&words), QUICK)?;
    Ok(text.lines().rfind(|l| l.contains("licenses ok")).unwrap_or("ok").trim().to_string())
}

pub(crate) fn tests(machine: &mut Machine) -> Result<Line> {
    let text =
        machine.succeed("tests", machine.cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]), BUILD)?;
    let (passed, ignored) = count_tests(&text);
    ensure!(passed > 0, "no test ran");
    ensure!(ignored == 0 || !machine.no_skip, "{ignored} tests are ignored");
    Ok(format!("{passed} tests, {ignored} ignored"))
}

/// Sums `test result: ok. 3 passed; 0 failed; 1 ignored; …` over all test programs.
fn count_tests(text: &str) -> (usize, usize) {
    let number = |line: &str, word: &str| -> usize {
        line.split(';')
            .find_map(|part| part.trim().strip_suffix(word)?.trim().rsplit(' ').next()?.parse().ok())
            .unwrap_or(0)
    };
    let results = text.lines().filter(|l| l.starts_with("test result:"));
    results.fold((0, 0), |(passed, ignored), l| (passed + number(l, "passed"), ignored + number(l, "ignored")))
}

/// No floor stands lower than it once stood in this history.
pub(crate) fn floors(machine: &mut Machine) -> Result<Line> {
    let now = machine.floors()?;
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.args(words).current_dir(&machine.root);
        command
    };
    let file = floors::FILE;
    let commits = machine.succeed("floors-log", git(&["log", "--format=%H", "--", file]), QUICK)?;
    let mut versions = 0;
    for commit in commits.split_whitespace() {
        let then = machine.run("floors-show", git(&["show", &format!("{commit}:{file}")]), QUICK)?;
        // A commit that took the file away has none to compare with.
        if then.status.success() {
            versions += 1;
            now.not_below(&Floors::parse(&then.text)?)?;
        }
    }
    Ok(format!("none is lower than in {versions} earlier versions"))
}

pub(crate) fn release(machine: &mut Machine) -> Result<Line> {
    // Should the build fail, the steps after it must not find an old binary.
    let binary = machine.target.join("release/facetta");
    if binary.exists() {
        std::fs::remove_file(&binary).with_context(|| format!("removing {}", binary.display()))?;
    }
    let words = ["build", "--locked", "--release", "--package", "facetta", "--bin", "facetta"];
    machine.succeed("release", machine.cargo(&words), BUILD)?;
    let size = std::fs::metadata(&binary)?.len();
    Ok(format!("target/release/facetta, {} MiB", size >> 20))
}

#[cfg(test)]
mod tests {
    #[test]
    fn test_results_are_summed() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\nx\ntest result: ok. 12 passed; 0 failed; 0 ignored;";
        assert_eq!(super::count_tests(text), (15, 1));
    }
}
