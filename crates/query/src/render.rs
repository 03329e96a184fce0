//! A cell set as text for golden scripts and people: axes as lines of unique names, then the cells.

use facetta_model::{Axis, CellSet, Context, Members, Result, Value};
use std::fmt::Write;

/// The text of a cell set: `Axis #0:` is the slicer as the query wrote it, `Axis #1:` the columns and so on, a line for
/// each tuple; then a line for each cell with its formatted value. `slicer` says whether WHERE was written.
pub fn render(cells: &mut CellSet, slicer: bool, context: &Context) -> Result<String> {
    let mut out = String::from("Axis #0:\n");
    if slicer {
        render_axis(&mut out, &cells.members, &cells.slicer);
    } else {
        out.push_str("{}\n");
    }
    for (number, axis) in cells.axes.iter().enumerate() {
        let _ = writeln!(out, "Axis #{}:", number + 1);
        render_axis(&mut out, &cells.members, axis);
    }
    let count = cells.cell_count();
    let mut texts = Vec::new();
    while let Some(block) = (cells.cells)(context)? {
        for (i, &ordinal) in block.ordinals.iter().enumerate() {
            texts.resize(ordinal as usize + 1, String::new());
            texts[ordinal as usize] = match (&block.values[i], block.formatted.is_empty()) {
                (Value::Error(e), _) => format!("#ERR: {e}"),
                (_, false) => block.formatted.get(i).to_owned(),
                (value, true) => value.to_string(),
            };
        }
    }
    if cells.axes.is_empty() {
        out.push_str(texts.first().map_or("", String::as_str));
        return Ok(out);
    }
    texts.resize(count as usize, String::new());
    let columns = cells.axes[0].tuples.len().max(1) as usize;
    let rows = cells.axes.get(1).map_or(1, |a| a.tuples.len().max(1)) as usize;
    for (ordinal, text) in texts.iter().enumerate() {
        let _ = writeln!(out, "Row #{}: {text}", ordinal / columns % rows);
    }
    Ok(out)
}

fn render_axis(out: &mut String, members: &Members, axis: &Axis) {
    for tuple in axis.tuples.iter() {
        out.push('{');
        for (i, (&hierarchy, &member)) in axis.tuples.hierarchies().iter().zip(&tuple).enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            members.write_unique_name(out, hierarchy, member);
        }
        out.push_str("}\n");
    }
}
