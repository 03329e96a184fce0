//! Distinct values by group: a bit for each value where groups are few, pairs of group and value elsewhere.

use crate::column::{Code, Codes, DistinctColumn, with_codes};
use crate::group::{Slots, mapped};
use crate::scan::Selection;
use facetta_model::{Charge, Context, Error, Result};
use rustc_hash::FxHashSet;
use std::ops::Range;

/// Pairs are kept in so many tables, so that none grows in one long step.
const SHARDS: usize = 64;

/// The distinct values of each group so far.
pub(crate) struct Distinct {
    /// Values have codes below.
    space: usize,
    kept: Kept,
    charge: Option<Charge>,
}

enum Kept {
    /// `words` for each group.
    Bits { words: usize, bits: Vec<u64> },
    /// The group in the upper half, the value in the lower.
    Pairs(Vec<FxHashSet<u64>>),
}

impl Distinct {
    /// More bits than these are not kept for a run of blocks.
    pub(crate) const MOST_BITS: usize = 1 << 27;

    /// For values whose codes are below `space`.
    pub(crate) fn new(space: usize) -> Distinct {
        Distinct { space, kept: Kept::Pairs(Vec::new()), charge: None }
    }

    /// Decides how values are kept: `groups` is how many there are, none if that is not known yet.
    pub(crate) fn prepare(&mut self, groups: Option<usize>, context: &Context) -> Result<()> {
        let mut charge = context.charge("Distinct count", 0)?;
        let words = self.space.div_ceil(64);
        self.kept = match groups {
            Some(groups) if groups.saturating_mul(self.space) <= Distinct::MOST_BITS => {
                charge.grow(groups * words * 8)?;
                Kept::Bits { words, bits: vec![0; groups * words] }
            }
            _ => Kept::Pairs((0..SHARDS).map(|_| FxHashSet::default()).collect()),
        };
        self.charge = Some(charge);
        Ok(())
    }

    /// Notes the values of the selected rows.
    pub(crate) fn add(
        &mut self,
        column: &DistinctColumn,
        rows: Range<usize>,
        selection: &Selection<'_>,
        slots: &Slots<'_>,
        context: &Context,
    ) -> Result<()> {
        let null = column.space - 1;
        match &mut self.kept {
            Kept::Bits { words, bits } => {
                let words = *words;
                // A code beyond the space is that of null.
                each_code(&column.codes, rows, selection, slots, |slot, code| {
                    if code < null {
                        bits[slot * words + code / 64] |= 1 << (code % 64);
                    }
                });
                Ok(())
            }
            Kept::Pairs(shards) => {
                context.check()?;
                each_code(&column.codes, rows, selection, slots, |slot, code| {
                    if code < null {
                        insert(shards, (slot as u64) << 32 | code as u64);
                    }
                });
                self.charge_pairs()
            }
        }
    }

    fn charge_pairs(&mut self) -> Result<()> {
        if let (Kept::Pairs(shards), Some(charge)) = (&self.kept, &mut self.charge) {
            let held: usize = shards.iter().map(FxHashSet::capacity).sum();
            charge.resize(held * 9)?;
        }
        Ok(())
    }

    /// Takes over what another run of blocks has noted; `to` has the group here for each group there.
    pub(crate) fn merge(&mut self, other: Distinct, to: Option<&[u32]>, context: &Context) -> Result<()> {
        context.check()?;
        match (&mut self.kept, other.kept) {
            (Kept::Bits { bits, .. }, Kept::Bits { bits: more, .. }) => {
                for (chunk, more) in bits.chunks_mut(1 << 16).zip(more.chunks(1 << 16)) {
                    context.check()?;
                    chunk.iter_mut().zip(more).for_each(|(a, b)| *a |= b);
                }
            }
            (Kept::Pairs(shards), Kept::Pairs(more)) => {
                let mut step = 0;
                for pair in more.into_iter().flatten() {
                    context.check_every(&mut step)?;
                    let slot = mapped(to, (pair >> 32) as usize);
                    insert(shards, (slot as u64) << 32 | pair & 0xFFFF_FFFF);
                }
                self.charge_pairs()?;
            }
            _ => return Err(Error::internal("runs keep distinct values in different ways")),
        }
        Ok(())
    }

    /// How many values each of `groups` groups has.
    pub(crate) fn counts(&self, groups: usize, context: &Context) -> Result<Vec<i64>> {
        let mut counts = vec![0; groups];
        match &self.kept {
            Kept::Bits { words, bits } => {
                let mut step = 0;
                for (count, bits) in counts.iter_mut().zip(bits.chunks(*words)) {
                    context.check_every(&mut step)?;
                    *count = bits.iter().map(|w| i64::from(w.count_ones())).sum();
                }
            }
            Kept::Pairs(shards) => {
                for shard in shards {
                    context.check()?;
                    shard.iter().for_each(|pair| counts[(pair >> 32) as usize] += 1);
                }
            }
        }
        Ok(counts)
    }
}

fn insert(shards: &mut [FxHashSet<u64>], pair: u64) {
    let shard = pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58;
    shards[shard as usize % SHARDS].insert(pair);
}

fn each_code(
    codes: &Codes,
    rows: Range<usize>,
    selection: &Selection<'_>,
    slots: &Slots<'_>,
    note: impl FnMut(usize, usize),
) {
    fn each<C: Code>(codes: &[C], selection: &Selection<'_>, slots: &Slots<'_>, mut note: impl FnMut(usize, usize)) {
        crate::measure::each(codes, selection, slots, |slot, code| note(slot, code.index()));
    }
    with_codes!(codes, codes => each(&codes[rows], selection, slots, note));
}
