//! Checks of dimensions, hierarchies and levels.

use super::{relation, unique};
use crate::error::Problems;
use facetta_model::definition::{DimensionDef, HierarchyDef, LevelDef, LevelKind, Relation};
use facetta_model::name;

pub(super) fn check(dimension: &DimensionDef, problems: &mut Problems) {
    if dimension.name.trim().is_empty() {
        problems.at(&dimension.place, "The name is empty");
    }
    if name::same(&dimension.name, "Measures") {
        problems.at(&dimension.place, "The name 'Measures' belongs to the dimension of the measures");
    }
    if dimension.hierarchies.is_empty() {
        problems.missing(&dimension.place, "A dimension needs a hierarchy");
    }
    let in_facts = dimension.hierarchies.iter().filter(|h| h.relation == Relation::Fact).count();
    if in_facts > 0 && in_facts < dimension.hierarchies.len() {
        problems.at(&dimension.place, "Either all hierarchies of a dimension have tables of their own, or none");
    }
    unique(dimension.hierarchies.iter().map(|h| (h.name.as_str(), &h.place)), "hierarchies", problems);
    dimension.hierarchies.iter().for_each(|h| hierarchy(h, problems));
}

fn hierarchy(hierarchy: &HierarchyDef, problems: &mut Problems) {
    let place = &hierarchy.place;
    relation::check(&hierarchy.relation, place, problems);
    match (&hierarchy.relation, &hierarchy.primary_key) {
        (Relation::Fact, None) => {}
        (Relation::Fact, Some(_)) => {
            problems.at(place, "A hierarchy without a table of its own has no primary key");
        }
        (_, None) => problems.at(place, "The primary key is missing: the column that foreign keys of facts point to"),
        (Relation::Join { .. }, Some(key)) if key.table.is_none() => {
            problems.at(place, "The table of the primary key is missing: a join has more than one");
        }
        (own, Some(key)) => relation::column(key, own, "primary key", place, problems),
    }
    if hierarchy.levels.is_empty() {
        problems.missing(place, "A hierarchy needs a level");
    }
    unique(hierarchy.levels.iter().map(|l| (l.name.as_str(), &l.place)), "levels", problems);
    let all = hierarchy.all.as_ref().map(|a| a.level_name.as_deref().unwrap_or("(All)"));
    for (depth, level) in hierarchy.levels.iter().enumerate() {
        if all.is_some_and(|all| name::same(all, &level.name)) {
            problems.at(&level.place, "The level has the name of the all level");
        }
        if level.parent.is_some() && depth + 1 < hierarchy.levels.len() {
            problems.at(&level.place, "A parent-child level must be the last of its hierarchy");
        }
        check_level(level, &hierarchy.relation, problems);
    }
}

fn check_level(level: &LevelDef, own: &Relation, problems: &mut Problems) {
    let place = &level.place;
    if level.kind == LevelKind::All {
        problems.at(place, "The all level is not one of the levels");
    }
    // What comes from the fact table is checked with each measure group that uses it.
    if *own == Relation::Fact {
        if level.parent.is_some() {
            problems.at(place, "A parent-child level needs a table of its own");
        }
    } else {
        for_each_expression(level, |expression, what| {
            relation::expression(expression, own, what, place, problems);
        });
    }
    unique(level.properties.iter().map(|p| (p.name.as_str(), &p.place)), "properties", problems);
}

/// Calls `visit` with every expression of a level and what it is.
pub(super) fn for_each_expression(
    level: &LevelDef,
    mut visit: impl FnMut(&facetta_model::definition::Expression, &str),
) {
    visit(&level.key, "key");
    for (expression, what) in
        [(&level.name_expression, "name"), (&level.caption_expression, "caption"), (&level.ordinal, "order")]
    {
        if let Some(expression) = expression {
            visit(expression, what);
        }
    }
    if let Some(parent) = &level.parent {
        visit(&parent.key, "parent");
    }
    for property in &level.properties {
        visit(&property.value, &format!("property '{}'", property.name));
    }
}
