//! Every operator is cancelled at its polls, refused at its charges and ended at a limit of memory, and gives all bytes back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/chain.rs"]
mod chain;

use facetta_engine::{CellWrite, Database, Store};
use facetta_model::{
    CancelReason, Context, ErrorKind, Grain, LinkId, MeasureGroupId, MemberId, MemberPart, Path, Result, RowsRequest,
    SourceColumn, SubcubeAxis, SubcubeFilter, SubcubeRequest, Trip, TupleFilter, Value,
};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Rows: more than one block.
const ROWS: usize = 150_000;

struct Loaded {
    store: Arc<Store>,
    database: Arc<Database>,
}

fn load() -> Loaded {
    let store = Arc::new(Store::in_memory());
    let source = chain::source(7, ROWS, 70_000);
    let database = store.load("Chain", &chain::definition(), &source, &Context::unlimited(), &|_| {}).unwrap();
    Loaded { store, database }
}

/// What is run, and a limit of memory that it cannot keep.
struct Operator {
    name: &'static str,
    /// The name that the fault gives it.
    charged_as: &'static str,
    limit: u64,
    run: fn(&Loaded, &Context) -> Result<()>,
}

const PLACE: Path = Path { link: LinkId(0), hierarchy: 0 };
const STAFF: Path = Path { link: LinkId(1), hierarchy: 0 };
const KIND: Path = Path { link: LinkId(2), hierarchy: 0 };

fn axis(path: Path, depth: u8) -> SubcubeAxis {
    SubcubeAxis { path, grain: Grain::Depth(depth) }
}

fn ask(loaded: &Loaded, context: &Context, axes: Vec<SubcubeAxis>, measures: Vec<u32>) -> Result<()> {
    let request = SubcubeRequest { group: MeasureGroupId(0), measures, axes, filters: vec![], tuples: vec![] };
    loaded.database.snapshot().subcube(&request, context).map(drop)
}

static OPERATORS: &[Operator] = &[
    Operator {
        name: "process",
        charged_as: "Process",
        limit: 1 << 20,
        run: |_, context| {
            let (definition, source) = (chain::definition(), chain::source(7, ROWS, 70_000));
            Store::in_memory().load("Chain", &definition, &source, context, &|_| {}).map(drop)
        },
    },
    Operator {
        name: "scan with filters and tuples",
        charged_as: "Scan",
        limit: 50,
        run: |loaded, context| {
            let filters = vec![SubcubeFilter { path: KIND, subtrees: vec![MemberId(1), MemberId(3)], own: vec![] }];
            let tuples = vec![TupleFilter {
                paths: vec![PLACE, KIND],
                tuples: vec![MemberId(1), MemberId(1), MemberId(2), MemberId(3)],
            }];
            let request = SubcubeRequest { group: MeasureGroupId(0), measures: vec![0], axes: vec![], filters, tuples };
            loaded.database.snapshot().subcube(&request, context).map(drop)
        },
    },
    Operator {
        name: "group by array",
        charged_as: "Group",
        limit: 1500,
        run: |loaded, context| ask(loaded, context, vec![axis(PLACE, 3), axis(KIND, 1)], (0..11).collect()),
    },
    Operator {
        name: "group by hash",
        charged_as: "Group",
        limit: 100_000,
        // Places, people and kinds four times each: far more combinations than an array could have.
        run: |loaded, context| {
            let own = SubcubeAxis { path: STAFF, grain: Grain::Own };
            let mut axes = vec![axis(PLACE, 3), own, axis(KIND, 1)];
            axes.extend(axes.clone());
            ask(loaded, context, axes, vec![0, 1, 2, 9])
        },
    },
    Operator {
        name: "distinct count by bits",
        charged_as: "Distinct count",
        limit: 20_000,
        run: |loaded, context| ask(loaded, context, vec![axis(KIND, 1)], vec![11]),
    },
    Operator {
        name: "distinct count by pairs",
        charged_as: "Distinct count",
        limit: 500_000,
        run: |loaded, context| {
            let own = SubcubeAxis { path: STAFF, grain: Grain::Own };
            ask(loaded, context, vec![axis(PLACE, 3), own, axis(KIND, 1)], vec![11])
        },
    },
    Operator {
        name: "source rows",
        charged_as: "Drill-through",
        limit: 10_000,
        run: |loaded, context| {
            let member = SourceColumn::Member { path: PLACE, level: 3, part: MemberPart::Name };
            let columns = vec![("City".to_owned(), member), ("Money".to_owned(), SourceColumn::Measure(1))];
            let request = RowsRequest {
                group: MeasureGroupId(0),
                columns,
                filters: vec![],
                tuples: vec![],
                max_rows: None,
                skip_rows: 0,
            };
            let mut rows = loaded.database.snapshot().source_rows(&request, context)?;
            while (rows.rows)(context)?.is_some() {}
            Ok(())
        },
    },
    Operator {
        name: "writeback",
        charged_as: "Writeback",
        limit: 100_000,
        run: |loaded, context| {
            let transaction = loaded.store.begin();
            transaction.write(&loaded.database, &write(), context).map(drop)
        },
    },
    Operator {
        name: "commit",
        charged_as: "",
        limit: u64::MAX,
        run: |loaded, context| {
            let transaction = loaded.store.begin();
            transaction.write(&loaded.database, &write(), &Context::unlimited())?;
            let committed = transaction.commit(context);
            assert_eq!(transaction.has_changes(), committed.is_err(), "one that is interrupted is as it was");
            committed
        },
    },
    Operator {
        name: "row by row",
        charged_as: "",
        limit: u64::MAX,
        run: |loaded, context| {
            let request = SubcubeRequest {
                group: MeasureGroupId(0),
                measures: vec![0],
                axes: vec![],
                filters: vec![],
                tuples: vec![],
            };
            loaded.database.naive_snapshot().subcube(&request, context).map(drop)
        },
    },
];

fn write() -> CellWrite {
    CellWrite { group: MeasureGroupId(0), measure: 1, filters: vec![], tuples: vec![], value: Value::Int(1_000_000) }
}

#[test]
fn every_operator_polls_and_stops() {
    let loaded = load();
    for operator in OPERATORS {
        let free = Context::unlimited();
        (operator.run)(&loaded, &free).unwrap_or_else(|e| panic!("{}: {e}", operator.name));
        let polls = free.counters().checks.load(Relaxed);
        assert!(polls >= 2, "{} polls {polls} times", operator.name);
        assert_eq!(free.memory().held(), 0, "{} keeps bytes", operator.name);
        // Cancelled before it begins.
        let cancelled = Context::unlimited();
        cancelled.token().cancel(CancelReason::Cancel);
        let error = (operator.run)(&loaded, &cancelled).expect_err(operator.name);
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{}", operator.name);
        let charges = free.memory().charges();
        let trips = numbers(polls).map(Trip::Check).chain(numbers(charges).map(Trip::Charge));
        for trip in trips {
            let context = Context::tripping(trip);
            let error = (operator.run)(&loaded, &context).expect_err(operator.name);
            let expected = match trip {
                Trip::Check(_) => ErrorKind::Cancelled,
                Trip::Charge(_) => ErrorKind::MemoryLimit,
            };
            assert_eq!(error.kind(), expected, "{} at {trip:?}: {error}", operator.name);
            assert_eq!(context.memory().held(), 0, "{} keeps bytes at {trip:?}", operator.name);
        }
    }
}

/// Some numbers from 1 to `most`, the first and the last ones among them.
fn numbers(most: u64) -> impl Iterator<Item = u64> {
    let steps = 6;
    let mut numbers: Vec<u64> =
        (1..=4).chain((1..steps).map(|n| most * n / steps)).chain([most - most.min(1), most]).collect();
    numbers.retain(|n| (1..=most).contains(n));
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter()
}

#[test]
fn every_operator_keeps_its_limit_of_memory() {
    let loaded = load();
    for operator in OPERATORS.iter().filter(|o| o.limit < u64::MAX) {
        let poor = Context::new(operator.limit, None);
        let error = (operator.run)(&loaded, &poor).expect_err(operator.name);
        assert_eq!(error.kind(), ErrorKind::MemoryLimit, "{}: {error}", operator.name);
        assert!(error.message().ends_with(&format!(" in {}", operator.charged_as)), "{}: {error}", operator.name);
        assert_eq!(poor.memory().held(), 0, "{} keeps bytes", operator.name);
    }
}

#[test]
fn work_is_counted() {
    let loaded = load();
    let context = Context::unlimited();
    ask(&loaded, &context, vec![axis(KIND, 1)], vec![0]).unwrap();
    let counters = context.counters();
    assert_eq!(counters.rows_read.load(Relaxed), ROWS as u64);
    assert_eq!(counters.scans.load(Relaxed), 1);
    // A code of a byte and a number of eight.
    assert_eq!(counters.bytes_read.load(Relaxed), ROWS as u64 * 9);
    assert!(counters.cpu_nanos.load(Relaxed) > 0);
}
