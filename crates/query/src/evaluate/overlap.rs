//! Slicers whose tuples overlap: where each tuple counts for itself, the slicer is a total over them.

use super::{Evaluator, Set};
use crate::coordinate::is_special;
use crate::navigate::Tree;
use facetta_model::{HierarchyId, MemberId, Result, TupleSet};
use rustc_hash::FxHashSet;

/// Ancestors of one tuple up to which it is looked for in the set.
const MOST_ANCESTORS: usize = 256;

impl Evaluator {
    /// The slicer's set with all members in every tuple of a hierarchy for which one has it, each tuple once.
    pub(crate) fn with_all_members(&self, set: Set) -> Result<Set> {
        let tuples = set.tuples(&self.context)?;
        let all = |h: &HierarchyId| self.cube.hierarchy(*h).hierarchy.all_member();
        let wide: Vec<Option<MemberId>> = tuples
            .hierarchies
            .iter()
            .enumerate()
            .map(|(i, h)| all(h).filter(|all| tuples.iter().any(|t| t[i] == *all)))
            .collect();
        if wide.iter().all(Option::is_none) {
            return Ok(set);
        }
        let mut out = TupleSet::new(tuples.hierarchies.clone());
        let mut seen = FxHashSet::default();
        for tuple in tuples.iter() {
            let tuple: Vec<MemberId> = tuple.iter().zip(&wide).map(|(m, all)| all.unwrap_or(*m)).collect();
            if seen.insert(tuple.clone()) {
                out.members.extend(tuple);
            }
        }
        Set::new(out, &self.context)
    }

    /// Whether one tuple of the slicer lies within another.
    pub(crate) fn overlaps(&self, set: &Set) -> Result<bool> {
        let tuples = set.tuples(&self.context)?;
        let special = tuples.members.iter().any(|m| is_special(*m));
        if special || tuples.len() < 2 || tuples.hierarchies.contains(&HierarchyId::MEASURES) {
            return Ok(false);
        }
        let members = self.members();
        let trees: Vec<Tree<'_>> = tuples.hierarchies.iter().map(|h| Tree::new(&members, *h)).collect();
        let charge = self.context.charge("Slicer", tuples.len() * 24)?;
        let known: FxHashSet<&[MemberId]> = tuples.iter().collect();
        let mut step = 0;
        let mut found = false;
        for tuple in &known {
            let ups: Vec<Vec<MemberId>> = tuple.iter().zip(&trees).map(|(m, tree)| upwards(*tree, *m)).collect();
            let count: usize = ups.iter().map(Vec::len).product();
            // The first combination is the tuple itself.
            for choice in 1..count.min(MOST_ANCESTORS) {
                self.context.check_every(&mut step)?;
                let mut rest = choice;
                let pick = |up: &Vec<MemberId>| {
                    let member = up[rest % up.len()];
                    rest /= up.len();
                    member
                };
                let above: Vec<MemberId> = ups.iter().map(pick).collect();
                found |= known.contains(above.as_slice());
            }
            if found {
                break;
            }
        }
        drop(charge);
        Ok(found)
    }
}

/// A member and its ancestors, itself first.
fn upwards(tree: Tree<'_>, member: MemberId) -> Vec<MemberId> {
    std::iter::successors(Some(member), |m| Some(tree.parent(*m)).filter(|p| !p.is_null())).collect()
}
