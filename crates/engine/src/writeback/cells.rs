//! The leaf cells under a tuple: combinations of leaf members that have fact rows, with what they hold.

use crate::column::{Code, Codes, Numbers, with_codes};
use crate::plan::{Conditions, plan};
use crate::scan::{Scanner, Selection};
use crate::segment::Segment;
use crate::version::Version;
use facetta_model::sort::sorted;
use facetta_model::{Context, Error, Result};
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

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
    let mut found = Found::new(width);
    let mut charge = context.charge("Writeback", 0)?;
    context.counters().scans.fetch_add(1, Relaxed);
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
                context.check()?;
                found.add(&placed.segment, rows, &selection, measure);
                Ok(())
            })?;
            charge.resize(found.units.len() * (width * 4 + 64))?;
        }
    }
    found.finish(context)
}

struct Found {
    index: CellIndex,
    units: Vec<i128>,
    doubles: Vec<f64>,
    keys: Vec<u32>,
}

impl Found {
    fn new(width: usize) -> Found {
        Found { index: CellIndex::new(width), units: Vec::new(), doubles: Vec::new(), keys: Vec::new() }
    }

    fn add(&mut self, segment: &Segment, rows: Range<usize>, selection: &Selection<'_>, measure: usize) {
        let width = self.index.width;
        let count = match selection {
            Selection::All => rows.len(),
            Selection::Some(selected) => selected.len(),
        };
        self.keys.clear();
        self.keys.resize(count * width, 0);
        for (at, column) in segment.paths.iter().enumerate() {
            gather(&column.codes, rows.clone(), selection, &mut self.keys[at..], width);
        }
        for i in 0..count {
            let key = &self.keys[i * width..(i + 1) * width];
            let cell = match self.index.find(key) {
                Ok(cell) => cell,
                // A change of a cell that has no fact rows any more.
                Err(_) if segment.is_delta => continue,
                Err(place) => {
                    self.units.push(0);
                    self.doubles.push(0.0);
                    self.index.add(place, key)
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
        let order = sorted((0..self.units.len()).collect(), context, |&a: &usize, &b: &usize| {
            self.index.codes_of(a).cmp(self.index.codes_of(b))
        })?;
        let mut cells = LeafCells {
            width: self.index.width,
            units: Vec::with_capacity(order.len()),
            doubles: Vec::with_capacity(order.len()),
            codes: Vec::with_capacity(self.index.codes.len()),
        };
        let mut step = 0;
        for cell in order {
            context.check_every(&mut step)?;
            cells.units.push(self.units[cell]);
            cells.doubles.push(self.doubles[cell]);
            cells.codes.extend_from_slice(self.index.codes_of(cell));
        }
        Ok(cells)
    }
}

/// The number of each cell by its codes, without an allocation for each.
pub(super) struct CellIndex {
    width: usize,
    /// The codes of each cell, one after the other.
    pub(super) codes: Vec<u32>,
    /// Many small tables, so that none grows in one long step.
    shards: Vec<Shard>,
}

/// Where a cell is to be added: shard and hash.
#[derive(Clone, Copy)]
pub(super) struct CellPlace {
    shard: usize,
    hash: u64,
}

/// Open addressing: the number of a cell and one, 0 for a free slot. A power of two of slots, at most half of them taken.
#[derive(Clone, Default)]
struct Shard {
    slots: Vec<u32>,
    taken: usize,
}

const SHARDS: usize = 256;

impl CellIndex {
    pub(super) fn new(width: usize) -> CellIndex {
        CellIndex { width, codes: Vec::new(), shards: vec![Shard::default(); SHARDS] }
    }

    fn codes_of(&self, cell: usize) -> &[u32] {
        &self.codes[cell * self.width..(cell + 1) * self.width]
    }

    fn hash(key: &[u32]) -> u64 {
        let mut hasher = FxHasher::default();
        key.iter().for_each(|code| hasher.write_u32(*code));
        hasher.finish()
    }

    /// The number of a cell, or where it is to be added.
    pub(super) fn find(&self, key: &[u32]) -> std::result::Result<u32, CellPlace> {
        let hash = Self::hash(key);
        let shard = (hash >> 56) as usize % SHARDS;
        let slots = &self.shards[shard].slots;
        let mut at = hash as usize;
        for _ in 0..slots.len() {
            match slots[at & (slots.len() - 1)] {
                0 => break,
                cell if self.codes_of(cell as usize - 1) == key => return Ok(cell - 1),
                _ => at += 1,
            }
        }
        Err(CellPlace { shard, hash })
    }

    /// Adds a cell that was not found; its number.
    pub(super) fn add(&mut self, place: CellPlace, key: &[u32]) -> u32 {
        let number = (self.codes.len() / self.width.max(1)) as u32;
        self.codes.extend_from_slice(key);
        let shard = &self.shards[place.shard];
        if shard.taken * 2 >= shard.slots.len() {
            self.grow(place.shard);
        }
        let shard = &mut self.shards[place.shard];
        shard.put(place.hash, number + 1);
        shard.taken += 1;
        number
    }

    fn grow(&mut self, shard: usize) {
        let size = (self.shards[shard].slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.shards[shard].slots, vec![0; size]);
        for cell in old.into_iter().filter(|cell| *cell != 0) {
            let hash = Self::hash(self.codes_of(cell as usize - 1));
            self.shards[shard].put(hash, cell);
        }
    }
}

impl Shard {
    /// Puts a cell into the first free slot from its hash on; there is one.
    fn put(&mut self, hash: u64, cell: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = cell;
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
