//! Checks of cubes: unique names, the default measure, calculated members, sets, KPIs, actions.

use super::formula::{has_hierarchy, parses};
use super::unique;
use crate::error::{Problems, did_you_mean};
use crate::names;
use crate::virtual_cube::is_measure;
use facetta_model::definition::{ActionDef, ActionTarget, CalculatedMemberDef, CubeDef, Definition, KpiDef, Place};
use facetta_model::name;

pub(super) fn check(definition: &Definition, cube: &CubeDef, problems: &mut Problems) {
    let place = &cube.place;
    let calculated = || cube.calculated_members.iter().filter(|m| is_measure(m));
    if cube.measures.is_empty() && calculated().next().is_none() {
        problems.missing(place, "A cube needs a measure");
    }
    let stored = cube.measures.iter().map(|m| {
        let group = &definition.measure_groups[cube.measure_groups[m.group]];
        (m.name.as_str(), &group.measures[m.measure].place)
    });
    unique(stored.chain(calculated().map(|m| (m.name.as_str(), &m.place))), "measures", problems);
    let dimensions = cube.dimensions.iter().map(|d| (d.name.as_str(), dimension_place(definition, cube, d)));
    unique(dimensions, "dimensions", problems);
    for dimension in &cube.dimensions {
        if name::same(&dimension.name, "Measures") {
            problems.at(place, "The name 'Measures' belongs to the dimension of the measures");
        }
    }
    if let Some(wanted) = &cube.default_measure {
        let names = || cube.measures.iter().map(|m| m.name.as_str()).chain(calculated().map(|m| m.name.as_str()));
        if !names().any(|n| name::same(n, wanted)) {
            let hint = did_you_mean(wanted, names());
            problems.missing(place, format!("The default measure '{wanted}' is no measure of the cube{hint}"));
        }
    }
    cube.calculated_members.iter().for_each(|m| calculated_member(definition, cube, m, problems));
    calculated_names(cube, problems);
    unique(cube.named_sets.iter().map(|s| (s.name.as_str(), &s.place)), "named sets", problems);
    cube.named_sets.iter().for_each(|s| parses(&s.formula, "formula", &s.place, problems));
    unique(cube.kpis.iter().map(|k| (k.name.as_str(), &k.place)), "KPIs", problems);
    cube.kpis.iter().for_each(|k| kpi(k, problems));
    unique(cube.actions.iter().map(|a| (a.name.as_str(), &a.place)), "actions", problems);
    cube.actions.iter().for_each(|a| action(a, problems));
}

/// Where a cube's use of a dimension stands: its first link, else the cube.
fn dimension_place<'a>(
    definition: &'a Definition,
    cube: &'a CubeDef,
    dimension: &facetta_model::definition::CubeDimensionDef,
) -> &'a Place {
    let mut links = dimension.links.iter().zip(&cube.measure_groups);
    let link = links.find_map(|(link, group)| definition.measure_groups[*group].links.get((*link)?));
    link.filter(|_| !cube.is_virtual).map_or(&cube.place, |l| &l.place)
}

fn calculated_member(definition: &Definition, cube: &CubeDef, member: &CalculatedMemberDef, problems: &mut Problems) {
    let place = &member.place;
    parses(&member.formula, "formula", place, problems);
    for (name, value) in &member.properties {
        parses(value, &format!("property '{name}'"), place, problems);
    }
    if !has_hierarchy(definition, cube, &member.hierarchy) {
        let hint =
            did_you_mean(member.hierarchy.trim_matches(['[', ']']), cube.dimensions.iter().map(|d| d.name.as_str()));
        problems.missing(place, format!("The cube '{}' has no hierarchy {}{hint}", cube.name, member.hierarchy));
    }
    if member.parent.as_deref().is_some_and(|p| !names::is_identifier(p)) {
        problems.at(place, "The parent is not the name of a member");
    }
}

/// Calculated members of dimensions have unique names within their hierarchy and parent; measures are checked above.
fn calculated_names(cube: &CubeDef, problems: &mut Problems) {
    let others: Vec<&CalculatedMemberDef> = cube.calculated_members.iter().filter(|m| !is_measure(m)).collect();
    for (i, member) in others.iter().enumerate() {
        let same = |other: &&&CalculatedMemberDef| {
            name::same(&other.name, &member.name)
                && other.hierarchy == member.hierarchy
                && other.parent == member.parent
        };
        if others[..i].iter().any(|other| same(&other)) {
            problems.at(&member.place, format!("There are two calculated members '{}'", member.name));
        }
    }
}

fn kpi(kpi: &KpiDef, problems: &mut Problems) {
    parses(&kpi.value, "value", &kpi.place, problems);
    for (formula, what) in [(&kpi.goal, "goal"), (&kpi.status, "status"), (&kpi.trend, "trend")] {
        if let Some(formula) = formula {
            parses(formula, what, &kpi.place, problems);
        }
    }
}

fn action(action: &ActionDef, problems: &mut Problems) {
    parses(&action.expression, "expression", &action.place, problems);
    if let Some(condition) = &action.condition {
        parses(condition, "condition", &action.place, problems);
    }
    let needs_object = matches!(action.target, ActionTarget::Hierarchy | ActionTarget::Level);
    match &action.object {
        Some(object) if !names::is_identifier(object) => {
            problems.at(&action.place, format!("'{object}' is not the name of a hierarchy or level"));
        }
        None if needs_object => problems.at(&action.place, "The hierarchy or level that it is offered on is missing"),
        _ => {}
    }
}
