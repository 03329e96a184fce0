//! A small chain of shops in a folder of CSV files, loaded as a new process would.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and may panic")]

use super::chain;
use facetta_engine::{Database, Source, Store};
use facetta_model::definition::{Aggregator, Definition, MeasureGroupDef, Place};
use facetta_model::{
    Context, Grain, LinkId, MeasureGroupId, Path as MemberPath, Snapshot, SubcubeAxis, SubcubeRequest, Value,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

pub(crate) const SHOPS: &str = "id,town\n1,Lyon\n2,Bern\n3,Lyon\n";
pub(crate) const SALES: &str = "shop,amount,code\n1,1.50,007\n2,2.25,008\n3,3.00,\n1,,007\n";

pub(crate) fn definition() -> Definition {
    let shop = chain::dimension("Shop", chain::table("shops"), Some("id"), vec![chain::level("Town", "town")]);
    let mut definition = Definition { name: "Shops".to_owned(), dimensions: vec![shop], ..Definition::default() };
    definition.measure_groups.push(MeasureGroupDef {
        name: "Sales".to_owned(),
        fact: chain::table("sales"),
        measures: vec![
            chain::measure("Amount", Aggregator::Sum, Some("amount")),
            chain::measure("Codes", Aggregator::DistinctCount, Some("code")),
        ],
        links: vec![chain::link("Shop", 0, Some("shop"))],
        place: Place::default(),
    });
    chain::cube(&mut definition);
    definition
}

pub(crate) struct Shop {
    pub(crate) folder: tempfile::TempDir,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        let shop = Shop { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(shop.source()).unwrap();
        shop.write("shops.csv", SHOPS);
        shop.write("sales.csv", SALES);
        shop
    }

    pub(crate) fn source(&self) -> std::path::PathBuf {
        self.folder.path().join("source")
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file of the source as if an hour ago, so that its time can be trusted.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.source().join(name);
        fs::write(&path, text).unwrap();
        set_age(&path, 3600);
    }

    /// Loads as a new process would, and says how many steps Process took.
    pub(crate) fn load(&self, definition: &Definition) -> (Arc<Database>, usize) {
        let store = Store::open(&self.data()).unwrap();
        let steps = AtomicUsize::new(0);
        let source = Source::Folder(self.source());
        let loaded = store.load("Shops", definition, &source, &Context::unlimited(), &|_| {
            steps.fetch_add(1, Relaxed);
        });
        (loaded.unwrap_or_else(|e| panic!("{e}")), steps.load(Relaxed))
    }
}

pub(crate) fn set_age(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

/// The values of both measures over all rows.
pub(crate) fn values(database: &Database) -> Vec<Value> {
    totals(&*database.snapshot())
}

/// The values of both measures over all rows.
pub(crate) fn totals(snapshot: &dyn Snapshot) -> Vec<Value> {
    let request = SubcubeRequest {
        group: MeasureGroupId(0),
        measures: vec![0, 1],
        axes: vec![],
        filters: vec![],
        tuples: vec![],
    };
    let answer = snapshot.subcube(&request, &Context::unlimited()).unwrap();
    answer.values.iter().map(|v| v.value(0)).collect()
}

/// The amount of each town, as text.
pub(crate) fn towns(snapshot: &dyn Snapshot) -> String {
    let path = MemberPath { link: LinkId(0), hierarchy: 0 };
    let axes = vec![SubcubeAxis { path, grain: Grain::Depth(1) }];
    let request = SubcubeRequest { group: MeasureGroupId(0), measures: vec![0], axes, filters: vec![], tuples: vec![] };
    let answer = snapshot.subcube(&request, &Context::unlimited()).unwrap();
    let members = &snapshot.catalog().dimensions[0].hierarchies[0].members;
    let mut towns: Vec<String> = (0..answer.rows)
        .map(|r| format!("{} {}", members.name(answer.keys[0][r]), answer.values[0].value(r)))
        .collect();
    towns.sort();
    towns.join(", ")
}
