//! Evaluating something for each tuple of a set, for many rows at once.

use super::{Batch, CHUNK, Col, Column, Evaluator, Set, Sets, TupleColumn, Values};
use crate::expr::{Expr, ExprKind};
use facetta_model::{Error, MemberId, Result, Value};

/// A value at a tuple of a set: row of the batch, position in the set, value.
pub(crate) type Each<'a> = &'a mut dyn FnMut(usize, u64, &Value) -> Result<()>;

/// Tuples gathered until there are enough to evaluate.
struct Pending {
    rows: Vec<u32>,
    positions: Vec<u64>,
    hierarchies: Vec<usize>,
    columns: Vec<Vec<MemberId>>,
    ordinals: Vec<MemberId>,
}

impl Evaluator {
    /// Calls `each` with the value of `value` (the cell itself if none) at every tuple of the set of every row.
    /// Rows whose set failed are left out; see [`Sets::error`].
    pub(crate) fn for_each_value(
        &self,
        batch: &Batch,
        sets: &Sets,
        set: &Expr,
        value: Option<&Expr>,
        each: Each<'_>,
    ) -> Result<()> {
        let iteration = self.iteration(set);
        let mut pending: Option<Pending> = None;
        for row in 0..batch.len {
            let Ok(tuples) = &sets.sets[*sets.of.get(row) as usize] else { continue };
            let first_ordinal = match iteration {
                Some(_) => self.register_iteration(tuples)?,
                None => 0,
            };
            let hierarchies: Vec<usize> = tuples.hierarchies().iter().map(|h| h.index()).collect();
            if pending.as_ref().is_some_and(|p| p.hierarchies != hierarchies) {
                self.flush(batch, &mut pending, iteration, value, each)?;
            }
            let mut start = 0;
            while start < tuples.len() {
                let waiting = pending.get_or_insert_with(|| Pending::new(hierarchies.clone()));
                let len = (tuples.len() - start).min((CHUNK - waiting.rows.len()) as u64);
                waiting.add(row, tuples, start, len as usize);
                if iteration.is_some() {
                    let ordinals = (0..len).map(|i| MemberId(first_ordinal.wrapping_add((start + i) as u32)));
                    waiting.ordinals.extend(ordinals);
                }
                start += len;
                if waiting.rows.len() >= CHUNK {
                    self.flush(batch, &mut pending, iteration, value, each)?;
                }
            }
        }
        self.flush(batch, &mut pending, iteration, value, each)
    }

    fn flush(
        &self,
        batch: &Batch,
        pending: &mut Option<Pending>,
        iteration: Option<usize>,
        value: Option<&Expr>,
        each: Each<'_>,
    ) -> Result<()> {
        let Some(pending) = pending.take() else { return Ok(()) };
        self.context.check()?;
        let one_row = pending.rows.first().filter(|first| pending.rows.iter().all(|r| r == *first));
        let mut inner = match one_row {
            Some(&row) => batch.repeat(row as usize, pending.rows.len()),
            None => batch.select(&pending.rows),
        };
        for (h, members) in pending.hierarchies.iter().zip(pending.columns) {
            inner.set(*h, Column::of(members));
        }
        if let Some(iteration) = iteration {
            inner.set(self.cube.hierarchies.len() + iteration, Column::of(pending.ordinals));
        }
        let values = self.value_or_cell(value, &inner)?;
        for (at, (&row, &position)) in pending.rows.iter().zip(&pending.positions).enumerate() {
            each(row as usize, position, values.get(at))?;
        }
        Ok(())
    }

    /// The values of an expression, or of the cells themselves.
    pub(crate) fn value_or_cell(&self, value: Option<&Expr>, batch: &Batch) -> Result<Values> {
        match value {
            Some(expr) => self.values(expr, batch),
            None => self.cells(batch),
        }
    }

    /// Calls `each` with the value at every tuple of one set at one coordinate: position, value. An error in any is an error.
    pub(crate) fn for_each_value_of(
        &self,
        at: &Batch,
        set: &Set,
        name: &Expr,
        value: Option<&Expr>,
        each: &mut dyn FnMut(u64, &Value) -> Result<()>,
    ) -> Result<()> {
        let sets = Sets { sets: vec![Ok(set.clone())], of: Col::One(0) };
        self.for_each_value(at, &sets, name, value, &mut |_, position, value| match value {
            Value::Error(e) => Err(e.clone()),
            value => each(position, value),
        })
    }

    /// The values of `value` at each tuple of one set at one coordinate; an error in any is an error.
    pub(crate) fn values_over(&self, at: &Batch, set: &Set, name: &Expr, value: Option<&Expr>) -> Result<Vec<Value>> {
        let charge = self.context.charge("Values of a set", (set.len() as usize).saturating_mul(size_of::<Value>()))?;
        let mut out = Vec::with_capacity(set.len() as usize);
        self.for_each_value_of(at, set, name, value, &mut |_, value| {
            out.push(value.clone());
            Ok(())
        })?;
        drop(charge);
        Ok(out)
    }

    /// Whether an iteration over `set` can be asked for its current tuple, and its number.
    pub(super) fn iteration(&self, set: &Expr) -> Option<usize> {
        let iteration = match &set.kind {
            ExprKind::Alias(iteration, _) => *iteration,
            ExprKind::NamedSet(set) => self.program.sets.get(*set)?.iteration?,
            ExprKind::Braces(parts) if parts.len() == 1 => return self.iteration(&parts[0]),
            _ => return None,
        };
        self.program.iterated.contains(iteration).then_some(iteration)
    }

    pub(super) fn register_iteration(&self, set: &Set) -> Result<u32> {
        let mut iterations = self.iterations.borrow_mut();
        let same = |old: &Set| {
            old.parts().len() == set.parts().len()
                && old.parts().iter().zip(set.parts()).all(|(a, b)| std::sync::Arc::ptr_eq(a, b))
        };
        if let Some((first, _)) = iterations.iter().rev().take(16).find(|(_, old)| same(old)) {
            return Ok(*first);
        }
        let first = iterations.last().map_or(0, |(first, old)| u64::from(*first) + old.len());
        if first + set.len() >= u64::from(u32::MAX) {
            return Err(Error::not_supported("an iteration of more than four billion steps"));
        }
        iterations.push((first as u32, set.clone()));
        Ok(first as u32)
    }

    fn iteration_at(&self, ordinal: MemberId) -> Result<(Set, u64)> {
        let iterations = self.iterations.borrow();
        let after = iterations.partition_point(|(first, _)| *first <= ordinal.0);
        match after.checked_sub(1).and_then(|at| iterations.get(at)) {
            Some((first, set)) if !ordinal.is_null() => Ok((set.clone(), u64::from(ordinal.0 - first))),
            _ => Err(Error::new(
                facetta_model::ErrorKind::Invalid,
                "The CURRENT function can only be used while its set is iterated",
            )),
        }
    }

    pub(super) fn current_ordinal(&self, iteration: usize, batch: &Batch) -> Result<Values> {
        let index = self.cube.hierarchies.len() + iteration;
        let one = |m: MemberId| Ok(Value::Int(self.iteration_at(m)?.1 as i64));
        match &batch.columns()[index] {
            Column::One(m) => Ok(Col::One(one(*m)?)),
            Column::Many(run) => Ok(Col::Many(run.members.iter().map(|m| one(*m)).collect::<Result<_>>()?)),
        }
    }

    pub(super) fn current_tuple(&self, iteration: usize, _expr: &Expr, batch: &Batch) -> Result<TupleColumn> {
        let column = &batch.columns()[self.cube.hierarchies.len() + iteration];
        let rows = if let Column::One(_) = column { 1 } else { batch.len };
        let mut out = TupleColumn { hierarchies: Vec::new(), members: Vec::new() };
        let mut members: Vec<Vec<MemberId>> = Vec::new();
        let mut tuple = Vec::new();
        for row in 0..rows {
            let (set, position) = self.iteration_at(column.get(row))?;
            if row == 0 {
                out.hierarchies = set.hierarchies();
                members = vec![Vec::with_capacity(rows); out.hierarchies.len()];
            }
            set.read(position, &mut tuple);
            members.iter_mut().zip(&tuple).for_each(|(c, m)| c.push(*m));
        }
        out.members = match column {
            Column::One(_) => members.into_iter().map(|c| Col::One(c[0])).collect(),
            Column::Many(_) => members.into_iter().map(Col::Many).collect(),
        };
        Ok(out)
    }
}

impl Pending {
    fn new(hierarchies: Vec<usize>) -> Pending {
        let columns = hierarchies.iter().map(|_| Vec::new()).collect();
        Pending { rows: Vec::new(), positions: Vec::new(), hierarchies, columns, ordinals: Vec::new() }
    }

    fn add(&mut self, row: usize, set: &Set, start: u64, len: usize) {
        self.rows.resize(self.rows.len() + len, row as u32);
        self.positions.extend(start..start + len as u64);
        for (to, from) in self.columns.iter_mut().zip(set.columns(start, len)) {
            to.extend(from);
        }
    }
}

impl Sets {
    /// The error of a row's set, if it failed.
    pub(crate) fn error(&self, row: usize) -> Option<&Error> {
        self.sets[*self.of.get(row) as usize].as_ref().err()
    }
}
