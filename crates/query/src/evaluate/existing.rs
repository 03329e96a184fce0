//! Which combinations of members have fact rows.

use super::batch::Batch;
use super::{Evaluator, Set};
use facetta_model::{HierarchyId, MemberId, Result, TupleSet};
use rustc_hash::FxHashSet;

impl Evaluator {
    /// The tuples over the hierarchies of `set` that have rows at `at` for its measure: at the grains of the set's members,
    /// and among them only. None if there are more grains than is worth asking for.
    pub(crate) fn existing_tuples(&self, set: &Set, at: &Batch) -> Result<Option<TupleSet>> {
        let hierarchies = set.hierarchies();
        let mut levels: Vec<Vec<Vec<MemberId>>> = Vec::new();
        for part in set.parts() {
            for (position, h) in part.hierarchies.iter().enumerate() {
                levels.push(self.by_depth(*h, part.iter().map(|t| t[position]))?);
            }
        }
        let grains: usize = levels.iter().map(Vec::len).product();
        if grains > 64 {
            return Ok(None);
        }
        let mut out = TupleSet::new(hierarchies.clone());
        for choice in 0..grains {
            self.context.check()?;
            let mut rest = choice;
            let chosen: Vec<&Vec<MemberId>> = levels
                .iter()
                .map(|l| {
                    let at = rest % l.len();
                    rest /= l.len();
                    &l[at]
                })
                .collect();
            self.rows_at(&hierarchies, &chosen, at, &mut out)?;
        }
        Ok(Some(out))
    }

    /// Distinct members by their depth in the tree.
    fn by_depth(&self, hierarchy: HierarchyId, members: impl Iterator<Item = MemberId>) -> Result<Vec<Vec<MemberId>>> {
        let table = &self.cube.hierarchy(hierarchy).hierarchy.members;
        let mut out: Vec<Vec<MemberId>> = vec![Vec::new(); table.depths().max(1)];
        let mut seen = FxHashSet::default();
        for member in members {
            if seen.insert(member) {
                out[table.depth(member)].push(member);
            }
        }
        out.retain(|m| !m.is_empty());
        Ok(out)
    }
}
