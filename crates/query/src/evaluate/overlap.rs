//! Slicers whose tuples overlap: where each tuple counts for itself, the slicer is a total over them.

use super::{Evaluator, Set};
use crate::coordinate::is_special;
use crate::navigate::Tree;
use facetta_model::{HierarchyId, MemberId, Result};
use rustc_hash::FxHashSet;

/// Ancestors of one tuple up to which it is looked for in the set.
const MOST_ANCESTORS: usize = 256;

impl Evaluator {
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
