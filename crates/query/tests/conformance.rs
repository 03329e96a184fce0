//! The conformance cases against the column store: every case passes but those listed with their reasons in
//! `conformance_known.txt`, and these do not pass (so that the list stays true).

#![allow(clippy::unwrap_used)]

use facetta_model::{CellSet, Context, Error, Outcome, Result, Value};
use facetta_query::{Query, STACK_BYTES, execute};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

fn shared() -> PathBuf {
    let root = std::env::var_os("FACETTA_SHARED").expect("FACETTA_SHARED names the folder of the reference material");
    PathBuf::from(root)
}

fn foodmart() -> Query {
    let folder = shared().join("foodmart");
    let definition = facetta_schema::load(&folder.join("FoodMart.xml")).unwrap();
    let source = facetta_engine::Source::Folder(folder.join("data"));
    let store = facetta_engine::Store::in_memory();
    let database = store.load("FoodMart", &definition, &source, &Context::unlimited(), &|_| {}).unwrap();
    Query::new(database.snapshot(), jiff::civil::DateTime::constant(2024, 8, 22, 10, 20, 30, 0))
}

/// The statement of a case; none for the kinds that other tests take.
fn statement(case: &Json) -> Option<String> {
    let mdx = case["mdx"].as_str()?;
    let cube = case["cube"].as_str().unwrap_or("Sales").replace(']', "]]");
    let kind = case["kind"].as_str()?;
    let set = case["set"] == true;
    match kind {
        "axis" | "axis_throws" => Some(format!("select {{{mdx}}} on columns from [{cube}]")),
        "member" | "size" if set => Some(format!("select {{{mdx}}} on columns from [{cube}]")),
        "expr" | "expr_throws" => {
            let quoted = mdx.replace('\'', "''");
            Some(format!(
                "with member [Measures].[Foo] as '{quoted}' select {{[Measures].[Foo]}} on columns from [{cube}]"
            ))
        }
        "query" | "query_throws" | "member" | "size" => Some(mdx.to_owned()),
        _ => None,
    }
}

fn run(mdx: &str, query: &Query) -> Result<(CellSet, BTreeMap<u64, String>)> {
    let context = Context::new(1 << 30, Some(Duration::from_secs(120)));
    let statement = facetta_mdx::parse_statement(mdx, &context)?;
    let Outcome::CellSet(mut cells) = execute(&statement, query, &context)? else {
        return Err(Error::not_supported("an outcome that is no cell set"));
    };
    let mut texts = BTreeMap::new();
    while let Some(block) = (cells.cells)(&context)? {
        for (i, ordinal) in block.ordinals.iter().enumerate() {
            let text = match &block.values[i] {
                Value::Error(e) => format!("#ERR: {e}"),
                value if block.formatted.is_empty() => value.to_string(),
                _ => block.formatted.get(i).to_owned(),
            };
            texts.insert(*ordinal, text);
        }
    }
    Ok((cells, texts))
}

/// The lines of an axis, of each tuple the first `width` members.
fn lines(cells: &CellSet, axis: &facetta_model::Axis, width: usize) -> Vec<Vec<String>> {
    let name = |(h, m): (&facetta_model::HierarchyId, &facetta_model::MemberId)| cells.members.unique_name(*h, *m);
    let tuple =
        |t: Vec<facetta_model::MemberId>| axis.tuples.hierarchies().iter().zip(&t).take(width).map(name).collect();
    axis.tuples.iter().map(tuple).collect()
}

/// The text of a result as the cases write it. How many hierarchies the slicer shows is taken from the expected text: the
/// slicer begins with those of WHERE.
fn text(cells: &CellSet, texts: &BTreeMap<u64, String>, expected: &str) -> String {
    let slicer = expected.lines().nth(1).unwrap_or_default();
    let width = if slicer == "{}" { 0 } else { slicer.matches("], [").count() + 1 };
    let mut out = String::from("Axis #0:\n");
    if width == 0 && slicer == "{}" {
        out.push_str("{}\n");
    } else {
        lines(cells, &cells.slicer, width).iter().for_each(|t| writeln!(out, "{{{}}}", t.join(", ")).unwrap());
    }
    for (number, axis) in cells.axes.iter().enumerate() {
        writeln!(out, "Axis #{}:", number + 1).unwrap();
        lines(cells, axis, usize::MAX).iter().for_each(|t| writeln!(out, "{{{}}}", t.join(", ")).unwrap());
    }
    if cells.axes.is_empty() {
        out.push_str(texts.get(&0).map_or("", String::as_str));
        return out;
    }
    let columns = cells.axes[0].tuples.len().max(1);
    let rows = cells.axes.get(1).map_or(1, |a| a.tuples.len().max(1));
    for ordinal in 0..cells.cell_count() {
        let text = texts.get(&ordinal).map_or("", String::as_str);
        writeln!(out, "Row #{}: {text}", ordinal / columns % rows).unwrap();
    }
    out
}

/// What is wrong with the answer to a case; none if nothing is.
fn fault(case: &Json, mdx: &str, query: &Query) -> Option<String> {
    let kind = case["kind"].as_str().unwrap();
    let expected = case["expected"].as_str().unwrap_or_default();
    let (cells, texts) = match (run(mdx, query), kind.ends_with("_throws")) {
        (Err(_), true) => return None,
        (Err(error), false) => return Some(error.to_string()),
        (Ok((_, texts)), true) => {
            let in_cell = kind == "expr_throws" && texts.get(&0).is_some_and(|t| t.starts_with("#ERR"));
            return (!in_cell).then(|| "no error".to_owned());
        }
        (Ok(found), false) => found,
    };
    let got = match kind {
        "query" => text(&cells, &texts, expected),
        "axis" => {
            let line =
                |t: &Vec<String>| if let [one] = t.as_slice() { one.clone() } else { format!("{{{}}}", t.join(", ")) };
            lines(&cells, &cells.axes[0], usize::MAX).iter().map(line).collect::<Vec<_>>().join("\n")
        }
        "expr" => {
            let got = texts.get(&0).cloned().unwrap_or_default();
            if let (Some(tolerance), Ok(a), Ok(b)) =
                (case["tolerance"].as_f64(), got.replace(',', "").parse::<f64>(), expected.parse::<f64>())
            {
                // The text is rounded to the format's decimals.
                return ((a - b).abs() > tolerance.max(0.5)).then_some(got);
            }
            got
        }
        "size" => {
            let check = &case["check"];
            let axis = check["axis"].as_u64().map_or(cells.axes.len().saturating_sub(1), |a| a as usize);
            let len = cells.axes.get(axis).map_or(0, |a| a.tuples.len());
            return (Some(len) != check["size"].as_u64()).then(|| format!("{len} positions"));
        }
        _ => {
            let check = &case["check"];
            let number = |name: &str| check[name].as_u64().unwrap_or(0) as usize;
            let axis = &cells.axes[number("axis")].tuples;
            let (h, m) = (axis.hierarchies()[number("member")], axis.member(number("pos") as u64, number("member")));
            match check["prop"].as_str() {
                Some("name") => cells.members.name(h, m).to_owned(),
                Some("caption") => cells.members.caption(h, m).to_owned(),
                _ => cells.members.unique_name(h, m),
            }
        }
    };
    (got.trim_end() != expected.trim_end()).then_some(got)
}

#[test]
fn cases_pass_but_those_known() {
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(|| {
        let query = foodmart();
        let known = include_str!("conformance_known.txt");
        let known: BTreeMap<&str, &str> =
            known.lines().filter_map(|l| l.split_once(' ')).filter(|(id, _)| !id.starts_with("//")).collect();
        let cases = std::fs::read_to_string(shared().join("conformance/mdx_open.jsonl")).unwrap();
        let (mut wrong, mut ran) = (Vec::new(), 0);
        for line in cases.lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let Some(mdx) = statement(&case) else { continue };
            let id = case["id"].as_str().unwrap();
            ran += 1;
            match (fault(&case, &mdx, &query), known.contains_key(id)) {
                (Some(got), false) => wrong.push(format!("{id} fails: {}", got.chars().take(300).collect::<String>())),
                (None, true) => wrong.push(format!("{id} passes now; take it from the list")),
                _ => {}
            }
        }
        assert!(ran > 700, "only {ran} cases were run");
        assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    });
    worker.unwrap().join().unwrap();
}
