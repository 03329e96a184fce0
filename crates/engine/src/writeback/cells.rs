//! The leaf cells under a tuple: combinations of leaf members that have fact rows, with what they hold.

use crate::column::{Code, Codes, Numbers, with_codes};
use crate::plan::{Conditions, plan};
use crate::scan::{Scanner, Selection};
use crate::segment::Segment;
use crate::version::Version;
use facetta_model::{Context, Error, Result};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Leaf cells of a measure group, in the order of their members.
pub(crate) struct LeafCells {
    /// Codes of a cell: one for each path column.
    pub(crate) width: usize,
    /// The codes of each cell, one after the other.
    pub(crate) codes: Vec<u32>,
    /// What each cell holds of the measure, if that is exact.
    pub(crate) units: Vec<i128>,
    /// What each cell holds of the measure, if that is a double.
    pub(crate) doubles: Vec<f64>,
}

/// Finds the leaf cells that fulfil `conditions`, and what they hold of a measure.
pub(crate) fn leaf_cells(
    version: &Version,
    conditions: &Conditions<'_>,
    measure: usize,
    context: &Context,
) -> Result<LeafCells> {
    let plan = plan(version, conditions, context)?;
    let data = version.group(conditions.group)?;
    let width = data.segments.first().map_or(0, |s| s.segment.paths.len());
    let mut found = Found { width, ..Found::default() };
    let mut charge = context.charge("Writeback", 0)?;
    let Some(first) = data.segments.first() else { return Err(Error::internal("a measure group has no segment")) };
    for (placed, tables) in data.segments.iter().zip(&plan.tables) {
        let Some(tables) = tables else { continue };
        // Codes of all segments must mean the same members.
        if placed.maps != first.maps {
            return Err(Error::internal("segments number their members differently"));
        }
        let mut scanner = Scanner::new(&placed.segment, tables);
        for block in 0..placed.segment.blocks() {
            scanner.block(block, context, |rows, selection| {
                found.add(&placed.segment, rows, &selection, measure);
                Ok(())
            })?;
            charge.resize(found.numbers.len() * (width * 8 + 80))?;
        }
    }
    context.check()?;
    found.finish(context)
}

#[derive(Default)]
struct Found {
    width: usize,
    numbers: FxHashMap<Box<[u32]>, u32>,
    units: Vec<i128>,
    doubles: Vec<f64>,
    keys: Vec<u32>,
}

impl Found {
    fn add(&mut self, segment: &Segment, rows: Range<usize>, selection: &Selection<'_>, measure: usize) {
        let count = match selection {
            Selection::All => rows.len(),
            Selection::Some(selected) => selected.len(),
        };
        self.keys.clear();
        self.keys.resize(count * self.width, 0);
        for (at, column) in segment.paths.iter().enumerate() {
            gather(&column.codes, rows.clone(), selection, &mut self.keys[at..], self.width);
        }
        for i in 0..count {
            let key = &self.keys[i * self.width..(i + 1) * self.width];
            let next = self.numbers.len() as u32;
            let cell = match self.numbers.get(key) {
                Some(&cell) => cell,
                // A change of a cell that has no fact rows any more.
                None if segment.is_delta => continue,
                None => {
                    self.numbers.insert(key.into(), next);
                    self.units.push(0);
                    self.doubles.push(0.0);
                    next
                }
            };
            let Some(column) = segment.number(measure) else { continue };
            let row = match selection {
                Selection::All => rows.start + i,
                Selection::Some(selected) => rows.start + usize::from(selected[i]),
            };
            match &column.numbers {
                Numbers::Scaled { units, .. } => self.units[cell as usize] += i128::from(units[row]),
                Numbers::Double(values) => self.doubles[cell as usize] += values[row],
            }
        }
    }

    /// In the order of the members' positions, which is that of their keys.
    fn finish(self, context: &Context) -> Result<LeafCells> {
        let mut order: Vec<(Box<[u32]>, u32)> = self.numbers.into_iter().collect();
        order.sort_unstable();
        context.check()?;
        let at = |(_, cell): &(Box<[u32]>, u32)| *cell as usize;
        Ok(LeafCells {
            width: self.width,
            units: order.iter().map(|c| self.units[at(c)]).collect(),
            doubles: order.iter().map(|c| self.doubles[at(c)]).collect(),
            codes: order.iter().flat_map(|(codes, _)| codes.iter().copied()).collect(),
        })
    }
}

impl LeafCells {
    /// How many cells there are.
    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }
}

/// Writes the code of each selected row to every `width`-th place of `out`.
fn gather(codes: &Codes, rows: Range<usize>, selection: &Selection<'_>, out: &mut [u32], width: usize) {
    with_codes!(codes, codes => {
        let codes = &codes[rows];
        let out = out.iter_mut().step_by(width);
        match selection {
            Selection::All => out.zip(codes).for_each(|(to, code)| *to = code.index() as u32),
            Selection::Some(selected) => {
                out.zip(*selected).for_each(|(to, &row)| *to = codes[row as usize].index() as u32);
            }
        }
    });
}
