//! What a subselect leaves of some hierarchies: its tuples, found by the members that they lie at, under or above.

use crate::coordinate::seen;
use crate::evaluate::Tuples;
use crate::navigate::Tree;
use facetta_model::{Charge, Context, HierarchyId, MemberId, Members, Result};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// What a subselect leaves of some hierarchies.
#[derive(Debug)]
pub(crate) struct Left {
    pub(super) tuples: Arc<Tuples>,
    /// Totals keep the values of the cube.
    pub(super) non_visual: bool,
    /// For each hierarchy the way from a member to the tuples.
    indices: Vec<Index>,
    /// What coordinates become: their own members, or a set in their place.
    pub(super) seen: Mutex<FxHashMap<Vec<MemberId>, Option<MemberId>>>,
    _charge: Charge,
}

/// The tuples by their members of one hierarchy.
#[derive(Debug, Default)]
struct Index {
    /// For each member the tuples at it or under it.
    below: FxHashMap<MemberId, Vec<u32>>,
    /// For each member the tuples at it.
    at: FxHashMap<MemberId, Vec<u32>>,
}

impl Left {
    pub(super) fn new(tuples: Arc<Tuples>, non_visual: bool, members: &Members, context: &Context) -> Result<Left> {
        let mut charge = context.charge("Subselect", 0)?;
        let mut indices = Vec::with_capacity(tuples.arity());
        let (mut entries, mut step) = (0, 0);
        for (position, h) in tuples.hierarchies.iter().enumerate() {
            let tree = Tree::new(members, *h);
            let mut index = Index::default();
            for (number, tuple) in tuples.iter().enumerate() {
                context.check_every(&mut step)?;
                let mut member = tuple[position];
                index.at.entry(member).or_default().push(number as u32);
                while !member.is_null() {
                    index.below.entry(member).or_default().push(number as u32);
                    entries += 1;
                    member = tree.parent(member);
                }
                if entries % 4096 == 0 {
                    charge.resize(entries * 16)?;
                }
            }
            indices.push(index);
        }
        charge.resize(entries * 16)?;
        Ok(Left { tuples, non_visual, indices, seen: Mutex::default(), _charge: charge })
    }

    /// Where the hierarchies of the tuples stand in `hierarchies`: positions there and here.
    pub(super) fn shared(&self, hierarchies: &[HierarchyId]) -> Vec<(usize, usize)> {
        let here = |h: &HierarchyId| self.tuples.hierarchies.iter().position(|t| t == h);
        hierarchies.iter().enumerate().filter_map(|(there, h)| Some((there, here(h)?))).collect()
    }

    /// Calls `each` with every tuple that is related to a coordinate in all of the hierarchies `of` (position here, member):
    /// one lies at or under the other. It says when there have been enough.
    pub(super) fn related(
        &self,
        members: &Members,
        of: &[(usize, MemberId)],
        context: &Context,
        each: &mut dyn FnMut(&[MemberId]) -> bool,
    ) -> Result<()> {
        let above = |position: usize, member: MemberId| {
            let tree = Tree::new(members, self.tuples.hierarchies[position]);
            std::iter::successors(Some(tree.parent(member)).filter(|m| !m.is_null()), move |m| {
                Some(tree.parent(*m)).filter(|m| !m.is_null())
            })
        };
        let lists = |&(position, member): &(usize, MemberId)| -> Vec<&Vec<u32>> {
            let index = &self.indices[position];
            let below = index.below.get(&seen(member));
            below.into_iter().chain(above(position, member).filter_map(|m| index.at.get(&m))).collect()
        };
        // The hierarchy in which the fewest tuples are related tells which to look at.
        let Some((lead, found)) =
            of.iter().map(lists).enumerate().min_by_key(|(_, l)| l.iter().map(|l| l.len()).sum::<usize>())
        else {
            return Ok(());
        };
        let trees: Vec<Tree<'_>> = of.iter().map(|(p, _)| Tree::new(members, self.tuples.hierarchies[*p])).collect();
        let mut step = 0;
        for number in found.into_iter().flatten() {
            context.check_every(&mut step)?;
            let tuple = self.tuples.get(*number as usize);
            let related = of.iter().zip(&trees).enumerate().all(|(at, (&(position, member), tree))| {
                let own = tuple[position];
                at == lead || tree.is_at_or_under(own, member) || tree.is_at_or_under(member, own)
            });
            if related && each(tuple) {
                break;
            }
        }
        Ok(())
    }

    /// Whether any tuple is related to a coordinate, as [`Left::related`] means it.
    pub(super) fn any(&self, members: &Members, of: &[(usize, MemberId)], context: &Context) -> Result<bool> {
        let mut found = false;
        self.related(members, of, context, &mut |_| {
            found = true;
            true
        })?;
        Ok(found)
    }
}
