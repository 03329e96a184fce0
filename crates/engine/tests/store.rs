//! A store with a folder: restarts map what is stored, changes load again, nothing stale, one process at a time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/chain.rs"]
mod chain;
#[path = "common/shop.rs"]
mod shop;

use facetta_engine::{Source, Store};
use facetta_model::definition::{Definition, Place};
use facetta_model::{Context, ErrorKind, MeasureGroupId, SubcubeRequest, Value};
use shop::{SALES, Shop, definition, set_age, values};
use std::fs;
use std::sync::Arc;

#[test]
fn a_restart_maps_what_is_stored() {
    let shop = Shop::new();
    let (first, steps) = shop.load(&definition());
    assert!(steps > 0);
    assert_eq!(values(&first), [Value::Double(6.75), Value::Int(2)]);
    let (second, steps) = shop.load(&definition());
    assert_eq!(steps, 0, "loaded again");
    assert_eq!(values(&second), values(&first));
    let (a, b) = (first.snapshot().catalog().clone(), second.snapshot().catalog().clone());
    assert_eq!(format!("{:?}", a.dimensions), format!("{:?}", b.dimensions));
    assert_eq!((a.last_schema_update, a.last_data_update), (b.last_schema_update, b.last_data_update));
}

#[test]
fn changes_load_again_and_nothing_else_does() {
    let shop = Shop::new();
    let (first, _) = shop.load(&definition());
    set_age(&shop.source().join("sales.csv"), 60);
    let (_, steps) = shop.load(&definition());
    assert_eq!(steps, 0, "the same bytes at another time");
    let (_, steps) = shop.load(&definition());
    assert_eq!(steps, 0);
    // As many bytes, another time.
    shop.write("sales.csv", &SALES.replace("2.25", "9.25"));
    set_age(&shop.source().join("sales.csv"), 30);
    let (changed, steps) = shop.load(&definition());
    assert!(steps > 0);
    assert_eq!(values(&changed)[0], Value::Double(13.75));
    let (before, after) = (first.snapshot().catalog().clone(), changed.snapshot().catalog().clone());
    assert_eq!(before.last_schema_update, after.last_schema_update);
    assert!(before.last_data_update < after.last_data_update);
    let mut other = definition();
    other.dimensions[0].texts.description = Some("Where it was sold".to_owned());
    let (redefined, steps) = shop.load(&other);
    assert!(steps > 0);
    assert!(after.last_schema_update < redefined.snapshot().catalog().last_schema_update);
    // A file that is written just now could change within the same tick of its clock: only its hash counts.
    fs::write(shop.source().join("sales.csv"), SALES).unwrap();
    shop.load(&other);
    fs::write(shop.source().join("sales.csv"), SALES.replace("2.25", "3.25")).unwrap();
    assert_eq!(values(&shop.load(&other).0)[0], Value::Double(7.75));
}

#[test]
fn an_old_version_lives_as_long_as_its_snapshots() {
    let shop = Shop::new();
    let store = Store::open(&shop.data()).unwrap();
    let source = Source::Folder(shop.source());
    let load = || store.load("Shops", &definition(), &source, &Context::unlimited(), &|_| {}).unwrap();
    let database = load();
    let old = database.snapshot();
    shop.write("sales.csv", &SALES.replace("2.25", "9.25"));
    set_age(&shop.source().join("sales.csv"), 30);
    let again = load();
    assert!(Arc::ptr_eq(&database, &again));
    assert_ne!(old.data_version(), database.snapshot().data_version());
    let request = |snapshot: &dyn facetta_model::Snapshot| {
        let request = SubcubeRequest {
            group: MeasureGroupId(0),
            measures: vec![0],
            axes: vec![],
            filters: vec![],
            tuples: vec![],
        };
        snapshot.subcube(&request, &Context::unlimited()).unwrap().values[0].value(0)
    };
    assert_eq!(request(&*old), Value::Double(6.75));
    assert_eq!(request(&*database.snapshot()), Value::Double(13.75));
    let versions = fs::read_dir(shop.data().join("catalogs/shops")).unwrap().count();
    assert_eq!(versions, 2, "one version and the manifest");
}

#[test]
fn damaged_files_are_made_anew() {
    let shop = Shop::new();
    shop.load(&definition());
    let version = shop.data().join("catalogs/shops/v1");
    for file in ["members", "0.segment"] {
        let path = shop.data().join("catalogs/shops");
        let folder = fs::read_dir(&path).unwrap().flatten().find(|e| e.path().is_dir()).unwrap().path();
        let bytes = fs::read(folder.join(file)).unwrap();
        fs::write(folder.join(file), &bytes[..bytes.len() - 1]).unwrap();
        let (database, steps) = shop.load(&definition());
        assert!(steps > 0, "{file}");
        assert_eq!(values(&database)[0], Value::Double(6.75));
    }
    assert!(!version.exists());
    fs::write(shop.data().join("catalogs/shops/manifest.json"), "{").unwrap();
    assert!(shop.load(&definition()).1 > 0);
}

#[test]
fn one_process_at_a_time() {
    let shop = Shop::new();
    let _open = Store::open(&shop.data()).unwrap();
    let error = Store::open(&shop.data()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("in use by another process"), "{error}");
}

#[test]
fn every_missing_name_is_told_at_once_with_its_place() {
    let shop = Shop::new();
    let mut wrong = definition();
    let place = |line, element: &str| Place { file: "shops.xml".into(), line, element: element.to_owned() };
    wrong.dimensions[0].hierarchies[0].levels[0].place = place(3, "Level 'Town'");
    wrong.dimensions[0].hierarchies[0].levels[0].key = facetta_model::definition::Expression::column("village");
    wrong.measure_groups[0].measures[0].place = place(9, "Measure 'Amount'");
    wrong.measure_groups[0].measures[0].value = Some(facetta_model::definition::Expression::column("code"));
    wrong.measure_groups[0].links[0].place = place(7, "DimensionUsage 'Shop'");
    wrong.measure_groups[0].links[0].foreign_key = Some(facetta_model::definition::Expression::column("store"));
    let store = Store::in_memory();
    let load = |definition: &Definition| {
        let source = Source::Folder(shop.source());
        store.load("Shops", definition, &source, &Context::unlimited(), &|_| {}).err().unwrap()
    };
    let error = load(&wrong);
    assert_eq!(error.kind(), ErrorKind::Definition);
    let expected = "shops.xml:3: Level 'Town': column 'village' does not exist\n\
                    shops.xml:9: Measure 'Amount': the values of a Sum must be numbers, not text\n\
                    shops.xml:7: DimensionUsage 'Shop': column 'store' does not exist";
    assert_eq!(error.message(), expected);
    let mut wrong = definition();
    wrong.measure_groups[0].fact = chain::table("sold");
    wrong.measure_groups[0].place = place(5, "Cube 'Sales'");
    let message = load(&wrong).message().to_owned();
    assert!(message.starts_with("shops.xml:5: Cube 'Sales': table 'sold' does not exist in the folder"), "{message}");
}
