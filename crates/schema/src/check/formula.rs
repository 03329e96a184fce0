//! Checks of MDX formulas and of the hierarchies that a definition names.

use crate::error::Problems;
use crate::names;
use facetta_model::definition::{CubeDef, Definition, Place};
use facetta_model::{Context, name};

/// Reports a formula that does not parse.
pub(super) fn parses(formula: &str, what: &str, place: &Place, problems: &mut Problems) {
    if let Err(error) = facetta_mdx::parse_expression(formula, &Context::unlimited()) {
        problems.at(place, format!("The {what} does not parse: {error}"));
    }
}

/// Whether a cube has the hierarchy of an identifier such as `[Time]`, `[Time].[Weekly]` or the older `[Time.Weekly]`.
pub(super) fn has_hierarchy(definition: &Definition, cube: &CubeDef, identifier: &str) -> bool {
    let Some(path) = names::path(identifier) else { return false };
    let path: Vec<&str> = match &path[..] {
        [one] => match cube.dimensions.iter().any(|d| name::same(&d.name, one)) {
            true => vec![one],
            false => one.splitn(2, '.').collect(),
        },
        more => more.iter().map(String::as_str).collect(),
    };
    if name::same(path[0], "Measures") {
        return path.len() == 1;
    }
    let Some(used) = cube.dimensions.iter().find(|d| name::same(&d.name, path[0])) else { return false };
    let dimension = &definition.dimensions[used.dimension];
    match path[1..] {
        [] => true,
        // The hierarchy that has the name of its dimension has that of its use.
        [wanted] => dimension.hierarchies.iter().any(|h| {
            name::same(&h.name, wanted) || (name::same(&h.name, &dimension.name) && name::same(&used.name, wanted))
        }),
        _ => false,
    }
}
