//! Checks of measure groups: measures, and the links to dimensions.

use super::dimension::for_each_expression;
use super::{relation, unique};
use crate::error::{Problems, did_you_mean};
use facetta_model::definition::{
    Aggregator, DataType, Definition, DimensionDef, Expression, LinkDef, MeasureDef, MeasureGroupDef, Relation,
};
use facetta_model::name;

pub(super) fn check(definition: &Definition, group: &MeasureGroupDef, problems: &mut Problems) {
    if group.fact == Relation::Fact {
        problems.missing(&group.place, "A fact table is needed");
    }
    relation::check(&group.fact, &group.place, problems);
    unique(group.links.iter().map(|l| (l.name.as_str(), &l.place)), "dimensions", problems);
    unique(group.measures.iter().map(|m| (m.name.as_str(), &m.place)), "measures", problems);
    for measure in &group.measures {
        check_measure(measure, &group.fact, problems);
    }
    for link in &group.links {
        check_link(link, &definition.dimensions[link.dimension], &group.fact, problems);
    }
}

fn check_measure(measure: &MeasureDef, fact: &Relation, problems: &mut Problems) {
    let place = &measure.place;
    match &measure.value {
        Some(value) => relation::expression(value, fact, "value", place, problems),
        None if measure.aggregator == Aggregator::Count => {}
        None => problems.at(place, "A measure needs a column or an expression; only a count of rows has none"),
    }
    let text = matches!(measure.data_type, Some(DataType::String | DataType::Boolean));
    if text && matches!(measure.aggregator, Aggregator::Sum | Aggregator::Avg) {
        problems.at(place, "A sum or average cannot have this type; it is a number");
    }
    let is_column = matches!(measure.value, Some(Expression::Column(_)));
    if measure.writable && !(measure.aggregator == Aggregator::Sum && is_column) {
        problems.at(place, "Only a sum of a column can be written");
    }
}

fn check_link(link: &LinkDef, dimension: &DimensionDef, fact: &Relation, problems: &mut Problems) {
    let place = &link.place;
    match &link.foreign_key {
        Some(key) => {
            relation::expression(key, fact, "foreign key", place, problems);
            if dimension.hierarchies.iter().any(|h| h.relation == Relation::Fact) {
                problems.at(place, "A dimension without a table of its own has no foreign key");
            }
        }
        None => {
            if dimension.hierarchies.iter().any(|h| h.relation != Relation::Fact) {
                problems.at(place, "The foreign key is missing: the fact column that leads to the dimension");
            }
        }
    }
    let mut levels = dimension.hierarchies.iter().flat_map(|h| &h.levels);
    if let Some(wanted) = &link.level
        && !levels.clone().any(|l| name::same(&l.name, wanted))
    {
        let hint = did_you_mean(wanted, levels.clone().map(|l| l.name.as_str()));
        problems.missing(place, format!("The dimension '{}' has no level '{wanted}'{hint}", dimension.name));
    }
    if link.level.is_some() && levels.any(|l| l.parent.is_some()) {
        problems.at(place, "A link to a level is not supported for a parent-child hierarchy");
    }
    for hierarchy in dimension.hierarchies.iter().filter(|h| h.relation == Relation::Fact) {
        for level in &hierarchy.levels {
            for_each_expression(level, |expression, what| {
                relation::expression(expression, fact, what, &level.place, problems);
            });
        }
    }
}
