//! Which column of a table points to which other table.

use super::data::{Column, ColumnKind, Table};
use super::words::{is_key, singular, stem, words};
use std::cmp::Reverse;

/// A column that points to the key of another table.
pub(super) struct Link<'t> {
    pub(super) column: &'t Column,
    pub(super) table: &'t Table,
    pub(super) key: &'t Column,
}

/// The links of `from` to the tables of `others`, in the order of its columns.
pub(super) fn links<'t>(from: &'t Table, others: &[&'t Table]) -> Vec<Link<'t>> {
    from.columns.iter().filter(|c| c.can_be_key()).filter_map(|column| link(column, others)).collect()
}

/// The best link of a column: the name that fits best among the keys that have all its values.
fn link<'t>(column: &'t Column, others: &[&'t Table]) -> Option<Link<'t>> {
    candidates(column, others).into_iter().find(|link| link.key.is_unique() && column.is_within(link.key))
}

/// Why a column whose name fits a key points nowhere, if so.
pub(super) fn near_miss(column: &Column, others: &[&Table]) -> Option<String> {
    let all = candidates(column, others);
    let link = all.first()?;
    let (table, key) = (&link.table.name, &link.key.name);
    Some(if !link.key.is_unique() {
        format!("its name fits '{key}' of '{table}', but that does not tell the rows of '{table}' apart")
    } else if column.values.iter().all(|v| *v == 0) {
        format!("its name fits '{key}' of '{table}', but it is empty")
    } else {
        format!("its name fits '{key}' of '{table}', but it has values that are not there")
    })
}

/// The keys that a column's name fits, the best first.
fn candidates<'t>(column: &'t Column, others: &[&'t Table]) -> Vec<Link<'t>> {
    let mut found: Vec<(u32, Link<'t>)> = Vec::new();
    for &table in others {
        for key in table.columns.iter().filter(|k| k.kind == column.kind && k.can_be_key()) {
            let fits = fit(&column.name, &table.name, &key.name);
            if fits > 0 {
                found.push((fits, Link { column, table, key }));
            }
        }
    }
    // Of equal names the table counts that is called so, then one that describes more than it measures (it is no
    // aggregate of the facts), then the one with fewer rows.
    found.sort_by_key(|(fits, link)| {
        let own = stem(&column.name);
        let called = words(&link.table.name).to_lowercase().split(' ').any(|w| w.len() > 2 && own.contains(w));
        (Reverse(*fits), Reverse(called), !describes(link.table), link.table.rows)
    });
    found.into_iter().map(|(_, link)| link).collect()
}

/// How well a column's name fits a key of a table; 0: not at all.
fn fit(column: &str, table: &str, key: &str) -> u32 {
    let (own, theirs) = (stem(column), stem(key));
    let row = singular(table).replace(' ', "_").to_lowercase();
    let names_key = is_key(key) || own == row;
    if column.eq_ignore_ascii_case(key) && names_key {
        4
    } else if own == theirs && names_key {
        3
    } else if own == row && (is_key(key) || theirs == own) {
        2
    } else if (ends_with_word(&own, &theirs) || ends_with_word(&own, &row)) && is_key(key) {
        // `ship_store_id` is a store too; `lo_orderdate` is a date.
        1
    } else {
        0
    }
}

/// Whether a table has texts or dates, not keys and numbers only.
fn describes(table: &Table) -> bool {
    let descriptive = [ColumnKind::Text, ColumnKind::Boolean, ColumnKind::Date, ColumnKind::DateTime];
    table.columns.iter().any(|c| descriptive.contains(&c.kind) && !is_key(&c.name))
}

fn ends_with_word(name: &str, word: &str) -> bool {
    word.len() > 2 && name.len() > word.len() && name.ends_with(word)
}
