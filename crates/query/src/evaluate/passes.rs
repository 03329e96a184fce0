//! Cell calculations: which of them a cell belongs to at a calculation pass, and what it is worth there.
//!
//! A statement's cells are asked for at its highest pass. A calculation holds for the passes from its number down to number minus
//! depth plus one. A cell takes the highest pass at which a calculation covers it; there the highest solve order decides, between
//! equals the one that was defined last, and a cell calculation goes before a calculated member. A formula sees cells at the pass
//! at which its own cell is calculated; where it comes back to a cell that is being calculated at that pass, it sees that
//! cell at the pass before. At pass 0 there are stored cells and calculated members only.
//!
//! A calculation covers the cells of its subcube. In hierarchies that the subcube does not describe these are those of stored
//! members; what is calculated there must be described. Totals over such cells are what they were.

use super::cell::Rank;
use super::{Batch, Col, Column, Evaluator, Set, Values};
use crate::coordinate::{Place, place};
use crate::functions::logical;
use crate::program::CellCalculation;
use facetta_model::{Charge, Error, ErrorKind, HierarchyId, MemberId, Result, Value, bail};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::sync::Arc;

/// Cells under way that are looked back over to see whether one comes again; a longer way round is an endless loop.
const MOST_LOOKED_BACK: usize = 64;

/// The cell calculations of a statement, with the cells that they are for.
#[derive(Debug)]
pub(crate) struct Passes {
    /// The last to be defined first.
    calculations: Vec<Covering>,
    /// The highest pass.
    top: u32,
    /// The columns of batches that hold the current pass, and the cell that is being calculated.
    pass: usize,
    origin: usize,
    /// How many hierarchies the cube has.
    hierarchies: usize,
}

#[derive(Debug)]
struct Covering {
    calculation: Arc<CellCalculation>,
    parts: Vec<Part>,
    /// The hierarchies of the parts.
    described: Vec<HierarchyId>,
}

/// Cells in some hierarchies.
#[derive(Debug)]
enum Part {
    Members(HierarchyId, FxHashSet<MemberId>),
    Tuples(Vec<HierarchyId>, FxHashSet<Vec<MemberId>>),
}

/// How far the calculations of a statement are known.
#[derive(Debug, Default)]
pub(super) enum State {
    #[default]
    Unknown,
    /// Their subcubes are being evaluated; at pass 0.
    Preparing,
    Known(Option<Arc<Passes>>),
}

/// Cells that are being calculated at a pass: rows of a batch.
#[derive(Debug)]
struct Frame {
    /// The origin of its first row.
    first: u32,
    pass: u32,
    batch: Batch,
    _charge: Charge,
}

/// The cells under way, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Frames {
    open: RefCell<Vec<Frame>>,
    next: std::cell::Cell<u32>,
}

/// Closes a frame.
struct Open<'a>(&'a Frames);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.borrow_mut().pop();
    }
}

/// What a cell is decided to be worth.
enum Decided<'a> {
    /// What a calculation says at a batch, whose rows are the cells.
    By(&'a CellCalculation, &'a Batch),
    /// What the cells, which are under way at this pass, are worth at the pass before.
    Before(u32),
}

/// Takes a decision on some rows.
type Take<'a> = &'a mut dyn FnMut(&[u32], Decided<'_>) -> Result<()>;

impl Part {
    fn of(set: &Set, evaluator: &Evaluator) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        for tuples in set.parts() {
            evaluator.context.check()?;
            parts.push(match tuples.hierarchies[..] {
                [h] => Part::Members(h, tuples.members.iter().copied().collect()),
                _ => Part::Tuples(tuples.hierarchies.clone(), tuples.iter().map(<[MemberId]>::to_vec).collect()),
            });
        }
        Ok(parts)
    }

    fn hierarchies(&self) -> &[HierarchyId] {
        match self {
            Part::Members(h, _) => std::slice::from_ref(h),
            Part::Tuples(hierarchies, _) => hierarchies,
        }
    }

    /// Whether the cells of a row are in it; `tuple` is room to work in.
    fn has(&self, batch: &Batch, row: usize, tuple: &mut Vec<MemberId>) -> bool {
        match self {
            Part::Members(h, members) => members.contains(&batch.get(*h, row)),
            Part::Tuples(hierarchies, tuples) => {
                tuple.clear();
                tuple.extend(hierarchies.iter().map(|h| batch.get(*h, row)));
                tuples.contains(tuple.as_slice())
            }
        }
    }
}

impl Covering {
    /// Those of `rows` that the calculation covers.
    fn rows(&self, batch: &Batch, hierarchies: usize, rows: &[u32]) -> Vec<u32> {
        let alike = |h: &HierarchyId| matches!(batch.column(*h), Column::One(_));
        let calculated = |m: MemberId| matches!(place(m), Place::Calculated(_) | Place::Null);
        let (fixed, varying): (Vec<&Part>, Vec<&Part>) =
            self.parts.iter().partition(|p| p.hierarchies().iter().all(alike));
        let others = (0..hierarchies).map(HierarchyId::from).filter(|h| !self.described.contains(h));
        let (same, special): (Vec<HierarchyId>, Vec<HierarchyId>) =
            others.filter(|h| batch.column(*h).special()).partition(alike);
        let mut room = Vec::new();
        if fixed.iter().any(|p| !p.has(batch, 0, &mut room)) || same.iter().any(|h| calculated(batch.get(*h, 0))) {
            return Vec::new();
        }
        let mut covered = |row: &u32| {
            let row = *row as usize;
            varying.iter().all(|p| p.has(batch, row, &mut room))
                && !special.iter().any(|h| calculated(batch.get(*h, row)))
        };
        rows.iter().copied().filter(|row| covered(row)).collect()
    }
}

impl Passes {
    /// The calculations that hold at a pass or before it: each with its highest pass, in the order in which they decide.
    fn order(&self, pass: u32, by_scope: bool) -> Vec<(u32, &Covering)> {
        let at = |c: &CellCalculation| Some(c.pass.min(pass)).filter(|p| *p > 0 && c.pass - p < c.depth);
        let found = self.calculations.iter().filter_map(|c| Some((at(&c.calculation)?, c)));
        let mut found: Vec<(u32, &Covering)> = found.collect();
        // Stable: the last to be defined stays first among equals.
        found.sort_by_key(|(pass, c)| std::cmp::Reverse((*pass, rank(&c.calculation, by_scope))));
        found
    }

    fn current(&self, column: MemberId) -> u32 {
        if column.is_null() { self.top } else { column.0 }
    }
}

/// How a calculation is ranked among those of its pass and the calculated members.
fn rank(calculation: &CellCalculation, by_scope: bool) -> Rank {
    Rank::of_cells(if by_scope { calculation.formula.scope as u8 } else { 0 }, calculation.formula.solve_order)
}

impl Frames {
    /// The rows of a batch among `rows` whose cells are under way at `pass`, and the others.
    fn under_way(&self, passes: &Passes, batch: &Batch, pass: u32, rows: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
        if matches!(batch.columns()[passes.origin], Column::One(MemberId::NULL)) {
            return (Vec::new(), rows);
        }
        let open = self.open.borrow();
        rows.into_iter().partition(|row| {
            let mut origin = batch.columns()[passes.origin].get(*row as usize);
            for _ in 0..MOST_LOOKED_BACK {
                if origin.is_null() {
                    return false;
                }
                let Some(frame) = open.partition_point(|f| f.first <= origin.0).checked_sub(1).map(|at| &open[at])
                else {
                    return false;
                };
                let there = (origin.0 - frame.first) as usize;
                let same = |i: usize| batch.columns()[i].get(*row as usize) == frame.batch.columns()[i].get(there);
                if frame.pass == pass && (0..passes.hierarchies).all(same) {
                    return true;
                }
                origin = frame.batch.columns()[passes.origin].get(there);
            }
            false
        })
    }

    /// Opens a frame: its rows are under way at `pass` until the guard is dropped. The batch with its rows as origins.
    fn open(&self, passes: &Passes, batch: &Batch, pass: u32, charge: Charge) -> Result<(Open<'_>, Batch)> {
        let len = batch.len as u32;
        let first = self.next.get();
        let Some(next) = first.checked_add(len).filter(|n| *n < MemberId::NULL.0) else {
            bail!(ServerLimit, "The statement's cell calculations take more than four billion steps");
        };
        self.next.set(next);
        let mut inner = batch.clone();
        inner.set_one(passes.pass, MemberId(pass));
        inner.set(passes.origin, Column::of((first..next).map(MemberId).collect()));
        self.open.borrow_mut().push(Frame { first, pass, batch: batch.clone(), _charge: charge });
        Ok((Open(self), inner))
    }
}

impl Evaluator {
    /// The statement's cell calculations; none if it has none that is enabled.
    pub(super) fn passes(&self) -> Result<Option<Arc<Passes>>> {
        match &*self.passes.borrow() {
            State::Known(passes) => return Ok(passes.clone()),
            State::Preparing => return Ok(None),
            State::Unknown => {}
        }
        if self.program.cell_calculations.is_empty() {
            *self.passes.borrow_mut() = State::Known(None);
            return Ok(None);
        }
        *self.passes.borrow_mut() = State::Preparing;
        let prepared = self.with_narrowed(false, || self.prepare());
        // What was evaluated meanwhile knew of no calculation.
        self.forget();
        *self.passes.borrow_mut() = prepared.as_ref().map_or(State::Unknown, |p| State::Known(p.clone()));
        prepared
    }

    fn prepare(&self) -> Result<Option<Arc<Passes>>> {
        let program = self.program.clone();
        let Some((pass, origin)) = program.pass_columns else { return Ok(None) };
        let mut calculations = Vec::new();
        let at = self.defaults();
        for calculation in program.cell_calculations.iter().rev() {
            let mut parts = Vec::new();
            for expr in &calculation.subcube {
                let set = self.set_at(expr, &at)?;
                // An empty set describes nothing: the calculation is for all members of its hierarchies.
                if !set.is_empty() {
                    parts.extend(Part::of(&set, self)?);
                }
            }
            let mut described: Vec<HierarchyId> = Vec::new();
            for h in parts.iter().flat_map(|p| p.hierarchies()) {
                if described.contains(h) {
                    let (name, hierarchy) = (&calculation.name, &self.cube.hierarchy(*h).unique_name);
                    bail!(HierarchyTwice, "The subcube of the cell calculation '{name}' describes '{hierarchy}' twice");
                }
                described.push(*h);
            }
            calculations.push(Covering { calculation: calculation.clone(), parts, described });
        }
        let top = calculations.iter().map(|c| c.calculation.pass).max();
        Ok(top
            .map(|top| Arc::new(Passes { calculations, top, pass, origin, hierarchies: self.cube.hierarchies.len() })))
    }

    /// The values of cells where the statement has cell calculations: at the pass of each row.
    pub(super) fn cells_in_passes(&self, passes: &Passes, batch: &Batch) -> Result<Values> {
        let run = match &batch.columns()[passes.pass] {
            Column::One(pass) => return self.cells_at_pass(passes, passes.current(*pass), batch),
            Column::Many(run) => run.clone(),
        };
        let mut by_pass: FxHashMap<MemberId, Vec<u32>> = FxHashMap::default();
        run.members.iter().enumerate().for_each(|(row, m)| by_pass.entry(*m).or_default().push(row as u32));
        let mut out = vec![Value::Empty; batch.len];
        for (pass, rows) in by_pass {
            let values = self.cells_at_pass(passes, passes.current(pass), &batch.select(&rows))?;
            rows.iter().enumerate().for_each(|(at, row)| out[*row as usize] = values.get(at).clone());
        }
        Ok(Col::Many(out))
    }

    fn cells_at_pass(&self, passes: &Passes, pass: u32, batch: &Batch) -> Result<Values> {
        let mut out: Vec<Value> = Vec::new();
        let mut put = |rows: &[u32], values: &Values| {
            if out.is_empty() {
                out.resize(batch.len, Value::Empty);
            }
            rows.iter().enumerate().for_each(|(at, row)| out[*row as usize] = values.get(at).clone());
        };
        let rest = self.decide(passes, pass, batch, &mut |rows, decided| {
            let values = match decided {
                Decided::By(calculation, inner) => {
                    let _depth = self.enter(calculation.formula.formula.span)?;
                    self.with_narrowed(false, || self.values(&calculation.formula.formula, inner))?
                }
                Decided::Before(pass) => {
                    let mut before = batch.select(rows);
                    before.set_one(passes.pass, MemberId(pass));
                    self.cells_at_pass(passes, pass, &before)?
                }
            };
            put(rows, &values);
            Ok(())
        })?;
        if rest.len() == batch.len {
            return self.uncalculated_cells(batch);
        }
        if !rest.is_empty() {
            put(&rest, &self.uncalculated_cells(&batch.select(&rest))?);
        }
        Ok(Col::Many(out))
    }

    /// Gives the rows of a batch to the calculations that decide them at a pass; the rows that none decides.
    fn decide(&self, passes: &Passes, pass: u32, batch: &Batch, take: Take<'_>) -> Result<Vec<u32>> {
        let mut rest: Vec<u32> = (0..batch.len as u32).collect();
        for (at, covering) in passes.order(pass, self.cube.compatibility.solves_by_scope()) {
            self.context.check()?;
            let rows = covering.rows(batch, passes.hierarchies, &rest);
            let rows = self.not_outranked(&covering.calculation, batch, rows)?;
            if rows.is_empty() {
                continue;
            }
            let (again, rows) = self.frames.under_way(passes, batch, at, rows);
            let mut taken: FxHashSet<u32> = again.iter().copied().collect();
            if !again.is_empty() {
                take(&again, Decided::Before(at - 1))?;
            }
            if !rows.is_empty() {
                let part = if rows.len() == batch.len { batch.clone() } else { batch.select(&rows) };
                let bytes = part.len * size_of::<MemberId>();
                let charge = self.context.charge("Cell calculation", bytes)?;
                let (_open, inner) = self.frames.open(passes, &part, at, charge)?;
                let (rows, inner) = self.where_it_holds(&covering.calculation, rows, inner)?;
                if !rows.is_empty() {
                    take(&rows, Decided::By(&covering.calculation, &inner))?;
                }
                taken.extend(rows);
            }
            if !taken.is_empty() {
                rest.retain(|row| !taken.contains(row));
            }
            if rest.is_empty() {
                break;
            }
        }
        Ok(rest)
    }

    /// The rows at which no calculated member is of a higher rank.
    fn not_outranked(&self, calculation: &CellCalculation, batch: &Batch, rows: Vec<u32>) -> Result<Vec<u32>> {
        let special = self.special(batch);
        if special.is_empty() || rows.is_empty() {
            return Ok(rows);
        }
        let own = rank(calculation, self.cube.compatibility.solves_by_scope());
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let member = self.deciding_member(&special, batch, row as usize)?;
            if member.is_none_or(|rank| own >= rank) {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// The rows at which the condition of a calculation holds, with their coordinates.
    fn where_it_holds(&self, calculation: &CellCalculation, rows: Vec<u32>, inner: Batch) -> Result<(Vec<u32>, Batch)> {
        let Some(condition) = &calculation.condition else { return Ok((rows, inner)) };
        let _depth = self.enter(condition.span)?;
        let holds = self.with_narrowed(false, || self.values(condition, &inner))?;
        let mut kept = Vec::new();
        for row in 0..rows.len() {
            match holds.get(row) {
                Value::Error(error) => {
                    let (name, why) = (&calculation.name, error.message());
                    return Err(Error::new(
                        error.kind(),
                        format!("The condition of the cell calculation '{name}': {why}"),
                    ));
                }
                value if logical::is_true(value) => kept.push(row as u32),
                _ => {}
            }
        }
        let inner = if kept.len() == rows.len() { inner } else { inner.select(&kept) };
        Ok((kept.iter().map(|at| rows[*at as usize]).collect(), inner))
    }

    /// For each row of a batch the cell calculation that its value is of.
    pub(super) fn cell_calculations(&self, batch: &Batch) -> Result<Vec<Option<Arc<CellCalculation>>>> {
        let Some(passes) = self.passes()? else { return Ok(Vec::new()) };
        let mut found: Vec<Option<Arc<CellCalculation>>> = vec![None; batch.len];
        self.decide(&passes, passes.top, batch, &mut |rows, decided| {
            if let Decided::By(calculation, _) = decided {
                let by = self.program.cell_calculations.iter().find(|c| std::ptr::eq(&***c, calculation));
                rows.iter().for_each(|row| found[*row as usize] = by.cloned());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether the one cell at a coordinate is that of a cell calculation.
    pub(crate) fn is_calculated_cell(&self, at: &Batch) -> Result<bool> {
        Ok(self.cell_calculations(at)?.iter().any(Option::is_some))
    }

    /// Whether the statement has cell calculations.
    pub(crate) fn has_cell_calculations(&self) -> Result<bool> {
        Ok(self.passes()?.is_some())
    }

    /// Whether a set in the place of a member holds cells of calculations, each with a value of its own.
    pub(super) fn holds_calculated_cells(&self, set: usize) -> Result<bool> {
        let Some(passes) = self.passes()? else { return Ok(false) };
        let tuples = self.registered_set(set)?;
        let within = |part: &Part| match part {
            Part::Members(h, members) => match tuples.hierarchies.iter().position(|t| t == h) {
                Some(position) => tuples.iter().any(|t| members.contains(&t[position])),
                None => false,
            },
            Part::Tuples(hierarchies, _) => hierarchies.iter().any(|h| tuples.hierarchies.contains(h)),
        };
        Ok(passes.calculations.iter().any(|c| c.parts.iter().any(within)))
    }

    /// The pass at which the cells of each row are asked for.
    pub(crate) fn current_pass(&self, batch: &Batch) -> Result<Col<u32>> {
        let Some(passes) = self.passes()? else { return Ok(Col::One(0)) };
        Ok(match &batch.columns()[passes.pass] {
            Column::One(m) => Col::One(passes.current(*m)),
            Column::Many(run) => Col::Many(run.members.iter().map(|m| passes.current(*m)).collect()),
        })
    }

    /// The batch with another pass at each row; passes beyond the highest are that.
    pub(crate) fn at_passes(&self, batch: &Batch, wanted: Col<u32>) -> Result<Batch> {
        let Some(passes) = self.passes()? else { return Ok(batch.clone()) };
        let mut out = batch.clone();
        let members = wanted.map(|pass| MemberId(*pass.min(&passes.top)));
        out.set(passes.pass, super::column(members));
        Ok(out)
    }
}

/// The error for a number of passes that cannot be.
pub(crate) fn wrong_pass(property: &str, name: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!("{property} of the cell calculation '{name}' is not a whole number of 1 or more"),
    )
}
