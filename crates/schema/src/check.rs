//! What every definition must keep, whichever form it was written in: names, references, keys, formulas.

mod cube;
mod dimension;
mod formula;
mod group;
mod relation;
mod role;

use crate::SchemaErrors;
use crate::error::Problems;
use facetta_model::definition::{Definition, DimensionDef, Place};
use facetta_model::name;
use std::collections::HashSet;

pub(crate) use relation::aliases;

/// Checks a definition that was made by a program. Errors name the file of each place as the definition has it.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn check(definition: &Definition) -> Result<(), SchemaErrors> {
    let file = definition.cubes.first().map_or("", |c| &*c.place.file);
    let mut problems = Problems::new(if file.is_empty() { &definition.name } else { file });
    run(definition, &mut problems);
    problems.finish(())
}

/// Adds what is wrong with a definition to `problems`.
pub(crate) fn run(definition: &Definition, problems: &mut Problems) {
    // Whoever goes by index below may do so once these hold.
    if !indexes_hold(definition, problems) {
        return;
    }
    definition.dimensions.iter().for_each(|d| dimension::check(d, problems));
    definition.measure_groups.iter().for_each(|g| group::check(definition, g, problems));
    unique(definition.cubes.iter().map(|c| (c.name.as_str(), &c.place)), "cubes", problems);
    if definition.cubes.is_empty() {
        problems.missing(&Place { file: problems.file().clone(), ..Place::default() }, "The catalog has no cube");
    }
    definition.cubes.iter().for_each(|c| cube::check(definition, c, problems));
    unique(definition.roles.iter().map(|r| (r.name.as_str(), &r.place)), "roles", problems);
    definition.roles.iter().for_each(|r| role::check(definition, r, problems));
    unique(definition.parameters.iter().map(|p| (p.name.as_str(), &p.place)), "parameters", problems);
    for parameter in &definition.parameters {
        if let Some(default) = &parameter.default {
            formula::parses(default, "default value", &parameter.place, problems);
        }
    }
}

/// Adds what is wrong with a dimension that no cube uses.
pub(crate) fn unused_dimension(dimension: &DimensionDef, problems: &mut Problems) {
    dimension::check(dimension, problems);
}

/// Reports every name that is empty or stands twice.
fn unique<'a>(names: impl Iterator<Item = (&'a str, &'a Place)>, what: &str, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (text, place) in names {
        if text.trim().is_empty() {
            problems.at(place, "The name is empty");
        } else if !seen.insert(name::fold(text)) {
            problems.at(place, format!("There are two {what} '{text}'"));
        }
    }
}

/// Whether every index of the definition points at something.
fn indexes_hold(definition: &Definition, problems: &mut Problems) -> bool {
    let dimensions = definition.dimensions.len();
    let mut hold = true;
    let mut demand = |holds: bool, place: &Place, what: &str| {
        if !holds {
            problems.at(place, format!("Internal error: {what} points at nothing"));
            hold = false;
        }
    };
    for group in &definition.measure_groups {
        for link in &group.links {
            demand(link.dimension < dimensions, &link.place, "the link");
        }
    }
    for cube in &definition.cubes {
        let groups: Vec<_> = cube.measure_groups.iter().map(|g| definition.measure_groups.get(*g)).collect();
        demand(groups.iter().all(Option::is_some), &cube.place, "a measure group");
        for measure in &cube.measures {
            let group = groups.get(measure.group).copied().flatten();
            demand(group.is_some_and(|g| measure.measure < g.measures.len()), &cube.place, "a measure");
        }
        for dimension in &cube.dimensions {
            demand(dimension.dimension < dimensions, &cube.place, "a dimension");
            demand(dimension.links.len() == groups.len(), &cube.place, "a dimension's list of links");
            for (link, group) in dimension.links.iter().zip(&groups) {
                let Some(link) = link else { continue };
                let found = group.and_then(|g| g.links.get(*link));
                demand(found.is_some_and(|l| l.dimension == dimension.dimension), &cube.place, "a dimension's link");
            }
        }
    }
    hold
}
