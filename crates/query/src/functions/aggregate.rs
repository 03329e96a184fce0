//! Aggregates: a value from the cells of a set.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Col, Evaluator, Sets, Values};
use crate::expr::{Call, Expr, ExprKind, Kind, Kind::*};
use crate::program::rollup;
use facetta_model::definition::Aggregator;
use facetta_model::sort::sorted;
use facetta_model::{HierarchyId, MemberId, Result};
use rustc_hash::{FxHashMap, FxHashSet};

type Cell = facetta_model::Value;

pub(crate) const FUNCTIONS: &[Function] = &[
    function(
        "Aggregate",
        &[Kind::Set],
        Numeric,
        Run::Values(aggregate),
        "The cells of a set, rolled up as the measure is.",
    )
    .on_cells(),
    function(
        "Aggregate",
        &[Kind::Set, Numeric],
        Numeric,
        Run::Values(aggregate),
        "A value over a set, rolled up as the measure is.",
    )
    .each(1),
    function("Sum", &[Kind::Set], Numeric, Run::Values(sum), "The sum of the cells of a set.").on_cells(),
    function("Sum", &[Kind::Set, Numeric], Numeric, Run::Values(sum), "The sum of a value over a set.").each(1),
    function("Min", &[Kind::Set], Numeric, Run::Values(min), "The least cell of a set.").on_cells(),
    function("Min", &[Kind::Set, Numeric], Numeric, Run::Values(min), "The least value over a set.").each(1),
    function("Max", &[Kind::Set], Numeric, Run::Values(max), "The greatest cell of a set.").on_cells(),
    function("Max", &[Kind::Set, Numeric], Numeric, Run::Values(max), "The greatest value over a set.").each(1),
    function("Count", &[Kind::Set], Numeric, Run::Values(count), "How many tuples a set has."),
    function(
        "Count",
        &[Kind::Set, Symbol],
        Numeric,
        Run::Values(count),
        "How many tuples a set has; with EXCLUDEEMPTY those whose cell is not empty.",
    )
    .on_cells(),
    function("Count", &[Kind::Set], Numeric, Run::Values(count), "How many tuples a set has.").property(),
    function(
        "DistinctCount",
        &[Kind::Set],
        Numeric,
        Run::Values(distinct_count),
        "How many different tuples of a set have a cell that is not empty.",
    )
    .on_cells(),
    function(
        "Rank",
        &[Member, Kind::Set],
        Integer,
        Run::Values(rank),
        "The position of a member in a set, from 1; 0 if it is not there.",
    ),
    function(
        "Rank",
        &[Tuple, Kind::Set],
        Integer,
        Run::Values(rank),
        "The position of a tuple in a set, from 1; 0 if it is not there.",
    ),
    function(
        "Rank",
        &[Member, Kind::Set, Numeric],
        Integer,
        Run::Values(rank_by),
        "The rank of a member in a set by a value.",
    ),
    function(
        "Rank",
        &[Tuple, Kind::Set, Numeric],
        Integer,
        Run::Values(rank_by),
        "The rank of a tuple in a set by a value.",
    ),
    function(
        "ValidMeasure",
        &[Tuple],
        Numeric,
        Run::Values(valid_measure),
        "The value of a tuple, whatever stands in hierarchies that its measure does not know.",
    )
    .on_all(),
];

fn folded(evaluator: &Evaluator, call: &Call, batch: &Batch, aggregator: Aggregator) -> Result<Values> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    let mut out = vec![crate::evaluate::Rolled::default(); batch.len];
    let mut sums = if aggregator == Aggregator::Sum { vec![(Exact::default(), false); batch.len] } else { Vec::new() };
    evaluator.for_each_value(batch, &sets, &call.args[0], call.arg(1), &mut |row, _, v| {
        match sums.get_mut(row) {
            Some((sum, any)) => {
                let added = sum.add(v);
                *any |= added;
                if !added {
                    out[row].add(aggregator, v);
                }
            }
            None => out[row].add(aggregator, v),
        }
        Ok(())
    })?;
    for (row, (sum, any)) in sums.into_iter().enumerate() {
        if any {
            out[row].add(Aggregator::Sum, &sum.value());
        }
    }
    Ok(finish(&sets, out.into_iter().map(crate::evaluate::Rolled::value)))
}

/// Values of rows, or the error of a row's set.
fn finish(sets: &Sets, values: impl Iterator<Item = Cell>) -> Values {
    let value = |(row, v): (usize, Cell)| sets.error(row).map_or(v, |e| Cell::Error(e.clone()));
    Col::Many(values.enumerate().map(value).collect())
}

/// A sum that stays whole while its terms are, and keeps the rounding errors of doubles.
#[derive(Clone, Copy, Debug, Default)]
struct Exact {
    whole: i64,
    real: crate::scalar::statistics::Sum,
    is_real: bool,
}

impl Exact {
    /// Adds a number; false if it cannot take it.
    fn add(&mut self, value: &Cell) -> bool {
        match value {
            Cell::Int(i) => match self.whole.checked_add(*i) {
                Some(sum) => self.whole = sum,
                None => return false,
            },
            Cell::Double(d) => {
                self.real.add(*d);
                self.is_real = true;
            }
            _ => return false,
        }
        true
    }

    fn value(mut self) -> Cell {
        if !self.is_real {
            return Cell::Int(self.whole);
        }
        self.real.add(self.whole as f64);
        Cell::Double(self.real.total())
    }
}

fn sum(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    folded(evaluator, call, batch, Aggregator::Sum)
}

fn min(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    folded(evaluator, call, batch, Aggregator::Min)
}

fn max(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    folded(evaluator, call, batch, Aggregator::Max)
}

/// The measure whose cells an expression is, if it is one.
fn measure_of(expr: &Expr) -> Option<MemberId> {
    match &expr.kind {
        ExprKind::Cell(inner) => measure_of(inner),
        ExprKind::Member(HierarchyId::MEASURES, m) => Some(*m),
        ExprKind::Tuple(parts) => parts.iter().find_map(measure_of),
        _ => None,
    }
}

fn aggregate(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    let value = call.arg(1);
    let aggregator = |row: usize| match value.and_then(measure_of) {
        Some(m) => evaluator.cube.measures.get(m.index()).map(|m| m.aggregator),
        None => evaluator.aggregator(batch, row),
    };
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    let mut out = vec![Cell::Empty; batch.len];
    for row in 0..batch.len as u32 {
        match aggregator(row as usize) {
            None if value.is_none() => {
                let text = "Could not find an aggregator in the current evaluation context";
                out[row as usize] = Cell::Error(facetta_model::Error::new(facetta_model::ErrorKind::Invalid, text));
            }
            Some(a) if rollup(a).is_none() => whole.push(row),
            _ => parts.push(row),
        }
    }
    for (rows, as_whole) in [(whole, true), (parts, false)] {
        if rows.is_empty() {
            continue;
        }
        let part = batch.select(&rows);
        let of = Col::Many(rows.iter().map(|&row| *sets.of.get(row as usize)).collect());
        let part_sets = Sets { sets: sets.sets.clone(), of };
        let values = if as_whole {
            over_filter(evaluator, &part, &part_sets, value)?
        } else {
            evaluator.aggregate_cells(&part, &part_sets, value)?
        };
        rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = values.get(at).clone());
    }
    Ok(finish(&sets, out.into_iter()))
}

/// The cells over a set as a whole: what cannot be put together from the cells of its tuples.
fn over_filter(evaluator: &Evaluator, batch: &Batch, sets: &Sets, value: Option<&Expr>) -> Result<Values> {
    let mut out = vec![Cell::Empty; batch.len];
    for (index, set) in sets.sets.iter().enumerate() {
        let rows: Vec<u32> = (0..batch.len as u32).filter(|&r| *sets.of.get(r as usize) as usize == index).collect();
        let Ok(set) = set else { continue };
        if rows.is_empty() || set.is_empty() {
            continue;
        }
        let mut part = batch.select(&rows);
        evaluator.narrow(&mut part, set)?;
        let values = evaluator.value_or_cell(value, &part)?;
        rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = values.get(at).clone());
    }
    Ok(Col::Many(out))
}

fn count(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    if !call.has_symbol("EXCLUDEEMPTY") {
        let len = |row: usize| match &sets.sets[*sets.of.get(row) as usize] {
            Ok(set) => Cell::Int(set.len().min(i64::MAX as u64) as i64),
            Err(e) => Cell::Error(e.clone()),
        };
        return Ok(match &sets.of {
            Col::One(_) => Col::One(len(0)),
            Col::Many(_) => Col::Many((0..batch.len).map(len).collect()),
        });
    }
    let mut counts = vec![0i64; batch.len];
    evaluator.for_each_value(batch, &sets, &call.args[0], None, &mut |row, _, v| {
        counts[row] += i64::from(!v.is_empty());
        Ok(())
    })?;
    Ok(finish(&sets, counts.into_iter().map(Cell::Int)))
}

fn distinct_count(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    let mut seen: Vec<FxHashSet<Vec<MemberId>>> = vec![FxHashSet::default(); batch.len];
    let mut tuple = Vec::new();
    evaluator.for_each_value(batch, &sets, &call.args[0], None, &mut |row, position, v| {
        if let (false, Ok(set)) = (v.is_empty(), &sets.sets[*sets.of.get(row) as usize]) {
            set.read(position, &mut tuple);
            seen[row].insert(tuple.clone());
        }
        Ok(())
    })?;
    Ok(finish(&sets, seen.into_iter().map(|s| Cell::Int(s.len() as i64))))
}

fn rank(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let tuples = evaluator.tuples(&call.args[0], batch)?;
    let sets = evaluator.sets(&call.args[1], batch)?;
    let members = evaluator.members();
    let mut positions: Vec<FxHashMap<Vec<MemberId>, i64>> = Vec::new();
    for set in &sets.sets {
        let mut of: FxHashMap<Vec<MemberId>, i64> = FxHashMap::default();
        if let Ok(set) = set {
            let set = set.tuples(&evaluator.context)?;
            let order = if set.hierarchies == tuples.hierarchies || set.is_empty() {
                None
            } else {
                match crate::evaluate::positions(&set.hierarchies, &tuples.hierarchies) {
                    Err(_) if evaluator.cube.compatibility.ranks_strangers() => {
                        positions.push(of);
                        continue;
                    }
                    found => Some(found?),
                }
            };
            let mut step = 0;
            for (i, tuple) in set.iter().enumerate() {
                evaluator.context.check_every(&mut step)?;
                let key = match &order {
                    Some(order) => order.iter().map(|&o| members.original(tuple[o])).collect(),
                    None => tuple.iter().map(|m| members.original(*m)).collect(),
                };
                of.entry(key).or_insert(i as i64 + 1);
            }
        }
        positions.push(of);
    }
    let one = |row: usize| match tuples.get(row) {
        Some(tuple) => {
            let tuple: Vec<MemberId> = tuple.iter().map(|m| members.original(*m)).collect();
            Cell::Int(positions[*sets.of.get(row) as usize].get(&tuple).copied().unwrap_or(0))
        }
        None => Cell::Empty,
    };
    Ok(finish(&sets, (0..batch.len).map(one)))
}

fn rank_by(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let tuples = evaluator.tuples(&call.args[0], batch)?;
    let mut own = batch.clone();
    for (h, members) in tuples.hierarchies.iter().zip(&tuples.members) {
        own.set(h.index(), crate::evaluate::column(members.clone()));
    }
    let own = evaluator.values(&call.args[2], &own)?;
    // Rows that differ only in the set's own hierarchies are ranked against the same values.
    let mut deps = call.args[2].deps.clone();
    call.args[1].ty.hierarchies.iter().flat_map(|hs| hs.iter()).for_each(|h| deps.remove(h.index()));
    deps.extend_with(&call.args[1].deps);
    let (rows, of) = evaluator
        .distinct(batch, &deps)
        .unwrap_or_else(|| ((0..batch.len as u32).collect(), Col::Many((0..batch.len as u32).collect())));
    let outer = batch.select(&rows);
    let sets = evaluator.sets(&call.args[1], &outer)?;
    let mut values: Vec<Vec<Cell>> = vec![Vec::new(); outer.len];
    evaluator.for_each_value(&outer, &sets, &call.args[1], Some(&call.args[2]), &mut |row, _, v| {
        if !v.is_empty() {
            values[row].push(v.clone());
        }
        Ok(())
    })?;
    for values in &mut values {
        *values = sorted(std::mem::take(values), &evaluator.context, |a, b| b.compare(a))?;
    }
    let one = |row: usize| {
        let outer_row = *of.get(row) as usize;
        let ranked = &values[outer_row];
        match (tuples.get(row), own.get(row)) {
            (None, _) => Cell::Empty,
            (_, Cell::Error(e)) => Cell::Error(e.clone()),
            (_, Cell::Empty) => Cell::Int(ranked.len() as i64 + 1),
            (_, v) => Cell::Int(1 + ranked.partition_point(|r| r.compare(v).is_gt()) as i64),
        }
    };
    Ok(Col::Many((0..batch.len).map(one).collect()))
}

fn valid_measure(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let tuples = evaluator.tuples(&call.args[0], batch)?;
    let mut inner = batch.clone();
    for (h, members) in tuples.hierarchies.iter().zip(tuples.members) {
        inner.set(h.index(), crate::evaluate::column(members));
    }
    let group = |row: usize| {
        let measure = evaluator.cube.measures.get(inner.get(HierarchyId::MEASURES, row).index());
        measure.map(|m| m.group)
    };
    if let crate::evaluate::Column::One(_) = inner.column(HierarchyId::MEASURES) {
        return valid_cells(evaluator, inner.clone(), group(0));
    }
    let mut by_group: FxHashMap<Option<usize>, Vec<u32>> = FxHashMap::default();
    (0..inner.len).for_each(|row| by_group.entry(group(row)).or_default().push(row as u32));
    let mut out = vec![Cell::Empty; inner.len];
    for (group, rows) in by_group {
        let cells = valid_cells(evaluator, inner.select(&rows), group)?;
        rows.iter().enumerate().for_each(|(at, row)| out[*row as usize] = cells.get(at).clone());
    }
    Ok(Col::Many(out))
}

/// The cells of measures of one group, at the default members of the hierarchies that it does not know.
fn valid_cells(evaluator: &Evaluator, batch: Batch, group: Option<usize>) -> Result<Values> {
    let mut batch = batch;
    if let Some(group) = group {
        for i in 1..evaluator.cube.hierarchies.len() {
            let h = HierarchyId::from(i);
            if evaluator.cube.path(group, h).is_none() {
                batch.set_one(i, evaluator.default_member(h));
            }
        }
    }
    evaluator.cells(&batch)
}
