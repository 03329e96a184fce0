//! The column store and the row-by-row reference answer random requests alike.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/chain.rs"]
mod chain;
mod common;

use chain::Dice;
use facetta_engine::Database;
use facetta_model::{
    Context, Grain, LinkId, MeasureData, MeasureGroupId, MemberId, Path, Snapshot, Subcube, SubcubeAxis, SubcubeFilter,
    SubcubeRequest, TupleFilter, Value,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A random request to a measure group.
fn request(snapshot: &dyn Snapshot, group: MeasureGroupId, dice: &mut Dice) -> SubcubeRequest {
    let catalog = snapshot.catalog();
    let stored = &catalog.measure_groups[group.index()];
    let paths: Vec<Path> = stored
        .links
        .iter()
        .enumerate()
        .flat_map(|(at, link)| {
            let count = catalog.dimensions[link.dimension.index()].hierarchies.len();
            (0..count).map(move |h| Path { link: LinkId::from(at), hierarchy: h as u32 })
        })
        .collect();
    let hierarchy = |path: Path| {
        let dimension = &catalog.dimensions[stored.links[path.link.index()].dimension.index()];
        dimension.hierarchies[path.hierarchy as usize].clone()
    };
    let any_path = |dice: &mut Dice| paths[dice.roll(paths.len())];
    let any_member = |path: Path, dice: &mut Dice| {
        let members = hierarchy(path);
        // Members near the top as often as others.
        let depth = dice.roll(members.members.depths());
        let range = members.members.at_depth(depth);
        MemberId(range.start + dice.roll(range.len()) as u32)
    };
    let axes = (0..dice.roll(4))
        .map(|_| {
            let path = any_path(dice);
            let found = hierarchy(path);
            let depth = Grain::Depth(dice.roll(found.members.depths()) as u8);
            let grain = if found.parent_child && dice.once_in(3) { Grain::Own } else { depth };
            SubcubeAxis { path, grain }
        })
        .collect();
    let filters = (0..dice.roll(3))
        .map(|_| {
            let path = any_path(dice);
            let mut some = |most: usize| {
                let mut members: Vec<MemberId> = (0..dice.roll(most)).map(|_| any_member(path, dice)).collect();
                members.sort_unstable();
                members.dedup();
                members
            };
            let subtrees = some(6);
            let own = if hierarchy(path).parent_child { some(4) } else { vec![] };
            SubcubeFilter { path, subtrees, own }
        })
        .collect();
    let tuples = (0..dice.roll(5) / 3)
        .map(|_| {
            let paths: Vec<Path> = (0..1 + dice.roll(2)).map(|_| any_path(dice)).collect();
            let count = dice.roll(12);
            let tuples = (0..count).flat_map(|_| paths.clone()).map(|path| any_member(path, dice)).collect();
            TupleFilter { paths, tuples }
        })
        .collect();
    let measures = (0..1 + dice.roll(4)).map(|_| dice.roll(stored.measures.len()) as u32).collect();
    SubcubeRequest { group, measures, axes, filters, tuples }
}

/// Rows by key; doubles rounded, since they may be added in another order.
fn rows(answer: &Subcube) -> BTreeMap<Vec<MemberId>, Vec<String>> {
    let row = |at: usize| {
        let key: Vec<MemberId> = answer.keys.iter().map(|k| k[at]).collect();
        let values = answer.values.iter().map(|column| match (&column.data, column.value(at)) {
            (MeasureData::Double(_), Value::Double(d)) => format!("{d:.6}"),
            (_, value) => format!("{value:?}"),
        });
        (key, values.collect())
    };
    let rows: BTreeMap<_, _> = (0..answer.rows).map(row).collect();
    assert_eq!(rows.len(), answer.rows, "a key stands twice");
    rows
}

fn compare(database: &Database, group: MeasureGroupId, seed: u64) {
    let (store, naive) = (database.snapshot(), database.naive_snapshot());
    let request = request(&*store, group, &mut Dice(seed));
    let context = Context::unlimited();
    let ours = store.subcube(&request, &context).unwrap_or_else(|e| panic!("{e}: {request:?}"));
    let reference = naive.subcube(&request, &context).unwrap_or_else(|e| panic!("{e}: {request:?}"));
    assert_eq!(rows(&ours), rows(&reference), "seed {seed}: {request:?}");
    assert_eq!(context.memory().held(), 0, "memory is still charged");
}

fn chain_of_many_blocks() -> &'static Database {
    static LOADED: OnceLock<std::sync::Arc<Database>> = OnceLock::new();
    LOADED.get_or_init(|| chain::load(7, 150_000, 70_000))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_catalogs_answer_alike(seed in any::<u64>()) {
        let database = chain::load(seed % 20, 1 + (seed % 400) as usize, 50);
        compare(&database, MeasureGroupId(0), seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_blocks_answer_alike(seed in any::<u64>()) {
        compare(chain_of_many_blocks(), MeasureGroupId(0), seed);
    }
}

#[test]
fn foodmart_answers_alike() {
    let Some(database) = common::foodmart() else { return };
    let groups = database.snapshot().catalog().measure_groups.len();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let run = runner.run(&(any::<u64>(), 0..groups), |(seed, group)| {
        compare(&database, MeasureGroupId::from(group), seed);
        Ok(())
    });
    run.unwrap_or_else(|e| panic!("{e}"));
}
