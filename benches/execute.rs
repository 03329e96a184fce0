//! How long whole statements take, from text to the last cell: over FoodMart where the shared material is, else over the demo.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

#[path = "../src/demo/mod.rs"]
#[allow(dead_code, unused_imports, reason = "its other users are the program and its tests")]
mod demo;

use criterion::{BatchSize, Criterion, criterion_group};
use facetta_engine::{Source, Store};
use facetta_model::{Context, Outcome};
use facetta_query::{Query, STACK_BYTES, SubcubeCache, execute};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a statement does, and its text.
type Case = (&'static str, &'static str);

const FOODMART: &[Case] = &[
    (
        "totals",
        "SELECT {[Measures].[Unit Sales], [Measures].[Store Sales]} ON 0, [Product].[Product Family].Members ON 1 FROM [Sales]",
    ),
    (
        "pivot",
        "SELECT NON EMPTY CrossJoin([Time].[Month].Members, {[Measures].[Unit Sales], [Measures].[Store Sales]}) ON 0, \
         NON EMPTY CrossJoin([Store].[Store City].Members, [Product].[Product Category].Members) ON 1 FROM [Sales]",
    ),
    ("leaves", "SELECT {[Measures].[Unit Sales]} ON 0, NON EMPTY [Customers].[Name].Members ON 1 FROM [Sales]"),
    (
        "best of each",
        "SELECT {[Measures].[Store Sales]} ON 0, Generate([Store].[Store State].Members, CrossJoin({[Store].CurrentMember}, \
         TopCount([Product].[Brand Name].Members, 5, [Measures].[Store Sales]))) ON 1 FROM [Sales]",
    ),
    (
        "calculated",
        "WITH MEMBER [Measures].[Rate] AS '[Measures].[Store Sales] / [Measures].[Unit Sales]', FORMAT_STRING = '#,##0.00' \
         MEMBER [Measures].[Growth] AS 'IIf(IsEmpty(([Measures].[Store Sales], [Time].PrevMember)), NULL, [Measures].[Store Sales] / \
         ([Measures].[Store Sales], [Time].PrevMember) - 1)', FORMAT_STRING = 'Percent' \
         SELECT {[Measures].[Rate], [Measures].[Growth]} ON 0, CrossJoin([Time].[Month].Members, \
         [Product].[Product Department].Members) ON 1 FROM [Sales]",
    ),
    (
        "distinct count",
        "SELECT {[Measures].[Customer Count]} ON 0, CrossJoin([Time].[Quarter].Members, [Store].[Store State].Members) ON 1 FROM [Sales]",
    ),
    (
        "filter and order",
        "SELECT {[Measures].[Unit Sales]} ON 0, Order(Filter([Product].[Product Name].Members, [Measures].[Unit Sales] > 150), \
         [Measures].[Unit Sales], BDESC) ON 1 FROM [Sales] WHERE [Time].[1997]",
    ),
    (
        "parent and child",
        "SELECT {[Measures].[Org Salary], [Measures].[Count]} ON 0, [Employees].Members ON 1 FROM [HR]",
    ),
];

const DEMO: &[Case] = &[
    (
        "totals",
        "SELECT {[Measures].[Sales Amount], [Measures].[Quantity]} ON 0, [Product].[Categories].[Department].Members ON 1 FROM [Retail]",
    ),
    (
        "pivot",
        "SELECT NON EMPTY CrossJoin([Date].[Calendar].[Month].Members, {[Measures].[Sales Amount], [Measures].[Quantity]}) ON 0, \
         NON EMPTY CrossJoin([Store].[Geography].[City].Members, [Product].[Categories].[Category].Members) ON 1 FROM [Retail]",
    ),
    (
        "leaves",
        "SELECT {[Measures].[Quantity]} ON 0, NON EMPTY [Customer].[Home].[Customer].Members ON 1 FROM [Retail]",
    ),
    (
        "best of each",
        "SELECT {[Measures].[Sales Amount]} ON 0, Generate([Store].[Geography].[Region].Members, \
         CrossJoin({[Store].[Geography].CurrentMember}, TopCount([Product].[Brand].[Brand].Members, 5, [Measures].[Sales Amount]))) \
         ON 1 FROM [Retail]",
    ),
    (
        "calculated",
        "WITH MEMBER [Measures].[Rate] AS '[Measures].[Sales Amount] / [Measures].[Quantity]', FORMAT_STRING = '#,##0.00' \
         SELECT {[Measures].[Rate], [Measures].[Margin]} ON 0, CrossJoin([Date].[Calendar].[Month].Members, \
         [Product].[Categories].[Category].Members) ON 1 FROM [Retail]",
    ),
    (
        "distinct count",
        "SELECT {[Measures].[Customers]} ON 0, CrossJoin([Date].[Calendar].[Quarter].Members, [Store].[Geography].[Region].Members) \
         ON 1 FROM [Retail]",
    ),
    (
        "filter and order",
        "SELECT {[Measures].[Quantity]} ON 0, Order(Filter([Product].[Categories].[Product].Members, [Measures].[Quantity] > 1500), \
         [Measures].[Quantity], BDESC) ON 1 FROM [Retail] WHERE [Date].[Calendar].[Year].&[2024]",
    ),
    (
        "parent and child",
        "SELECT {[Measures].[Sales Amount]} ON 0, [Employee].[Organisation].Members ON 1 FROM [Retail]",
    ),
];

/// Name, schema, source, cases.
fn catalog() -> (&'static str, PathBuf, PathBuf, &'static [Case]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("FACETTA_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let foodmart = shared.join("foodmart");
    if foodmart.is_dir() {
        return ("FoodMart", foodmart.join("FoodMart.xml"), foodmart.join("data"), FOODMART);
    }
    println!("the shared material is not at {} (FACETTA_SHARED): the demo's data is asked instead", shared.display());
    let files = demo::prepare(Path::new(env!("CARGO_TARGET_TMPDIR")), demo::SEED, demo::ROWS).unwrap();
    ("Demo", files.schema, files.source, DEMO)
}

/// Runs a statement to its last cell; how many cells there were.
fn run(text: &str, query: &Query) -> u64 {
    let context = Context::unlimited();
    let statement = facetta_mdx::parse_statement(text, &context).unwrap();
    let Outcome::CellSet(mut cells) = execute(&statement, query, &context).unwrap_or_else(|e| panic!("{text}: {e}"))
    else {
        panic!("{text} yields no cell set");
    };
    let mut count = 0;
    while let Some(block) = (cells.cells)(&context).unwrap() {
        count += block.ordinals.len() as u64;
    }
    count
}

fn benches(criterion: &mut Criterion) {
    let (name, schema, source, cases) = catalog();
    let context = Context::unlimited();
    let definition = facetta_schema::load(&schema).unwrap();
    let database = Store::in_memory().load(name, &definition, &Source::Folder(source), &context, &|_| {}).unwrap();
    let query = Query::new(database.snapshot(), jiff::civil::DateTime::constant(2024, 8, 22, 10, 20, 30, 0));
    // Nothing is kept between statements: what the first user waits for.
    let first = || Query { cache: Arc::new(SubcubeCache::new(64 << 20)), ..query.clone() };
    let mut group = criterion.benchmark_group(format!("execute/{name}"));
    group.sample_size(20);
    for (what, text) in cases {
        println!("{what}: {} cells", run(text, &query));
        group.bench_function(format!("{what}/again"), |b| b.iter(|| run(text, &query)));
        group.bench_function(format!("{what}/first"), |b| {
            b.iter_batched(first, |query| run(text, &query), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(execute_statements, benches);

fn main() {
    // Calculations nest deeper than the stack of a main thread.
    let work = || {
        execute_statements();
        Criterion::default().configure_from_args().final_summary();
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
}
