//! Answers on standard output: as a table, CSV or JSON.

use anyhow::Result;
use clap::ValueEnum;
use facetta_xmla::client::{AnswerResult, AxisMember, Cell, Cells};
use serde_json::{Value, json};
use std::io::Write;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, for people
    Table,
    /// Comma-separated values (RFC 4180)
    Csv,
    /// JSON
    Json,
    /// The answer as the server wrote it
    Xml,
}

/// An answer laid out in rows and columns.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Table {
    /// Lines of the heading; the last line names the columns.
    pub(super) headings: Vec<Vec<String>>,
    /// The type of each column, as `xsd:int`; empty where the answer has none.
    pub(super) types: Vec<String>,
    /// The rows.
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// A table with one line of heading.
    pub(super) fn new(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Self {
        Table { headings: vec![columns.iter().map(|c| (*c).to_string()).collect()], types: Vec::new(), rows }
    }

    /// Lays an answer out. A cell set has its axis 0 across and all others down, captions before the cells.
    pub(super) fn of(answer: AnswerResult) -> Self {
        match answer {
            AnswerResult::Table(table) => Table { headings: vec![table.columns], types: table.types, rows: table.rows },
            AnswerResult::Cells(cells) => lay_out(&cells),
            // A fault never comes here: the client makes it an error.
            AnswerResult::Empty | AnswerResult::Fault(_) => Table::default(),
        }
    }

    fn width(&self) -> usize {
        self.headings.iter().map(Vec::len).chain(self.rows.iter().map(Vec::len)).max().unwrap_or(0)
    }
}

fn lay_out(cells: &Cells) -> Table {
    let (across, down) = cells.axes.split_first().map_or((1, &[][..]), |(first, rest)| (first.len(), rest));
    let margin: usize = down.iter().map(|axis| axis.first().map_or(0, Vec::len)).sum();
    let deep = cells.axes.first().and_then(|axis| axis.first()).map_or(0, Vec::len);
    let heading = |line: usize| {
        let captions = cells.axes[0].iter().map(|tuple| tuple[line].caption.clone());
        std::iter::repeat_n(String::new(), margin).chain(captions).collect()
    };
    let mut table = Table { headings: (0..deep).map(heading).collect(), ..Table::default() };
    let lines: usize = if across == 0 { 0 } else { down.iter().map(Vec::len).product() };
    let mut found = cells.cells.iter().peekable();
    for line in 0..lines {
        let mut row = Vec::with_capacity(margin + across);
        // Axis 1 runs fastest among those that go down; the slowest stands first.
        let mut stride = lines;
        for axis in down.iter().rev() {
            stride /= axis.len();
            let tuple = &axis[line / stride % axis.len()];
            row.extend(tuple.iter().map(|member| Some(member.caption.clone())));
        }
        for column in 0..across {
            let ordinal = (line * across + column) as u64;
            row.push(found.next_if(|cell| cell.ordinal == ordinal).map(shown));
        }
        table.rows.push(row);
    }
    table
}

/// What a cell shows.
fn shown(cell: &Cell) -> String {
    match &cell.error {
        Some(error) => format!("#Error {error}"),
        None => cell.formatted.clone().or_else(|| cell.value.clone()).unwrap_or_default(),
    }
}

/// Prints a table in a format; as XML there is no table.
pub(super) fn print(table: &Table, format: Format) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        Format::Csv => print_csv(&mut out, table)?,
        Format::Json => writeln!(out, "{:#}", objects(table))?,
        Format::Table | Format::Xml => print_table(&mut out, table)?,
    }
    Ok(out.flush()?)
}

/// Columns as wide as their widest value; what looks like a number stands at the right.
pub(super) fn print_table(out: &mut dyn Write, table: &Table) -> Result<()> {
    let plain = |value: &str| value.replace(['\n', '\r', '\t'], " ");
    let columns = table.width();
    let (mut widths, mut right) = (vec![0; columns], vec![true; columns]);
    for (i, text) in table.headings.iter().flat_map(|h| h.iter().enumerate()) {
        widths[i] = widths[i].max(plain(text).chars().count());
    }
    for (i, value) in table.rows.iter().flat_map(|row| row.iter().enumerate()) {
        let text = value.as_deref().unwrap_or("");
        widths[i] = widths[i].max(plain(text).chars().count());
        right[i] &= text.is_empty() || is_number(text);
    }
    let mut line = |cells: &mut dyn Iterator<Item = String>| -> Result<()> {
        let mut text = String::new();
        for (i, cell) in cells.enumerate() {
            let (width, gap) = (widths[i], if i == 0 { "" } else { "  " });
            let padded = if right[i] { format!("{gap}{cell:>width$}") } else { format!("{gap}{cell:<width$}") };
            text.push_str(&padded);
        }
        Ok(writeln!(out, "{}", text.trim_end())?)
    };
    for heading in &table.headings {
        line(&mut heading.iter().map(|h| plain(h)))?;
    }
    if !table.headings.is_empty() {
        line(&mut widths.iter().map(|w| "-".repeat(*w)))?;
    }
    for row in &table.rows {
        line(&mut row.iter().map(|v| plain(v.as_deref().unwrap_or(""))))?;
    }
    Ok(())
}

/// Digits with signs, separators, currency or percent marks around them.
fn is_number(text: &str) -> bool {
    let marks = |c: char| c.is_ascii_digit() || " ,.-+%()$€£Ee".contains(c);
    text.chars().all(marks) && text.chars().any(|c| c.is_ascii_digit())
}

fn print_csv(out: &mut dyn Write, table: &Table) -> Result<()> {
    let quote = |value: &str| {
        if value.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            value.to_string()
        }
    };
    if !table.headings.is_empty() {
        let names: Vec<String> = column_names(table).iter().map(|name| quote(name)).collect();
        write!(out, "{}\r\n", names.join(","))?;
    }
    for row in &table.rows {
        let values: Vec<String> = row.iter().map(|value| quote(value.as_deref().unwrap_or(""))).collect();
        write!(out, "{}\r\n", values.join(","))?;
    }
    Ok(())
}

/// One name for each column: the lines of the heading, joined.
fn column_names(table: &Table) -> Vec<String> {
    let name = |column: usize| {
        let parts = table.headings.iter().filter_map(|h| h.get(column)).filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join(" / ")
    };
    (0..table.width()).map(name).collect()
}

/// The rows of a rowset as objects.
fn objects(table: &Table) -> Value {
    let names = column_names(table);
    let object = |row: &Vec<Option<String>>| -> Value {
        let types = table.types.iter().map(String::as_str).chain(std::iter::repeat(""));
        names
            .iter()
            .zip(row)
            .zip(types)
            .map(|((name, value), ty)| (name.clone(), typed(value.as_deref(), ty)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    table.rows.iter().map(object).collect()
}

/// A value of an XML schema type as JSON. Text that JSON cannot hold without a loss (a decimal of many digits, INF) stays text.
fn typed(text: Option<&str>, ty: &str) -> Value {
    let Some(text) = text else { return Value::Null };
    let number = match ty.rsplit(':').next().unwrap_or(ty) {
        "boolean" => return text.parse::<bool>().map_or_else(|_| json!(text), Value::from),
        "byte" | "unsignedByte" | "short" | "unsignedShort" | "int" | "unsignedInt" | "long" | "unsignedLong" => {
            text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
        }
        "float" | "double" => text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from),
        "decimal" => text.parse::<f64>().ok().filter(|n| n.to_string() == text).map(Value::from),
        _ => None,
    };
    number.unwrap_or_else(|| json!(text))
}

/// An answer as JSON: a rowset as a list of objects, a cell set as axes and cells.
pub(super) fn to_json(answer: AnswerResult) -> Value {
    match answer {
        AnswerResult::Cells(cells) => {
            let member = |m: &AxisMember| json!({"uniqueName": m.unique_name, "caption": m.caption});
            let tuple = |tuple: &Vec<AxisMember>| tuple.iter().map(member).collect::<Value>();
            let axes: Value = cells.axes.iter().map(|axis| axis.iter().map(tuple).collect::<Value>()).collect();
            let cell = |cell: &Cell| match &cell.error {
                Some(error) => json!({"ordinal": cell.ordinal, "error": error}),
                None => {
                    json!({"ordinal": cell.ordinal, "value": typed(cell.value.as_deref(), &cell.value_type), "formatted": cell.formatted})
                }
            };
            json!({"axes": axes, "cells": cells.cells.iter().map(cell).collect::<Value>()})
        }
        other => objects(&Table::of(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(caption: &str) -> AxisMember {
        AxisMember { caption: caption.to_string(), ..AxisMember::default() }
    }

    fn printed(table: &Table) -> String {
        let mut out = Vec::new();
        print_table(&mut out, table).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_cell_set_of_three_axes_is_a_table() {
        let cell = |ordinal, text: &str| Cell { ordinal, formatted: Some(text.to_string()), ..Cell::default() };
        let cells = Cells {
            axes: vec![
                vec![vec![member("2023"), member("Sales")], vec![member("2024"), member("Sales")]],
                vec![vec![member("x")], vec![member("y")]],
                vec![vec![member("North")], vec![member("South")]],
            ],
            cells: vec![cell(0, "1"), cell(3, "4"), cell(6, "1,234.5")],
            ..Cells::default()
        };
        let expected = expect_test::expect![[r"
                         2023   2024
                        Sales  Sales
            -----  -  -------  -----
            North  x        1
            North  y               4
            South  x
            South  y  1,234.5
        "]];
        expected.assert_eq(&printed(&lay_out(&cells)));
        let none = Cells { axes: vec![vec![], vec![vec![member("x")]]], ..Cells::default() };
        assert_eq!(lay_out(&none).rows.len(), 0);
        let one = Cells { cells: vec![cell(0, "7")], ..Cells::default() };
        assert_eq!(lay_out(&one).rows, [[Some("7".to_string())]]);
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let table = Table::new(&["a", "b,c"], vec![vec![Some("x\"y".into()), None]]);
        let mut out = Vec::new();
        print_csv(&mut out, &table).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a,\"b,c\"\r\n\"x\"\"y\",\r\n");
    }

    #[test]
    fn json_tells_null_from_empty() {
        let table = Table::new(&["a", "b"], vec![vec![Some(String::new()), None]]);
        assert_eq!(objects(&table), json!([{"a": "", "b": null}]));
    }

    #[test]
    fn json_has_numbers_where_the_answer_has() {
        let rows = [
            ("xsd:int", "7", json!(7)),
            ("xsd:unsignedLong", "18446744073709551615", json!(u64::MAX)),
            ("xsd:double", "1.5", json!(1.5)),
            ("xsd:double", "INF", json!("INF")),
            ("xsd:decimal", "0.25", json!(0.25)),
            ("xsd:decimal", "12345678901234567.89", json!("12345678901234567.89")),
            ("xsd:boolean", "true", json!(true)),
            ("xsd:string", "7", json!("7")),
            ("", "7", json!("7")),
        ];
        for (ty, text, expected) in rows {
            assert_eq!(typed(Some(text), ty), expected, "{ty} {text}");
        }
    }
}
