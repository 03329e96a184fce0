//! Rows to groups: the group of each row by array index or by hash, and the measures added up by group.

use crate::column::{Code, Codes, with_codes};
use crate::measure::Accumulator;
use crate::plan::{AxisMembers, Plan, Tables};
use crate::scan::{CHUNK_ROWS, Scanner, Selection, runs};
use crate::segment::Segment;
use crate::version::GroupData;
use facetta_model::catalog::MeasureGroup;
use facetta_model::{Charge, Context, MemberId, Result, Subcube, bail};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

/// Groups are counted in an array up to this many, if there are not far fewer rows.
const ARRAY_GROUPS: u64 = 1 << 22;
/// An array of so few groups is always worth it.
const SMALL_ARRAY: u64 = 1 << 16;
/// The work is cut into so many runs of blocks at most.
const MOST_RUNS: usize = 16;
/// All runs' arrays together hold at most so many bytes, where fewer runs can avoid more.
const RUN_BYTES: usize = 16 << 20;
/// Hashed groups are kept in so many tables, so that none grows in one long step.
const SHARDS: usize = 64;

/// The group of each selected row of a chunk.
pub(crate) enum Slots<'a> {
    /// There is one group.
    One,
    Each(&'a [u32]),
}

/// How groups are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// By position in an array of all combinations.
    Array(usize),
    /// By a hash of the combined positions.
    Hash,
}

/// What a run of blocks has added up.
struct Partial {
    groups: Groups,
    measures: Vec<Accumulator>,
    charge: Charge,
}

enum Groups {
    /// Whether each group has rows, and whether all of them do: then nobody needs to note it any more.
    Array {
        seen: Vec<u8>,
        all: bool,
    },
    Hash(Hashed),
}

/// Groups numbered in the order in which their combined positions came.
struct Hashed {
    shards: Vec<FxHashMap<u128, u32>>,
    keys: Vec<u128>,
}

/// Adds the measures of all rows that pass, by group.
pub(crate) fn aggregate(
    plan: &Plan,
    data: &GroupData,
    group: &MeasureGroup,
    measures: &[u32],
    context: &Context,
) -> Result<Subcube> {
    let combinations = plan.axes.iter().try_fold(1u128, |product, axis| product.checked_mul(axis.len() as u128));
    let Some(combinations) = combinations else {
        bail!(ServerLimit, "the query combines too many hierarchies at once");
    };
    let blocks = work(plan, data);
    let rows: u64 =
        blocks.iter().map(|(segment, block)| data.segments[*segment].segment.block(*block).len() as u64).sum();
    let keys = match u64::try_from(combinations) {
        Ok(n) if n <= SMALL_ARRAY || n <= ARRAY_GROUPS.min(rows.saturating_mul(4)) => Keys::Array(n as usize),
        _ => Keys::Hash,
    };
    let new = || -> Result<Vec<Accumulator>> {
        measures.iter().map(|&m| Accumulator::new(data, group, m as usize)).collect()
    };
    let slot_bytes = 1 + new()?.iter().map(Accumulator::slot_bytes).sum::<usize>();
    let most = match keys {
        Keys::Array(groups) => (RUN_BYTES / (groups * slot_bytes).max(1)).clamp(2, MOST_RUNS),
        Keys::Hash => MOST_RUNS,
    };
    let runs = runs(blocks.len(), most);
    context.counters().scans.fetch_add(1, Relaxed);
    let partials: Vec<Partial> = runs
        .into_par_iter()
        .map(|run| {
            let mut partial = Partial::new(keys, new()?, context)?;
            let started = crate::cpu::thread_nanos();
            let ran = partial.run(plan, data, &blocks[run], context);
            context.counters().cpu_nanos.fetch_add(crate::cpu::thread_nanos().saturating_sub(started), Relaxed);
            ran.map(|()| partial)
        })
        .collect::<Result<_>>()?;
    let mut partials = partials.into_iter();
    let mut whole = match partials.next() {
        Some(first) => first,
        None => Partial::new(keys, new()?, context)?,
    };
    for partial in partials {
        whole.merge(partial, context)?;
    }
    whole.finish(plan, context)
}

/// The blocks of all segments that can have rows which pass.
fn work(plan: &Plan, data: &GroupData) -> Vec<(usize, usize)> {
    let segments = data.segments.iter().zip(&plan.tables).enumerate().filter(|(_, (_, tables))| tables.is_some());
    segments.flat_map(|(at, (placed, _))| (0..placed.segment.blocks()).map(move |block| (at, block))).collect()
}

impl Partial {
    fn new(keys: Keys, mut measures: Vec<Accumulator>, context: &Context) -> Result<Partial> {
        let mut charge = context.charge("Group", 0)?;
        let groups = match keys {
            Keys::Array(count) => {
                charge.grow(count * (1 + measures.iter().map(Accumulator::slot_bytes).sum::<usize>()))?;
                measures.iter_mut().for_each(|m| m.resize(count));
                Groups::Array { seen: vec![0; count], all: false }
            }
            Keys::Hash => {
                Groups::Hash(Hashed { shards: (0..SHARDS).map(|_| FxHashMap::default()).collect(), keys: Vec::new() })
            }
        };
        let known = if let Keys::Array(count) = keys { Some(count) } else { None };
        measures.iter_mut().try_for_each(|m| m.prepare(known, context))?;
        Ok(Partial { groups, measures, charge })
    }

    fn run(&mut self, plan: &Plan, data: &GroupData, blocks: &[(usize, usize)], context: &Context) -> Result<()> {
        let mut from = 0;
        while from < blocks.len() {
            let at = blocks[from].0;
            let to = from + blocks[from..].partition_point(|(segment, _)| *segment == at);
            let segment = &*data.segments[at].segment;
            if let Some(tables) = &plan.tables[at] {
                let strides = Strides::new(plan, tables, segment, matches!(self.groups, Groups::Array { .. }));
                let mut scanner = Scanner::new(segment, tables);
                let mut slots = SlotsOf::default();
                for &(_, block) in &blocks[from..to] {
                    let looked_at = scanner.block(block, context, |rows, selection| {
                        self.chunk(segment, &strides, rows, &selection, (&mut slots, context))
                    })?;
                    self.charge_growth()?;
                    if !looked_at {
                        continue;
                    }
                    let read: usize = self.measures.iter().map(|m| m.row_bytes(segment)).sum();
                    let bytes = (read + strides.bytes(segment)) * segment.block(block).len();
                    context.counters().bytes_read.fetch_add(bytes as u64, Relaxed);
                }
            }
            from = to;
        }
        Ok(())
    }

    fn chunk(
        &mut self,
        segment: &Segment,
        strides: &Strides,
        rows: Range<usize>,
        selection: &Selection<'_>,
        (scratch, context): (&mut SlotsOf, &Context),
    ) -> Result<()> {
        let slots = match &mut self.groups {
            Groups::Array { seen, .. } if seen.len() == 1 => {
                seen[0] = 1;
                Slots::One
            }
            Groups::Array { seen, all } => {
                let slots = strides.slots(segment, rows.clone(), selection, &mut scratch.slots);
                if !*all {
                    for &slot in slots {
                        seen[slot as usize] = 1;
                    }
                    // Looked at only where a chunk could have filled it.
                    *all = seen.len() <= CHUNK_ROWS && !seen.contains(&0);
                }
                Slots::Each(slots)
            }
            Groups::Hash(hashed) => {
                let keys = strides.keys(segment, rows.clone(), selection, &mut scratch.keys);
                scratch.slots.clear();
                scratch.slots.extend(keys.iter().map(|&key| hashed.slot(key)));
                let groups = hashed.keys.len();
                self.measures.iter_mut().for_each(|m| m.resize(groups));
                Slots::Each(&scratch.slots)
            }
        };
        for measure in &mut self.measures {
            measure.add(segment, rows.clone(), selection, &slots, context)?;
        }
        Ok(())
    }

    /// Charges what hashed groups have come to hold.
    fn charge_growth(&mut self) -> Result<()> {
        if let Groups::Hash(hashed) = &self.groups {
            let slot = 16 + 48 + self.measures.iter().map(Accumulator::slot_bytes).sum::<usize>();
            let needed = hashed.keys.len() * slot;
            if needed as u64 > self.charge.bytes() {
                self.charge.resize(needed + needed / 4)?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Partial, context: &Context) -> Result<()> {
        context.check()?;
        // For each group of `other`, the group here.
        let mut step = 0;
        let to: Option<Vec<u32>> = match (&mut self.groups, &other.groups) {
            (Groups::Array { seen, .. }, Groups::Array { seen: more, .. }) => {
                seen.iter_mut().zip(more).for_each(|(a, b)| *a |= b);
                None
            }
            (Groups::Hash(hashed), Groups::Hash(more)) => {
                let mut to = Vec::with_capacity(more.keys.len());
                for &key in &more.keys {
                    context.check_every(&mut step)?;
                    to.push(hashed.slot(key));
                }
                let groups = hashed.keys.len();
                self.measures.iter_mut().for_each(|m| m.resize(groups));
                Some(to)
            }
            _ => bail!(Internal, "runs number their groups in different ways"),
        };
        self.charge_growth()?;
        for (measure, more) in self.measures.iter_mut().zip(other.measures) {
            measure.merge(more, to.as_deref(), context)?;
        }
        Ok(())
    }

    /// The answer: a row for each group that has rows.
    fn finish(mut self, plan: &Plan, context: &Context) -> Result<Subcube> {
        let mut step = 0;
        let mut combined: Vec<u128> = Vec::new();
        let mut slots: Vec<u32> = Vec::new();
        // Without axes there is always one row: an empty one if no row passes.
        let always = plan.axes.is_empty();
        match &mut self.groups {
            Groups::Array { seen, .. } => {
                for (slot, seen) in seen.iter().enumerate() {
                    context.check_every(&mut step)?;
                    if *seen != 0 || always {
                        slots.push(slot as u32);
                    }
                }
                self.charge.grow(slots.len() * (20 + plan.axes.len() * 4 + self.measures.len() * 9))?;
                combined.extend(slots.iter().map(|&s| u128::from(s)));
            }
            Groups::Hash(hashed) => {
                self.charge.grow(hashed.keys.len() * (20 + plan.axes.len() * 4 + self.measures.len() * 9))?;
                combined = std::mem::take(&mut hashed.keys);
                slots = (0..combined.len() as u32).collect();
            }
        }
        let nothing = always && matches!(&self.groups, Groups::Array { seen, .. } if seen[0] == 0);
        let mut keys: Vec<Vec<MemberId>> = plan.axes.iter().map(|_| Vec::with_capacity(slots.len())).collect();
        for key in &mut combined {
            context.check_every(&mut step)?;
            for (members, to) in plan.axes.iter().zip(&mut keys).rev() {
                let size = members.len().max(1) as u128;
                to.push(members.get((*key % size) as usize));
                *key /= size;
            }
        }
        let values = self.measures.into_iter().map(|m| m.finish(&slots, nothing, context));
        Ok(Subcube { rows: slots.len(), keys, values: values.collect::<Result<_>>()? })
    }
}

impl Hashed {
    fn slot(&mut self, key: u128) -> u32 {
        // The high bits of a multiplicative hash: the tables inside use others.
        let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(31);
        let shard = (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize;
        let keys = &mut self.keys;
        *self.shards[shard % SHARDS].entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len() as u32 - 1
        })
    }
}

/// Buffers for the groups of a chunk's rows.
#[derive(Default)]
struct SlotsOf {
    slots: Vec<u32>,
    keys: Vec<u128>,
}

/// For each axis its column, and for each code what it adds to the combined position.
struct Strides<'t> {
    /// With the stride multiplied in, and as long as codes of the width can reach.
    array: Vec<(usize, Vec<u32>)>,
    hash: Vec<(usize, &'t [u32], u128)>,
}

impl<'t> Strides<'t> {
    fn new(plan: &Plan, tables: &'t Tables, segment: &Segment, array: bool) -> Strides<'t> {
        let mut strides = Strides { array: Vec::new(), hash: Vec::new() };
        let mut stride = 1u128;
        for ((column, positions), members) in tables.axes.iter().zip(&plan.axes).rev() {
            if array {
                let mut scaled: Vec<u32> = positions.iter().map(|&p| p.wrapping_mul(stride as u32)).collect();
                scaled.resize(segment.paths[*column].codes.table_len(scaled.len()), 0);
                strides.array.push((*column, scaled));
            } else {
                strides.hash.push((*column, positions, stride));
            }
            stride = stride.saturating_mul(AxisMembers::len(members) as u128);
        }
        strides
    }

    /// Bytes of codes that a row has on the axes.
    fn bytes(&self, segment: &Segment) -> usize {
        let array = self.array.iter().map(|(column, _)| *column);
        array.chain(self.hash.iter().map(|(column, ..)| *column)).map(|c| segment.paths[c].codes.width()).sum()
    }

    /// The position of each selected row in the array of groups.
    fn slots<'s>(
        &self,
        segment: &Segment,
        rows: Range<usize>,
        selection: &Selection<'_>,
        out: &'s mut Vec<u32>,
    ) -> &'s [u32] {
        out.resize(CHUNK_ROWS, 0);
        let count = match selection {
            Selection::All => rows.len(),
            Selection::Some(selected) => selected.len(),
        };
        let out = &mut out[..count];
        for (at, (column, table)) in self.array.iter().enumerate() {
            let codes = &segment.paths[*column].codes;
            match at {
                0 => look_up(codes, rows.clone(), selection, table, |out, slot| *out = slot, out),
                _ => look_up(codes, rows.clone(), selection, table, |out, slot| *out = out.wrapping_add(slot), out),
            }
        }
        out
    }

    /// The combined position of each selected row.
    fn keys<'s>(
        &self,
        segment: &Segment,
        rows: Range<usize>,
        selection: &Selection<'_>,
        out: &'s mut Vec<u128>,
    ) -> &'s [u128] {
        out.clear();
        let count = match selection {
            Selection::All => rows.len(),
            Selection::Some(selected) => selected.len(),
        };
        out.resize(count, 0);
        for &(column, table, stride) in &self.hash {
            let add = |out: &mut u128, position: u32| *out = out.wrapping_add(u128::from(position) * stride);
            look_up(&segment.paths[column].codes, rows.clone(), selection, table, add, out);
        }
        out
    }
}

/// Combines into `out` what `table` has for the code of each selected row.
fn look_up<T>(
    codes: &Codes,
    rows: Range<usize>,
    selection: &Selection<'_>,
    table: &[u32],
    combine: impl Fn(&mut T, u32),
    out: &mut [T],
) {
    with_codes!(codes, codes => look_up_codes(&codes[rows], selection, table, combine, out));
}

#[inline(always)]
fn look_up_codes<C: Code, T>(
    codes: &[C],
    selection: &Selection<'_>,
    table: &[u32],
    combine: impl Fn(&mut T, u32),
    out: &mut [T],
) {
    // A table as long as the codes can reach needs no check for each row.
    let whole = if C::SPACE <= 1 << 16 { table.get(..C::SPACE) } else { None };
    match (selection, whole) {
        (Selection::All, Some(whole)) => {
            for (out, &code) in out.iter_mut().zip(codes) {
                combine(out, whole[code.index()]);
            }
        }
        (Selection::All, None) => {
            for (out, &code) in out.iter_mut().zip(codes) {
                combine(out, table.get(code.index()).copied().unwrap_or(0));
            }
        }
        (Selection::Some(selected), Some(whole)) => {
            for (out, &row) in out.iter_mut().zip(*selected) {
                combine(out, whole[codes[row as usize].index()]);
            }
        }
        (Selection::Some(selected), None) => {
            for (out, &row) in out.iter_mut().zip(*selected) {
                combine(out, table.get(codes[row as usize].index()).copied().unwrap_or(0));
            }
        }
    }
}

/// For each group of one run its group in another, or the same.
pub(crate) fn mapped(to: Option<&[u32]>, slot: usize) -> usize {
    to.map_or(slot, |to| to[slot] as usize)
}
