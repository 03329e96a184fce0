//! What the journal of sessions costs: pairs of BeginSession and EndSession a second, with the journal and without it.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod common;

use common::client::{Client, request};
use common::envelope::{session_header, statement};
use common::figures::Limits;
use common::{Bench, catalog, serve};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Each is measured so often, by turns; the median of the ratios counts.
const ROUNDS: usize = 21;
const TIME: Duration = Duration::from_millis(800);

/// With the journal at least this part of the rate without it.
const LIMIT: f64 = 0.9;

fn main() -> ExitCode {
    let with = serve(&[], |folder| Some(catalog::wide(folder, 1000)));
    let without = serve(&[("keep_sessions", "false")], |folder| Some(catalog::wide(folder, 1000)));
    let mut limits = Limits::default();
    println!("pairs of begin and end a second, {} ms each, median of {ROUNDS} ratios", TIME.as_millis());
    println!("{:>11} {:>10} {:>10} {:>7}", "connections", "journal", "none", "ratio");
    for connections in [1, 4] {
        let mut rounds: Vec<(f64, f64)> =
            (0..ROUNDS).map(|_| (rate(&with, connections), rate(&without, connections))).collect();
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (journal, none) = rounds[ROUNDS / 2];
        println!("{connections:>11} {journal:>10.0} {none:>10.0} {:>7.2}", journal / none);
        limits.at_least(&format!("{connections} connections, ratio"), journal / none, LIMIT);
    }
    limits.verdict()
}

/// Pairs a second, on so many connections.
fn rate(bench: &Bench, connections: usize) -> f64 {
    let (started, address) = (Instant::now(), bench.handle.address());
    let pairs: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(|| pairs(address, started + TIME))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    pairs as f64 / started.elapsed().as_secs_f64()
}

fn pairs(address: SocketAddr, until: Instant) -> u64 {
    let mut client = Client::connect(address);
    let properties = [("Catalog", "Wide"), ("LocaleIdentifier", "1033"), ("SspropInitAppName", "Report")];
    let body = statement("", &properties.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let mut pairs = 0;
    while Instant::now() < until {
        let id = client.begin("", &body);
        client.ask(&request("", &session_header("EndSession", Some(&id)), &statement("", &[])));
        pairs += 1;
    }
    pairs
}
