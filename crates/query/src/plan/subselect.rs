//! Subselects and subcubes: which members they leave on axes, and visual totals: cells above what is left total only that.

use super::Left;
use crate::coordinate::{Place, is_special, place};
use crate::evaluate::{Batch, Column, Evaluator, Set, Tuples};
use crate::navigate::Tree;
use crate::program::Subselect;
use facetta_model::{Error, HierarchyId, MemberId, Members, Result, TupleSet};
use rustc_hash::FxHashMap;
use std::sync::{Arc, PoisonError};

impl Evaluator {
    /// Takes in the statement's subselects and the subcubes that its session has made.
    pub(crate) fn apply_subselects(&self) -> Result<()> {
        let program = self.program.clone();
        // The innermost first: outer ones are evaluated in the cube that inner ones leave.
        program.subselects.iter().rev().try_for_each(|subselect| self.apply(subselect))
    }

    /// Takes in the first subcubes of the session only.
    pub(crate) fn apply_subcubes(&self, count: usize) -> Result<()> {
        let program = self.program.clone();
        program.subselects.iter().rev().take(count).try_for_each(|subselect| self.apply(subselect))
    }

    fn apply(&self, subselect: &Subselect) -> Result<()> {
        let mut at = self.base();
        let slicer = match &subselect.slicer {
            Some(slicer) => Some(self.set_at(slicer, &at)?),
            None => None,
        };
        if let Some(set) = slicer.as_ref().filter(|s| !s.is_empty()) {
            // Its axes are evaluated at its own WHERE.
            self.narrow(&mut at, set)?;
        }
        let axes = subselect.axes.iter().map(|axis| self.visible(self.set_at(axis, &at)?));
        let sets = axes.collect::<Result<Vec<Set>>>()?;
        for set in &sets {
            self.narrow_to(&set.tuples(&self.context)?, subselect.non_visual)?;
        }
        match slicer {
            Some(set) => self.narrow_to_slicer(&set, subselect.non_visual),
            None => Ok(()),
        }
    }

    /// A measure in WHERE is only what the axes are evaluated for: it leaves the others.
    fn narrow_to_slicer(&self, set: &Set, non_visual: bool) -> Result<()> {
        let tuples = set.tuples(&self.context)?;
        let kept = tuples.hierarchies.iter().enumerate().filter(|(_, h)| **h != HierarchyId::MEASURES);
        let kept: Vec<(usize, HierarchyId)> = kept.map(|(i, h)| (i, *h)).collect();
        if kept.is_empty() {
            return Ok(());
        }
        let mut out = TupleSet::new(kept.iter().map(|(_, h)| *h).collect::<Vec<_>>());
        for tuple in tuples.iter() {
            out.members.extend(kept.iter().map(|(i, _)| tuple[*i]));
        }
        self.narrow_to(&Arc::new(Tuples::new(out, &self.context)?), non_visual)
    }

    fn narrow_to(&self, tuples: &Arc<Tuples>, non_visual: bool) -> Result<()> {
        let measures = tuples.hierarchies.iter().position(|h| *h == HierarchyId::MEASURES);
        let calculated = |(at, m): (usize, &MemberId)| is_special(*m) && Some(at % tuples.arity()) != measures;
        if tuples.members.iter().enumerate().any(calculated) {
            return Err(Error::not_supported("a calculated member in a subselect"));
        }
        let mut left = self.left.borrow().clone();
        let same = |l: &Arc<Left>| l.non_visual == non_visual && l.tuples.hierarchies == tuples.hierarchies;
        let tuples = match left.iter().position(same) {
            Some(at) => {
                let before = left.remove(at);
                Arc::new(self.intersection(&before, tuples)?)
            }
            None => tuples.clone(),
        };
        left.push(Arc::new(Left::new(tuples.clone(), non_visual, &self.members(), &self.context)?));
        *self.left.borrow_mut() = left;
        self.move_base(&tuples)
    }

    /// Where the current member of a hierarchy is not among what is left, the all member is current instead; where there is
    /// none, what is left.
    fn move_base(&self, tuples: &Arc<Tuples>) -> Result<()> {
        let mut base = self.base();
        let members = self.members();
        for (position, h) in tuples.hierarchies.iter().enumerate() {
            let current = base.get(*h, 0);
            let tree = Tree::new(&members, *h);
            let related =
                |t: &[MemberId]| tree.is_at_or_under(t[position], current) || tree.is_at_or_under(current, t[position]);
            let all = self.cube.hierarchy(*h).hierarchy.all_member();
            match all {
                _ if tuples.is_empty() => base.set_one(h.index(), MemberId::NULL),
                // A set is what an inner subselect has left, or WHERE; it is seen through this one.
                _ if matches!(place(current), Place::Set(_)) || tuples.iter().any(related) => {}
                Some(all) => base.set_one(h.index(), all),
                None if *h == HierarchyId::MEASURES => base.set_one(h.index(), tuples.get(0)[position]),
                None => {
                    let mut left: Vec<MemberId> = tuples.iter().map(|t| t[position]).collect();
                    left.sort_unstable();
                    left.dedup();
                    self.narrow(&mut base, &Set::of_members(*h, left, &self.context)?)?;
                }
            }
        }
        self.set_base(base);
        Ok(())
    }

    /// The tuples that two sets have in common: of related members the lower ones.
    fn intersection(&self, a: &Left, b: &Tuples) -> Result<Tuples> {
        let members = self.members();
        let trees = trees(&members, &b.hierarchies);
        let mut out = TupleSet::new(b.hierarchies.clone());
        for tuple in b.iter() {
            let of: Vec<(usize, MemberId)> = tuple.iter().copied().enumerate().collect();
            a.related(&members, &of, &self.context, &mut |own| {
                out.members.extend(trees.iter().zip(own.iter().zip(tuple)).map(|(t, (a, b))| lower(t, *a, *b)));
                false
            })?;
        }
        Tuples::new(out, &self.context)
    }

    /// What subselects leave of a set.
    pub(crate) fn visible(&self, set: Set) -> Result<Set> {
        let mut set = set;
        for left in self.left.borrow().clone() {
            let hierarchies = set.hierarchies();
            let shared = left.shared(&hierarchies);
            if shared.is_empty() {
                continue;
            }
            // A product stays one where the subselect is about one of its factors.
            let mut end = 0;
            let ends: Vec<usize> = set.parts().iter().map(|p| (end += p.arity(), end).1).collect();
            let factor = |there: usize| ends.partition_point(|end| *end <= there);
            let first = factor(shared[0].0);
            set = if shared.iter().all(|(there, _)| factor(*there) == first) {
                let mut parts = set.parts().to_vec();
                parts[first] = self.left_of(&left, &parts[first])?;
                Set::product(parts)
            } else {
                Set::shared(self.left_of(&left, &*set.tuples(&self.context)?)?)
            };
        }
        Ok(set)
    }

    /// The tuples that are related to what is left.
    fn left_of(&self, left: &Left, tuples: &Tuples) -> Result<Arc<Tuples>> {
        let members = self.members();
        let shared = left.shared(&tuples.hierarchies);
        let mut known: FxHashMap<Vec<MemberId>, bool> = FxHashMap::default();
        let mut out = TupleSet::new(tuples.hierarchies.clone());
        let mut key = Vec::new();
        let mut step = 0;
        for tuple in tuples.iter() {
            self.context.check_every(&mut step)?;
            key.clear();
            key.extend(shared.iter().map(|(there, _)| tuple[*there]));
            let related = match known.get(key.as_slice()) {
                Some(related) => *related,
                None => {
                    let related = self.is_left(left, &members, &shared, tuple)?;
                    known.insert(key.clone(), related);
                    related
                }
            };
            if related {
                out.members.extend_from_slice(tuple);
            }
        }
        Ok(Arc::new(Tuples::new(out, &self.context)?))
    }

    fn is_left(&self, left: &Left, members: &Members, shared: &[(usize, usize)], tuple: &[MemberId]) -> Result<bool> {
        let mut of = Vec::with_capacity(shared.len());
        for &(there, here) in shared {
            let (h, member) = (left.tuples.hierarchies[here], tuple[there]);
            // A calculated member without parent lies under no member; nothing that is left out is in it by its place.
            let rootless = matches!(place(member), Place::Calculated(_)) && members.parent(h, member).is_null();
            if h == HierarchyId::MEASURES || !rootless {
                of.push((here, member));
            }
        }
        if of.is_empty() { Ok(!left.tuples.is_empty()) } else { left.any(members, &of, &self.context) }
    }

    /// The coordinates of stored cells as subselects show them: a member that is not left whole becomes the set of what is
    /// left of it. A member of which nothing is left keeps its value; only calculations can ask for it.
    pub(crate) fn as_left(&self, batch: &Batch) -> Result<Option<Batch>> {
        let all = self.left.borrow().clone();
        let visual = |l: &&Arc<Left>| !l.non_visual && l.tuples.hierarchies != [HierarchyId::MEASURES];
        if !all.iter().any(|l| visual(&l)) {
            return Ok(None);
        }
        let mut out = batch.clone();
        for left in all.iter().filter(visual) {
            self.see_through(left, &mut out)?;
        }
        Ok(Some(out))
    }

    /// Puts what is left in the place of the members of a batch that are not left whole.
    fn see_through(&self, left: &Left, batch: &mut Batch) -> Result<()> {
        let hierarchies = &left.tuples.hierarchies;
        let varying = hierarchies.iter().any(|h| matches!(batch.column(*h), Column::Many(_)));
        let rows = if varying { batch.len } else { 1 };
        let mut places: Vec<Option<MemberId>> = Vec::with_capacity(rows);
        let mut key = Vec::new();
        for row in 0..rows {
            key.clear();
            key.extend(hierarchies.iter().map(|h| batch.get(*h, row)));
            let mut seen = left.seen.lock().unwrap_or_else(PoisonError::into_inner);
            places.push(match seen.get(&key) {
                Some(place) => *place,
                None => {
                    let place = self.left_at(left, &key)?;
                    seen.insert(key.clone(), place);
                    place
                }
            });
        }
        // The sets are over these hierarchies, and over those of sets that stood here before.
        let mut sets: FxHashMap<MemberId, Arc<Tuples>> = FxHashMap::default();
        for coordinate in places.iter().flatten() {
            if let (Place::Set(index), false) = (place(*coordinate), sets.contains_key(coordinate)) {
                sets.insert(*coordinate, self.registered_set(index)?);
            }
        }
        let mut touched: Vec<HierarchyId> = sets.values().flat_map(|s| s.hierarchies.iter().copied()).collect();
        touched.sort_unstable();
        touched.dedup();
        for h in touched.into_iter().filter(|h| *h != HierarchyId::MEASURES) {
            let member = |row: usize| match places[row] {
                Some(set) if sets.get(&set).is_some_and(|s| s.hierarchies.contains(&h)) => set,
                _ => batch.get(h, row),
            };
            let column = if varying { Column::of((0..rows).map(member).collect()) } else { Column::One(member(0)) };
            batch.set(h.index(), column);
        }
        Ok(())
    }

    /// The coordinate that ranges over what is left at some members; none if these are left whole, or nothing is.
    fn left_at(&self, left: &Left, at: &[MemberId]) -> Result<Option<MemberId>> {
        let members = self.members();
        let coordinates = self.coordinates_of(&left.tuples.hierarchies, at)?;
        // Where the hierarchies of the subselect stand in the coordinates.
        let shared = left.shared(&coordinates.hierarchies);
        let trees = trees(&members, &coordinates.hierarchies);
        let mut found = TupleSet::new(coordinates.hierarchies.clone());
        let mut whole = true;
        for coordinate in coordinates.iter() {
            let of: Vec<(usize, MemberId)> = shared.iter().map(|&(there, here)| (here, coordinate[there])).collect();
            left.related(&members, &of, &self.context, &mut |tuple| {
                let start = found.members.len();
                found.members.extend_from_slice(coordinate);
                for &(there, here) in &shared {
                    let lower = lower(&trees[there], tuple[here], coordinate[there]);
                    whole &= lower == coordinate[there];
                    found.members[start + there] = lower;
                }
                false
            })?;
        }
        let single = coordinates.len() == 1;
        if found.is_empty() || single && (whole || found.iter().any(|t| t == coordinates.get(0))) {
            return Ok(None);
        }
        self.register_set(Arc::new(Tuples::new(found, &self.context)?)).map(Some)
    }

    /// The tuples of stored members that some coordinates stand for; sets among these may bring further hierarchies.
    fn coordinates_of(&self, hierarchies: &[HierarchyId], at: &[MemberId]) -> Result<TupleSet> {
        let mut out = TupleSet { hierarchies: Vec::new(), members: Vec::new() };
        let mut count = 1;
        for (h, member) in hierarchies.iter().zip(at) {
            if out.hierarchies.contains(h) {
                continue;
            }
            let set = match place(*member) {
                Place::Set(index) => self.registered_set(index)?,
                _ => {
                    let one = TupleSet { hierarchies: vec![*h], members: vec![*member] };
                    Arc::new(Tuples::new(one, &self.context)?)
                }
            };
            let mut next = TupleSet::new([out.hierarchies.as_slice(), &set.hierarchies].concat());
            let mut step = 0;
            for first in 0..count {
                let arity = out.hierarchies.len();
                for tuple in set.iter() {
                    self.context.check_every(&mut step)?;
                    next.members.extend_from_slice(&out.members[first * arity..(first + 1) * arity]);
                    next.members.extend_from_slice(tuple);
                }
            }
            count *= set.len();
            out = next;
        }
        Ok(out)
    }
}

fn trees<'a>(members: &'a Members, hierarchies: &[HierarchyId]) -> Vec<Tree<'a>> {
    hierarchies.iter().map(|h| Tree::new(members, *h)).collect()
}

/// Of two related members the lower one.
fn lower(tree: &Tree<'_>, a: MemberId, b: MemberId) -> MemberId {
    if tree.is_at_or_under(a, b) { a } else { b }
}
