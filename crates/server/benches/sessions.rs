//! What an open session costs: resident memory before and after 100,000 of them were begun over XMLA, each with a user, a catalog and
//! five properties.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod common;

use common::client::Client;
use common::envelope::statement;
use common::figures::Limits;
use common::{catalog, serve};
use facetta_server::memory::resident;
use std::process::ExitCode;
use std::time::Instant;

const COUNT: u64 = 100_000;

/// Bytes of a session.
const LIMIT: f64 = 1024.0;

fn main() -> ExitCode {
    let bench = serve(&[], |folder| Some(catalog::wide(folder, 1000)));
    let mut client = Client::connect(bench.handle.address());
    let property = |name: &str, value: String| (name.to_owned(), value);
    let begin = |client: &mut Client, number: u64| {
        let properties = [
            property("Catalog", "Wide".to_owned()),
            property("LocaleIdentifier", "1033".to_owned()),
            property("SspropInitAppName", format!("Report {}", number % 100)),
            property("Timeout", "60".to_owned()),
            property("ClientProcessID", (number % 1000).to_string()),
            property("SafetyOptions", "2".to_owned()),
        ];
        client.begin("", &statement("", &properties))
    };
    // What the first ones need beside themselves is not theirs.
    for number in 0..1000 {
        begin(&mut client, number);
    }
    let Some(before) = resident() else {
        println!("this system does not tell how much memory a process has");
        return ExitCode::SUCCESS;
    };
    let started = Instant::now();
    for number in 0..COUNT {
        begin(&mut client, number);
    }
    let seconds = started.elapsed().as_secs_f64();
    let after = resident().unwrap_or_default();
    let open = bench.handle.server().sessions.len();
    assert_eq!(open as u64, COUNT + 1000);
    let each = after.saturating_sub(before) as f64 / COUNT as f64;
    println!("{COUNT} sessions begun in {seconds:.1} s on one connection: {each:.0} bytes each of resident memory");
    let journal = bench.handle.server().sessions.journal_bytes().unwrap_or_default();
    println!("the journal has {:.1} MiB on disk", journal as f64 / f64::from(1 << 20));
    let mut limits = Limits::default();
    limits.at_most("bytes a session", each, LIMIT);
    limits.verdict()
}
