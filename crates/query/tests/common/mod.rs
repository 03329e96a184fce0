//! FoodMart on either implementor of the seam, statements against it, and their answers as the conformance cases write them.

#![allow(clippy::unwrap_used, dead_code)]

use facetta_engine::Answers;
use facetta_model::definition::{KpiDef, Place, Texts};
use facetta_model::{CellSet, Compatibility, Context, Error, Outcome, Result, Value};
use facetta_query::{Query, execute};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A part of the shared material; none (with a line that says so) where the machine lacks it.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FACETTA_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("FACETTA_NO_SKIP").is_none(), "{} is missing", path.display());
    println!("skipped: {} is missing", path.display());
    None
}

/// FoodMart, loaded as one catalog or the other speaks, with an indicator in the cube Sales 2.
pub(crate) fn foodmart(folder: &Path, compatibility: Compatibility, answers: Answers) -> Query {
    let mut definition = facetta_schema::load(&folder.join("FoodMart.xml")).unwrap();
    definition.compatibility = compatibility;
    let sales = definition.cubes.iter_mut().find(|c| c.name == "Sales 2").unwrap();
    sales.kpis.push(KpiDef {
        name: "Margin".to_owned(),
        texts: Texts::default(),
        value: "[Measures].[Store Sales] / [Measures].[Store Cost]".to_owned(),
        goal: Some("2.5 + 0".to_owned()),
        status: Some("[Measures].[Store Cost]".to_owned()),
        trend: None,
        status_graphic: None,
        trend_graphic: None,
        place: Place::default(),
    });
    let source = facetta_engine::Source::Folder(folder.join("data"));
    let store = facetta_engine::Store::in_memory().answering(answers);
    let database = store.load("FoodMart", &definition, &source, &Context::unlimited(), &|_| {}).unwrap();
    Query::new(database.snapshot(), jiff::civil::DateTime::constant(2024, 8, 22, 10, 20, 30, 0))
}

pub(crate) fn run(mdx: &str, query: &Query) -> Result<(CellSet, BTreeMap<u64, String>)> {
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
pub(crate) fn lines(cells: &CellSet, axis: &facetta_model::Axis, width: usize) -> Vec<Vec<String>> {
    let name = |(h, m): (&facetta_model::HierarchyId, &facetta_model::MemberId)| cells.members.unique_name(*h, *m);
    let tuple =
        |t: Vec<facetta_model::MemberId>| axis.tuples.hierarchies().iter().zip(&t).take(width).map(name).collect();
    axis.tuples.iter().map(tuple).collect()
}

/// The text of a result as the cases write it. How many hierarchies the slicer shows is taken from the expected text: the
/// slicer begins with those of WHERE.
pub(crate) fn text(cells: &CellSet, texts: &BTreeMap<u64, String>, expected: &str) -> String {
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
