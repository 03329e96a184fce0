//! Small tables with one peculiarity each: what becomes of them, or what the error says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/chain.rs"]
mod chain;

use chain::{dimension, level, link, measure, table};
use facetta_engine::{Database, Source, Store};
use facetta_model::definition::{
    Aggregator, BinaryOperator, ColumnRef, DataType, Definition, Expression, HierarchyDef, MeasureGroupDef, ParentDef,
    Place, Relation,
};
use facetta_model::{
    Compatibility, Context, ErrorKind, Grain, LinkId, MeasureGroupId, MemberId, Path, Result, SubcubeAxis,
    SubcubeRequest,
};
use std::sync::Arc;

/// A cube of one fact table `f` with the dimension `d`, linked by the column `k`, and a sum of `v`.
fn definition(levels: &[(&str, &str)]) -> Definition {
    let levels = levels.iter().map(|(name, column)| level(name, column)).collect();
    let mut definition = Definition {
        name: "Test".to_owned(),
        compatibility: Compatibility::Mondrian,
        dimensions: vec![dimension("D", table("d"), Some("id"), levels)],
        ..Definition::default()
    };
    definition.measure_groups.push(MeasureGroupDef {
        name: "F".to_owned(),
        fact: table("f"),
        measures: vec![measure("V", Aggregator::Sum, Some("v"))],
        links: vec![link("D", 0, Some("k"))],
        place: Place::default(),
    });
    definition
}

fn hierarchy(definition: &mut Definition) -> &mut HierarchyDef {
    &mut definition.dimensions[0].hierarchies[0]
}

fn load(mut definition: Definition, tables: &[(&str, &str)]) -> Result<Arc<Database>> {
    chain::cube(&mut definition);
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in tables {
        std::fs::write(folder.path().join(format!("{name}.csv")), text.replace(' ', "\n")).unwrap();
    }
    let source = Source::Folder(folder.path().to_owned());
    Store::in_memory().load("Test", &definition, &source, &Context::unlimited(), &|_| {})
}

/// `name value` of the members at a depth, in their order.
fn answer(database: &Database, grain: Grain) -> String {
    let snapshot = database.snapshot();
    let axes = vec![SubcubeAxis { path: Path { link: LinkId(0), hierarchy: 0 }, grain }];
    let request = SubcubeRequest { group: MeasureGroupId(0), measures: vec![0], axes, filters: vec![], tuples: vec![] };
    let answer = snapshot.subcube(&request, &Context::unlimited()).unwrap_or_else(|e| panic!("{e}"));
    let members = &snapshot.catalog().dimensions[0].hierarchies[0].members;
    let mut rows: Vec<(MemberId, String)> =
        answer.keys[0].iter().enumerate().map(|(row, &m)| (m, answer.values[0].value(row).to_string())).collect();
    rows.sort_by_key(|(m, _)| *m);
    rows.iter().map(|(m, value)| format!("{} {value}", members.name(*m))).collect::<Vec<_>>().join(", ")
}

fn error(definition: Definition, tables: &[(&str, &str)]) -> String {
    let error = load(definition, tables).err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Definition, "{error}");
    error.message().to_owned()
}

const D: &str = "id,top,low 1,B,x 2,a,x 3,B,y 4,,z";
const F: &str = "k,v 1,1 2,2 3,4 4,8 5,16 ,32";

#[test]
fn members_are_told_by_their_parents_too_and_rows_without_one_count_for_totals() {
    let database = load(definition(&[("Top", "top"), ("Low", "low")]), &[("d", D), ("f", F)]).unwrap();
    assert_eq!(answer(&database, Grain::Depth(0)), "All Ds 63");
    assert_eq!(answer(&database, Grain::Depth(1)), "#null 8, a 2, B 5");
    assert_eq!(answer(&database, Grain::Depth(2)), "z 8, x 2, x 1, y 4");
}

#[test]
fn a_unique_key_under_two_parents_keeps_totals_right() {
    let mut unique = definition(&[("Top", "top"), ("Low", "low")]);
    hierarchy(&mut unique).levels[1].unique = true;
    let database = load(unique, &[("d", D), ("f", F)]).unwrap();
    assert_eq!(answer(&database, Grain::Depth(1)), "#null 8, a 2, B 5");
}

#[test]
fn names_captions_orders_and_types_come_from_expressions() {
    let mut wanted = definition(&[("Low", "n")]);
    let low = &mut hierarchy(&mut wanted).levels[0];
    low.key_type = DataType::Numeric;
    low.name_expression = Some(Expression::Call("upper".to_owned(), vec![Expression::column("name")]));
    low.caption_expression = Some(Expression::column("caption"));
    low.ordinal = Some(Expression::Negate(Box::new(Expression::column("n"))));
    let d = "id,n,name,caption 1,10,ten,Zehn 2,9,nine, 3,8,,Acht";
    let database = load(wanted, &[("d", d), ("f", "k,v 1,1 2,2 3,4")]).unwrap();
    assert_eq!(answer(&database, Grain::Depth(1)), "TEN 1, NINE 2, #null 4");
    let snapshot = database.snapshot();
    let members = &snapshot.catalog().dimensions[0].hierarchies[0].members;
    let captions: Vec<&str> = (1..4).map(|m| members.caption(MemberId(m))).collect();
    assert_eq!(captions, ["Zehn", "NINE", "Acht"]);
    assert_eq!(members.key(MemberId(1)).to_string(), "10");
}

#[test]
fn facts_may_attach_at_a_higher_level() {
    let mut by_top = definition(&[("Top", "top"), ("Low", "low")]);
    by_top.measure_groups[0].links[0].level = Some("Top".to_owned());
    let database = load(by_top, &[("d", D), ("f", "k,v B,1 a,2 B,4 Q,8")]).unwrap();
    assert_eq!(answer(&database, Grain::Depth(1)), "a 2, B 5");
    assert_eq!(answer(&database, Grain::Depth(0)), "All Ds 15");
    assert_eq!(answer(&database, Grain::Depth(2)), "", "rows attach above");
    let catalog = database.snapshot().catalog().clone();
    let levels = &catalog.measure_groups[0].links[0].levels;
    assert_eq!(levels[..], [Some(facetta_model::LevelId(1))]);
}

#[test]
fn tables_may_be_filtered_joined_and_written_inline() {
    let mut filtered = definition(&[("Top", "top"), ("Low", "low")]);
    let not_y = Expression::Binary(
        Box::new(Expression::column("low")),
        BinaryOperator::NotEqual,
        Box::new(Expression::Text("y".to_owned())),
    );
    hierarchy(&mut filtered).relation =
        Relation::Table { name: "d".to_owned(), alias: "d".to_owned(), filter: Some(not_y) };
    let database = load(filtered, &[("d", D), ("f", F)]).unwrap();
    assert_eq!(answer(&database, Grain::Depth(2)), "z 8, x 2, x 1");

    let mut joined = definition(&[("Top", "long"), ("Low", "low")]);
    let names = Relation::Inline {
        alias: "names".to_owned(),
        columns: vec![("short".to_owned(), DataType::String), ("long".to_owned(), DataType::String)],
        rows: vec![vec![Some("B".to_owned()), Some("Bee".to_owned())], vec![Some("a".to_owned()), None]],
    };
    hierarchy(&mut joined).relation = Relation::Join {
        left: Box::new(table("d")),
        left_key: ColumnRef { table: Some("d".to_owned()), column: "top".to_owned() },
        right: Box::new(names),
        right_key: ColumnRef { table: None, column: "short".to_owned() },
    };
    let database = load(joined, &[("d", D), ("f", F)]).unwrap();
    assert_eq!(answer(&database, Grain::Depth(1)), "#null 2, Bee 5", "an inner join leaves out what has no partner");
    assert_eq!(answer(&database, Grain::Depth(0)), "All Ds 63");
}

fn parent_child() -> Definition {
    let mut tree = definition(&[("Person", "id")]);
    let person = &mut hierarchy(&mut tree).levels[0];
    person.key_type = DataType::Integer;
    let null_value = Some("0".to_owned());
    person.parent = Some(ParentDef { key: Expression::column("boss"), null_value, closure: None });
    tree
}

#[test]
fn trees_have_roots_orphans_and_own_data() {
    // 4 is its own boss, the boss of 5 does not exist.
    let database =
        load(parent_child(), &[("d", "id,boss 1,0 2,1 3,2 4,4 5,77 6,"), ("f", "k,v 1,1 2,2 3,4 4,8 5,16 6,32")]);
    let database = database.unwrap();
    assert_eq!(answer(&database, Grain::Depth(1)), "1 7, 4 8, 5 16, 6 32");
    assert_eq!(answer(&database, Grain::Depth(2)), "2 6");
    assert_eq!(answer(&database, Grain::Own), "1 1, 4 8, 5 16, 6 32, 2 2, 3 4");
}

/// A definition, the rows of its tables, and what is said of them.
type Refused = (Definition, Vec<(&'static str, &'static str)>, &'static str);

#[test]
fn what_cannot_be_loaded_says_why() {
    let plain = || definition(&[("Top", "top"), ("Low", "low")]);
    let table: Vec<Refused> = vec![
        (
            parent_child(),
            vec![("d", "id,boss 1,0 2,3 3,4 4,2"), ("f", F)],
            "members are their own ancestors: 2 → 3 → 4 → 2",
        ),
        (
            parent_child(),
            vec![("d", "id,boss 1,0 2,1 3,1 3,2"), ("f", F)],
            "the member with the key '3' has two parents",
        ),
        (plain(), vec![("d", "id,top,low 1,a,x 1,a,y"), ("f", F)], "the primary key '1' stands in rows of two members"),
        (plain(), vec![("d", D), ("f", "k,w 1,1")], "column 'v' does not exist"),
        (plain(), vec![("d", D), ("f", "k,v 1,x")], "the values of a Sum must be numbers, not text"),
        (
            {
                let mut odd = plain();
                hierarchy(&mut odd).default_member = Some("[D].[Nowhere]".to_owned());
                odd
            },
            vec![("d", D), ("f", F)],
            "the default member '[D].[Nowhere]' does not exist",
        ),
        (
            {
                let mut odd = plain();
                hierarchy(&mut odd).levels[1].key_type = DataType::Numeric;
                odd
            },
            vec![("d", D), ("f", F)],
            "the value 'z' is no Numeric",
        ),
        (
            {
                let mut odd = plain();
                odd.measure_groups[0].links[0].foreign_key = None;
                odd
            },
            vec![("d", D), ("f", F)],
            "the link 'D' needs a foreign key: its table is not the fact table",
        ),
        (
            {
                let mut odd = plain();
                odd.measure_groups[0].links[0].level = Some("Low".to_owned());
                hierarchy(&mut odd).primary_key = None;
                odd
            },
            vec![("d", D), ("f", F)],
            "facts cannot attach here, since keys are not unique: the primary key 'x' stands in rows of two members",
        ),
    ];
    for (definition, tables, expected) in table {
        assert_eq!(error(definition, &tables), expected);
    }
}

#[test]
fn sums_are_exact_or_refused() {
    let wide = |values: &str| load(definition(&[("Top", "top")]), &[("d", D), ("f", values)]).unwrap();
    // Two halves of the range and a little back: no step may wrap.
    let f = "k,v 1,9000000000000000000 1,9000000000000000000 1,-9000000000000000000 1,-1";
    assert_eq!(answer(&wide(f), Grain::Depth(1)), "B 8999999999999999999");
    let database = wide("k,v 1,9000000000000000000 1,9000000000000000000");
    let request =
        SubcubeRequest { group: MeasureGroupId(0), measures: vec![0], axes: vec![], filters: vec![], tuples: vec![] };
    for snapshot in [database.snapshot(), database.naive_snapshot()] {
        let error = snapshot.subcube(&request, &Context::unlimited()).unwrap_err();
        assert_eq!(error.message(), "a sum of the measure 'V' is too large");
    }
}

#[test]
fn requests_for_what_is_not_there_are_defects_not_panics() {
    let database = load(definition(&[("Top", "top")]), &[("d", D), ("f", F)]).unwrap();
    let good =
        SubcubeRequest { group: MeasureGroupId(0), measures: vec![0], axes: vec![], filters: vec![], tuples: vec![] };
    let at = |link| Path { link: LinkId(link), hierarchy: 0 };
    let bad = [
        SubcubeRequest { group: MeasureGroupId(9), ..good.clone() },
        SubcubeRequest { measures: vec![7], ..good.clone() },
        SubcubeRequest { axes: vec![SubcubeAxis { path: at(5), grain: Grain::Own }], ..good.clone() },
        SubcubeRequest {
            filters: vec![facetta_model::SubcubeFilter { path: at(0), subtrees: vec![MemberId(1 << 31)], own: vec![] }],
            ..good.clone()
        },
        SubcubeRequest { tuples: vec![facetta_model::TupleFilter { paths: vec![], tuples: vec![] }], ..good.clone() },
    ];
    for request in bad {
        let error = database.snapshot().subcube(&request, &Context::unlimited()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{request:?}");
    }
    let deep = SubcubeRequest { axes: vec![SubcubeAxis { path: at(0), grain: Grain::Depth(200) }], ..good };
    assert_eq!(database.snapshot().subcube(&deep, &Context::unlimited()).unwrap().rows, 0);
}
