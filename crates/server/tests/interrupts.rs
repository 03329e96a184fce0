//! Every operator of a statement, from its parser to the writer of its answer, is stopped at each of its polls and at each of
//! its charges: the right fault or a well-formed in-body exception, no byte kept, and the next statement answers as before.

#![allow(clippy::unwrap_used)]

mod common;

use common::catalogs::serve_shop;
use common::envelope;
use common::log::Log;
use facetta_model::{Context, Error, ErrorKind, Result, Trip};
use facetta_query::STACK_BYTES;
use facetta_server::commands::{Reply, statement};
use facetta_server::dispatch::ask;
use facetta_server::handler::{Call, Exchange};
use facetta_server::respond::{Method, Outcome, respond};
use facetta_server::running::{Kind, NewCommand};
use facetta_server::session::EndReason;
use facetta_server::sessions::NewSession;
use facetta_server::{Handle, rowsets};
use facetta_xmla::client::{Answer, AnswerResult};
use facetta_xmla::{Body, Request};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What is run.
struct Operator {
    name: &'static str,
    what: What,
    /// Checks that it asks for at least, and charges.
    checks: u64,
    charges: u64,
}

enum What {
    /// A statement; the answer has this Format.
    Statement(&'static str, &'static str),
    /// A statement that is made here.
    Made(fn() -> String),
    /// A Discover.
    Rowset(&'static str),
}

const fn mdx(name: &'static str, text: &'static str, checks: u64, charges: u64) -> Operator {
    Operator { name, what: What::Statement(text, "Multidimensional"), checks, charges }
}

const fn tabular(name: &'static str, text: &'static str, checks: u64, charges: u64) -> Operator {
    Operator { name, what: What::Statement(text, "Tabular"), checks, charges }
}

/// Over the cube Wide of `common/catalogs.rs`: five hierarchies of a hundred members each.
static OPERATORS: &[Operator] = &[
    mdx("crossjoin", "SELECT CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 15)) ON 0 FROM [Wide]", 10, 1),
    mdx(
        "filter",
        "SELECT Filter(CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 15)), [Measures].[Number] > 9) ON 0 FROM [Wide]",
        10,
        1,
    ),
    mdx(
        "order",
        "SELECT Order(CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 15)), [Measures].[Number], BDESC) ON 0 FROM [Wide]",
        10,
        1,
    ),
    mdx(
        "set as text",
        "WITH MEMBER [Measures].[X] AS 'Len(SetToStr(CrossJoin([A].[A].[A].Members, [B].[B].[B].Members)))' \
         SELECT {[Measures].[X]} ON 0 FROM [Wide]",
        10,
        5,
    ),
    mdx(
        "text of a set",
        "WITH MEMBER [Measures].[X] AS 'Len(Generate(CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 50)), \
         [A].[A].CurrentMember.Name, \",\"))' SELECT {[Measures].[X]} ON 0 FROM [Wide]",
        5,
        5,
    ),
    mdx(
        "long texts",
        "WITH MEMBER [Measures].[X] AS 'Len(String(5000 + Rank([A].[A].CurrentMember, [A].[A].[A].Members), \"x\"))' \
         SELECT {[Measures].[X]} ON 0, [A].[A].[A].Members ON 1 FROM [Wide]",
        100,
        100,
    ),
    mdx(
        "order by two values",
        "SELECT Order(Order([A].[A].[A].Members, [A].[A].CurrentMember.Name, ASC), [Measures].[Number], DESC) ON 0 \
         FROM [Wide]",
        5,
        1,
    ),
    mdx(
        "topcount",
        "SELECT TopCount(CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 15)), 10, [Measures].[Number]) ON 0 FROM [Wide]",
        10,
        1,
    ),
    mdx(
        "aggregate",
        "WITH MEMBER [C].[C].[Sum] AS Aggregate(Head([C].[C].[C].Members, 50)) \
         SELECT [A].[A].[A].Members ON 0 FROM [Wide] WHERE [C].[C].[Sum]",
        5,
        1,
    ),
    mdx(
        "sum over a set for each cell",
        "WITH MEMBER [Measures].[S] AS Sum([B].[B].[B].Members, [Measures].[Number] * 2) \
         SELECT [A].[A].[A].Members ON 0 FROM [Wide] WHERE [Measures].[S]",
        10,
        1,
    ),
    mdx(
        "generate",
        "SELECT Generate([A].[A].[A].Members, CrossJoin({[A].[A].CurrentMember}, Head([B].[B].[B].Members, 20))) ON 0 \
         FROM [Wide]",
        10,
        1,
    ),
    mdx(
        "descendants",
        "SELECT CrossJoin(Descendants([A].[A].[All], [A].[A].[A]), Head(Descendants([B].[B].[All]), 15)) ON 0 FROM [Wide]",
        10,
        1,
    ),
    mdx(
        "recursion",
        "WITH MEMBER [Measures].[R] AS IIf([A].[A].PrevMember IS NULL, 1, ([Measures].[R], [A].[A].PrevMember) + 1) \
         SELECT [A].[A].[A].Members ON 0 FROM [Wide] WHERE [Measures].[R]",
        10,
        1,
    ),
    mdx(
        "named set",
        "WITH SET [S] AS Filter(CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 15)), [Measures].[Number] > 9) \
         MEMBER [Measures].[N] AS Count([S]) SELECT [S] ON 0 FROM [Wide] WHERE [Measures].[N]",
        10,
        1,
    ),
    mdx(
        "subselect",
        "SELECT [A].[A].[A].Members ON 0 FROM \
         (SELECT Filter([B].[B].[B].Members, [Measures].[Number] > 3) ON 0 FROM [Wide])",
        5,
        1,
    ),
    mdx(
        "slicer of a set",
        "SELECT [A].[A].[A].Members ON 0 FROM [Wide] WHERE CrossJoin([B].[B].[B].Members, Head([C].[C].[C].Members, 15))",
        5,
        1,
    ),
    mdx(
        "non empty",
        "SELECT NON EMPTY CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 15)) ON 0, NON EMPTY [C].[C].[C].Members ON 1 \
         FROM [Wide]",
        10,
        1,
    ),
    mdx("having", "SELECT [A].[A].[A].Members HAVING [Measures].[Number] > 3 ON 0 FROM [Wide]", 5, 1),
    mdx(
        "format",
        "WITH MEMBER [Measures].[F] AS [Measures].[Number], FORMAT_STRING = IIf([Measures].[Number] > 5, 'Currency', '0.0%') \
         SELECT CrossJoin([A].[A].[A].Members, Head([B].[B].[B].Members, 12)) ON 0, {[Measures].[F]} ON 1 FROM [Wide] \
         CELL PROPERTIES VALUE, FORMATTED_VALUE, FORMAT_STRING, BACK_COLOR",
        10,
        1,
    ),
    mdx(
        "writer of axes and cells",
        "SELECT [A].[A].[A].Members DIMENSION PROPERTIES MEMBER_NAME, MEMBER_KEY, PARENT_UNIQUE_NAME ON 0, \
         [B].[B].[B].Members ON 1 FROM [Wide]",
        10,
        1,
    ),
    tabular("flatten", "SELECT [A].[A].[A].Members ON 0, [B].[B].[B].Members ON 1 FROM [Wide]", 10, 1),
    tabular("drillthrough", "DRILLTHROUGH SELECT {[Measures].[Number]} ON 0 FROM [Wide]", 2, 1),
    tabular("update", "UPDATE CUBE [Wide] SET ([Measures].[Number]) = 12345", 5, 1),
    tabular("dmv", "SELECT * FROM $SYSTEM.MDSCHEMA_MEMBERS WHERE LEVEL_NUMBER = 1", 2, 0),
    tabular(
        "dmv group",
        "SELECT HIERARCHY_UNIQUE_NAME, COUNT(*) AS N, MAX(MEMBER_ORDINAL) AS M FROM $SYSTEM.MDSCHEMA_MEMBERS \
         GROUP BY HIERARCHY_UNIQUE_NAME",
        2,
        1,
    ),
    tabular("dmv sort", "SELECT MEMBER_UNIQUE_NAME FROM $SYSTEM.MDSCHEMA_MEMBERS ORDER BY MEMBER_CAPTION DESC", 2, 1),
    tabular("dmv distinct", "SELECT DISTINCT MEMBER_CAPTION FROM $SYSTEM.MDSCHEMA_MEMBERS", 2, 1),
    tabular(
        "dmv join",
        "SELECT m.MEMBER_UNIQUE_NAME, h.HIERARCHY_CAPTION FROM $SYSTEM.MDSCHEMA_MEMBERS AS m \
         JOIN $SYSTEM.MDSCHEMA_HIERARCHIES AS h ON m.HIERARCHY_UNIQUE_NAME = h.HIERARCHY_UNIQUE_NAME",
        2,
        1,
    ),
    Operator { name: "writer of rows", what: What::Rowset("MDSCHEMA_MEMBERS"), checks: 2, charges: 0 },
    Operator { name: "parser of a large statement", what: What::Made(large), checks: 20, charges: 1 },
];

fn large() -> String {
    let members: Vec<String> = (0..1500).map(|n| format!("[A].[A].&[{}]", n % 100)).collect();
    format!("SELECT {{{}}} ON 0 FROM [Wide]", members.join(", "))
}

/// What has to work after each stop, and to answer the same.
const PROBE: What = What::Statement(
    "SELECT {[Measures].[Number]} ON 0, Head([A].[A].[A].Members, 3) ON 1 FROM [Wide]",
    "Multidimensional",
);

/// A server with the shop, asked without a socket.
struct Place {
    handle: Handle,
    call: Call,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let handle = serve_shop(folder.path()).unwrap();
        let server = handle.server().clone();
        let connection = {
            // Its record stays ours when it is taken out of the list.
            let open = server.connections.open("127.0.0.1:9".parse().unwrap()).unwrap();
            open.connection.clone()
        };
        let user = Arc::new(facetta_server::auth::User { name: "anonymous".into(), admin: true, admin_of: Vec::new() });
        Place { call: Call { server, connection, user }, handle, _folder: folder }
    }

    /// Answers a request as the server does, within a context: what came of it, and the bytes.
    fn run(&self, what: &What, context: &Context) -> (Outcome, Vec<u8>) {
        let properties =
            |format: &str| vec![("Catalog".to_owned(), "Shop".to_owned()), ("Format".to_owned(), format.to_owned())];
        let (body, text) = match what {
            What::Statement(text, format) => (envelope::statement(text, &properties(format)), (*text).to_owned()),
            What::Made(make) => (envelope::statement(&make(), &properties("Multidimensional")), String::new()),
            What::Rowset(name) => (envelope::discover(name, &[], &properties("Tabular")), (*name).to_owned()),
        };
        let request = envelope::envelope("", &body);
        let request = Request::read(request.as_bytes(), &Context::unlimited()).unwrap();
        let server = &self.call.server;
        let new = NewSession { user: "anonymous", explicit: false, properties: request.properties(), catalog: None };
        let session = server.sessions.begin(&new).unwrap();
        let kind = Kind::Statement;
        let new = NewCommand { session, connection: 0, kind, text: &text, context: context.clone(), passes: false };
        let mut guard = server.running.enter(&server.sessions, &server.running, new).unwrap();
        guard.end_session_after(EndReason::CallOver);
        let exchange = Exchange {
            call: self.call.clone(),
            guard,
            properties: request.properties().clone(),
            announce: None,
            method: "".into(),
            transaction_lost: false,
        };
        let mut bytes = Vec::new();
        let (method, reply) = self.reply(&exchange, &request.body);
        let outcome = respond(&mut bytes, &exchange, method, reply);
        drop(exchange);
        (outcome, bytes)
    }

    fn reply(&self, exchange: &Exchange, body: &Body) -> (Method, Result<Reply>) {
        match body {
            Body::Execute(execute) => (Method::Execute, statement::run(exchange, execute)),
            Body::Discover(discover) => {
                let rowset = rowsets::discover(ask(exchange), &discover.request_type, &discover.restrictions);
                (Method::Discover, rowset.map(Reply::Rowset))
            }
        }
    }

    /// As [`Place::run`] without a stop; the answer, which must be one.
    fn answer(&self, what: &What, context: &Context) -> Vec<u8> {
        let (outcome, bytes) = self.run(what, context);
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
        bytes
    }

    /// Nothing of what has ended is left.
    fn assert_nothing_left(&self, context: &Context, what: &str) {
        assert_eq!(context.memory().held(), 0, "{what}: bytes are still charged");
        let server = &self.call.server;
        assert!(server.running.is_empty() && server.sessions.is_empty(), "{what}: a command or session is left");
    }
}

/// Numbers from 1 to `most`: all if they are few, else the first, the last, and some between.
fn numbers(most: u64) -> Vec<u64> {
    let mut numbers: Vec<u64> = (1..=most.min(12)).collect();
    let steps = 10;
    numbers.extend((1..steps).map(|n| most * n / steps));
    numbers.extend(most.saturating_sub(4)..=most);
    numbers.retain(|n| (1..=most).contains(n));
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The error of an answer that was stopped, however far it had come.
fn error(outcome: &Outcome, bytes: &[u8], what: &str) -> Error {
    let (error, in_body) = match outcome {
        Outcome::Fault(error) => (error, false),
        Outcome::Exception(error) => (error, true),
        other => panic!("{what}: {other:?}"),
    };
    let answer = Answer::read(bytes, &Context::unlimited()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let told = match (&answer.exception, &answer.result) {
        (Some(exception), _) if in_body => &exception.description,
        (None, AnswerResult::Fault(fault)) if !in_body => &fault.description,
        _ => panic!("{what}: neither a fault nor an exception"),
    };
    assert!(told.contains(error.message()), "{what}: told {told}");
    error.clone()
}

fn stop_everywhere(place: &Place, operator: &Operator) {
    let clear = || place.call.server.subcubes.clear();
    // Once for what it changes, once for what it costs.
    place.answer(&operator.what, &Context::unlimited());
    clear();
    let free = Context::unlimited();
    let whole = place.answer(&operator.what, &free);
    place.assert_nothing_left(&free, operator.name);
    let (checks, charges) = (free.counters().checks.load(Relaxed), free.memory().charges());
    println!("{}: {checks} checks, {charges} charges, {} bytes", operator.name, whole.len());
    assert!(checks >= operator.checks, "{} asks {checks} times whether it is cancelled", operator.name);
    assert!(charges >= operator.charges, "{} charges {charges} times", operator.name);
    let probe = place.answer(&PROBE, &Context::unlimited());
    let trips = numbers(checks).into_iter().map(Trip::Check).chain(numbers(charges).into_iter().map(Trip::Charge));
    for trip in trips {
        let what = format!("{} at {trip:?}", operator.name);
        clear();
        let context = Context::tripping(trip);
        let (outcome, bytes) = place.run(&operator.what, &context);
        let error = error(&outcome, &bytes, &what);
        match trip {
            Trip::Check(_) => {
                assert_eq!(error.kind(), ErrorKind::Cancelled, "{what}: {error}");
                assert_eq!(error.message(), "Server: The operation has been cancelled.", "{what}");
            }
            Trip::Charge(_) => {
                assert_eq!(error.kind(), ErrorKind::MemoryLimit, "{what}: {error}");
                let expected = "Memory error: the operation reached its limit of ";
                assert!(error.message().starts_with(expected), "{what}: {error}");
            }
        }
        place.assert_nothing_left(&context, &what);
        assert!(place.answer(&PROBE, &Context::unlimited()) == probe, "{what}: the next statement answers differently");
    }
    clear();
    let again = place.answer(&operator.what, &Context::unlimited());
    assert_eq!(again.len(), whole.len(), "{} answers differently after it was stopped", operator.name);
}

#[test]
fn every_operator_stops_at_every_poll_and_every_charge() {
    let log = Log::begin();
    let work = || {
        let place = Place::new();
        for operator in OPERATORS {
            stop_everywhere(&place, operator);
        }
        place.handle.stop();
    };
    // Evaluation recurses; the server's own threads have as much.
    let done = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join();
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
    assert!(log.defects().is_empty());
}
