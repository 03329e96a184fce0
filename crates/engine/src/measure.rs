//! Measures added up by group: sums, counts, smallest and largest values, averages, distinct counts.

use crate::column::{NumberColumn, Numbers};
use crate::distinct::Distinct;
use crate::group::{Slots, mapped};
use crate::scan::Selection;
use crate::segment::{MeasureSource, Segment};
use crate::version::GroupData;
use facetta_model::catalog::MeasureGroup;
use facetta_model::definition::Aggregator;
use facetta_model::{Context, Error, MeasureColumn, MeasureData, Result, bail, error};
use std::ops::Range;

/// What one measure has come to in each group.
pub(crate) struct Accumulator {
    measure: usize,
    name: String,
    state: State,
}

enum State {
    Count(Vec<u64>),
    /// Sums that cannot leave 64 bits, whatever rows are added.
    Sum {
        sums: Vec<i64>,
        present: Present,
        scale: u8,
    },
    /// Sums that could.
    WideSum {
        sums: Vec<i128>,
        present: Present,
        scale: u8,
    },
    DoubleSum {
        sums: Vec<f64>,
        present: Present,
    },
    Average {
        sums: Vec<i128>,
        counts: Vec<u64>,
        scale: u8,
    },
    DoubleAverage {
        sums: Vec<f64>,
        counts: Vec<u64>,
    },
    Extreme {
        values: Vec<i64>,
        present: Vec<u8>,
        scale: u8,
        largest: bool,
    },
    DoubleExtreme {
        values: Vec<f64>,
        present: Vec<u8>,
        largest: bool,
    },
    Distinct(Distinct),
}

/// Whether each group has a value; none if every row has one.
type Present = Option<Vec<u8>>;

/// Calls `note` with the group and the value of each selected row.
#[inline(always)]
pub(crate) fn each<T: Copy>(
    values: &[T],
    selection: &Selection<'_>,
    slots: &Slots<'_>,
    mut note: impl FnMut(usize, T),
) {
    match (selection, slots) {
        (Selection::All, Slots::One) => values.iter().for_each(|&v| note(0, v)),
        (Selection::All, Slots::Each(slots)) => {
            for (&value, &slot) in values.iter().zip(*slots) {
                note(slot as usize, value);
            }
        }
        (Selection::Some(selected), Slots::One) => {
            for &row in *selected {
                note(0, values[row as usize]);
            }
        }
        (Selection::Some(selected), Slots::Each(slots)) => {
            for (&row, &slot) in selected.iter().zip(*slots) {
                note(slot as usize, values[row as usize]);
            }
        }
    }
}

impl Accumulator {
    /// Nothing yet of a measure.
    pub(crate) fn new(data: &GroupData, group: &MeasureGroup, measure: usize) -> Result<Accumulator> {
        let (Some(stored), Some(&scale)) = (group.measures.get(measure), data.scales.get(measure)) else {
            bail!(Internal, "measure {measure} does not exist");
        };
        let segments = || data.segments.iter().map(|placed| &*placed.segment);
        let every_row = segments().all(|s| s.number(measure).is_some_and(|n| n.valid.is_none()));
        let present = || (!every_row).then(Vec::new);
        let state = match (stored.aggregator, scale) {
            (Aggregator::Count, _) => State::Count(Vec::new()),
            (Aggregator::DistinctCount, _) => {
                let space = segments().filter_map(|s| match s.measures[measure] {
                    MeasureSource::Distinct(at) => Some(s.distincts[at].space),
                    _ => None,
                });
                State::Distinct(Distinct::new(space.max().unwrap_or(1)))
            }
            (Aggregator::Sum, Some(scale)) => {
                let bound = |s: &Segment| s.number(measure).map_or(0, |n| u128::from(n.bound) * s.rows as u128);
                if segments().map(bound).sum::<u128>() <= i64::MAX as u128 {
                    State::Sum { sums: Vec::new(), present: present(), scale }
                } else {
                    State::WideSum { sums: Vec::new(), present: present(), scale }
                }
            }
            (Aggregator::Sum, None) => State::DoubleSum { sums: Vec::new(), present: present() },
            (Aggregator::Avg, Some(scale)) => State::Average { sums: Vec::new(), counts: Vec::new(), scale },
            (Aggregator::Avg, None) => State::DoubleAverage { sums: Vec::new(), counts: Vec::new() },
            (Aggregator::Min | Aggregator::Max, scale) => {
                let largest = stored.aggregator == Aggregator::Max;
                match scale {
                    Some(scale) => State::Extreme { values: Vec::new(), present: Vec::new(), scale, largest },
                    None => State::DoubleExtreme { values: Vec::new(), present: Vec::new(), largest },
                }
            }
        };
        Ok(Accumulator { measure, name: stored.name.clone(), state })
    }

    /// Bytes that each group takes, those of distinct values apart.
    pub(crate) fn slot_bytes(&self) -> usize {
        match &self.state {
            State::Count(_) => 8,
            State::Sum { present, .. } | State::DoubleSum { present, .. } => 8 + usize::from(present.is_some()),
            State::WideSum { .. } => 17,
            State::Average { .. } => 24,
            State::DoubleAverage { .. } => 16,
            State::Extreme { .. } | State::DoubleExtreme { .. } => 9,
            State::Distinct(_) => 0,
        }
    }

    /// Bytes that each row of a segment has of it.
    pub(crate) fn row_bytes(&self, segment: &Segment) -> usize {
        match segment.measures[self.measure] {
            MeasureSource::Rows | MeasureSource::Absent => 0,
            MeasureSource::Flag(_) => 1,
            MeasureSource::Number(at) => 8 + usize::from(segment.numbers[at].valid.is_some()),
            MeasureSource::Distinct(at) => segment.distincts[at].codes.width(),
        }
    }

    /// Makes room for so many groups.
    pub(crate) fn resize(&mut self, groups: usize) {
        let grow = |present: &mut Present| present.iter_mut().for_each(|p| p.resize(groups, 0));
        match &mut self.state {
            State::Count(counts) => counts.resize(groups, 0),
            State::Sum { sums, present, .. } => {
                sums.resize(groups, 0);
                grow(present);
            }
            State::WideSum { sums, present, .. } => {
                sums.resize(groups, 0);
                grow(present);
            }
            State::DoubleSum { sums, present } => {
                sums.resize(groups, 0.0);
                grow(present);
            }
            State::Average { sums, counts, .. } => {
                sums.resize(groups, 0);
                counts.resize(groups, 0);
            }
            State::DoubleAverage { sums, counts } => {
                sums.resize(groups, 0.0);
                counts.resize(groups, 0);
            }
            State::Extreme { values, present, largest, .. } => {
                values.resize(groups, if *largest { i64::MIN } else { i64::MAX });
                present.resize(groups, 0);
            }
            State::DoubleExtreme { values, present, largest } => {
                values.resize(groups, if *largest { f64::NEG_INFINITY } else { f64::INFINITY });
                present.resize(groups, 0);
            }
            State::Distinct(_) => {}
        }
    }

    /// Called once before rows are added; `groups` is how many there are, none if they are numbered as they come.
    pub(crate) fn prepare(&mut self, groups: Option<usize>, context: &Context) -> Result<()> {
        match &mut self.state {
            State::Distinct(distinct) => distinct.prepare(groups, context),
            _ => Ok(()),
        }
    }

    /// Adds the selected rows of a chunk.
    pub(crate) fn add(
        &mut self,
        segment: &Segment,
        rows: Range<usize>,
        selection: &Selection<'_>,
        slots: &Slots<'_>,
        context: &Context,
    ) -> Result<()> {
        match (segment.measures[self.measure], &mut self.state) {
            (MeasureSource::Absent, _) => {}
            (MeasureSource::Rows, State::Count(counts)) => count_rows(counts, rows.len(), selection, slots),
            (MeasureSource::Flag(at), State::Count(counts)) => {
                let flags = &segment.flags[at][rows];
                each(flags, selection, slots, |slot, flag| counts[slot] += u64::from(flag));
            }
            (MeasureSource::Distinct(at), State::Distinct(distinct)) => {
                distinct.add(&segment.distincts[at], rows, selection, slots, context)?;
            }
            (MeasureSource::Number(at), state) => {
                let column = &segment.numbers[at];
                match &column.numbers {
                    Numbers::Scaled { units, .. } => state.add_units(&units[rows.clone()], selection, slots)?,
                    Numbers::Double(values) => state.add_doubles(&values[rows.clone()], selection, slots)?,
                }
                state.add_validity(column, rows, selection, slots);
            }
            _ => return Err(Error::internal("a measure's column does not fit its aggregator")),
        }
        Ok(())
    }

    /// Adds what another run of blocks has come to; `to` has the group here for each group there.
    pub(crate) fn merge(&mut self, other: Accumulator, to: Option<&[u32]>, context: &Context) -> Result<()> {
        context.check()?;
        match (&mut self.state, other.state) {
            (State::Count(a), State::Count(b)) => add_up(a, &b, to, |a, b| *a += b),
            (State::Sum { sums, present, .. }, State::Sum { sums: more, present: also, .. }) => {
                add_up(sums, &more, to, |a, b| *a = a.wrapping_add(b));
                unite(present, also, to);
            }
            (State::WideSum { sums, present, .. }, State::WideSum { sums: more, present: also, .. }) => {
                add_up(sums, &more, to, |a, b| *a = a.wrapping_add(b));
                unite(present, also, to);
            }
            (State::DoubleSum { sums, present }, State::DoubleSum { sums: more, present: also }) => {
                add_up(sums, &more, to, |a, b| *a += b);
                unite(present, also, to);
            }
            (State::Average { sums, counts, .. }, State::Average { sums: more, counts: also, .. }) => {
                add_up(sums, &more, to, |a, b| *a = a.wrapping_add(b));
                add_up(counts, &also, to, |a, b| *a += b);
            }
            (State::DoubleAverage { sums, counts }, State::DoubleAverage { sums: more, counts: also }) => {
                add_up(sums, &more, to, |a, b| *a += b);
                add_up(counts, &also, to, |a, b| *a += b);
            }
            (State::Extreme { values, present, largest, .. }, State::Extreme { values: more, present: also, .. }) => {
                let largest = *largest;
                add_up(values, &more, to, |a, b| *a = if largest { b.max(*a) } else { b.min(*a) });
                add_up(present, &also, to, |a, b| *a |= b);
            }
            (
                State::DoubleExtreme { values, present, largest },
                State::DoubleExtreme { values: more, present: also, .. },
            ) => {
                let largest = *largest;
                add_up(values, &more, to, |a, b| *a = if largest { b.max(*a) } else { b.min(*a) });
                add_up(present, &also, to, |a, b| *a |= b);
            }
            (State::Distinct(a), State::Distinct(b)) => a.merge(b, to, context)?,
            _ => return Err(Error::internal("runs add up a measure in different ways")),
        }
        Ok(())
    }

    /// The values of the groups at `slots`; all empty if `nothing` was added.
    pub(crate) fn finish(self, slots: &[u32], nothing: bool, context: &Context) -> Result<MeasureColumn> {
        context.check()?;
        let at = |slot: &u32| *slot as usize;
        let whole = |units: Vec<i64>, scale: u8| MeasureData::Scaled { units, scale };
        let mut presence: Option<Vec<bool>> = None;
        let mut keep = |present: &dyn Fn(usize) -> bool| {
            let present: Vec<bool> = slots.iter().map(|s| present(at(s))).collect();
            presence = present.contains(&false).then_some(present);
        };
        let too_large = || error!(Invalid, "a sum of the measure '{}' is too large", self.name);
        let data = match self.state {
            State::Count(counts) => whole(slots.iter().map(|s| counts[at(s)] as i64).collect(), 0),
            State::Sum { sums, present, scale } => {
                present.iter().for_each(|p| keep(&|s| p[s] != 0));
                whole(slots.iter().map(|s| sums[at(s)]).collect(), scale)
            }
            State::WideSum { sums, present, scale } => {
                present.iter().for_each(|p| keep(&|s| p[s] != 0));
                let narrow = slots.iter().map(|s| i64::try_from(sums[at(s)]).map_err(|_| too_large()));
                whole(narrow.collect::<Result<_>>()?, scale)
            }
            State::DoubleSum { sums, present } => {
                present.iter().for_each(|p| keep(&|s| p[s] != 0));
                MeasureData::Double(slots.iter().map(|s| sums[at(s)]).collect())
            }
            State::Average { sums, counts, scale } => {
                keep(&|s| counts[s] != 0);
                let power = 10f64.powi(i32::from(scale));
                let average = |s: &u32| sums[at(s)] as f64 / power / counts[at(s)].max(1) as f64;
                MeasureData::Double(slots.iter().map(average).collect())
            }
            State::DoubleAverage { sums, counts } => {
                keep(&|s| counts[s] != 0);
                MeasureData::Double(slots.iter().map(|s| sums[at(s)] / counts[at(s)].max(1) as f64).collect())
            }
            State::Extreme { values, present, scale, .. } => {
                keep(&|s| present[s] != 0);
                whole(slots.iter().map(|s| if present[at(s)] != 0 { values[at(s)] } else { 0 }).collect(), scale)
            }
            State::DoubleExtreme { values, present, .. } => {
                keep(&|s| present[s] != 0);
                let value = |s: &u32| if present[at(s)] != 0 { values[at(s)] } else { 0.0 };
                MeasureData::Double(slots.iter().map(value).collect())
            }
            State::Distinct(distinct) => {
                let groups = slots.iter().max().map_or(0, |&s| s as usize + 1);
                let counts = distinct.counts(groups, context)?;
                whole(slots.iter().map(|s| counts[at(s)]).collect(), 0)
            }
        };
        if nothing {
            presence = Some(vec![false; slots.len()]);
        }
        Ok(MeasureColumn { data, present: presence })
    }
}

impl State {
    fn add_units(&mut self, units: &[i64], selection: &Selection<'_>, slots: &Slots<'_>) -> Result<()> {
        match self {
            State::Sum { sums, .. } => match (selection, slots) {
                // In a register, and by vector instructions.
                (Selection::All, Slots::One) => {
                    sums[0] = units.iter().fold(sums[0], |sum, u| sum.wrapping_add(*u));
                }
                _ => each(units, selection, slots, |slot, u| sums[slot] = sums[slot].wrapping_add(u)),
            },
            State::WideSum { sums, .. } | State::Average { sums, .. } => {
                each(units, selection, slots, |slot, u| sums[slot] = sums[slot].wrapping_add(i128::from(u)));
            }
            // Nulls are stored as 0 and must not count here: `add_validity` does the work.
            State::Extreme { .. } => {}
            _ => return Err(Error::internal("whole numbers for a measure of doubles")),
        }
        Ok(())
    }

    fn add_doubles(&mut self, values: &[f64], selection: &Selection<'_>, slots: &Slots<'_>) -> Result<()> {
        match self {
            State::DoubleSum { sums, .. } | State::DoubleAverage { sums, .. } => {
                each(values, selection, slots, |slot, v| sums[slot] += v);
            }
            State::DoubleExtreme { .. } => {}
            _ => return Err(Error::internal("doubles for a measure of whole numbers")),
        }
        Ok(())
    }

    /// Notes which groups have values, and what must not see nulls.
    fn add_validity(
        &mut self,
        column: &NumberColumn,
        rows: Range<usize>,
        selection: &Selection<'_>,
        slots: &Slots<'_>,
    ) {
        let valid = column.valid.as_ref().map(|v| &v[rows.clone()]);
        match (self, &column.numbers) {
            (State::Sum { present, .. } | State::WideSum { present, .. } | State::DoubleSum { present, .. }, _) => {
                let Some(present) = present else { return };
                match valid {
                    Some(valid) => each(valid, selection, slots, |slot, v| present[slot] |= v),
                    None => each_slot(rows.len(), selection, slots, |slot| present[slot] = 1),
                }
            }
            (State::Average { counts, .. } | State::DoubleAverage { counts, .. }, _) => match valid {
                Some(valid) => each(valid, selection, slots, |slot, v| counts[slot] += u64::from(v)),
                None => count_rows(counts, rows.len(), selection, slots),
            },
            (State::Extreme { values, present, largest, .. }, Numbers::Scaled { units, .. }) => {
                let largest = *largest;
                each_valid(&units[rows], valid, selection, slots, |slot, v| {
                    values[slot] = if largest { v.max(values[slot]) } else { v.min(values[slot]) };
                    present[slot] = 1;
                });
            }
            (State::DoubleExtreme { values, present, largest }, Numbers::Double(doubles)) => {
                let largest = *largest;
                each_valid(&doubles[rows], valid, selection, slots, |slot, v| {
                    values[slot] = if largest { v.max(values[slot]) } else { v.min(values[slot]) };
                    present[slot] = 1;
                });
            }
            _ => {}
        }
    }
}

/// [`each`] for rows that have a value.
fn each_valid<T: Copy>(
    values: &[T],
    valid: Option<&[u8]>,
    selection: &Selection<'_>,
    slots: &Slots<'_>,
    mut note: impl FnMut(usize, T),
) {
    let Some(valid) = valid else { return each(values, selection, slots, note) };
    let slot_of = |at: usize| match slots {
        Slots::One => 0,
        Slots::Each(slots) => slots[at] as usize,
    };
    match selection {
        Selection::All => {
            (0..values.len()).filter(|&row| valid[row] != 0).for_each(|row| note(slot_of(row), values[row]));
        }
        Selection::Some(selected) => {
            let rows = selected.iter().map(|&row| row as usize).enumerate();
            rows.filter(|&(_, row)| valid[row] != 0).for_each(|(at, row)| note(slot_of(at), values[row]));
        }
    }
}

/// Calls `note` with the group of each selected row.
fn each_slot(rows: usize, selection: &Selection<'_>, slots: &Slots<'_>, mut note: impl FnMut(usize)) {
    match (slots, selection) {
        (Slots::Each(slots), _) => slots.iter().for_each(|&slot| note(slot as usize)),
        (Slots::One, Selection::All) if rows > 0 => note(0),
        (Slots::One, Selection::Some(selected)) if !selected.is_empty() => note(0),
        _ => {}
    }
}

fn count_rows(counts: &mut [u64], rows: usize, selection: &Selection<'_>, slots: &Slots<'_>) {
    match (slots, selection) {
        (Slots::Each(slots), _) => slots.iter().for_each(|&slot| counts[slot as usize] += 1),
        (Slots::One, Selection::All) => counts[0] += rows as u64,
        (Slots::One, Selection::Some(selected)) => counts[0] += selected.len() as u64,
    }
}

fn add_up<T: Copy>(to: &mut [T], from: &[T], slots: Option<&[u32]>, add: impl Fn(&mut T, T)) {
    for (slot, &value) in from.iter().enumerate() {
        add(&mut to[mapped(slots, slot)], value);
    }
}

fn unite(present: &mut Present, also: Present, slots: Option<&[u32]>) {
    if let (Some(present), Some(also)) = (present, also) {
        add_up(present, &also, slots, |a, b| *a |= b);
    }
}
