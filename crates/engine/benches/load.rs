//! Loading: FoodMart from its files, and a star of 1 M rows from memory.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../tests/common/chain.rs"]
mod chain;
#[path = "../tests/common/mod.rs"]
mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use facetta_engine::{Source, Store};
use facetta_model::Context;

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    if let Some(folder) = common::shared("foodmart") {
        let definition = facetta_schema::load(&folder.join("FoodMart.xml")).unwrap();
        let source = Source::Folder(folder.join("data"));
        group.bench_function("FoodMart", |b| {
            b.iter(|| Store::in_memory().load("FoodMart", &definition, &source, &Context::unlimited(), &|_| {}));
        });
    }
    let (definition, source) = (chain::definition(), chain::source(1, 1_000_000, 50_000));
    group.bench_function("1 M rows", |b| {
        b.iter(|| Store::in_memory().load("Chain", &definition, &source, &Context::unlimited(), &|_| {}));
    });
    // A folder of the star schema benchmark's tables, with its schema beside it: `FACETTA_SSB=FOLDER,SCHEMA`.
    if let Some(ssb) = std::env::var("FACETTA_SSB").ok().as_ref().and_then(|v| v.split_once(',')) {
        let definition = facetta_schema::load(ssb.1.as_ref()).unwrap();
        let source = Source::Folder(ssb.0.into());
        group.bench_function("SSB", |b| {
            b.iter(|| Store::in_memory().load("SSB", &definition, &source, &Context::unlimited(), &|_| {}).unwrap());
        });
    }
    group.finish();
}

criterion_group!(load, benches);
criterion_main!(load);
