//! Transactions: what a writer sees, what others see, conflicts, and what a restart and a new load keep.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/chain.rs"]
mod chain;
mod common;
#[path = "common/shop.rs"]
mod shop;

use facetta_engine::{CellWrite, Database, DefinitionChange, Source, Store, Transaction};
use facetta_model::{Context, ErrorKind, LinkId, MeasureGroupId, MemberId, Path, Snapshot, SubcubeFilter, Value, name};
use shop::{SALES, SHOPS, Shop, definition, set_age, totals, towns};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The amount of a town, or of all of them.
fn amount(database: &Database, town: Option<&str>, value: impl Into<Value>) -> CellWrite {
    let snapshot = database.snapshot();
    let members = &snapshot.catalog().dimensions[0].hierarchies[0].members;
    let filters = town.map(|town| {
        let found = members.children(MemberId(0)).map(MemberId).find(|&m| name::same(members.name(m), town));
        let path = Path { link: LinkId(0), hierarchy: 0 };
        SubcubeFilter { path, subtrees: vec![found.unwrap()], own: vec![] }
    });
    CellWrite {
        group: MeasureGroupId(0),
        measure: 0,
        filters: filters.into_iter().collect(),
        tuples: vec![],
        value: value.into(),
    }
}

fn write(transaction: &Transaction, database: &Arc<Database>, write: &CellWrite) -> usize {
    transaction.write(database, write, &Context::unlimited()).unwrap_or_else(|e| panic!("{e}")).cells
}

fn commit(transaction: &Transaction) -> facetta_model::Result<()> {
    transaction.commit(&Context::unlimited())
}

struct Open {
    store: Arc<Store>,
    database: Arc<Database>,
}

fn open(shop: &Shop) -> Open {
    let store = Arc::new(Store::open(&shop.data()).unwrap());
    let source = Source::Folder(shop.source());
    let loaded = store.load("Shops", &definition(), &source, &Context::unlimited(), &|_| {});
    Open { store, database: loaded.unwrap_or_else(|e| panic!("{e}")) }
}

#[test]
fn the_writer_sees_changes_at_once_and_others_after_the_commit() {
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let transaction = store.begin();
    let before = database.snapshot();
    let version = transaction.snapshot(&database).data_version();
    assert_eq!(towns(&*transaction.snapshot(&database)), "Bern 2.25, Lyon 4.5");
    assert_eq!(write(&transaction, &database, &amount(&database, Some("Lyon"), 10.0)), 1);
    assert_ne!(transaction.snapshot(&database).data_version(), version);
    assert_eq!(towns(&*transaction.snapshot(&database)), "Bern 2.25, Lyon 10");
    assert_eq!(towns(&*transaction.naive_snapshot(&database)), "Bern 2.25, Lyon 10");
    assert_eq!(towns(&*database.snapshot()), "Bern 2.25, Lyon 4.5");
    // A total over both, which does not divide: the first takes the last cent.
    assert_eq!(write(&transaction, &database, &amount(&database, None, 0.05)), 2);
    assert_eq!(towns(&*transaction.snapshot(&database)), "Bern 0.03, Lyon 0.02");
    let updated = database.snapshot().catalog().last_data_update;
    commit(&transaction).unwrap();
    assert_eq!(towns(&*database.snapshot()), "Bern 0.03, Lyon 0.02");
    assert!(database.snapshot().catalog().last_data_update > updated);
    // Counts are of facts, which are still four.
    assert_eq!(totals(&*database.snapshot()), [Value::Double(0.05), Value::Int(2)]);
    assert_eq!(towns(&*before), "Bern 2.25, Lyon 4.5", "a snapshot stays as it is");
}

#[test]
fn rollback_and_savepoints_take_back() {
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let transaction = store.begin();
    write(&transaction, &database, &amount(&database, Some("Lyon"), 10.0));
    let savepoint = transaction.savepoint();
    write(&transaction, &database, &amount(&database, Some("Bern"), 7.0));
    write(&transaction, &database, &amount(&database, Some("Lyon"), 8.0));
    transaction.rollback_to(savepoint).unwrap();
    assert_eq!(towns(&*transaction.snapshot(&database)), "Bern 2.25, Lyon 10");
    transaction.rollback();
    assert!(!transaction.has_changes());
    assert_eq!(towns(&*transaction.snapshot(&database)), "Bern 2.25, Lyon 4.5");
    commit(&transaction).unwrap();
    drop(transaction);
    assert_eq!(towns(&*database.snapshot()), "Bern 2.25, Lyon 4.5");
}

#[test]
fn the_first_committer_wins_cell_by_cell() {
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let (first, second, third) = (store.begin(), store.begin(), store.begin());
    write(&first, &database, &amount(&database, Some("Lyon"), 10.0));
    write(&second, &database, &amount(&database, Some("Bern"), 5.0));
    // As it is already: a write all the same.
    write(&third, &database, &amount(&database, Some("Lyon"), 4.5));
    commit(&first).unwrap();
    commit(&second).unwrap();
    let error = commit(&third).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("'Amount'"), "{error}");
    assert!(!third.has_changes());
    assert_eq!(towns(&*database.snapshot()), "Bern 5, Lyon 10");
    // One that begins now is after all of them.
    let fourth = store.begin();
    write(&fourth, &database, &amount(&database, Some("Lyon"), 1.0));
    commit(&fourth).unwrap();
    assert_eq!(towns(&*database.snapshot()), "Bern 5, Lyon 1");
}

/// The statements of a catalog's global definitions.
fn defined(snapshot: &dyn Snapshot) -> Vec<String> {
    snapshot.catalog().global_definitions.iter().map(|d| d.text.to_string()).collect()
}

fn define(transaction: &Transaction, database: &Arc<Database>, key: &str, text: Option<&str>) {
    let change = DefinitionChange { key: key.into(), text: text.map(Into::into) };
    transaction.define(database, vec![change], &Context::unlimited()).unwrap();
}

#[test]
fn definitions_are_changes_like_those_of_cells() {
    let shop = Shop::new();
    let opened = open(&shop);
    let Open { store, database } = &opened;
    let transaction = store.begin();
    let before = database.snapshot();
    define(&transaction, database, "a", Some("A"));
    write(&transaction, database, &amount(database, Some("Lyon"), 10.0));
    let savepoint = transaction.savepoint();
    define(&transaction, database, "a", None);
    define(&transaction, database, "b", Some("B"));
    assert_eq!(defined(&*transaction.snapshot(database)), ["B"]);
    transaction.rollback_to(savepoint).unwrap();
    define(&transaction, database, "c", Some("C"));
    assert_eq!(defined(&*transaction.snapshot(database)), ["A", "C"]);
    assert_eq!(defined(&*database.snapshot()), [""; 0]);
    commit(&transaction).unwrap();
    assert_eq!(defined(&*database.snapshot()), ["A", "C"]);
    assert_eq!(towns(&*database.snapshot()), "Bern 2.25, Lyon 10");
    assert!(database.snapshot().catalog().last_schema_update > before.catalog().last_schema_update);
    assert_eq!(defined(&*before), [""; 0], "a snapshot stays as it is");
    // A change of definitions alone leaves the data as it is, and what is kept of it.
    let version = database.snapshot().data_version();
    let (first, second, third) = (store.begin(), store.begin(), store.begin());
    define(&first, database, "a", Some("A2"));
    define(&second, database, "a", None);
    define(&third, database, "d", Some("D"));
    for result in [commit(&first), commit(&third)] {
        result.unwrap();
    }
    assert_eq!(commit(&second).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(defined(&*database.snapshot()), ["C", "A2", "D"]);
    assert_eq!(database.snapshot().data_version(), version);
    let rolled_back = store.begin();
    define(&rolled_back, database, "e", Some("E"));
    rolled_back.rollback();
    commit(&rolled_back).unwrap();
    drop((first, second, third, transaction, rolled_back, before));
    drop(opened);
    let again = open(&shop);
    assert_eq!(defined(&*again.database.snapshot()), ["C", "A2", "D"]);
    assert_eq!(towns(&*again.database.snapshot()), "Bern 2.25, Lyon 10");
}

#[test]
fn a_commit_that_is_cancelled_leaves_the_transaction_as_it_was() {
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let transaction = store.begin();
    write(&transaction, &database, &amount(&database, Some("Lyon"), 10.0));
    let context = Context::unlimited();
    context.token().cancel(facetta_model::CancelReason::Cancel);
    assert_eq!(transaction.commit(&context).unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(transaction.has_changes());
    assert_eq!(towns(&*transaction.snapshot(&database)), "Bern 2.25, Lyon 10");
    assert_eq!(towns(&*database.snapshot()), "Bern 2.25, Lyon 4.5");
    commit(&transaction).unwrap();
    assert_eq!(towns(&*database.snapshot()), "Bern 2.25, Lyon 10");
}

#[test]
fn readers_never_see_half_a_commit() {
    const COMMITS: i64 = 200;
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let change = |bern: i64| {
        let transaction = store.begin();
        write(&transaction, &database, &amount(&database, Some("Bern"), bern));
        write(&transaction, &database, &amount(&database, Some("Lyon"), 1000 - bern));
        commit(&transaction).unwrap();
    };
    change(0);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let mut last = 0;
            loop {
                // Asked first: the last look is at what the last commit has left.
                let done = over.load(SeqCst);
                let snapshot = database.snapshot();
                assert_eq!(totals(&*snapshot)[0].as_f64(), Some(1000.0));
                let towns = towns(&*snapshot);
                let bern = towns.strip_prefix("Bern ").and_then(|t| t.split(',').next()).and_then(|t| t.parse().ok());
                let bern: i64 = bern.unwrap_or_else(|| panic!("{towns}"));
                assert_eq!(towns, format!("Bern {bern}, Lyon {}", 1000 - bern));
                assert!(bern >= last, "after {last} it was {bern} again");
                last = bern;
                if done {
                    return last;
                }
            }
        };
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        (1..=COMMITS).for_each(change);
        over.store(true, SeqCst);
        assert!(readers.into_iter().all(|r| r.join().unwrap() == COMMITS));
    });
}

#[test]
fn commits_survive_restarts_and_loads() {
    let shop = Shop::new();
    let opened = open(&shop);
    let transaction = opened.store.begin();
    write(&transaction, &opened.database, &amount(&opened.database, Some("Lyon"), 10.0));
    commit(&transaction).unwrap();
    let unfinished = opened.store.begin();
    write(&unfinished, &opened.database, &amount(&opened.database, Some("Bern"), 99.0));
    drop((opened, transaction, unfinished));
    assert_eq!(towns(&*open(&shop).database.snapshot()), "Bern 2.25, Lyon 10");
    // Members get other numbers, and Lyon sells 1.00 more.
    let change = |shops: &str, sales: &str| {
        shop.write("shops.csv", shops);
        shop.write("sales.csv", sales);
        set_age(&shop.source().join("sales.csv"), 30);
        set_age(&shop.source().join("shops.csv"), 30);
    };
    change(&format!("{SHOPS}4,Aarau\n"), &format!("{SALES}4,1.00,1\n1,1.00,2\n"));
    assert_eq!(towns(&*open(&shop).database.snapshot()), "Aarau 1, Bern 2.25, Lyon 11");
    // Without Lyon its change waits; with it, it is there again.
    change("id,town\n2,Bern\n", "shop,amount,code\n2,2.25,1\n");
    assert_eq!(towns(&*open(&shop).database.snapshot()), "Bern 2.25");
    change(SHOPS, SALES);
    assert_eq!(towns(&*open(&shop).database.snapshot()), "Bern 2.25, Lyon 10");
}

#[test]
fn named_commits_are_known_after_a_restart() {
    let shop = Shop::new();
    let names = {
        let Open { store, database } = open(&shop);
        for (name, bern) in [(7, 1.0), (0, 2.0), (u128::MAX, 3.0)] {
            let transaction = store.begin();
            write(&transaction, &database, &amount(&database, Some("Bern"), bern));
            transaction.commit_as(name, &Context::unlimited()).unwrap();
        }
        // Nothing to commit leaves nothing; what lost a conflict neither.
        store.begin().commit_as(8, &Context::unlimited()).unwrap();
        let (first, second) = (store.begin(), store.begin());
        for transaction in [&first, &second] {
            write(transaction, &database, &amount(&database, Some("Lyon"), 1.0));
        }
        commit(&first).unwrap();
        second.commit_as(9, &Context::unlimited()).unwrap_err();
        store.committed().unwrap()
    };
    let mut sorted: Vec<u128> = names.iter().copied().collect();
    sorted.sort_unstable();
    assert_eq!(sorted, [7, u128::MAX]);
    let Open { store, database } = open(&shop);
    assert_eq!(store.committed().unwrap(), names);
    assert_eq!(towns(&*database.snapshot()), "Bern 3, Lyon 1");
}

#[test]
fn a_transaction_outlives_a_load() {
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let (lyon, bern) = (store.begin(), store.begin());
    write(&lyon, &database, &amount(&database, Some("Lyon"), 10.0));
    write(&bern, &database, &amount(&database, Some("Bern"), 9.0));
    shop.write("shops.csv", "id,town\n1,Lyon\n2,Aarau\n3,Lyon\n");
    set_age(&shop.source().join("shops.csv"), 30);
    let source = Source::Folder(shop.source());
    store.load("Shops", &definition(), &source, &Context::unlimited(), &|_| {}).unwrap();
    assert_eq!(towns(&*lyon.snapshot(&database)), "Bern 2.25, Lyon 10", "its base version");
    commit(&lyon).unwrap();
    assert_eq!(towns(&*database.snapshot()), "Aarau 2.25, Lyon 10");
    assert_eq!(commit(&bern).unwrap_err().kind(), ErrorKind::Conflict, "Bern is gone");
}

#[test]
fn what_cannot_be_written_says_why() {
    let shop = Shop::new();
    let Open { store, database } = open(&shop);
    let transaction = store.begin();
    let mut nowhere = amount(&database, Some("Bern"), 1.0);
    nowhere.filters.push(amount(&database, Some("Lyon"), 1.0).filters.remove(0));
    let mut codes = amount(&database, None, 1.0);
    codes.measure = 1;
    let table = [
        (codes, "The measure 'Codes' cannot be written"),
        (nowhere, "The cell of 'Amount' has no leaf cell under it that could be written"),
        (amount(&database, None, "x"), "a cell cannot be set to 'x'"),
        (amount(&database, None, f64::INFINITY), "a cell cannot be set to 'inf'"),
        (amount(&database, None, 1e300), "the value is too large for a cell"),
        (amount(&database, None, 1e18), "The value is too large for a cell of 'Amount'"),
    ];
    for (write, expected) in table {
        let error = transaction.write(&database, &write, &Context::unlimited()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::NotWritable, expected));
    }
    assert!(!transaction.has_changes());
}

#[test]
fn many_writes_are_merged_and_all_totals_follow() {
    let store = Arc::new(Store::in_memory());
    let (definition, source) = (chain::definition(), chain::source(3, 500, 20));
    let database = store.load("Chain", &definition, &source, &Context::unlimited(), &|_| {}).unwrap();
    let transaction = store.begin();
    let mut dice = chain::Dice(5);
    let kinds = Path { link: LinkId(2), hierarchy: 0 };
    for n in 0..30 {
        let subtrees = vec![MemberId(1 + dice.roll(5) as u32)];
        let measure = dice.roll(3) as u32;
        let value = Value::Double(dice.roll(100_000) as f64 / 100.0);
        let filters = vec![SubcubeFilter { path: kinds, subtrees, own: vec![] }];
        let write = CellWrite { group: MeasureGroupId(0), measure, filters, tuples: vec![], value: value.clone() };
        transaction.write(&database, &write, &Context::unlimited()).unwrap();
        let request = facetta_model::SubcubeRequest {
            group: write.group,
            measures: vec![0, 1, 2],
            axes: vec![],
            filters: write.filters.clone(),
            tuples: vec![],
        };
        let ask = |snapshot: Arc<dyn Snapshot>| snapshot.subcube(&request, &Context::unlimited()).unwrap();
        let (ours, naive) = (ask(transaction.snapshot(&database)), ask(transaction.naive_snapshot(&database)));
        let wanted = value.as_f64().unwrap();
        let wanted = if measure == 0 { wanted.round() } else { wanted };
        let got = ours.values[measure as usize].value(0).as_f64().unwrap();
        assert!((got - wanted).abs() < 1e-6, "write {n}: {got} for {wanted}");
        assert_eq!(ours.values[..2], naive.values[..2], "write {n}");
    }
    let before = totals(&*transaction.snapshot(&database));
    commit(&transaction).unwrap();
    assert_eq!(totals(&*database.snapshot()), before);
}

#[test]
fn foodmart_can_be_written() {
    let Some(folder) = common::shared("foodmart") else { return };
    let definition = facetta_schema::load(&folder.join("FoodMart.xml")).unwrap();
    let data = tempfile::tempdir().unwrap();
    let load = || {
        let store = Arc::new(Store::open(data.path()).unwrap());
        let source = Source::Folder(folder.join("data"));
        let database = store.load("FoodMart", &definition, &source, &Context::unlimited(), &|_| {}).unwrap();
        (store, database)
    };
    let (store, database) = load();
    let snapshot = database.snapshot();
    let ask = common::Ask::of(&*snapshot, "Sales").measure("Unit Sales").only("Store", &["USA.CA"]);
    assert_eq!(ask.value(), Value::Double(74_748.0));
    let transaction = store.begin();
    let write = CellWrite {
        group: ask.request.group,
        measure: ask.request.measures[0],
        filters: ask.request.filters.clone(),
        tuples: vec![],
        value: Value::Int(100_000),
    };
    transaction.write(&database, &write, &Context::unlimited()).unwrap();
    transaction.commit(&Context::unlimited()).unwrap();
    let total = |database: &Database| common::Ask::of(&*database.snapshot(), "Sales").measure("Unit Sales").value();
    assert_eq!(total(&database), Value::Double(266_773.0 - 74_748.0 + 100_000.0));
    drop((store, database, transaction));
    assert_eq!(total(&load().1), Value::Double(292_025.0));
}
