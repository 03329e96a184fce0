//! How soon the server shows its state when it is at its limit: every worker busy, 100,000 sessions open.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod common;

use common::client::{Client, in_session, request};
use common::envelope::{cancel, discover, execute, statement};
use common::figures::{Limits, Times};
use common::{Bench, catalog, serve, wait_for};
use facetta_server::sessions::NewSession;
use facetta_xmla::Properties;
use std::process::ExitCode;
use std::time::Instant;

const SESSIONS: usize = 100_000;
const ASKED: usize = 300;

/// p99 in milliseconds.
const LIMIT: f64 = 50.0;

fn main() -> ExitCode {
    let bench = serve(&[], |folder| Some(catalog::wide(folder, 1000)));
    let mut spids = Vec::new();
    let properties = Properties::default();
    for number in 0..SESSIONS {
        let user = format!("user {}", number % 1000);
        let new = NewSession { user: &user, explicit: true, properties: &properties, catalog: Some("Wide") };
        spids.push(bench.handle.server().sessions.begin(&new).unwrap().spid);
    }
    let mut busy = keep_busy(&bench);
    let (first, whole) = (first_bytes(&bench), whole_answers(&bench, &spids));
    println!(
        "every worker busy ({}), {SESSIONS} sessions open, {ASKED} asked; milliseconds",
        bench.handle.server().pool.workers()
    );
    println!("{:<48} {:>8} {:>8} {:>8}", "", "p50", "p99", "worst");
    let mut limits = Limits::default();
    for (name, times) in [("first byte of DISCOVER_SESSIONS", first), ("answer with WHERE SESSION_SPID = n", whole)] {
        println!("{name:<48} {:>8.2} {:>8.2} {:>8.2}", times.at(0.5), times.at(0.99), times.worst());
        limits.at_most(&format!("{name}, p99"), times.at(0.99), LIMIT);
    }
    for (client, id) in &mut busy {
        let end = execute(&cancel(None, Some(id), None, None), &[]);
        Client::connect(bench.handle.address()).ask(&request("", "", &end));
        assert!(client.drain().is_cancelled());
    }
    limits.verdict()
}

/// Endless queries on all workers.
fn keep_busy(bench: &Bench) -> Vec<(Client, String)> {
    let pool = &bench.handle.server().pool;
    let catalog = [("Catalog".to_owned(), "Wide".to_owned())];
    let start = |_| {
        let mut client = Client::connect(bench.handle.address());
        let id = client.begin("", &statement("", &catalog));
        client.send(&request("", &in_session(&id), &statement(catalog::ENDLESS, &catalog)));
        (client, id)
    };
    let busy = (0..pool.workers()).map(start).collect();
    wait_for("all workers to be busy", || (pool.busy() == pool.workers()).then_some(()));
    busy
}

/// From the request to the first byte of all sessions.
fn first_bytes(bench: &Bench) -> Times {
    let request = request("", "", &discover("DISCOVER_SESSIONS", &[], &[]));
    let mut times = Times::default();
    for _ in 0..ASKED {
        // Hung up after the first byte: the rest would be a hundred megabytes.
        let mut client = Client::connect(bench.handle.address());
        let asked = Instant::now();
        client.send(&request);
        times.push(client.first_byte() - asked);
        drop(client);
        let running = &bench.handle.server().running;
        let workers = bench.handle.server().pool.workers();
        wait_for("an answer that nobody reads to end", || (running.len() <= workers).then_some(()));
    }
    times
}

/// From the request to the end of one session's row.
fn whole_answers(bench: &Bench, spids: &[u32]) -> Times {
    let mut client = Client::connect(bench.handle.address());
    let mut times = Times::default();
    for asked in 0..ASKED {
        let spid = spids[asked * spids.len() / ASKED];
        let text = format!("SELECT * FROM $System.DISCOVER_SESSIONS WHERE SESSION_SPID = {spid}");
        let request = request("", "", &statement(&text, &[]));
        let asked = Instant::now();
        let answer = client.ask(&request);
        times.push(answer.last - asked);
        assert!(answer.text().contains(&format!("<SESSION_SPID>{spid}</SESSION_SPID>")), "{}", answer.text());
    }
    times
}
