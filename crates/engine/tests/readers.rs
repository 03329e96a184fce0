//! No reader sees half a commit: amounts move between cells in transactions while threads add them up.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/chain.rs"]
mod chain;

use facetta_engine::{CellWrite, Database, Store};
use facetta_model::{
    Context, Grain, LinkId, MeasureGroupId, MemberId, Path, Snapshot, SubcubeAxis, SubcubeFilter, SubcubeRequest, Value,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

const KIND: Path = Path { link: LinkId(2), hierarchy: 0 };
/// What the two kinds of each writer hold together.
const TOTAL: i64 = 1000;
/// Transactions of each writer, of which every fourth is rolled back.
const TRANSACTIONS: i64 = 60;
const READERS: usize = 3;

/// Sets the units of a kind.
fn set(kind: u32, value: i64) -> CellWrite {
    let filters = vec![SubcubeFilter { path: KIND, subtrees: vec![MemberId(kind)], own: vec![] }];
    CellWrite { group: MeasureGroupId(0), measure: 0, filters, tuples: vec![], value: Value::Int(value) }
}

/// The units of each kind, which are members 1 to 5, and 6 for none.
fn units(snapshot: &dyn Snapshot) -> [i64; 7] {
    let request = SubcubeRequest {
        group: MeasureGroupId(0),
        measures: vec![0],
        axes: vec![SubcubeAxis { path: KIND, grain: Grain::Depth(1) }],
        filters: vec![],
        tuples: vec![],
    };
    let answer = snapshot.subcube(&request, &Context::unlimited()).unwrap();
    let mut units = [0; 7];
    for row in 0..answer.rows {
        match answer.values[0].value(row) {
            Value::Int(value) => units[answer.keys[0][row].index()] = value,
            other => panic!("units are whole, and not {other:?}"),
        }
    }
    units
}

/// Ends the writers when a reader has failed.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

struct Shared {
    store: Arc<Store>,
    database: Arc<Database>,
    reads: AtomicUsize,
    done: AtomicBool,
}

impl Shared {
    /// Waits until readers have read some more, so that they see every state on the way.
    fn let_read(&self) {
        let before = self.reads.load(SeqCst);
        while self.reads.load(SeqCst) < before + READERS && !self.done.load(SeqCst) {
            std::thread::yield_now();
        }
    }

    /// Moves units between two kinds, in two writes of one transaction with reads between them.
    fn write(&self, (one, other): (u32, u32)) {
        for n in 0..TRANSACTIONS {
            let transaction = self.store.begin();
            let write =
                |kind, value| transaction.write(&self.database, &set(kind, value), &Context::unlimited()).unwrap();
            write(one, n * 7 % TOTAL);
            self.let_read();
            write(other, TOTAL - n * 7 % TOTAL);
            let own = units(&*transaction.snapshot(&self.database));
            assert_eq!(own[one as usize], n * 7 % TOTAL, "a writer sees its own changes");
            if n % 4 == 3 {
                transaction.rollback();
            } else {
                transaction.commit(&Context::unlimited()).unwrap();
            }
            self.let_read();
        }
    }

    /// Adds up until the writers are done. The versions seen.
    fn read(&self, pairs: &[(u32, u32)]) -> usize {
        let _finish = Finish(&self.done);
        let mut versions = BTreeSet::new();
        while !self.done.load(SeqCst) {
            let snapshot = self.database.snapshot();
            let seen = units(&*snapshot);
            for &(one, other) in pairs {
                assert_eq!(seen[one as usize] + seen[other as usize], TOTAL, "half a commit: {seen:?}");
            }
            self.reads.fetch_add(1, SeqCst);
            // A version stays as it is while others are committed.
            assert_eq!(units(&*snapshot), seen);
            versions.insert(snapshot.data_version());
        }
        versions.len()
    }
}

#[test]
fn no_reader_sees_half_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let source = chain::source(7, 400, 20);
    let database = store.load("Chain", &chain::definition(), &source, &Context::unlimited(), &|_| {}).unwrap();
    let pairs = [(1, 2), (3, 4)];
    let first = store.begin();
    for (one, other) in pairs {
        first.write(&database, &set(one, TOTAL), &Context::unlimited()).unwrap();
        first.write(&database, &set(other, 0), &Context::unlimited()).unwrap();
    }
    first.commit(&Context::unlimited()).unwrap();
    drop(first);
    let shared = Shared { store, database, reads: AtomicUsize::new(0), done: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(|| shared.read(&pairs))).collect();
        let writers: Vec<_> = pairs
            .iter()
            .map(|&pair| {
                scope.spawn({
                    let shared = &shared;
                    move || shared.write(pair)
                })
            })
            .collect();
        let failed = writers.into_iter().filter_map(|w| w.join().err()).next();
        shared.done.store(true, SeqCst);
        for reader in readers {
            let versions = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            assert!(versions > 1, "a reader saw {versions} versions");
        }
        if let Some(panic) = failed {
            std::panic::resume_unwind(panic);
        }
    });
    let last = units(&*shared.database.snapshot());
    let naive = units(&*shared.database.naive_snapshot());
    assert_eq!(last, naive);
    // The last of the numbers 0 to 59 that was not rolled back.
    assert_eq!(last[1], 58 * 7);
}
