//! Checks of tables, joins, inline tables, and of the columns that expressions take from them.

use crate::error::{Problems, did_you_mean};
use facetta_model::definition::{ColumnRef, Expression, Place, Relation, function};
use facetta_model::name;
use std::collections::HashSet;

/// The aliases of the tables of a relation, from left to right.
pub(crate) fn aliases(relation: &Relation) -> Vec<&str> {
    match relation {
        Relation::Fact => Vec::new(),
        Relation::Table { alias, .. } | Relation::Inline { alias, .. } => vec![alias],
        Relation::Join { left, right, .. } => {
            let mut all = aliases(left);
            all.extend(aliases(right));
            all
        }
    }
}

/// A relation with all that is in it.
pub(super) fn check(relation: &Relation, place: &Place, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for alias in aliases(relation) {
        if !seen.insert(name::fold(alias)) {
            problems.at(place, format!("The table '{alias}' stands twice; give one of them an alias"));
        }
    }
    check_part(relation, place, problems);
}

fn check_part(relation: &Relation, place: &Place, problems: &mut Problems) {
    match relation {
        Relation::Fact => {}
        Relation::Table { filter, .. } => {
            if let Some(filter) = filter {
                expression(filter, relation, "filter", place, problems);
            }
        }
        Relation::Join { left, left_key, right, right_key } => {
            column(left_key, left, "left key", place, problems);
            column(right_key, right, "right key", place, problems);
            check_part(left, place, problems);
            check_part(right, place, problems);
        }
        Relation::Inline { columns, rows, .. } => {
            let mut seen = HashSet::new();
            for (column, _) in columns {
                if !seen.insert(name::fold(column)) {
                    problems.at(place, format!("The inline table has two columns '{column}'"));
                }
            }
            if rows.iter().any(|row| row.len() != columns.len()) {
                problems.at(place, format!("A row of the inline table has not {} values", columns.len()));
            }
        }
    }
}

/// A column that must be one of `relation`, as far as that can be told without the data.
pub(super) fn column(column: &ColumnRef, relation: &Relation, what: &str, place: &Place, problems: &mut Problems) {
    let aliases = aliases(relation);
    let Some(table) = &column.table else {
        if let Relation::Inline { columns, .. } = relation {
            known_inline(column, columns, what, place, problems);
        }
        return;
    };
    if !aliases.iter().any(|a| name::same(a, table)) {
        let hint = did_you_mean(table, aliases.iter().copied());
        let message = format!("The {what} takes '{}' from the table '{table}', which is not here{hint}", column.column);
        problems.at(place, message);
    } else if let Relation::Inline { columns, .. } = relation {
        known_inline(column, columns, what, place, problems);
    }
}

fn known_inline<T>(column: &ColumnRef, columns: &[(String, T)], what: &str, place: &Place, problems: &mut Problems) {
    if !columns.iter().any(|(c, _)| name::same(c, &column.column)) {
        let hint = did_you_mean(&column.column, columns.iter().map(|(c, _)| c.as_str()));
        let message = format!("The {what} takes '{}', which the inline table does not have{hint}", column.column);
        problems.at(place, message);
    }
}

/// An expression over the columns of `relation`.
pub(super) fn expression(
    expression: &Expression,
    relation: &Relation,
    what: &str,
    place: &Place,
    problems: &mut Problems,
) {
    expression.for_each(&mut |part| match part {
        Expression::Column(c) => column(c, relation, what, place, problems),
        Expression::Call(name, arguments) => match function(name) {
            None => problems.at(place, format!("The {what} calls '{name}', which is no function")),
            Some(f) if arguments.len() < f.minimum || arguments.len() > f.maximum => {
                problems.at(place, format!("The {what} calls '{name}' with {} arguments", arguments.len()));
            }
            Some(_) => {}
        },
        _ => {}
    });
}
