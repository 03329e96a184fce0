//! The open conformance cases against a running server, held to their floors.

use crate::machine::{Machine, Ran, show_end};
use crate::step::Line;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The MDX cases: those that ask for an answer, and those that ask for an error (`*_throws`).
pub(crate) fn mdx(machine: &mut Machine) -> Result<Line> {
    let url = machine.server()?;
    let report = machine.work("reports")?.join("mdx.json");
    let mut command = machine.python("conformance/mdx_runner.py");
    command.arg(url).arg(machine.shared.join("conformance/mdx_open.jsonl"));
    command.args(["--no-bulk", "--report"]).arg(&report);
    finished(machine.run("mdx", command, LIMIT)?)?;
    let report: Value = read(&report)?;
    let [mut answers, mut errors] = [[0u64; 2]; 2];
    let kinds = report["kinds"].as_object().context("the report has no kinds")?;
    for (kind, states) in kinds {
        let states = states.as_object().context("a kind has no states")?;
        let count = |names: &[&str]| names.iter().filter_map(|n| states.get(*n)?.as_u64()).sum::<u64>();
        let tally = if kind.ends_with("_throws") { &mut errors } else { &mut answers };
        tally[0] += count(&["exact", "lenient"]);
        tally[1] += count(&["exact", "lenient", "names", "fail", "error", "timeout", "lost", "notrun"]);
    }
    machine
        .floors()?
        .check(&[("mdx_answers", answers[0], answers[1]), ("mdx_errors", errors[0], errors[1])], machine.raise)
}

/// The analysts' queries: the program's last line is `N of M agree (…)`.
pub(crate) fn analyst(machine: &mut Machine) -> Result<Line> {
    let url = machine.server()?;
    let mut command = machine.python("conformance/analyst.py");
    command.arg("check").arg(url).arg(machine.shared.join("conformance/analyst_open.jsonl"));
    let ran = finished(machine.run("analyst", command, LIMIT)?)?;
    let words: Vec<&str> = ran.text.lines().last().unwrap_or("").split(' ').collect();
    let [agree, "of", cases, "agree", ..] = words[..] else { bail!("analyst.py has no last line 'N of M agree'") };
    machine.floors()?.check(&[("analyst_agree", agree.parse()?, cases.parse()?)], machine.raise)
}

/// The XMLA pairs: those of XmlaErrorTest, and the others.
pub(crate) fn xmla(machine: &mut Machine) -> Result<Line> {
    let url = machine.server()?;
    let path = machine.work("reports")?.join("xmla.json");
    let mut command = machine.python("conformance/xmla_compare.py");
    command.args(["--url", &url]).arg(machine.shared.join("conformance/xmla_open"));
    command.args(["--any-order", "--allow-extra", "--report"]).arg(&path);
    finished(machine.run("xmla", command, LIMIT)?)?;
    let report: Value = read(&path)?;
    let [mut pairs, mut faults] = [[0u64; 2]; 2];
    for pair in report.as_array().context("the report is no list")? {
        let id = pair["id"].as_str().context("a pair has no id")?;
        let tally = if id.starts_with("XmlaErrorTest") { &mut faults } else { &mut pairs };
        tally[0] += u64::from(pair["same"] == true);
        tally[1] += 1;
    }
    machine.floors()?.check(&[("xmla_pairs", pairs[0], pairs[1]), ("xmla_faults", faults[0], faults[1])], machine.raise)
}

/// Status 0 or 1 means that all cases were run; anything else that they were not.
fn finished(ran: Ran) -> Result<Ran> {
    match ran.status.code() {
        Some(0 | 1) => Ok(ran),
        _ => {
            show_end(&ran.text);
            bail!("the cases did not run to their end: {}", ran.status)
        }
    }
}

fn read(path: &std::path::Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))
}
