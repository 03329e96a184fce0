//! Real clients against a running server: olap4j, and Microsoft's ADOMD.NET and AMO under Mono.

use crate::machine::{Machine, show_end};
use crate::step::Line;
use anyhow::{Result, ensure};
use std::process::Command;
use std::time::Duration;

const SETUP: Duration = Duration::from_secs(10 * 60);
const WALK: Duration = Duration::from_secs(3 * 60);
const MDX: &str = "SELECT {[Measures].[Unit Sales], [Measures].[Store Sales]} ON COLUMNS, \
                   NON EMPTY [Product].[Product Family].Members ON ROWS FROM [Sales]";

/// olap4j 1.2 with its XMLA driver.
pub(crate) fn olap4j(machine: &mut Machine) -> Result<Line> {
    let url = machine.server()?;
    let mut command = Command::new("bash");
    command.arg(machine.shared.join("clients/olap4j/run.sh")).args([&url, "FoodMart", "Sales", MDX]);
    walk(machine, "olap4j", command)
}

/// ADOMD.NET.
pub(crate) fn adomd(machine: &mut Machine) -> Result<Line> {
    let url = machine.server()?;
    let command = mono(machine, "Adomd.exe", &[&url, "FoodMart", "Sales", MDX])?;
    walk(machine, "adomd", command)
}

/// AMO, the administrators' library.
pub(crate) fn amo(machine: &mut Machine) -> Result<Line> {
    let url = machine.server()?;
    let command = mono(machine, "Amo.exe", &[&url])?;
    walk(machine, "amo", command)
}

/// A program of the .NET folder, set up if this is the first time.
fn mono(machine: &Machine, program: &str, words: &[&str]) -> Result<Command> {
    let work = machine.work("dotnet")?;
    if !work.join(program).is_file() {
        let mut setup = Command::new("bash");
        setup.arg(machine.shared.join("clients/dotnet/setup.sh")).arg(&work);
        machine.succeed("dotnet-setup", setup, SETUP)?;
    }
    let mut command = Command::new("mono");
    command.arg(program).args(words).current_dir(work);
    Ok(command)
}

/// Runs a walk, which prints `ok STEP …` or `FAIL STEP: why` for each step, and holds it to its floor.
fn walk(machine: &Machine, name: &str, command: Command) -> Result<Line> {
    let ran = machine.run(name, command, WALK)?;
    let ok = ran.text.lines().filter(|l| l.starts_with("ok ")).count() as u64;
    let failed: Vec<&str> = ran.text.lines().filter(|l| l.starts_with("FAIL ")).collect();
    let steps = ok + failed.len() as u64;
    let checked = machine.floors()?.check(&[(&format!("{name}_steps"), ok, steps)], machine.raise);
    if checked.is_err() || steps == 0 {
        show_end(&ran.text);
    }
    ensure!(steps > 0, "the walk printed no step");
    let mut line = checked?;
    for fail in failed {
        line.push_str("; ");
        line.extend(fail.chars().take(120));
    }
    Ok(line)
}
