//! Tests of the demo's data: the same bytes for the same seed, exact sizes, keys that meet, and the looks of a shop.

use super::{ROWS, Table, tables};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, types::Decimal128Type};
use std::collections::{BTreeMap, HashSet};

/// FNV-1a over the buffers of every column.
fn hash(table: &Table) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for column in table.rows.columns() {
        for buffer in column.to_data().buffers() {
            for byte in buffer.as_slice() {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        }
    }
    hash
}

fn ints(table: &Table, column: &str) -> Vec<i32> {
    table.rows.column_by_name(column).unwrap().as_primitive::<Int32Type>().values().to_vec()
}

fn find<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|t| t.name == name).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let hashes = |seed| tables(seed, 20_000).iter().map(|t| (t.name, hash(t))).collect::<Vec<_>>();
    let expected = expect_test::expect![[r#"
        dates d4d1da554839f3f2
        stores ff22279a0a3b3cbf
        products 6335fee3e39824a9
        promotions 1c3c06f5eab68c4b
        employees 51b3e2ee77bfb86c
        salaries c8088db572dcc020
        inventory a50bea5bf948f264
        customers 152096394ff5610d
        sales 48e2764ff3c28997
    "#]];
    let text: String = hashes(1).iter().map(|(name, hash)| format!("{name} {hash:016x}\n")).collect();
    expected.assert_eq(&text);
    let (one, two) = (hashes(1), hashes(2));
    for (a, b) in one.iter().zip(&two).filter(|(a, _)| a.0 != "dates") {
        assert_ne!(a.1, b.1, "{} does not depend on the seed", a.0);
    }
}

#[test]
fn there_are_exactly_as_many_sales_as_asked_for() {
    for rows in [1, 7, 1_000, 12_345] {
        assert_eq!(find(&tables(3, rows), "sales").rows.num_rows(), rows);
    }
}

#[test]
fn every_key_of_a_fact_is_in_its_table() {
    let tables = tables(1, 30_000);
    let links = [
        ("sales", "date_key", "dates"),
        ("sales", "store_id", "stores"),
        ("sales", "product_id", "products"),
        ("sales", "customer_id", "customers"),
        ("sales", "promotion_id", "promotions"),
        ("sales", "employee_id", "employees"),
        ("inventory", "month_key", "dates"),
        ("inventory", "store_id", "stores"),
        ("inventory", "subcategory_key", "products"),
        ("salaries", "month_key", "dates"),
        ("salaries", "employee_id", "employees"),
    ];
    for (fact, key, dimension) in links {
        let known: HashSet<i32> = ints(find(&tables, dimension), key).into_iter().collect();
        assert!(ints(find(&tables, fact), key).iter().all(|k| known.contains(k)), "{fact}.{key}");
    }
}

#[test]
fn the_data_has_the_size_that_the_documents_promise() {
    let tables = tables(1, 1_000);
    let rows = |name| find(&tables, name).rows.num_rows();
    assert_eq!((rows("dates"), rows("customers")), (1_096, 20_000));
    assert!((400..600).contains(&rows("employees")) && rows("inventory") > 80_000 && rows("products") > 900);
    assert_eq!(ROWS, 1_000_000);
}

#[test]
fn sales_follow_season_weekday_and_growth() {
    let tables = tables(1, 200_000);
    let sales = find(&tables, "sales");
    let amounts = sales.rows.column_by_name("amount").unwrap().as_primitive::<Decimal128Type>().values().to_vec();
    let weekday: BTreeMap<i32, i32> =
        ints(find(&tables, "dates"), "date_key").into_iter().zip(ints(find(&tables, "dates"), "weekday_key")).collect();
    let (mut years, mut months, mut days) = ([0i128; 3], [0i128; 12], [0i128; 7]);
    for (key, amount) in ints(sales, "date_key").into_iter().zip(amounts) {
        assert!(amount > 0);
        years[(key / 10_000 - 2023) as usize] += amount;
        months[(key / 100 % 100 - 1) as usize] += amount;
        days[(weekday[&key] - 1) as usize] += amount;
    }
    assert!(years[0] < years[1] && years[1] < years[2], "{years:?}");
    assert!(months[11] > months[1] && days[5] > days[1] && days[6] < days[5], "{months:?} {days:?}");
}

#[test]
fn the_schema_is_well_formed_and_its_tables_exist() {
    let definition = facetta_schema::parse(super::SCHEMA, "demo.yaml").unwrap();
    let names: Vec<&str> = tables(1, 10).iter().map(|t| t.name).collect();
    for group in &definition.measure_groups {
        let facetta_model::definition::Relation::Table { name, .. } = &group.fact else { panic!("{}", group.name) };
        assert!(names.contains(&name.as_str()), "{name}");
    }
    assert_eq!(definition.cubes[0].kpis.len(), 2);
}

#[test]
fn the_engine_loads_what_the_schema_asks() {
    use facetta_engine::{Source, Store};
    use facetta_model::{Context, Value};
    let folder = tempfile::tempdir().unwrap();
    let files = super::prepare(folder.path(), 1, 2_000).unwrap();
    let definition = facetta_schema::load(&files.schema).unwrap();
    let context = Context::unlimited();
    let database =
        Store::in_memory().load("Demo", &definition, &Source::Folder(files.source), &context, &|_| {}).unwrap();
    let snapshot = database.snapshot();
    // Facts of each grain find their members: all rows are under the all member, none is lost.
    for (position, (group, rows)) in definition.measure_groups.iter().zip([2_000, 0, 0]).enumerate() {
        let cube = &snapshot.catalog().cubes[0];
        let request = facetta_model::SubcubeRequest {
            group: cube.measure_groups[position],
            measures: (0..group.measures.len() as u32).collect(),
            axes: Vec::new(),
            filters: Vec::new(),
            tuples: Vec::new(),
        };
        let answer = snapshot.subcube(&request, &context).unwrap();
        assert_eq!(answer.rows, 1, "{}", group.name);
        if rows > 0 {
            assert_eq!(answer.values[4].value(0), Value::Int(rows), "{}", group.name);
        }
    }
}
