//! The fact table: its links, measures, and dimensions that live in it.

use super::data::{ColumnKind, Table};
use super::dimension::{Dimension, dimension, quoted};
use super::link::{links, near_miss};
use super::words::{date_part, is_key, is_rate, singular, stem, words};

/// What the definition will look like.
pub(super) struct Sketch {
    pub(super) dimensions: Vec<Dimension>,
    /// The fact table.
    pub(super) table: String,
    /// Name of the cube.
    pub(super) cube: String,
    /// How many rows of facts there are.
    pub(super) rows: u64,
    pub(super) uses: Vec<Use>,
    /// Columns that make dimensions of their own: title and column.
    pub(super) degenerate: Vec<(String, String)>,
    /// Columns of dates that make time dimensions: title, column, whether they have a time of day.
    pub(super) dates: Vec<(String, String, bool)>,
    pub(super) measures: Vec<Measure>,
    /// Columns left out, each with the reason.
    pub(super) unused: Vec<(String, &'static str)>,
    /// Columns that look like links and are none, each with the reason.
    pub(super) misses: Vec<(String, String)>,
    /// Tables left out.
    pub(super) tables: Vec<String>,
}

/// A use of a dimension.
pub(super) struct Use {
    pub(super) name: String,
    pub(super) dimension: String,
    pub(super) column: String,
}

/// A measure.
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) format: &'static str,
}

/// Texts with more different values are no use as a dimension.
const MAX_DEGENERATE: usize = 10_000;

/// Sorts out the tables. `None` if none has rows and columns.
pub(super) fn sketch(tables: &[Table]) -> Option<Sketch> {
    let usable = || tables.iter().filter(|t| t.rows > 0 && !t.columns.is_empty());
    // Of tables of equal size the first by name counts, so that the answer does not depend on the order of files.
    let fact = usable().min_by_key(|t| (std::cmp::Reverse(t.rows), t.name.clone()))?;
    let others: Vec<&Table> = usable().filter(|t| t.name != fact.name).collect();
    let mut sketch = Sketch {
        dimensions: Vec::new(),
        table: fact.name.clone(),
        cube: words(&fact.name),
        rows: fact.rows,
        uses: Vec::new(),
        degenerate: Vec::new(),
        dates: Vec::new(),
        measures: Vec::new(),
        unused: Vec::new(),
        misses: Vec::new(),
        tables: Vec::new(),
    };
    let linked = link_dimensions(fact, &others, &mut sketch);
    let row_count = format!("{} Count", singular(&fact.name));
    sketch.measures.push(Measure { name: row_count, value: "count".to_owned(), format: "#,##0" });
    for column in fact.columns.iter().filter(|c| !linked.contains(&c.name)) {
        sort(column, &mut sketch);
        let miss = if column.can_be_key() { near_miss(column, &others) } else { None };
        sketch.misses.extend(miss.map(|why| (column.name.clone(), why)));
    }
    let used = |t: &&&Table| {
        sketch.dimensions.iter().any(|d| d.table == t.name || d.joins.iter().any(|(join, _)| *join == t.name))
    };
    sketch.tables = others.iter().filter(|t| !used(t)).map(|t| t.name.clone()).collect();
    Some(sketch)
}

/// Makes the dimensions that columns of the facts point to, and answers those columns.
fn link_dimensions(fact: &Table, others: &[&Table], sketch: &mut Sketch) -> Vec<String> {
    let found = links(fact, others);
    for link in &found {
        let known = sketch.dimensions.iter().position(|d| d.table == link.table.name);
        let index = known.unwrap_or_else(|| {
            let snow: Vec<&Table> = others
                .iter()
                .filter(|t| t.name != link.table.name && !found.iter().any(|l| l.table.name == t.name))
                .copied()
                .collect();
            let mut made = dimension(link.table, link.key, &snow);
            made.name = free_name(&made.name, |n| sketch.dimensions.iter().any(|d| d.name.eq_ignore_ascii_case(n)));
            sketch.dimensions.push(made);
            sketch.dimensions.len() - 1
        });
        let dimension = sketch.dimensions[index].name.clone();
        let alone = found.iter().filter(|l| l.table.name == link.table.name).count() == 1;
        let name = if alone { dimension.clone() } else { words(&stem(&link.column.name)) };
        let name = free_name(&name, |n| sketch.uses.iter().any(|u| u.name.eq_ignore_ascii_case(n)));
        sketch.uses.push(Use { name, dimension, column: quoted(&link.column.name) });
    }
    found.iter().map(|l| l.column.name.clone()).collect()
}

/// What a column of the facts that points nowhere is good for.
fn sort(column: &super::data::Column, sketch: &mut Sketch) {
    let title = words(&column.name);
    let quoted = quoted(&column.name);
    let taken = |sketch: &Sketch, n: &str| {
        let same = |name: &str| name.eq_ignore_ascii_case(n);
        sketch.uses.iter().any(|u| same(&u.name))
            || sketch.degenerate.iter().any(|(t, _)| same(t))
            || sketch.dates.iter().any(|(t, ..)| same(t))
    };
    let measure = |sketch: &mut Sketch, title: String, aggregator: &str, format| {
        let name = free_name(&title, |n| sketch.measures.iter().any(|m| m.name.eq_ignore_ascii_case(n)));
        sketch.measures.push(Measure { name, value: format!("{aggregator}({quoted})"), format });
    };
    match column.kind {
        ColumnKind::Integer | ColumnKind::Number if is_key(&column.name) => {
            measure(sketch, format!("{} Count", words(&stem(&column.name))), "distinct_count", "#,##0");
        }
        ColumnKind::Integer if date_part(&column.name).is_some() => {
            let name = free_name(&title, |n| taken(sketch, n));
            sketch.degenerate.push((name, quoted));
        }
        ColumnKind::Integer | ColumnKind::Number if is_rate(&column.name) => {
            measure(sketch, format!("Average {title}"), "avg", "#,##0.00");
        }
        ColumnKind::Integer => measure(sketch, title, "sum", "#,##0"),
        ColumnKind::Number => measure(sketch, title, "sum", "#,##0.00"),
        ColumnKind::Date | ColumnKind::DateTime => {
            let name = free_name(&title, |n| taken(sketch, n));
            sketch.dates.push((name, quoted, column.kind == ColumnKind::DateTime));
        }
        ColumnKind::Text | ColumnKind::Boolean => match column.distinct() {
            0 => sketch.unused.push((column.name.clone(), "it is empty")),
            many if many > MAX_DEGENERATE => {
                sketch.unused.push((column.name.clone(), "it has too many different values"))
            }
            _ => {
                let name = free_name(&title, |n| taken(sketch, n));
                sketch.degenerate.push((name, quoted));
            }
        },
        ColumnKind::Other => sketch.unused.push((column.name.clone(), "its type cannot be used")),
    }
}

/// The name, with a number if it is taken. `Measures` is always taken.
fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let taken = |n: &str| n.eq_ignore_ascii_case("Measures") || taken(n);
    let mut wanted = name.to_owned();
    let mut number = 2;
    while taken(&wanted) {
        wanted = format!("{name} {number}");
        number += 1;
    }
    wanted
}
