//! Our own YAML form: what it says, and what is wrong, a part at a time.

mod errors;
mod hostile;

use expect_test::expect_file;
use facetta_model::Compatibility;
use facetta_model::definition::*;
use facetta_schema::parse_yaml;

/// A definition that is right.
const BASE: &str = include_str!("shop.yaml");

/// The definition with one part of it changed.
fn changed(find: &str, replace: &str) -> String {
    assert_eq!(BASE.matches(find).count(), 1, "'{find}' must stand once in the definition");
    BASE.replace(find, replace)
}

fn base() -> Definition {
    parse_yaml(BASE, "shop.yaml").unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn everything_is_read() {
    let text = format!("{:#?}\n", base());
    // Places are the same in all: file and line; the rest is what matters.
    let skip = ["file: \"shop.yaml\"", "caption: None", "description: None", "display_folder: None", "visible: true"];
    let kept: Vec<&str> = text.lines().filter(|l| !skip.iter().any(|s| l.trim().starts_with(s))).collect();
    expect_file!["shop.txt"].assert_eq(&(kept.join("\n") + "\n"));
}

#[test]
fn defaults() {
    let d = base();
    assert_eq!(d.compatibility, Compatibility::AnalysisServices);
    assert_eq!(d.dimensions[0].kind, DimensionKind::Time, "by the kinds of its levels");
    let store = &d.dimensions[1].hierarchies[0];
    assert_eq!(store.name, "Store", "the name of the dimension");
    let unique: Vec<bool> = store.levels.iter().map(|l| l.unique).collect();
    assert_eq!(unique, [true, false, true], "the first level and the dimension's key");
    let names: Vec<&str> = d.dimensions[1].hierarchies.iter().map(|h| h.name.as_str()).collect();
    assert_eq!(names, ["Store", "Format", "Member Card"]);
    let group = &d.measure_groups[0];
    assert_eq!(group.measures.iter().map(|m| m.writable).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!(d.measure_groups[1].links[0].foreign_key, Some(Expression::column("store_id")), "the dimension's key");
}

#[test]
fn measure_groups_share_dimensions() {
    let d = base();
    let cube = &d.cubes[0];
    let links: Vec<_> = cube.dimensions.iter().map(|x| (x.name.as_str(), x.dimension, x.links.clone())).collect();
    let expected = [
        ("Date", 0, vec![Some(0), Some(1)]),
        ("Delivery", 0, vec![Some(1), None]),
        ("Store", 1, vec![Some(2), Some(0)]),
        ("Product", 2, vec![Some(3), None]),
        ("Payment", 3, vec![Some(4), None]),
    ];
    assert_eq!(links, expected);
    let measures: Vec<_> = cube.measures.iter().map(|m| (m.name.as_str(), m.group, m.measure)).collect();
    assert_eq!(measures[3..], [("Customers", 0, 3), ("Units", 1, 0)]);
}

#[test]
fn virtual_cubes_unite() {
    let d = base();
    let cube = &d.cubes[2];
    let measures: Vec<_> = cube.measures.iter().map(|m| (m.name.as_str(), m.texts.visible)).collect();
    assert_eq!(measures, [("Amount", true), ("Salary", true), ("Tax", false)]);
    let calculated: Vec<_> = cube.calculated_members.iter().map(|m| (m.name.as_str(), m.texts.visible)).collect();
    assert_eq!(calculated, [("Share", true), ("Net", false)]);
    let linked: Vec<_> =
        cube.dimensions.iter().map(|x| (x.name.as_str(), x.links[0].is_some(), x.links[1].is_some())).collect();
    assert_eq!(linked.last(), Some(&("Employee", false, true)));
    assert_eq!(linked.len(), 6);
}

#[test]
fn the_form_is_told_by_the_content() {
    assert!(facetta_schema::parse(BASE, "shop.xml").is_ok());
    assert!(facetta_schema::parse(&format!("\u{feff}{BASE}"), "shop").is_ok());
}
