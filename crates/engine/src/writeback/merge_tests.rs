//! Merges of the log of commits: what is left, what goes on meanwhile, and a kill at every stage of one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::merge::merge_log;
use crate::log::Stage;
use crate::shop::{SALES, Shop, definition, towns};
use crate::{CellWrite, Database, DefinitionChange, Source, Store};
use facetta_model::{Context, LinkId, MeasureGroupId, MemberId, Path, SubcubeFilter, Value};
use std::collections::BTreeSet;
use std::path::Path as FilePath;
use std::process::Command;
use std::sync::Arc;

struct Open {
    store: Arc<Store>,
    database: Arc<Database>,
}

fn open(shop: &Shop) -> Open {
    open_at(&shop.data(), &shop.source())
}

fn open_at(data: &FilePath, source: &FilePath) -> Open {
    let store = Arc::new(Store::open(data).unwrap());
    let source = Source::Folder(source.to_owned());
    let loaded = store.load("Shops", &definition(), &source, &Context::unlimited(), &|_| {});
    Open { store, database: loaded.unwrap() }
}

impl Open {
    /// Commits an amount of a town: 1 is Bern, 2 is Lyon.
    fn set(&self, town: u32, value: f64) {
        let transaction = self.store.begin();
        let path = Path { link: LinkId(0), hierarchy: 0 };
        let filters = vec![SubcubeFilter { path, subtrees: vec![MemberId(town)], own: vec![] }];
        let group = MeasureGroupId(0);
        let write = CellWrite { group, measure: 0, filters, tuples: vec![], value: Value::Double(value) };
        transaction.write(&self.database, &write, &Context::unlimited()).unwrap();
        transaction.commit(&Context::unlimited()).unwrap();
    }

    fn towns(&self) -> String {
        towns(&*self.database.snapshot())
    }

    /// Merges the log however short it is.
    fn merge(&self, at: &mut dyn FnMut(Stage)) {
        self.store.log().leave_up_to(0);
        assert!(merge_log(|| self.store.log(), &Context::unlimited(), at).unwrap());
    }
}

fn files(shop: &Shop) -> BTreeSet<String> {
    let names = std::fs::read_dir(shop.data()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|n| n.starts_with("writeback")).collect()
}

#[test]
fn a_log_stays_as_long_as_what_is_alive() {
    let shop = Shop::new();
    let opened = open(&shop);
    opened.set(1, 1.0);
    opened.set(2, 2.0);
    let alive = opened.store.log().bytes();
    opened.store.log().leave_up_to(alive);
    let mut merges = 0;
    for n in 0..200 {
        opened.set(1 + n % 2, f64::from(n));
        merges += usize::from(opened.store.tidy_log(&Context::unlimited()).unwrap());
        assert!(opened.store.log().bytes() <= 5 * alive, "{} bytes after {n}", opened.store.log().bytes());
    }
    assert!((20..100).contains(&merges), "{merges} merges");
    drop(opened);
    let opened = open(&shop);
    assert_eq!(opened.towns(), "Bern 198, Lyon 199");
    assert!(!opened.store.tidy_log(&Context::unlimited()).unwrap(), "it is small");
    opened.store.log().leave_up_to(0);
    assert!(!opened.store.tidy_log(&Context::unlimited()).unwrap() || opened.store.log().bytes() <= alive);
}

#[test]
fn a_log_in_memory_is_merged_too() {
    let store = Arc::new(Store::in_memory());
    let shop = Shop::new();
    let source = Source::Folder(shop.source());
    let load = || store.load("Shops", &definition(), &source, &Context::unlimited(), &|_| {}).unwrap();
    let opened = Open { store: store.clone(), database: load() };
    for n in 0..20 {
        opened.set(2, f64::from(n));
    }
    let before = store.log().bytes();
    opened.merge(&mut |_| {});
    assert!(store.log().bytes() < before / 10);
    opened.set(1, 3.0);
    // Loaded again: what is in the log is all that tells of the changes.
    assert_eq!(towns(&*load().snapshot()), "Bern 3, Lyon 19");
}

#[test]
fn changes_without_a_place_stay() {
    let shop = Shop::new();
    let opened = open(&shop);
    opened.set(1, 8.0);
    opened.set(2, 9.0);
    drop(opened);
    // Without Bern for a while.
    shop.write("sales.csv", "shop,amount,code\n1,1.50,007\n3,3.00,\n1,,007\n");
    let opened = open(&shop);
    assert_eq!(opened.towns(), "Lyon 9");
    opened.merge(&mut |_| {});
    drop(opened);
    shop.write("sales.csv", SALES);
    assert_eq!(open(&shop).towns(), "Bern 8, Lyon 9");
}

#[test]
fn definitions_stay_as_they_were_made_last() {
    let shop = Shop::new();
    let opened = open(&shop);
    let define = |key: &str, text: Option<&str>| {
        let transaction = opened.store.begin();
        let change = DefinitionChange { key: key.into(), text: text.map(Into::into) };
        transaction.define(&opened.database, vec![change], &Context::unlimited()).unwrap();
        transaction.commit_as(u128::from(key.as_bytes()[0]), &Context::unlimited()).unwrap();
    };
    define("a", Some("first"));
    define("b", Some("second"));
    define("c", Some("third"));
    opened.set(1, 6.0);
    define("c", None);
    define("a", Some("fourth"));
    let shown = |database: &Database| {
        let snapshot = database.snapshot();
        let catalog = snapshot.catalog();
        let texts: Vec<String> = catalog.global_definitions.iter().map(|d| format!("{} {}", d.key, d.text)).collect();
        (texts, catalog.last_schema_update, catalog.last_data_update)
    };
    let before = shown(&opened.database);
    assert_eq!(before.0, ["b second", "a fourth"]);
    let names = opened.store.committed().unwrap();
    assert_eq!(names.len(), 3);
    opened.merge(&mut |_| {});
    assert_eq!(opened.store.committed().unwrap(), names);
    drop(opened);
    let opened = open(&shop);
    assert_eq!(shown(&opened.database), before);
    assert_eq!(opened.towns(), "Bern 6, Lyon 4.5");
}

#[test]
fn commits_go_on_during_a_merge() {
    let shop = Shop::new();
    let opened = open(&shop);
    (0..10).for_each(|n| opened.set(2, f64::from(n)));
    let mut seen = Vec::new();
    opened.merge(&mut |stage| {
        seen.push(stage);
        match stage {
            Stage::Merged => opened.set(1, 70.0),
            Stage::Written => opened.set(2, 80.0),
            _ => {}
        }
    });
    // The names of transactions are a frame of their own.
    seen.dedup();
    assert_eq!(seen, Stage::ALL);
    assert_eq!(opened.towns(), "Bern 70, Lyon 80");
    opened.set(2, 90.0);
    drop(opened);
    assert_eq!(open(&shop).towns(), "Bern 70, Lyon 90");
    assert_eq!(files(&shop), BTreeSet::from(["writeback.log".to_owned()]));
}

/// Says to a child process what to merge, and at which stage to die.
const FOLDER: &str = "FACETTA_TEST_MERGE_IN";
const STAGE: &str = "FACETTA_TEST_MERGE_UNTIL";

#[test]
fn a_kill_at_any_stage_loses_nothing() {
    for (number, stage) in Stage::ALL.into_iter().enumerate() {
        let shop = Shop::new();
        let opened = open(&shop);
        (0..10).for_each(|n| opened.set(1 + n % 2, f64::from(n)));
        drop(opened);
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["writeback::merge_tests::dies_in_a_merge", "--exact", "--test-threads=1"])
            .env(FOLDER, shop.folder.path())
            .env(STAGE, number.to_string())
            .output()
            .unwrap();
        assert!(!died.status.success(), "{stage:?}: {}", String::from_utf8_lossy(&died.stdout));
        let opened = open(&shop);
        assert_eq!(opened.towns(), "Bern 8, Lyon 77", "after a kill at {stage:?}");
        opened.set(1, 5.0);
        opened.store.log().leave_up_to(0);
        // A merge that got as far as its new name has left nothing to do.
        let merged = opened.store.tidy_log(&Context::unlimited()).unwrap();
        assert_eq!(merged, !matches!(stage, Stage::Renamed | Stage::Durable));
        drop(opened);
        assert_eq!(open(&shop).towns(), "Bern 5, Lyon 77", "after a kill at {stage:?}");
        assert_eq!(files(&shop), BTreeSet::from(["writeback.log".to_owned()]), "after a kill at {stage:?}");
    }
}

/// The child of the test above; by itself it has nothing to do.
#[test]
fn dies_in_a_merge() {
    let (Some(folder), Ok(number)) = (std::env::var_os(FOLDER), std::env::var(STAGE)) else { return };
    let folder = FilePath::new(&folder);
    let last = Stage::ALL[number.parse::<usize>().unwrap()];
    let opened = open_at(&folder.join("data"), &folder.join("source"));
    opened.merge(&mut |stage| {
        if stage == Stage::Merged {
            // Acknowledged while the merge goes on.
            opened.set(2, 77.0);
        }
        if stage == last {
            std::process::abort();
        }
    });
}
