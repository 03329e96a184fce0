//! Cells: which calculation a coordinate belongs to, and its value.

use super::{Batch, Col, Evaluator, Sets, Values};
use crate::coordinate::{Place, place};
use crate::program::{Calculation, rollup};
use facetta_model::definition::Aggregator;
use facetta_model::{ErrorKind, HierarchyId, MemberId, Result, Value, bail};
use rustc_hash::FxHashMap;

/// What a cell is computed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Stored,
    /// A calculated member by position.
    Calculated(usize),
    /// A set of tuples that storage cannot hold as a filter, seen at a hierarchy.
    Expanded(usize),
    Empty,
}

impl Evaluator {
    /// The values of the cells at a batch of coordinates.
    pub(crate) fn cells(&self, batch: &Batch) -> Result<Values> {
        self.context.check()?;
        match self.passes()? {
            Some(passes) => self.cells_in_passes(&passes, batch),
            None => self.uncalculated_cells(batch),
        }
    }

    /// The hierarchies of a batch at which some row is not at a stored member.
    pub(super) fn special(&self, batch: &Batch) -> Vec<usize> {
        (0..self.cube.hierarchies.len()).filter(|&i| batch.columns()[i].special()).collect()
    }

    /// The values of cells that are no cell calculation's: stored, or those of calculated members.
    pub(super) fn uncalculated_cells(&self, batch: &Batch) -> Result<Values> {
        let special = self.special(batch);
        if special.is_empty() {
            return self.stored(batch);
        }
        let source =
            |row: usize| self.source(special.iter().map(|&i| (HierarchyId::from(i), batch.columns()[i].get(row))));
        if special.iter().all(|&i| matches!(batch.columns()[i], super::Column::One(_))) {
            return self.cells_of(source(0)?, batch);
        }
        let mut parts: Vec<(Source, Vec<u32>)> = Vec::new();
        let mut index: FxHashMap<Source, usize> = FxHashMap::default();
        for row in 0..batch.len {
            let source = source(row)?;
            let at = *index.entry(source).or_insert_with(|| {
                parts.push((source, Vec::new()));
                parts.len() - 1
            });
            parts[at].1.push(row as u32);
        }
        if let [(source, _)] = parts.as_slice() {
            return self.cells_of(*source, batch);
        }
        let mut out = vec![Value::Empty; batch.len];
        for (source, rows) in parts {
            let values = self.cells_of(source, &batch.select(&rows))?;
            rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = values.get(at).clone());
        }
        Ok(Col::Many(out))
    }

    /// The values of cells; those whose calculation never ends are errors of their own.
    pub(crate) fn cells_or_errors(&self, batch: &Batch) -> Result<Values> {
        match self.cells(batch) {
            Err(error) if error.kind() == ErrorKind::Recursion && batch.len <= 1 => Ok(Col::One(Value::Error(error))),
            Err(error) if error.kind() == ErrorKind::Recursion => {
                let half = batch.len as u32 / 2;
                let mut out = Vec::with_capacity(batch.len);
                for rows in [0..half, half..batch.len as u32] {
                    let rows: Vec<u32> = rows.collect();
                    let part = self.cells_or_errors(&batch.select(&rows))?;
                    out.extend((0..rows.len()).map(|row| part.get(row).clone()));
                }
                Ok(Col::Many(out))
            }
            done => done,
        }
    }

    fn cells_of(&self, source: Source, batch: &Batch) -> Result<Values> {
        match source {
            Source::Stored => self.stored(batch),
            Source::Calculated(index) => self.calculate(index, batch),
            Source::Expanded(set) => self.expand(set, batch),
            Source::Empty => Ok(Col::One(Value::Empty)),
        }
    }

    /// Which calculation applies at coordinates of which `special` are not stored members: that with the highest solve
    /// order; between equals the hierarchy that comes first, so that measures are applied to what others select.
    fn source(&self, special: impl Iterator<Item = (HierarchyId, MemberId)>) -> Result<Source> {
        Ok(self.deciding(special)?.map_or(Source::Stored, |(_, source)| source))
    }

    /// The rank of the calculated member that a cell is computed by; none if it is by none.
    pub(super) fn deciding_member(&self, special: &[usize], batch: &Batch, row: usize) -> Result<Option<Rank>> {
        let members = special.iter().map(|&i| (HierarchyId::from(i), batch.columns()[i].get(row)));
        let deciding = self.deciding(members)?;
        Ok(deciding.and_then(|(rank, source)| matches!(source, Source::Calculated(_)).then_some(rank)))
    }

    fn deciding(&self, special: impl Iterator<Item = (HierarchyId, MemberId)>) -> Result<Option<(Rank, Source)>> {
        let mut best: Option<(Rank, Source)> = None;
        for (hierarchy, member) in special {
            let found = match place(member) {
                Place::Null => return Ok(Some((Rank::LAST, Source::Empty))),
                Place::Calculated(index) => {
                    (self.rank(&*self.calculation(index)?, hierarchy), Source::Calculated(index))
                }
                Place::Set(index) if self.must_expand(index)? => (Rank::LAST, Source::Expanded(index)),
                _ => continue,
            };
            if best.as_ref().is_none_or(|(rank, _)| found.0 > *rank) {
                best = Some(found);
            }
        }
        Ok(best)
    }

    fn rank(&self, calculation: &Calculation, hierarchy: HierarchyId) -> Rank {
        let scope = if self.cube.compatibility.solves_by_scope() { calculation.scope as u8 } else { 0 };
        Rank { scope, order: calculation.solve_order, hierarchy: std::cmp::Reverse(hierarchy.0) }
    }

    fn calculate(&self, index: usize, batch: &Batch) -> Result<Values> {
        let calculation = self.calculation(index)?;
        let _depth = self.enter(calculation.formula.span)?;
        let hierarchy = calculation.hierarchy;
        let inner = if self.cube.compatibility.calculated_member_stays_current() {
            batch.clone()
        } else {
            batch.with_one(hierarchy, self.default_member(hierarchy))
        };
        let key = (index, inner.identity());
        if let Some(values) = self.memo.borrow().get(&key) {
            return Ok(values.clone());
        }
        let values = self.with_narrowed(false, || self.values(&calculation.formula, &inner))?;
        // Only what is small is worth keeping: a chain of formulas over a block asks again for the same columns.
        let mut memo = self.memo.borrow_mut();
        if memo.len() < 256 {
            memo.insert(key, values.clone());
        }
        Ok(values)
    }

    /// Whether a set in the place of a member holds what storage does not know: calculated members, calculated cells.
    fn must_expand(&self, set: usize) -> Result<bool> {
        let tuples = self.registered_set(set)?;
        Ok(holds_calculated_members(&tuples) || self.holds_calculated_cells(set)?)
    }

    /// The cell over a set of which storage does not know all: the measure's own roll-up of the cells of its tuples.
    fn expand(&self, index: usize, batch: &Batch) -> Result<Values> {
        let tuples = self.registered_set(index)?;
        if !holds_calculated_members(&tuples) {
            // What does not roll up stays the total that storage has, as totals over calculated cells do.
            let whole = |row: &u32| self.aggregator(batch, *row as usize).is_some_and(|a| rollup(a).is_none());
            let (whole, parts): (Vec<u32>, Vec<u32>) = (0..batch.len as u32).partition(whole);
            if parts.is_empty() {
                return self.stored(batch);
            }
            if !whole.is_empty() {
                let mut out = vec![Value::Empty; batch.len];
                let stored = self.stored(&batch.select(&whole))?;
                let rolled = self.expand(index, &batch.select(&parts))?;
                whole.iter().enumerate().for_each(|(at, row)| out[*row as usize] = stored.get(at).clone());
                parts.iter().enumerate().for_each(|(at, row)| out[*row as usize] = rolled.get(at).clone());
                return Ok(Col::Many(out));
            }
        }
        let mut inner = batch.clone();
        let mut kept = Vec::new();
        for (position, h) in tuples.hierarchies.iter().enumerate() {
            if place(batch.get(*h, 0)) == Place::Set(index) {
                inner.set_one(h.index(), self.default_member(*h));
                kept.push(position);
            }
        }
        let mut set = facetta_model::TupleSet::new(kept.iter().map(|&p| tuples.hierarchies[p]).collect::<Vec<_>>());
        for tuple in tuples.iter() {
            set.members.extend(kept.iter().map(|&p| tuple[p]));
        }
        let set = super::Set::new(set, &self.context)?;
        let sets = Sets { sets: vec![Ok(set)], of: Col::One(0) };
        self.aggregate_cells(&inner, &sets, None)
    }

    /// The aggregate function of the measure at a row; none for calculated measures.
    pub(crate) fn aggregator(&self, batch: &Batch, row: usize) -> Option<Aggregator> {
        match place(batch.get(HierarchyId::MEASURES, row)) {
            Place::Stored(m) => self.cube.measures.get(m.index()).map(|m| m.aggregator),
            _ => None,
        }
    }

    /// For each row, the cells of its set rolled up as its measure is; with `value`, that instead of the cells.
    pub(crate) fn aggregate_cells(
        &self,
        batch: &Batch,
        sets: &Sets,
        value: Option<&crate::expr::Expr>,
    ) -> Result<Values> {
        let mut out = vec![Rolled::default(); batch.len];
        let name = crate::expr::Expr::literal(Value::Empty, crate::expr::Kind::Set, Default::default());
        let aggregators: Vec<Aggregator> =
            (0..batch.len).map(|row| self.aggregator(batch, row).and_then(rollup).unwrap_or(Aggregator::Sum)).collect();
        self.for_each_value(batch, sets, &name, value, &mut |row, _, v| {
            out[row].add(aggregators[row], v);
            Ok(())
        })?;
        let value = |(row, rolled): (usize, Rolled)| match sets.error(row) {
            Some(e) => Value::Error(e.clone()),
            None => rolled.value(),
        };
        Ok(Col::Many(out.into_iter().enumerate().map(value).collect()))
    }

    /// The tuples with every look at a member with visual totals replaced by the members that it totals.
    fn without_looks(&self, tuples: &facetta_model::TupleSet) -> Result<facetta_model::TupleSet> {
        let mut now = tuples.clone();
        for position in 0..now.arity() {
            let mut next = facetta_model::TupleSet::new(now.hierarchies.clone());
            let mut changed = false;
            let mut step = 0;
            for tuple in now.iter() {
                let mut pending = vec![tuple[position]];
                while let Some(member) = pending.pop() {
                    self.context.check_every(&mut step)?;
                    let parts = match place(member) {
                        Place::Calculated(index) => self.calculation(index)?.parts.clone(),
                        _ => None,
                    };
                    match parts {
                        Some(parts) => {
                            changed = true;
                            pending.extend(parts.into_iter().rev());
                        }
                        None => {
                            let start = next.members.len();
                            next.members.extend_from_slice(tuple);
                            next.members[start + position] = member;
                        }
                    }
                }
            }
            if changed {
                now = next;
            }
        }
        Ok(now)
    }

    /// Replaces the hierarchies of a set by one coordinate that ranges over it, unless all its tuples agree.
    pub(crate) fn narrow(&self, at: &mut Batch, set: &super::Set) -> Result<()> {
        let tuples = self.without_looks(&*set.tuples(&self.context)?)?;
        let hierarchies = tuples.hierarchies.clone();
        let mut varying = Vec::new();
        for (position, h) in hierarchies.iter().enumerate() {
            let first = tuples.get(0)[position];
            if tuples.iter().all(|t| t[position] == first) {
                at.set_one(h.index(), first);
            } else {
                varying.push(position);
            }
        }
        if varying.is_empty() {
            return Ok(());
        }
        let mut rest = facetta_model::TupleSet::new(varying.iter().map(|&p| hierarchies[p]).collect::<Vec<_>>());
        let mut seen = rustc_hash::FxHashSet::default();
        for tuple in tuples.iter() {
            let part: Vec<MemberId> = varying.iter().map(|&p| tuple[p]).collect();
            if seen.insert(part.clone()) {
                rest.members.extend(part);
            }
        }
        if rest.hierarchies.contains(&HierarchyId::MEASURES) {
            bail!(Invalid, "A slicer cannot hold more than one measure");
        }
        let hierarchies = rest.hierarchies.clone();
        let coordinate = self.register_set(std::sync::Arc::new(super::Tuples::new(rest, &self.context)?))?;
        for h in hierarchies {
            at.set_one(h.index(), coordinate);
        }
        Ok(())
    }
}

/// Whether a set holds members that storage does not know.
fn holds_calculated_members(tuples: &facetta_model::TupleSet) -> bool {
    tuples.members.iter().any(|&m| matches!(place(m), Place::Calculated(_) | Place::Set(_)))
}

/// The order in which calculations are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    scope: u8,
    order: i32,
    hierarchy: std::cmp::Reverse<u32>,
}

impl Rank {
    /// Below every calculated member.
    pub(super) const LAST: Rank = Rank { scope: 0, order: i32::MIN, hierarchy: std::cmp::Reverse(u32::MAX) };

    /// That of a cell calculation: before every calculated member of its scope and solve order.
    pub(super) fn of_cells(scope: u8, order: i32) -> Rank {
        Rank { scope, order, hierarchy: std::cmp::Reverse(0) }
    }
}

/// Values rolled up one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rolled {
    so_far: Value,
}

impl Rolled {
    /// Takes one more value; empty ones change nothing, errors stay.
    pub(crate) fn add(&mut self, aggregator: Aggregator, value: &Value) {
        use std::cmp::Ordering::{Greater, Less};
        match (&self.so_far, value) {
            (Value::Error(_), _) | (_, Value::Empty) => {}
            (_, Value::Error(_)) | (Value::Empty, _) => self.so_far = value.clone(),
            (so_far, value) => {
                let replaces = match aggregator {
                    Aggregator::Min => value.compare(so_far) == Less,
                    Aggregator::Max => value.compare(so_far) == Greater,
                    _ => {
                        self.so_far = crate::functions::numeric::add(so_far, value);
                        return;
                    }
                };
                if replaces {
                    self.so_far = value.clone();
                }
            }
        }
    }

    pub(crate) fn value(self) -> Value {
        self.so_far
    }
}
