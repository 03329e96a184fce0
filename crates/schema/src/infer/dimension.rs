//! A dimension from a table: its key, a hierarchy from columns that determine each other, attributes, properties.

use super::data::{Column, ColumnKind, Table};
use super::link::links;
use super::words::{date_part, is_key, is_parent, singular, stem, words};
use facetta_model::definition::LevelKind;

/// What a dimension will look like.
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) table: String,
    /// The column that facts point to.
    pub(super) key: String,
    /// Tables joined to it, each with its condition.
    pub(super) joins: Vec<(String, String)>,
    /// Name of the hierarchy.
    pub(super) hierarchy: String,
    /// From the top.
    pub(super) levels: Vec<Level>,
    /// Columns that make hierarchies of one level.
    pub(super) attributes: Vec<(String, String)>,
    /// Columns that were left out.
    pub(super) unused: Vec<String>,
}

/// A level.
pub(super) struct Level {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) name_column: Option<String>,
    pub(super) kind: LevelKind,
    pub(super) unique: bool,
    pub(super) parent: Option<String>,
    pub(super) properties: Vec<(String, String)>,
}

/// Values that are shared by few rows make an attribute; of more different ones clients cannot make a choice.
const MAX_ATTRIBUTE: usize = 1000;

/// A column with the name that expressions use.
struct Candidate {
    name: String,
    title: String,
    column: Column,
    distinct: usize,
}

/// The dimension of a table. `others`: tables that it may be joined with (it snows).
pub(super) fn dimension(table: &Table, key: &Column, others: &[&Table]) -> Dimension {
    let mut joins = Vec::new();
    let mut candidates = Vec::new();
    let is_calendar = calendar(table);
    // Snow falls from many rows to few.
    let smaller: Vec<&Table> = others.iter().filter(|t| t.rows < table.rows).copied().collect();
    for link in links(table, &smaller).into_iter().filter(|l| l.column.name != key.name && !is_parent(&l.column.name)) {
        let condition = format!(
            "{}.{} = {}.{}",
            quoted(&table.name),
            quoted(&link.column.name),
            quoted(&link.table.name),
            quoted(&link.key.name)
        );
        joins.push((link.table.name.clone(), condition));
        for column in link.table.columns.iter().filter(|c| c.name != link.key.name) {
            let values = column.joined(link.key, link.column);
            let joined = Column { values, ..column.clone() };
            candidates.push(candidate(Some(&link.table.name), joined));
        }
    }
    let alone = joins.is_empty();
    let own = table.columns.iter().filter(|c| c.name != key.name && c.kind != ColumnKind::Other);
    candidates.extend(own.map(|c| candidate((!alone).then_some(&table.name), c.clone())));
    let key_name = if alone { quoted(&key.name) } else { format!("{}.{}", quoted(&table.name), quoted(&key.name)) };
    let parent =
        position(&candidates, |c| is_parent(&c.column.name) && c.column.kind == key.kind && c.column.is_within(key));
    let parent = parent.map(|i| candidates.remove(i));
    let mut leaf = Level {
        name: singular(&table.name),
        key: key_name.clone(),
        name_column: None,
        kind: if is_calendar { LevelKind::TimeDays } else { LevelKind::Regular },
        unique: true,
        parent: parent.as_ref().map(|p| p.name.clone()),
        properties: Vec::new(),
    };
    if is_calendar {
        leaf.name = "Day".to_owned();
        leaf.name_column = date_name(&mut candidates, key);
    }
    if leaf.name_column.is_none() {
        leaf.name_column = member_name(table, &mut candidates, key);
    }
    let mut levels = match parent {
        Some(_) => Vec::new(),
        None if is_calendar => calendar_levels(&mut candidates),
        None => chain(&mut candidates, table.rows),
    };
    let mut dimension = Dimension {
        name: if is_calendar { "Date".to_owned() } else { singular(&table.name) },
        table: table.name.clone(),
        key: key_name,
        joins,
        hierarchy: if is_calendar { "Calendar".to_owned() } else { words(&table.name) },
        levels: Vec::new(),
        attributes: Vec::new(),
        unused: Vec::new(),
    };
    sort_rest(candidates, &mut leaf, &mut dimension);
    levels.push(leaf);
    dimension.levels = levels;
    dimension
}

fn candidate(table: Option<&String>, column: Column) -> Candidate {
    let name = match table {
        Some(table) => format!("{}.{}", quoted(table), quoted(&column.name)),
        None => quoted(&column.name),
    };
    let distinct = column.distinct();
    Candidate { name, title: words(&column.name), column, distinct }
}

fn position(candidates: &[Candidate], test: impl Fn(&Candidate) -> bool) -> Option<usize> {
    candidates.iter().position(test)
}

/// Whether a table is a calendar: it has a year, and its rows are days or months.
fn calendar(table: &Table) -> bool {
    let parts = || table.columns.iter().filter_map(|c| date_part(&c.name));
    let has = |kind| parts().any(|p| p == kind);
    has(LevelKind::TimeYears)
        && (has(LevelKind::TimeMonths) || has(LevelKind::TimeQuarters))
        && parts().count() * 3 >= table.columns.len()
}

/// The column that names the members of the key: unique text, or one that is called so.
fn member_name(table: &Table, candidates: &mut Vec<Candidate>, key: &Column) -> Option<String> {
    if key.kind == ColumnKind::Text {
        return None;
    }
    let row = singular(&table.name).replace(' ', "_").to_lowercase();
    let called = |c: &Candidate| {
        let name = c.column.name.to_lowercase();
        let rest = name.strip_suffix("name").map(|r| r.trim_end_matches('_'));
        c.column.kind == ColumnKind::Text
            && (stem(&name) == row || rest.is_some_and(|r| r.is_empty() || r == row || r == "full"))
    };
    let full = position(candidates, |c| {
        c.column.kind == ColumnKind::Text && ["fullname", "full_name"].contains(&c.column.name.to_lowercase().as_str())
    });
    let unique = || position(candidates, |c| c.column.kind == ColumnKind::Text && c.column.is_unique());
    let found = full.or_else(|| position(candidates, called)).or_else(unique)?;
    Some(candidates.remove(found).name)
}

/// The date of each row of a calendar whose key is no date.
fn date_name(candidates: &mut Vec<Candidate>, key: &Column) -> Option<String> {
    let is_date = |c: &Candidate| matches!(c.column.kind, ColumnKind::Date | ColumnKind::DateTime);
    let found = position(candidates, |c| is_date(c) && c.column.is_unique());
    let found = found.filter(|_| key.kind != ColumnKind::Date)?;
    let date = candidates.remove(found);
    Some(if date.column.kind == ColumnKind::DateTime { format!("date({})", date.name) } else { date.name })
}

/// Year, quarter and month of a calendar, as far as it has them: of several columns for one of them that whose values
/// have one parent only and which are most.
fn calendar_levels(candidates: &mut Vec<Candidate>) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let mut above: Option<Column> = None;
    for (kind, name) in
        [(LevelKind::TimeYears, "Year"), (LevelKind::TimeQuarters, "Quarter"), (LevelKind::TimeMonths, "Month")]
    {
        let determines = |c: &Candidate| above.as_ref().is_none_or(|above| c.column.determines(above));
        let usable = |c: &Candidate| {
            part(c) == Some(kind) && c.distinct > 0 && matches!(c.column.kind, ColumnKind::Integer | ColumnKind::Text)
        };
        let rank = |c: &Candidate| (determines(c), c.column.kind == ColumnKind::Integer, c.distinct);
        let best = (0..candidates.len()).filter(|&i| usable(&candidates[i])).max_by_key(|&i| rank(&candidates[i]));
        let Some(best) = best else { continue };
        let unique = determines(&candidates[best]);
        let key = candidates.remove(best);
        let names = |c: &Candidate| {
            part(c) == Some(kind) && c.column.kind == ColumnKind::Text && key.column.determines(&c.column)
        };
        let named = (0..candidates.len()).filter(|&i| names(&candidates[i])).max_by_key(|&i| candidates[i].distinct);
        let name_column = named.filter(|_| key.column.kind != ColumnKind::Text).map(|i| candidates.remove(i).name);
        let (name, properties) = (name.to_owned(), Vec::new());
        levels.push(Level { name, key: key.name, name_column, kind, unique, parent: None, properties });
        above = Some(key.column);
    }
    levels
}

/// Levels above the key, from the top: the longest chain of text columns of which each determines the one above it.
fn chain(candidates: &mut Vec<Candidate>, rows: u64) -> Vec<Level> {
    let fits = |c: &Candidate| {
        let few = (c.distinct as u64) * 10 <= rows.max(20) * 9;
        c.column.kind == ColumnKind::Text && c.distinct > 1 && few
    };
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&i| fits(&candidates[i])).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(candidates[i].distinct));
    // The finest column need not be part of the hierarchy: each of the first few may begin it.
    let mut best: Vec<usize> = Vec::new();
    for start in 0..order.len().min(8) {
        let mut chain = vec![order[start]];
        let mut below = &candidates[order[start]];
        for &next in &order[start + 1..] {
            let above = &candidates[next];
            if above.distinct < below.distinct && below.column.determines(&above.column) {
                chain.push(next);
                below = above;
            }
        }
        if chain.len() > best.len() {
            best = chain;
        }
    }
    // One column alone says nothing about levels.
    if best.len() < 2 {
        return Vec::new();
    }
    let level = |&i: &usize| Level {
        name: candidates[i].title.clone(),
        key: candidates[i].name.clone(),
        name_column: None,
        kind: LevelKind::Regular,
        unique: true,
        parent: None,
        properties: Vec::new(),
    };
    let levels = best.iter().rev().map(level).collect();
    best.sort_unstable();
    best.into_iter().rev().for_each(|i| drop(candidates.remove(i)));
    levels
}

fn part(candidate: &Candidate) -> Option<LevelKind> {
    date_part(&candidate.column.name)
}

/// What is in no hierarchy is an attribute if it groups rows, else a property of the members of the key.
fn sort_rest(candidates: Vec<Candidate>, leaf: &mut Level, dimension: &mut Dimension) {
    for c in candidates {
        let groups =
            c.distinct > 1 && c.distinct <= MAX_ATTRIBUTE && (c.distinct as u64) < c.column.values.len() as u64;
        let title = unique_title(&c.title, dimension, leaf);
        match c.column.kind {
            ColumnKind::Text | ColumnKind::Boolean if groups => dimension.attributes.push((title, c.name)),
            _ if is_key(&c.column.name) || c.distinct == 0 => dimension.unused.push(c.column.name),
            _ => leaf.properties.push((title, c.name)),
        }
    }
}

fn unique_title(title: &str, dimension: &Dimension, leaf: &Level) -> String {
    let taken = |t: &str| {
        let same = |(name, _): &(String, String)| name.eq_ignore_ascii_case(t);
        dimension.attributes.iter().any(same)
            || leaf.properties.iter().any(same)
            || dimension.hierarchy.eq_ignore_ascii_case(t)
    };
    let mut wanted = title.to_owned();
    let mut number = 2;
    while taken(&wanted) {
        wanted = format!("{title} {number}");
        number += 1;
    }
    wanted
}

/// A name as SQL expressions have it.
pub(super) fn quoted(name: &str) -> String {
    if crate::sql::is_plain_name(name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
