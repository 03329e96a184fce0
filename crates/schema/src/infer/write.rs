//! A sketch as YAML with comments that say what was guessed and how to go on.

use super::dimension::{Dimension, Level};
use super::fact::Sketch;
use crate::yaml::LEVEL_KINDS;
use facetta_model::definition::LevelKind;
use facetta_model::name;

/// Writes the definition.
pub(super) fn write(catalog: &str, sketch: &Sketch) -> String {
    let mut out = Out::default();
    out.comment(0, "A first schema, inferred from names and values. Read it, change it, serve it:");
    out.comment(0, "  facetta serve --catalog NAME=facetta.yaml,FOLDER");
    out.comment(0, "Columns are compared without regard to case; where a column may stand, an SQL expression may too.");
    out.pair(0, "catalog", catalog);
    out.line("");
    if !sketch.dimensions.is_empty() {
        out.comment(0, "Dimensions with tables of their own. 'key' is the column that facts point to.");
        out.key(0, "dimensions");
        for dimension in &sketch.dimensions {
            write_dimension(dimension, &mut out);
        }
        out.line("");
    }
    out.key(0, "cubes");
    out.key(2, &sketch.cube);
    out.comment(4, &format!("The table with the most rows: {}.", sketch.rows));
    out.pair(4, "fact", &sketch.table);
    write_measures(sketch, &mut out);
    write_uses(sketch, &mut out);
    out.comment(4, "What is computed from measures is written in MDX, for example:");
    out.comment(4, "calculated:");
    let name =
        |wanted: &str| sketch.measures.iter().find(|m| m.value.starts_with(wanted)).map(|m| name::quote(&m.name));
    if let (Some(sum), Some(count)) = (name("sum").or_else(|| name("")), name("count")) {
        let formula = scalar(&format!("[Measures].{sum} / [Measures].{count}"));
        out.comment(4, &format!("  Average: {{formula: {formula}, format: \"#,##0.00\"}}"));
    }
    if !sketch.tables.is_empty() {
        out.line("");
        out.comment(0, &format!("Tables without use so far: {}.", sketch.tables.join(", ")));
        out.comment(
            0,
            "A cube over several fact tables has 'measure_groups', each with 'fact', 'measures' and 'dimensions'.",
        );
    }
    out.text
}

fn write_dimension(dimension: &Dimension, out: &mut Out) {
    out.key(2, &dimension.name);
    out.pair(4, "table", &dimension.table);
    out.pair(4, "key", &dimension.key);
    if !dimension.joins.is_empty() {
        out.key(4, "joins");
        for (table, condition) in &dimension.joins {
            out.pair(6, table, condition);
        }
    }
    out.key(4, "hierarchies");
    out.key(6, &dimension.hierarchy);
    if dimension.levels.len() > 1 {
        out.comment(8, "From the top. 'unique': each value has one parent only, as the data has it now; without it a");
        out.comment(8, "member is told apart by its parents too.");
    }
    out.key(8, "levels");
    let mut names: Vec<&str> = Vec::new();
    for (depth, level) in dimension.levels.iter().enumerate() {
        // The first level, and the one of the dimension's key, are unique anyhow.
        let says_unique = level.unique && depth > 0 && level.key != dimension.key;
        write_level(level, says_unique, &mut names, out);
    }
    if !dimension.attributes.is_empty() {
        out.comment(4, "Each is a hierarchy of one level.");
        out.key(4, "attributes");
        for (title, column) in &dimension.attributes {
            out.pair(6, title, column);
        }
    }
    if !dimension.unused.is_empty() {
        out.comment(4, &format!("Left out: {}.", dimension.unused.join(", ")));
    }
}

fn write_level<'l>(level: &'l Level, says_unique: bool, names: &mut Vec<&'l str>, out: &mut Out) {
    // A column may be named as its table is; the level of the table is then told apart.
    let twice = names.iter().any(|n| n.eq_ignore_ascii_case(&level.name));
    names.push(&level.name);
    out.key(10, &if twice { format!("{} 2", level.name) } else { level.name.clone() });
    out.pair(12, "key", &level.key);
    if let Some(name) = &level.name_column {
        out.pair(12, "name", name);
    }
    if let Some((word, _)) = LEVEL_KINDS.iter().find(|(_, kind)| *kind == level.kind && *kind != LevelKind::Regular) {
        out.pair(12, "kind", word);
    }
    if says_unique {
        out.pair(12, "unique", "true");
    }
    if let Some(parent) = &level.parent {
        out.comment(12, "The column of the parent's key: members of this level are each other's parents.");
        out.pair(12, "parent", parent);
    }
    if !level.properties.is_empty() {
        out.key(12, "properties");
        for (title, column) in &level.properties {
            out.pair(14, title, column);
        }
    }
}

fn write_measures(sketch: &Sketch, out: &mut Out) {
    out.comment(4, "sum, count, min, max, avg and distinct_count. Formats are those of Analysis Services.");
    out.key(4, "measures");
    for measure in &sketch.measures {
        out.key(6, &measure.name);
        out.pair(8, "value", &measure.value);
        out.pair(8, "format", measure.format);
    }
    for (column, why) in &sketch.unused {
        out.comment(4, &format!("Left out: {column} ({why})."));
    }
}

fn write_uses(sketch: &Sketch, out: &mut Out) {
    for (column, why) in &sketch.misses {
        out.comment(4, &format!("No dimension for {column}: {why}."));
    }
    if sketch.uses.is_empty() && sketch.degenerate.is_empty() && sketch.dates.is_empty() {
        return;
    }
    out.comment(4, "The dimensions of the facts, each with the fact column that points to it.");
    out.key(4, "dimensions");
    for used in &sketch.uses {
        if used.name == used.dimension {
            out.pair(6, &used.name, &used.column);
        } else {
            out.key(6, &used.name);
            out.pair(8, "dimension", &used.dimension);
            out.pair(8, "foreign_key", &used.column);
        }
    }
    for (title, column, has_time) in &sketch.dates {
        write_date(title, column, *has_time, out);
    }
    if !sketch.degenerate.is_empty() {
        out.comment(6, "These live in the fact table itself.");
    }
    for (title, column) in &sketch.degenerate {
        out.key(6, title);
        out.key(8, "attributes");
        out.pair(10, title, column);
    }
}

/// A time hierarchy over a column of dates.
fn write_date(title: &str, column: &str, has_time: bool, out: &mut Out) {
    out.comment(
        6,
        &format!("A time hierarchy over the dates in {column}; a calendar table would know days without facts too."),
    );
    out.key(6, title);
    out.pair(8, "kind", "time");
    out.key(8, "hierarchies");
    out.key(10, "Calendar");
    out.key(12, "levels");
    let day = if has_time { format!("date({column})") } else { column.to_owned() };
    for (name, key, member, kind) in [
        ("Year", format!("year({column})"), None, "years"),
        (
            "Quarter",
            format!("quarter({column})"),
            Some(format!("concat('Q', cast(quarter({column}) as string))")),
            "quarters",
        ),
        ("Month", format!("month({column})"), Some(format!("month_name({column})")), "months"),
        ("Day", day, None, "days"),
    ] {
        out.key(14, name);
        out.pair(16, "key", &key);
        if let Some(member) = member {
            out.pair(16, "name", &member);
        }
        out.pair(16, "kind", kind);
        if name == "Day" {
            out.pair(16, "unique", "true");
        }
    }
}

/// YAML text, a line at a time.
#[derive(Default)]
struct Out {
    text: String,
}

impl Out {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn comment(&mut self, indent: usize, text: &str) {
        // Names may hold anything; a comment ends at the end of its line.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.line(&format!("{:indent$}# {text}", ""));
    }

    fn key(&mut self, indent: usize, key: &str) {
        self.line(&format!("{:indent$}{}:", "", scalar(key)));
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        self.line(&format!("{:indent$}{}: {}", "", scalar(key), scalar(value)));
    }
}

/// A text as a YAML scalar: plain where that cannot be misread, else in double quotes.
fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let plain = |c: char| c.is_alphanumeric() || "_ .,()*=<>/+-'|".contains(c);
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    // `true` as a value is meant as written; the reader takes it as text anyhow where text is wanted.
    if first && text.chars().all(plain) && !text.ends_with(' ') && (!word || text == "true") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\U{:08X}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
