//! `cargo xtask soak`: what the tests play a little of, played long: histories of the simulation, kills of the real server.

use crate::machine::Machine;
use anyhow::{Context, Result, bail};
use std::time::Instant;

/// One of the two campaigns: a test that reads its seed and count from the environment.
struct Campaign {
    /// What `--NAME` calls its count.
    name: &'static str,
    /// How many are played if nobody says.
    count: u64,
    /// Package and test.
    test: [&'static str; 2],
    /// The variables of seed and count.
    variables: [&'static str; 2],
}

const CAMPAIGNS: [Campaign; 2] = [
    Campaign {
        name: "histories",
        count: 10_000,
        test: ["facetta-server", "simulation"],
        variables: ["FACETTA_SIM_SEED", "FACETTA_SIM_COUNT"],
    },
    Campaign {
        name: "kills",
        count: 1_000,
        test: ["facetta", "kills"],
        variables: ["FACETTA_KILL_SEED", "FACETTA_KILL_COUNT"],
    },
];

/// A killed server over a small catalog answers again within this, in 99 of 100 restarts.
const RESTART_MS: u64 = 1_000;

/// Plays both campaigns; true if neither found anything.
pub(crate) fn run(words: &[&str]) -> Result<bool> {
    let machine = Machine::find()?;
    let mut seed = 1;
    let mut counts = CAMPAIGNS.map(|c| c.count);
    for pair in words.chunks(2) {
        let [name, value] = pair else { bail!("'{}' needs a number after it", pair[0]) };
        let value: u64 = value.parse().with_context(|| format!("'{value}' is no number"))?;
        let campaign = CAMPAIGNS.iter().position(|c| name.strip_prefix("--") == Some(c.name));
        match (*name, campaign) {
            ("--seed", _) => seed = value,
            (_, Some(at)) => counts[at] = value,
            _ => bail!("there is no '{name}'; --seed, --histories and --kills are known"),
        }
    }
    println!("seed {seed}");
    let mut passed = true;
    for (campaign, count) in CAMPAIGNS.iter().zip(counts).filter(|(_, count)| *count > 0) {
        passed &= play(&machine, campaign, seed, count)?;
    }
    Ok(passed)
}

fn play(machine: &Machine, campaign: &Campaign, seed: u64, count: u64) -> Result<bool> {
    let ([package, test], [seed_variable, count_variable]) = (campaign.test, campaign.variables);
    let words = ["test", "--locked", "--release", "--package", package, "--test", test, "--", "--nocapture"];
    let mut command = machine.cargo(&words);
    command.env(seed_variable, seed.to_string()).env(count_variable, count.to_string());
    command.env("FACETTA_KILL_RESTART_MS", RESTART_MS.to_string());
    let started = Instant::now();
    // What it says goes to the terminal as it comes: that is the progress.
    let status = command.status().context("running cargo")?;
    let seconds = started.elapsed().as_secs_f64();
    let name = campaign.name;
    if status.success() {
        println!("passed   {count} {name} from seed {seed}, {seconds:.1} s with the build");
    } else {
        println!("FAILED   {name} from seed {seed}; play one again with --seed SEED --histories N --kills N");
    }
    Ok(status.success())
}
