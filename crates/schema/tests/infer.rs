//! Inference: small folders of tables and the definitions that come out; every one of them loads.

use expect_test::{ExpectFile, expect_file};
use facetta_model::definition::{Definition, LevelKind};
use facetta_schema::infer::{Column, ColumnKind, Table, hash_value, infer};
use facetta_schema::parse_yaml;

/// A table from text: a line of `name:kind` (i, n, t, b, d, m for a date with a time), then a line a row; `~` is NULL.
fn table(name: &str, text: &str) -> Table {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let mut columns: Vec<Column> = lines
        .next()
        .expect("a header")
        .split(' ')
        .map(|header| {
            let (name, kind) = header.rsplit_once(':').expect("name:kind");
            let kind = match kind {
                "i" => ColumnKind::Integer,
                "n" => ColumnKind::Number,
                "t" => ColumnKind::Text,
                "b" => ColumnKind::Boolean,
                "d" => ColumnKind::Date,
                "m" => ColumnKind::DateTime,
                _ => ColumnKind::Other,
            };
            Column { name: name.to_owned(), kind, values: Vec::new() }
        })
        .collect();
    let mut rows = 0;
    for line in lines {
        rows += 1;
        let values: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(values.len(), columns.len(), "{line}");
        for (column, value) in columns.iter_mut().zip(values) {
            column.values.push(if value == "~" { 0 } else { hash_value(value) });
        }
    }
    Table { name: name.to_owned(), rows, columns }
}

fn check(tables: &[Table], expected: ExpectFile) -> Definition {
    let text = infer("Shop", tables).expect("a definition");
    expected.assert_eq(&text);
    parse_yaml(&text, "facetta.yaml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn stores() -> Table {
    table(
        "stores",
        "store_id:i store:t city:t region:t country:t format:t opened:d square_metres:i
         1 Alpha Brest Brittany France Small 2020-01-01 100
         2 Beta Brest Brittany France Large 2020-01-02 200
         3 Gamma Rennes Brittany France Small 2020-01-03 300
         4 Delta Nice Riviera France Large 2020-01-04 400
         5 Epsilon Bonn Rhineland Germany Small 2020-01-05 500
         6 Zeta Bonn Rhineland Germany Large 2020-01-06 600",
    )
}

#[test]
fn a_star() {
    let sales = table(
        "sales",
        "receipt_id:i store_id:i sold:d paid_by:t amount:n quantity:i unit_price:n express:b
         1 1 2024-01-01 Card 1.50 1 1.5 true
         1 2 2024-01-01 Cash 2.50 1 2.5 true
         2 3 2024-02-01 Card 3.50 1 3.5 false
         3 4 2024-02-02 Cash 4.50 2 4.5 false
         4 5 2024-03-01 Card 5.50 2 5.5 true
         5 6 2024-03-01 Card 6.50 2 6.5 true
         6 1 2025-01-01 Card 7.50 2 7.5 true",
    );
    let definition = check(&[stores(), sales], expect_file!["infer/star.yaml"]);
    let levels: Vec<_> = definition.dimensions[0].hierarchies[0].levels.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(levels, ["Country", "Region", "City", "Store"]);
}

#[test]
fn calendars_role_playing_and_parents() {
    let dates = table(
        "dates",
        "date_key:i date:d year:i quarter_key:i month_key:i month_name:t month_of_year:i weekday_name:t
         1 2024-01-01 2024 20241 202401 January24 1 Monday
         2 2024-02-01 2024 20241 202402 February24 2 Thursday
         3 2024-05-01 2024 20242 202405 May24 5 Wednesday
         4 2025-01-01 2025 20251 202501 January25 1 Wednesday
         5 2025-05-01 2025 20252 202505 May25 5 Thursday",
    );
    let employees = table(
        "employees",
        "employee_id:i manager_id:i full_name:t title:t
         1 ~ Ada Chief
         2 1 Bo Head
         3 2 Cy Clerk
         4 2 Di Clerk",
    );
    let orders = table(
        "orders",
        "order_date_key:i ship_date_key:i employee_id:i total:n
         1 2 1 1.0
         2 3 2 2.0
         3 4 3 3.0
         4 5 4 4.0
         5 5 4 5.0
         5 5 4 6.0",
    );
    let definition = check(&[dates, employees, orders], expect_file!["infer/calendar.yaml"]);
    let uses: Vec<_> = definition.cubes[0].dimensions.iter().map(|d| (d.name.as_str(), d.dimension)).collect();
    assert_eq!(uses, [("Order Date", 0), ("Ship Date", 0), ("Employee", 1)]);
    let kinds: Vec<_> = definition.dimensions[0].hierarchies[0].levels.iter().map(|l| l.kind).collect();
    use LevelKind::*;
    assert_eq!(kinds, [TimeYears, TimeQuarters, TimeMonths, TimeDays]);
    assert!(definition.dimensions[1].hierarchies[0].levels[0].parent.is_some());
}

#[test]
fn snow_and_prefixes() {
    let part = table(
        "part",
        "p_partkey:i p_name:t p_classkey:i
         1 Bolt 1
         2 Nut 1
         3 Pear 2
         4 Plum 2",
    );
    let class = table(
        "class",
        "classkey:i family:t kind:t
         1 Metal Tool
         2 Fruit Food",
    );
    let line = table(
        "lineorder",
        "lo_partkey:i lo_revenue:i lo_year:i
         1 10 2024
         2 20 2024
         3 30 2025
         4 40 2025
         4 50 2025",
    );
    check(&[part, class, line], expect_file!["infer/snow.yaml"]);
}

/// An aggregate has the same key and fewer rows, but is no dimension; a copy of the table is nothing to join with.
#[test]
fn aggregates_and_copies_are_no_dimensions() {
    let aggregate = table("agg_time_sales", "time_id:i amount:n\n1 1.0\n2 2.0");
    let time = table("time_by_day", "time_id:i the_day:t\n1 Monday\n2 Tuesday\n3 Monday");
    let store = table("store", "store_id:i store_number:i store_city:t\n1 7 Brest\n2 8 Nice");
    let copy = table("store_copy", "store_id:i store_number:i store_city:t\n1 7 Brest\n2 8 Nice");
    let sales = table("sales", "time_id:i store_id:i amount:n\n1 1 1.0\n2 1 2.0\n1 2 3.0\n2 2 4.0");
    check(&[aggregate, time, store, copy, sales], expect_file!["infer/copies.yaml"]);
}

#[test]
fn links_that_do_not_hold_are_told() {
    let stores = table("stores", "store_id:i city:t\n1 Brest\n2 Brest");
    let goods = table("goods", "good_id:i good:t\n1 Nut\n1 Bolt");
    let sales = table("sales", "store_id:i good_id:i amount:n\n1 1 1.0\n3 1 2.0\n1 1 3.0");
    check(&[stores, goods, sales], expect_file!["infer/misses.yaml"]);
}

#[test]
fn odd_names_are_quoted() {
    let odd = table(
        "my-table",
        "Order\u{a0}Date:d true:i \"x:n Größe:n #:t a,b:t select:i Measures:t list:o
         2024-01-01 1 1 1 a b 1 m x
         2024-01-02 2 2 2 a c 2 n y",
    );
    check(&[odd], expect_file!["infer/odd.yaml"]);
}

#[test]
fn nothing_to_infer_is_an_error() {
    let empty = Table { name: "a".to_owned(), rows: 0, columns: Vec::new() };
    assert_eq!(infer("Shop", &[empty]).unwrap_err().to_string(), "There is no table with rows and columns");
}
