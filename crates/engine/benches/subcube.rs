//! Subcube requests over a star of 4 M rows, and how they compare with loops written by hand over the same columns.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../tests/common/chain.rs"]
mod chain;

use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray};
use chain::{Dice, link, measure, memory_table, table};
use criterion::{Criterion, criterion_group, criterion_main};
use facetta_engine::{Database, Source, Store};
use facetta_model::definition::{Aggregator, Definition, MeasureGroupDef, Place};
use facetta_model::{
    Context, Grain, LinkId, MeasureGroupId, MemberId, Path, SubcubeAxis, SubcubeFilter, SubcubeRequest,
};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROWS: usize = 4_000_000;
/// Leaves and their parents: months and years, cities and regions, brands and makers.
const SHAPES: [(&str, usize, usize); 3] = [("Time", 84, 7), ("Customer", 250, 5), ("Part", 1000, 5)];

/// The columns as a loop by hand would have them.
struct Columns {
    month: Vec<u8>,
    city: Vec<u8>,
    brand: Vec<u16>,
    revenue: Vec<i64>,
}

/// The number of the parent of a leaf.
fn parent(leaf: usize, (_, leaves, parents): (&str, usize, usize)) -> usize {
    leaf * parents / leaves
}

fn load() -> (Arc<Database>, Columns) {
    let mut dice = Dice(1);
    let mut definition = Definition { name: "Star".to_owned(), ..Definition::default() };
    let mut tables = Vec::new();
    let mut links = Vec::new();
    for (at, shape) in SHAPES.into_iter().enumerate() {
        let (name, leaves, _) = shape;
        let levels = vec![chain::level("Top", "top"), chain::level("Leaf", "leaf")];
        definition.dimensions.push(chain::dimension(name, table(name), Some("id"), levels));
        let text = |f: &dyn Fn(usize) -> String| -> ArrayRef {
            Arc::new((0..leaves).map(|i| Some(f(i))).collect::<StringArray>())
        };
        let ids: ArrayRef = Arc::new((0..leaves as i32).collect::<Int32Array>());
        let top = text(&|i| format!("T{:03}", parent(i, shape)));
        let leaf = text(&|i| format!("L{i:05}"));
        tables.push(memory_table(name, vec![("id", ids), ("top", top), ("leaf", leaf)]));
        links.push(link(name, at, Some(["month", "city", "brand"][at])));
    }
    let mut column = |sides: usize| -> Vec<i32> { (0..ROWS).map(|_| dice.roll(sides) as i32).collect() };
    let (month, city, brand) = (column(84), column(250), column(1000));
    let revenue: Vec<i64> = column(10_000_000).into_iter().map(i64::from).collect();
    let int = |v: &[i32]| Arc::new(Int32Array::from(v.to_vec())) as ArrayRef;
    tables.push(memory_table(
        "fact",
        vec![
            ("month", int(&month)),
            ("city", int(&city)),
            ("brand", int(&brand)),
            ("revenue", Arc::new(Int64Array::from(revenue.clone()))),
        ],
    ));
    definition.measure_groups.push(MeasureGroupDef {
        name: "Fact".to_owned(),
        fact: table("fact"),
        measures: vec![
            measure("Revenue", Aggregator::Sum, Some("revenue")),
            measure("Brands", Aggregator::DistinctCount, Some("brand")),
        ],
        links,
        place: Place::default(),
    });
    chain::cube(&mut definition);
    let store = Store::in_memory();
    let loaded = store.load("Star", &definition, &Source::Memory(tables), &Context::unlimited(), &|_| {});
    let narrow = |v: Vec<i32>| v.into_iter().map(|c| c as u8).collect();
    let brand = brand.into_iter().map(|c| c as u16).collect();
    (loaded.unwrap(), Columns { month: narrow(month), city: narrow(city), brand, revenue })
}

fn axis(link: u32, depth: u8) -> SubcubeAxis {
    SubcubeAxis { path: Path { link: LinkId(link), hierarchy: 0 }, grain: Grain::Depth(depth) }
}

fn request(axes: Vec<SubcubeAxis>, filters: Vec<SubcubeFilter>, measures: Vec<u32>) -> SubcubeRequest {
    SubcubeRequest { group: MeasureGroupId(0), measures, axes, filters, tuples: vec![] }
}

/// Members 1.. are the parents in order.
fn only(link: u32, parents: &[u32]) -> SubcubeFilter {
    SubcubeFilter {
        path: Path { link: LinkId(link), hierarchy: 0 },
        subtrees: parents.iter().map(|p| MemberId(1 + p)).collect(),
        own: vec![],
    }
}

/// A table of the parent of each leaf, as long as the codes can reach.
fn parents<const N: usize>(shape: (&str, usize, usize), stride: u32) -> Vec<u32> {
    (0..N).map(|leaf| if leaf < shape.1 { parent(leaf, shape) as u32 * stride } else { 0 }).collect()
}

fn total(c: &Columns) -> i64 {
    c.revenue.iter().sum()
}

fn year_region(c: &Columns) -> Vec<i64> {
    let (years, regions) = (parents::<256>(SHAPES[0], 5), parents::<256>(SHAPES[1], 1));
    let (mut sums, mut seen) = (vec![0i64; 35], vec![0u8; 35]);
    for ((&month, &city), &revenue) in c.month.iter().zip(&c.city).zip(&c.revenue) {
        let group = (years[month as usize] + regions[city as usize]) as usize;
        sums[group] += revenue;
        seen[group] = 1;
    }
    black_box(seen);
    sums
}

fn month_brand(c: &Columns) -> Vec<i64> {
    let (mut sums, mut seen) = (vec![0i64; 84_000], vec![0u8; 84_000]);
    for ((&month, &brand), &revenue) in c.month.iter().zip(&c.brand).zip(&c.revenue) {
        let group = month as usize * 1000 + brand as usize;
        sums[group] += revenue;
        seen[group] = 1;
    }
    black_box(seen);
    sums
}

fn year_of_two_regions(c: &Columns) -> Vec<i64> {
    let (years, regions) = (parents::<256>(SHAPES[0], 1), parents::<256>(SHAPES[1], 1));
    let (mut sums, mut seen) = (vec![0i64; 7], vec![0u8; 7]);
    for ((&month, &city), &revenue) in c.month.iter().zip(&c.city).zip(&c.revenue) {
        let region = regions[city as usize];
        if region == 1 || region == 3 {
            let group = years[month as usize] as usize;
            sums[group] += revenue;
            seen[group] = 1;
        }
    }
    black_box(seen);
    sums
}

/// The shortest of some runs.
fn shortest(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let started = Instant::now();
        run();
        started.elapsed()
    };
    (0..15).map(|_| time(&mut run)).min().unwrap_or_default()
}

fn benches(criterion: &mut Criterion) {
    let (database, columns) = load();
    let snapshot = database.snapshot();
    let context = Context::unlimited();
    // One thread for both, so that the ratio is that of the loops.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    type ByHand<'a> = Option<&'a (dyn Fn() + Sync)>;
    let table: [(&str, SubcubeRequest, ByHand<'_>); 6] = [
        (
            "total",
            request(vec![], vec![], vec![0]),
            Some(&|| {
                black_box(total(&columns));
            }),
        ),
        (
            "year x region",
            request(vec![axis(0, 1), axis(1, 1)], vec![], vec![0]),
            Some(&|| drop(black_box(year_region(&columns)))),
        ),
        (
            "month x brand",
            request(vec![axis(0, 2), axis(2, 2)], vec![], vec![0]),
            Some(&|| drop(black_box(month_brand(&columns)))),
        ),
        (
            "year, 2 regions",
            request(vec![axis(0, 1)], vec![only(1, &[1, 3])], vec![0]),
            Some(&|| drop(black_box(year_of_two_regions(&columns)))),
        ),
        ("month x city x brand (hash)", request(vec![axis(0, 2), axis(1, 2), axis(2, 2)], vec![], vec![0]), None),
        ("year, distinct brands", request(vec![axis(0, 1)], vec![], vec![1]), None),
    ];
    let mut group = criterion.benchmark_group("subcube");
    group.sample_size(10);
    for (name, request, by_hand) in &table {
        let ask = || drop(black_box(snapshot.subcube(request, &context)));
        group.bench_function(*name, |b| b.iter(ask));
        if let Some(by_hand) = by_hand {
            let (ours, theirs) = one.install(|| (shortest(ask), shortest(by_hand)));
            let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
            println!("{name}: {ours:.2?} in one thread, {theirs:.2?} by hand: ratio {ratio:.2}");
        }
    }
    group.finish();
}

criterion_group!(subcube, benches);
criterion_main!(subcube);
