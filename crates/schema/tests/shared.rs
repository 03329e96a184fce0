//! The schemas of the shared material load unchanged, with the counts and facts that their descriptions give.

use facetta_model::Compatibility;
use facetta_model::definition::*;
use std::path::PathBuf;

/// The file of the shared material, or a line that says what is skipped. `FACETTA_NO_SKIP=1` makes a skip a failure.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FACETTA_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    assert_ne!(std::env::var("FACETTA_NO_SKIP").as_deref(), Ok("1"), "{path} is missing, and skips are failures");
    println!("skipped: {path} of the shared material is missing");
    None
}

fn load(path: &str) -> Option<Definition> {
    Some(facetta_schema::load(&shared(path)?).unwrap_or_else(|errors| panic!("{errors}")))
}

fn cube<'a>(definition: &'a Definition, name: &str) -> &'a CubeDef {
    definition.cubes.iter().find(|c| c.name == name).unwrap()
}

fn names<'a, T>(items: &'a [T], name: impl Fn(&'a T) -> &'a str) -> String {
    items.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[test]
fn foodmart() {
    let Some(d) = load("foodmart/FoodMart.xml") else { return };
    for c in &d.cubes {
        println!(
            "{}: {} | {} | {}",
            c.name,
            names(&c.dimensions, |x| &x.name),
            names(&c.measures, |x| &x.name),
            names(&c.calculated_members, |x| &x.name)
        );
    }
    println!("{:#?}", cube(&d, "Warehouse and Sales"));
    assert_eq!(d.compatibility, Compatibility::Mondrian);
}
