//! Mondrian schemas, an element and an error at a time: a small schema, and what changes when one part of it does.

mod elements;
mod errors;
mod hostile;

/// A schema that is right.
const BASE: &str = include_str!("shop.xml");

/// The schema with one part of it changed.
fn changed(find: &str, replace: &str) -> String {
    assert_eq!(BASE.matches(find).count(), 1, "'{find}' must stand once in the schema");
    BASE.replace(find, replace)
}

#[test]
fn the_small_schema_is_right() {
    let definition = facetta_schema::parse_mondrian(BASE, "shop.xml").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((definition.cubes.len(), definition.dimensions.len(), definition.unused_hints), (3, 4, 0));
}
