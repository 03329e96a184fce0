//! NON EMPTY and its kin: candidates from storage where only fact rows can make a cell, else every tuple in chunks.

use crate::coordinate::{Place, is_special, place};
use crate::evaluate::{Batch, CHUNK, Column, Evaluator, Set};
use crate::expr::{Expr, ExprKind};
use facetta_model::sort::sorted;
use facetta_model::{HierarchyId, MemberId, Result, TupleSet};
use rustc_hash::{FxHashMap, FxHashSet};

/// Tuples up to which every tuple is evaluated without asking storage for candidates first.
const FEW: u64 = 1 << 12;

impl Evaluator {
    /// The tuples of `set` at which a cell is not empty, for one of the combinations of tuples of `others` at least.
    pub(crate) fn non_empty(&self, set: &Set, others: &[Set], at: &Batch) -> Result<Set> {
        if set.is_empty() || others.iter().any(Set::is_empty) {
            return Ok(Set::empty(&set.hierarchies()));
        }
        if set.len() > FEW
            && let Some(candidates) = self.candidates(set, others, at)?
        {
            return self.keep_non_empty(&candidates, others, at);
        }
        self.keep_non_empty(set, others, at)
    }

    /// Evaluates every tuple, in blocks, at all combinations of the others until one is not empty.
    fn keep_non_empty(&self, set: &Set, others: &[Set], at: &Batch) -> Result<Set> {
        let hierarchies = set.hierarchies();
        let mut out = TupleSet::new(hierarchies.clone());
        let other = others.iter().cloned().reduce(|a, b| a.times(&b));
        let other_hierarchies = other.as_ref().map_or(Vec::new(), Set::hierarchies);
        let combinations = other.as_ref().map_or(1, Set::len);
        let block = (CHUNK as u64 / combinations.min(CHUNK as u64)).max(1);
        let mut charge = self.context.charge("NonEmpty", 0)?;
        let mut start = 0;
        while start < set.len() {
            self.context.check()?;
            let len = block.min(set.len() - start) as usize;
            let columns = set.columns(start, len);
            let mut found = vec![false; len];
            let mut from = 0;
            while from < combinations && found.iter().any(|f| !f) {
                let width = (CHUNK as u64 / len as u64).clamp(1, combinations - from) as usize;
                let mut batch = at.repeat(0, len * width);
                for (h, members) in hierarchies.iter().zip(&columns) {
                    let repeated = members.iter().flat_map(|m| std::iter::repeat_n(*m, width)).collect();
                    batch.set(h.index(), Column::of(repeated));
                }
                if let Some(other) = &other {
                    for (h, members) in other_hierarchies.iter().zip(other.columns(from, width)) {
                        batch.set(h.index(), Column::of(members.repeat(len)));
                    }
                }
                let cells = self.cells(&batch)?;
                for (i, found) in found.iter_mut().enumerate() {
                    *found |= (0..width).any(|w| !cells.get(i * width + w).is_empty());
                }
                from += width as u64;
            }
            for (i, _) in found.iter().enumerate().filter(|(_, f)| **f) {
                out.members.extend(columns.iter().map(|c| c[i]));
            }
            charge.resize(out.members.len() * 4)?;
            start += len as u64;
            self.forget_block();
        }
        drop(charge);
        Set::new(out, &self.context)
    }

    /// The tuples of a product that have fact rows, in its order; none if other cells could be filled too, or storage cannot
    /// tell. They are a superset of those that are not empty.
    fn candidates(&self, set: &Set, others: &[Set], at: &Batch) -> Result<Option<Set>> {
        let hierarchies = set.hierarchies();
        let Some((groups, shifted)) = self.measures_at(set, others, at)? else { return Ok(None) };
        if hierarchies.iter().any(|h| shifted.contains(h)) {
            return Ok(None);
        }
        let special = set.parts().iter().any(|p| p.members.iter().any(|m| is_special(*m)));
        if special {
            return Ok(None);
        }
        // Totals over what the other axes and the calculations move about; the exact answer comes after.
        let mut wide = at.clone();
        for h in others.iter().flat_map(Set::hierarchies).chain(shifted.iter().copied()) {
            let hierarchy = &self.cube.hierarchy(h).hierarchy;
            match hierarchy.all_member() {
                _ if h == HierarchyId::MEASURES => {}
                Some(all) => wide.set_one(h.index(), all),
                None => {
                    let roots = hierarchy.members.at_depth(0).map(MemberId).collect();
                    let all = Set::of_members(h, roots, &self.context)?;
                    self.narrow(&mut wide, &all)?;
                }
            }
        }
        let mut found: FxHashSet<u64> = FxHashSet::default();
        for group in groups {
            match self.rows_of(set, group, &wide)? {
                Some(rows) => found.extend(rows),
                None => return Ok(None),
            }
        }
        let found = sorted(found.into_iter().collect(), &self.context, u64::cmp)?;
        let mut out = TupleSet::new(hierarchies);
        let mut tuple = Vec::new();
        let mut step = 0;
        for index in found {
            self.context.check_every(&mut step)?;
            set.read(index, &mut tuple);
            out.members.extend_from_slice(&tuple);
        }
        Ok(Some(Set::new(out, &self.context)?))
    }

    /// One measure of each group whose rows can fill a cell, and the hierarchies that calculations move. None if a cell may
    /// be filled without fact rows.
    fn measures_at(
        &self,
        set: &Set,
        others: &[Set],
        at: &Batch,
    ) -> Result<Option<(Vec<MemberId>, FxHashSet<HierarchyId>)>> {
        let position = |s: &Set| s.hierarchies().iter().position(|h| *h == HierarchyId::MEASURES);
        if position(set).is_some() || self.has_cell_calculations()? {
            return Ok(None);
        }
        let mut measures: FxHashSet<MemberId> = FxHashSet::default();
        for other in others {
            for part in other.parts() {
                if part.hierarchies.first() == Some(&HierarchyId::MEASURES)
                    || part.hierarchies.contains(&HierarchyId::MEASURES)
                {
                    let at = part.hierarchies.iter().position(|h| *h == HierarchyId::MEASURES).unwrap_or(0);
                    measures.extend(part.iter().map(|t| t[at]));
                }
            }
        }
        if measures.is_empty() {
            measures.insert(at.get(HierarchyId::MEASURES, 0));
        }
        let mut groups: FxHashMap<usize, MemberId> = FxHashMap::default();
        let mut shifted = FxHashSet::default();
        let mut pending: Vec<MemberId> = measures.into_iter().collect();
        for (i, column) in at.columns().iter().enumerate().take(self.cube.hierarchies.len()).skip(1) {
            if let Place::Calculated(_) = place(column.get(0)) {
                let _ = i;
                return Ok(None);
            }
        }
        for other in others {
            for part in other.parts() {
                for (p, h) in part.hierarchies.iter().enumerate() {
                    if *h != HierarchyId::MEASURES && part.iter().any(|t| is_special(t[p])) {
                        return Ok(None);
                    }
                }
            }
        }
        let mut seen = FxHashSet::default();
        while let Some(measure) = pending.pop() {
            if !seen.insert(measure) {
                continue;
            }
            match place(measure) {
                Place::Stored(m) => {
                    groups.entry(self.cube.measures[m.index()].group).or_insert(m);
                }
                Place::Calculated(index) => {
                    let calculation = self.calculation(index)?;
                    if !needs_rows(&calculation.formula, &mut pending, &mut shifted) {
                        return Ok(None);
                    }
                }
                _ => return Ok(None),
            }
        }
        Ok(Some((groups.into_values().collect(), shifted)))
    }

    /// The positions in a product of the tuples that have rows for a measure at `at`.
    fn rows_of(&self, set: &Set, measure: MemberId, at: &Batch) -> Result<Option<Vec<u64>>> {
        // For each part the tuples by members; parts of more than one hierarchy are looked up as a whole.
        let at = at.with_one(HierarchyId::MEASURES, measure);
        let mut lookups: Vec<FxHashMap<&[MemberId], Vec<u64>>> = Vec::new();
        for part in set.parts() {
            let mut lookup: FxHashMap<&[MemberId], Vec<u64>> = FxHashMap::default();
            for (i, tuple) in part.iter().enumerate() {
                lookup.entry(tuple).or_default().push(i as u64);
            }
            lookups.push(lookup);
        }
        let Some(existing) = self.existing_tuples(set, &at)? else { return Ok(None) };
        let lens: Vec<u64> = set.parts().iter().map(|p| p.len() as u64).collect();
        let arities: Vec<usize> = set.parts().iter().map(|p| p.arity()).collect();
        let mut out = Vec::new();
        let mut step = 0;
        for tuple in existing.iter() {
            self.context.check_every(&mut step)?;
            let mut positions = vec![0u64];
            let mut from = 0;
            for ((lookup, len), arity) in lookups.iter().zip(&lens).zip(&arities) {
                let Some(found) = lookup.get(&tuple[from..from + arity]) else {
                    positions.clear();
                    break;
                };
                positions = positions.iter().flat_map(|p| found.iter().map(move |f| p * len + f)).collect();
                from += arity;
            }
            out.extend(positions);
        }
        Ok(Some(out))
    }
}

/// Whether a formula is empty where the measures that it names have no rows. Collects these, and the hierarchies in which it
/// goes elsewhere.
fn needs_rows(expr: &Expr, measures: &mut Vec<MemberId>, shifted: &mut FxHashSet<HierarchyId>) -> bool {
    match &expr.kind {
        ExprKind::Literal(value) => value.is_empty(),
        ExprKind::Cell(inner) => {
            let Some(hierarchies) = inner.ty.hierarchies.as_deref() else { return false };
            if !hierarchies.contains(&HierarchyId::MEASURES) {
                return false;
            }
            shifted.extend(hierarchies.iter().copied().filter(|h| *h != HierarchyId::MEASURES));
            match measure_in(inner) {
                Some(m) => {
                    measures.push(m);
                    true
                }
                None => false,
            }
        }
        ExprKind::Call(call) => match call.function.name {
            // Empty as soon as one side is; so that one side suffices.
            "*" => needs_rows(&call.args[0], measures, shifted) || needs_rows(&call.args[1], measures, shifted),
            "/" => needs_rows(&call.args[0], measures, shifted),
            "+" => call.args.iter().all(|a| needs_rows(a, measures, shifted)),
            "-" => call.args.iter().all(|a| needs_rows(a, measures, shifted)),
            "IIf" => {
                let results = &call.args[1..];
                results.iter().all(|a| needs_rows(a, measures, shifted))
            }
            "CoalesceEmpty" => call.args.iter().all(|a| needs_rows(a, measures, shifted)),
            _ => false,
        },
        _ => false,
    }
}

fn measure_in(expr: &Expr) -> Option<MemberId> {
    match &expr.kind {
        ExprKind::Member(HierarchyId::MEASURES, m) => Some(*m),
        ExprKind::Tuple(parts) => parts.iter().find_map(measure_in),
        _ => None,
    }
}
