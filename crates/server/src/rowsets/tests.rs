//! The tables of rowsets against the reference, where it is there.

use super::ROWSETS;
use std::collections::HashSet;

#[test]
fn names_and_bits_are_in_order() {
    let mut names = HashSet::new();
    for table in ROWSETS {
        assert!(names.insert(table.name()), "{} twice", table.name());
        assert!(!table.about().is_empty());
        for (position, (name, def)) in table.restrictions().iter().enumerate() {
            assert_eq!(usize::from(def.bit), position, "{}.{name}", table.name());
        }
        for column in table.order() {
            assert!(table.column(column).is_some(), "{} is sorted by {column}", table.name());
        }
        let mut columns = HashSet::new();
        for column in table.columns() {
            assert!(columns.insert(column.name), "{}.{} twice", table.name(), column.name);
        }
    }
}

/// Where a table differs from the reference on purpose: what the reference has, what we have instead, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    // spec/decisions.md, HTTP and SOAP: our own version is there.
    (
        "INSTANCE_STATE xsd:int true",
        "INSTANCE_STATE xsd:int true, INSTANCE_VERSION xsd:string true",
        "DISCOVER_INSTANCES",
    ),
    // Mondrian sends these after the others; olap4j reads DEPTH.
    ("SCOPE xsd:int true", "SCOPE xsd:int true, DEPTH xsd:unsignedInt true", "MDSCHEMA_MEMBERS"),
    (
        "STRUCTURE_TYPE xsd:string true",
        "STRUCTURE_TYPE xsd:string true, HIERARCHY_VISIBILITY xsd:unsignedShort true, PARENT_CHILD xsd:boolean true",
        "MDSCHEMA_HIERARCHIES",
    ),
    (
        "DEFAULT_FORMAT_STRING xsd:string true",
        "DEFAULT_FORMAT_STRING xsd:string true, MEASURE_VISIBILITY xsd:unsignedShort true",
        "MDSCHEMA_MEASURES",
    ),
];

/// Columns, types, order, GUIDs and restrictions as spec/rowsets.json has them.
#[test]
fn tables_are_as_the_reference_says() {
    let Some(shared) = std::env::var_os("FACETTA_SHARED") else {
        assert!(std::env::var_os("FACETTA_NO_SKIP").is_none(), "FACETTA_SHARED is not set");
        eprintln!("skipped: FACETTA_SHARED is not set");
        return;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&shared).join("spec/rowsets.json")).unwrap();
    let reference: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    for table in ROWSETS {
        let Some(expected) = reference.iter().find(|r| r["name"] == table.name()) else {
            wrong.push(format!("{} is not in the reference", table.name()));
            continue;
        };
        let mut compare = |what: &str, ours: String, mut theirs: String| {
            for (reference, instead, _) in DIFFERENCES.iter().filter(|d| d.2 == table.name()) {
                theirs = theirs.replace(reference, instead);
            }
            if ours != theirs {
                wrong.push(format!("{} {what}:\n  ours   {ours}\n  theirs {theirs}", table.name()));
            }
        };
        compare("guid", table.guid().to_owned(), expected["guid"].as_str().unwrap_or("").to_owned());
        compare("dmv", table.is_dmv().to_string(), expected["dmv"].to_string());
        let ours: Vec<String> =
            table.columns().iter().map(|c| format!("{} {} {}", c.name, c.ty.name(), c.optional)).collect();
        let theirs: Vec<String> = expected["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| format!("{} {} {}", c["name"].as_str().unwrap(), c["type"].as_str().unwrap(), c["optional"]))
            .collect();
        compare("columns", ours.join(", "), theirs.join(", "));
        // Members come in the order of the tree: sorted by the names of levels, a million of them could not be streamed.
        if table.name() != "MDSCHEMA_MEMBERS" {
            let sort = expected["documented_sort"].as_array().into_iter().flatten();
            let theirs: Vec<&str> = sort.filter_map(|c| c.as_str()).collect();
            compare("order", table.order().join(", "), theirs.join(", "));
        }
        let ours: Vec<String> =
            table.restrictions().iter().map(|(name, r)| format!("{name} {} {}", r.ty.name(), r.needed)).collect();
        let mut listed: Vec<&serde_json::Value> = expected["restrictions"].as_array().unwrap().iter().collect();
        listed.sort_by_key(|r| r["mask_bit"].as_u64());
        let theirs: Vec<String> = listed
            .iter()
            .map(|r| {
                let needed = r["required"].as_bool().unwrap_or(false);
                format!("{} {} {needed}", r["name"].as_str().unwrap(), r["type"].as_str().unwrap())
            })
            .collect();
        compare("restrictions", ours.join(", "), theirs.join(", "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
