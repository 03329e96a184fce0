//! The list of steps of `cargo xtask test`, and the loop that runs them.

use crate::machine::{Machine, Need};
use crate::{checks, clients, conformance, server};
use anyhow::{Result, bail};
use std::time::Instant;

/// What a step says when it has passed, on one line.
pub(crate) type Line = String;

/// One row of the list.
pub(crate) struct Step {
    /// What `cargo xtask test NAME` calls it.
    pub(crate) name: &'static str,
    /// What the machine must have.
    pub(crate) needs: &'static [Need],
    /// Does the work; an error is a failed step.
    pub(crate) run: fn(&mut Machine) -> Result<Line>,
}

/// Cheap checks first; the tests share one build, everything from `release` on shares another.
const STEPS: &[Step] = &[
    Step { name: "fmt", needs: &[], run: checks::fmt },
    Step { name: "clippy", needs: &[], run: checks::clippy },
    Step { name: "doc", needs: &[], run: checks::doc },
    Step { name: "deny", needs: &[Need::CargoDeny], run: checks::deny },
    Step { name: "tests", needs: &[], run: checks::tests },
    Step { name: "floors", needs: &[Need::Git], run: checks::floors },
    Step { name: "release", needs: &[], run: checks::release },
    Step { name: "mdx", needs: &[Need::Shared, Need::Python], run: conformance::mdx },
    Step { name: "analyst", needs: &[Need::Shared, Need::Python], run: conformance::analyst },
    Step { name: "xmla", needs: &[Need::Shared, Need::Python], run: conformance::xmla },
    Step { name: "olap4j", needs: &[Need::Shared, Need::Java], run: clients::olap4j },
    Step { name: "adomd", needs: &[Need::Shared, Need::Mono], run: clients::adomd },
    Step { name: "amo", needs: &[Need::Shared, Need::Mono], run: clients::amo },
    Step { name: "shutdown", needs: &[Need::Shared], run: server::shutdown },
];

/// Runs `cargo xtask test`; true if nothing failed.
pub(crate) fn test(words: &[&str]) -> Result<bool> {
    let mut machine = Machine::find()?;
    let mut chosen: Vec<&str> = Vec::new();
    for &word in words {
        match word {
            "--list" => {
                for step in STEPS {
                    println!("{}", step.name);
                }
                return Ok(true);
            }
            "--raise" => machine.raise = true,
            name if STEPS.iter().any(|s| s.name == name) => chosen.push(name),
            other => bail!("there is no step '{other}'; --list names them all"),
        }
    }
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for step in STEPS.iter().filter(|s| chosen.is_empty() || chosen.contains(&s.name)) {
        let missing = step.needs.iter().find_map(|need| machine.lacks(*need));
        let start = Instant::now();
        match missing {
            Some(what) if machine.no_skip => {
                failed += 1;
                report("FAILED", step.name, start, &format!("skipping is not allowed here, but {what}"));
            }
            Some(what) => {
                skipped += 1;
                report("skipped", step.name, start, &what);
            }
            None => match (step.run)(&mut machine) {
                Ok(line) => {
                    passed += 1;
                    report("passed", step.name, start, &line);
                }
                Err(error) => {
                    failed += 1;
                    report("FAILED", step.name, start, &format!("{error:#}"));
                }
            },
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

fn report(state: &str, name: &str, start: Instant, line: &str) {
    println!("{state:<8} {name:<9} {:>6.1} s  {line}", start.elapsed().as_secs_f64());
}
