//! How long a cancelled command goes on: every operator, cancelled fifty times while other queries keep all cores busy.
//!
//! What is measured is what a client sees: from the moment before it sends the Cancel until the victim's answer has ended. That is
//! more than the server needs, and it is held to the server's limits. Beside it stands the processor time that the victim used after
//! the Cancel: on a machine that does other things too, that tells a command that is late from one that had to wait.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod common;

use common::client::{Client, Drained, in_session, request};
use common::envelope::{cancel, execute, statement};
use common::figures::{Limits, Times};
use common::random::Random;
use common::{Bench, catalog, serve, wait_for};
use facetta_server::memory::resident;
use facetta_server::running::{Command, Stage};
use facetta_server::sessions::NewSession;
use facetta_xmla::Properties;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Cancels of each operator.
const CANCELS: usize = 50;

/// From the Cancel to the end of the victim's answer, milliseconds.
const P99: f64 = 50.0;
const WORST: f64 = 250.0;

/// What may be left in memory a second after a cancelled command, MiB.
const LEFT: f64 = 64.0;

const ROWS: usize = 1_000_000;
const SESSIONS: usize = 100_000;

const A: &str = "[A].[A].[A].Members";
const B: &str = "[B].[B].[B].Members";
const C: &str = "[C].[C].[C].Members";
const D: &str = "[D].[D].[D].Members";
const E: &str = "[E].[E].[E].Members";

/// Where a command is when it is cancelled.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    /// At work, after a while.
    Works,
    /// In the queue of its session, behind one that works.
    Queued,
    /// Waiting for a worker.
    Waits,
}

/// A way to be busy.
struct Operator {
    name: &'static str,
    text: String,
    format: &'static str,
    at: Where,
    /// The longest that it works before it is cancelled, milliseconds; less where it ends by itself before that.
    longest: usize,
    /// What is run before each time, in the session.
    before: Option<&'static str>,
    /// What undoes that.
    after: Option<&'static str>,
}

fn operators() -> Vec<Operator> {
    let of = |name, text: String| Operator {
        name,
        text,
        format: "Multidimensional",
        at: Where::Works,
        longest: 300,
        before: None,
        after: None,
    };
    let select = |set: String| format!("SELECT {set} ON 0 FROM [Wide] WHERE [Measures].[Number]");
    let ten_million = format!("CrossJoin({A}, {B}, {C}, Head({D}, 10))");
    let million = format!("CrossJoin({A}, {B}, {C})");
    let measure =
        |formula: &str| format!("WITH MEMBER [Measures].[X] AS '{formula}' SELECT {{[Measures].[X]}} ON 0 FROM [Wide]");
    let cells = |with: &str, properties: &str| {
        format!("{with} SELECT CrossJoin({A}, {B}) ON 0, CrossJoin({C}, {D}) ON 1 FROM [Wide] {properties}")
    };
    let format = "WITH MEMBER [Measures].[X] AS '[Measures].[Number] + 0.5', FORMAT_STRING = '\"plus \"#,##0.000000;\"minus \"#,##0.000000'";
    let endless = measure(&format!("Sum(CrossJoin({A}, {B}, {C}, {D}, {E}), [Measures].[Number] * 2)"));
    let mut all = vec![
        of("crossjoin", select(format!("CrossJoin({A}, {B}, {C}, {D}, Head({E}, 10))"))),
        of("filter", select(format!("Filter({ten_million}, [Measures].[Number] > 1000)"))),
        // Long enough for the values of a million tuples, and for the sort of them.
        Operator { longest: 1500, ..of("order", select(format!("Order({million}, [Measures].[Number], BDESC)"))) },
        Operator { longest: 1500, ..of("topcount", select(format!("TopCount({million}, 10, [Measures].[Number])"))) },
        of("aggregate", endless.clone()),
        of("recursion", measure("IIf([A].[A].CurrentMember IS [A].[A].[A].[0], 1, ([Measures].[X], [A].[A].PrevMember) + ([Measures].[X], [A].[A].PrevMember, [B].[B].[B].[1]))").replace(" ON 0 FROM [Wide]", &format!(" ON 0, CrossJoin({A}, {B}, {C}, {D}) ON 1 FROM [Wide]"))),
        of("format", cells(format, "WHERE [Measures].[X] CELL PROPERTIES FORMATTED_VALUE")),
        of("serialising", cells("", "CELL PROPERTIES VALUE")),
        Operator { format: "Tabular", ..of("flattening", cells("", "")) },
        Operator { longest: 800, before: Some("<BeginTransaction/>"), after: Some("<RollbackTransaction/>"),
                   ..of("UPDATE CUBE", "UPDATE CUBE [Wide] SET ([Measures].[Number]) = 987654321".to_owned()) },
        Operator { format: "Tabular", ..of("DRILLTHROUGH", "DRILLTHROUGH MAXROWS 1000000 SELECT {[Measures].[Number]} ON 0 FROM [Wide]".to_owned()) },
        Operator { format: "Tabular", ..of("DMV", "SELECT a.SESSION_ID, b.SESSION_SPID FROM $System.DISCOVER_SESSIONS a JOIN $System.DISCOVER_SESSIONS b ON a.SESSION_USER_NAME = b.SESSION_USER_NAME ORDER BY a.SESSION_ID".to_owned()) },
        Operator { longest: 800, ..of("parsing 20 MB", select(format!("{{{}[A].[A].[A].[1]}}", "[A].[A].[A].&[1],".repeat((20 << 20) / 17)))) },
    ];
    all.push(Operator { at: Where::Queued, ..of("session's queue", endless.clone()) });
    all.push(Operator { at: Where::Waits, ..of("waiting for a worker", endless) });
    all
}

fn main() -> ExitCode {
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let bench = serve(&[("workers", "4"), ("max_command_memory", "68719476736")], |f| Some(catalog::wide(f, ROWS)));
    open_sessions(&bench);
    let mut limits = Limits::default();
    println!(
        "{CANCELS} cancels of each, all cores busy with other queries; milliseconds from the Cancel to the end of the answer"
    );
    println!(
        "{:<22} {:>8} {:>8} {:>8}  {:>8} {:>8}  {:>8} {:>9}  after",
        "operator", "p50", "p99", "worst", "cpu p50", "cpu max", "charged", "left MiB"
    );
    let chosen = operators().into_iter().filter(|o| only.as_ref().is_none_or(|name| o.name.contains(name.as_str())));
    for operator in chosen {
        let figures = measure(&bench, &operator);
        println!(
            "{:<22} {:>8.2} {:>8.2} {:>8.2}  {:>8.2} {:>8.2}  {:>8} {:>9.1}  {:.0} to {:.0} ms",
            operator.name,
            figures.times.at(0.5),
            figures.times.at(0.99),
            figures.times.worst(),
            figures.work.at(0.5),
            figures.work.worst(),
            figures.charged,
            figures.left,
            figures.delays.at(0.0),
            figures.delays.worst(),
        );
        limits.at_most(&format!("{}, p99", operator.name), figures.times.at(0.99), P99);
        limits.at_most(&format!("{}, worst", operator.name), figures.times.worst(), WORST);
        limits.at_most(&format!("{}, bytes charged", operator.name), figures.charged as f64, 0.0);
        limits.at_most(&format!("{}, MiB left", operator.name), figures.left, LEFT);
    }
    limits.verdict()
}

/// The server is large: a DMV over it takes its time.
fn open_sessions(bench: &Bench) {
    let sessions = &bench.handle.server().sessions;
    let properties = Properties::default();
    for _ in 0..SESSIONS {
        let new = NewSession { user: "anonymous", explicit: true, properties: &properties, catalog: Some("Wide") };
        sessions.begin(&new).unwrap();
    }
}

#[derive(Default)]
struct Figures {
    times: Times,
    /// Processor time that the commands used after the Cancel.
    work: Times,
    /// How long the commands had worked when they were cancelled.
    delays: Times,
    /// The most bytes that were still charged to a command when its answer had ended.
    charged: u64,
    /// The most that memory was over what it was before, a second after.
    left: f64,
}

/// A command that keeps a core busy with little memory, in a session of its own.
struct Busy {
    client: Client,
    id: String,
}

fn wide(text: &str, format: &str) -> String {
    let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    statement(text, &[property("Catalog", "Wide"), property("Format", format)])
}

impl Busy {
    fn start(bench: &Bench) -> Busy {
        let mut client = Client::connect(bench.handle.address());
        let id = client.begin("", &wide("", "Tabular"));
        client.send(&request("", &in_session(&id), &wide(catalog::ENDLESS, "Multidimensional")));
        running(bench, &id, 1, Stage::Runs);
        Busy { client, id }
    }

    fn end(mut self, bench: &Bench) {
        Client::connect(bench.handle.address()).ask(&request(
            "",
            "",
            &execute(&cancel(None, Some(&self.id), None, None), &[]),
        ));
        let answer = self.client.drain();
        assert!(answer.is_cancelled(), "a query that was to be endless ended: {}", answer.text());
    }
}

/// Waits until a session has so many commands and the last is at a stage; that one, or none if all are over.
fn running(bench: &Bench, session: &str, count: usize, stage: Stage) -> Option<Arc<Command>> {
    let session = bench.handle.server().sessions.by_id(session).unwrap();
    let begun = session.state().command_count;
    wait_for("a command", || {
        let state = session.state();
        match state.commands.get(count - 1) {
            Some(command) => (command.stage() == stage).then(|| Some(command.clone())),
            None => (state.command_count > begun && state.commands.is_empty()).then_some(None),
        }
    })
}

fn measure(bench: &Bench, operator: &Operator) -> Figures {
    let mut figures = Figures::default();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    // For one that waits for a worker there must be none that is free.
    let others = if operator.at == Where::Waits { bench.handle.server().pool.workers() } else { cores };
    let busy: Vec<Busy> = (0..others).map(|_| Busy::start(bench)).collect();
    let mut random = Random::new(7);
    let mut longest = operator.longest;
    let mut killer = Client::connect(bench.handle.address());
    while figures.times.len() < CANCELS {
        let delay = Duration::from_millis(2 + random.below(longest) as u64);
        let before = unclaimed(bench);
        match once(bench, operator, &mut killer, delay) {
            Some((took, work, command)) => {
                figures.times.push(took);
                figures.work.push(work);
                figures.delays.push(delay);
                let left = settled(bench, before, &command);
                figures.left = figures.left.max(left);
                figures.charged = figures.charged.max(command.context.memory().held());
            }
            // It was over before the Cancel came.
            None if longest > 4 => longest = longest * 2 / 3,
            None => panic!("{} is over before it can be cancelled", operator.name),
        }
    }
    busy.into_iter().for_each(|b| b.end(bench));
    figures
}

/// Resident bytes but for those that commands are charged with: the others, which keep the cores busy, gather results.
fn unclaimed(bench: &Bench) -> u64 {
    let charged = bench.handle.server().running.all().iter().map(|c| c.context.memory().held()).sum();
    resident().unwrap_or_default().saturating_sub(charged)
}

/// MiB over what there was before: as soon as it is little, else after a second.
fn settled(bench: &Bench, before: u64, command: &Command) -> f64 {
    let begun = Instant::now();
    loop {
        let left = unclaimed(bench).saturating_sub(before) as f64 / f64::from(1 << 20);
        let over = command.context.memory().held() == 0 && left <= LEFT;
        if over || begun.elapsed() > Duration::from_secs(1) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the operator and cancels it after a while: how long that took, none if the command was over before.
fn once(
    bench: &Bench,
    operator: &Operator,
    killer: &mut Client,
    delay: Duration,
) -> Option<(Duration, Duration, Arc<Command>)> {
    let mut victim = Client::connect(bench.handle.address());
    let id = victim.begin("", &wide("", "Tabular"));
    let header = in_session(&id);
    if let Some(before) = operator.before {
        victim.ask(&request("", &header, &execute(before, &[])));
    }
    let mut first = Client::connect(bench.handle.address());
    let (count, stage) = match operator.at {
        Where::Works => (1, Stage::Runs),
        Where::Waits => (1, Stage::WaitsForWorker),
        Where::Queued => (2, Stage::WaitsForSession),
    };
    if operator.at == Where::Queued {
        first.send(&request("", &header, &wide(catalog::ENDLESS, "Multidimensional")));
        running(bench, &id, 1, Stage::Runs);
    }
    victim.send(&request("", &header, &wide(&operator.text, operator.format)));
    let reader = std::thread::spawn(move || (victim.drain(), victim));
    let command = running(bench, &id, count, stage);
    std::thread::sleep(delay);
    let before = command.as_ref().map_or(0, |c| c.cpu_nanos());
    let sent = Instant::now();
    killer.ask(&request("", "", &execute(&cancel(None, Some(&id), None, None), &[])));
    let (answer, mut victim): (Drained, Client) = reader.join().unwrap();
    if operator.at == Where::Queued {
        assert!(first.drain().is_cancelled());
    }
    if let Some(after) = operator.after {
        victim.ask(&request("", &header, &execute(after, &[])));
    }
    victim.ask(&request("", &common::envelope::session_header("EndSession", Some(&id)), &statement("", &[])));
    if answer.is_cancelled() {
        let command = command?;
        let work = Duration::from_nanos(command.cpu_nanos().saturating_sub(before));
        return Some((answer.last.saturating_duration_since(sent), work, command));
    }
    // It has ended by itself, or would have taken more than it may: the next Cancel comes sooner.
    let text = answer.text();
    assert!(!text.contains("Fault>") || text.contains("Memory error"), "{} faults: {text}", operator.name);
    None
}
