//! Subselects: which members they leave on axes, and visual totals: cells above what is left total only that.

use crate::coordinate::{Place, is_special, place};
use crate::evaluate::{Batch, Column, Evaluator, Set, Tuples};
use crate::navigate::Tree;
use facetta_model::{Error, HierarchyId, MemberId, Result, TupleSet};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a subselect leaves of some hierarchies.
#[derive(Debug)]
pub(crate) struct Left {
    tuples: Arc<Tuples>,
    /// What coordinates become: their own members, or a set in their place.
    seen: Mutex<FxHashMap<Vec<MemberId>, Option<MemberId>>>,
}

impl Evaluator {
    /// Takes in the statement's subselects.
    pub(crate) fn apply_subselects(&self) -> Result<()> {
        let program = self.program.clone();
        // The innermost first: outer ones are evaluated in the cube that inner ones leave.
        for subselect in program.subselects.iter().rev() {
            if subselect.non_visual {
                return Err(Error::not_supported("NON VISUAL"));
            }
            for expr in &subselect.sets {
                let set = self.set_at(expr, &self.base())?;
                if set.hierarchies() == [HierarchyId::MEASURES] {
                    continue;
                }
                self.narrow_to(&set)?;
            }
        }
        Ok(())
    }

    fn narrow_to(&self, set: &Set) -> Result<()> {
        let tuples = set.tuples(&self.context)?;
        if tuples.members.iter().any(|m| is_special(*m)) {
            return Err(Error::not_supported("a calculated member in a subselect"));
        }
        let mut left = self.left.borrow().clone();
        let tuples = match left.iter().position(|l| l.tuples.hierarchies == tuples.hierarchies) {
            Some(at) => {
                let before = left.remove(at);
                Arc::new(self.intersection(&before.tuples, &tuples)?)
            }
            None => tuples,
        };
        left.push(Arc::new(Left { tuples: tuples.clone(), seen: Mutex::default() }));
        *self.left.borrow_mut() = left;
        self.move_base(&tuples)
    }

    /// Where the current members are not among what is left, what is left takes their place.
    fn move_base(&self, tuples: &Arc<Tuples>) -> Result<()> {
        let mut base = self.base();
        let members = self.members();
        let current: Vec<MemberId> = tuples.hierarchies.iter().map(|h| base.get(*h, 0)).collect();
        if tuples.is_empty() {
            for h in &tuples.hierarchies {
                base.set_one(h.index(), MemberId::NULL);
            }
        } else if current.iter().all(|m| !is_special(*m)) && !self.any_related(&members, tuples, &current) {
            self.narrow(&mut base, &Set::shared(tuples.clone()))?;
        } else {
            return Ok(());
        }
        self.set_base(base);
        Ok(())
    }

    fn any_related(&self, members: &facetta_model::Members, tuples: &Tuples, current: &[MemberId]) -> bool {
        let trees: Vec<Tree<'_>> = tuples.hierarchies.iter().map(|h| Tree::new(members, *h)).collect();
        tuples.iter().any(|t| lower(&trees, t, current).is_some())
    }

    /// The tuples that two sets have in common: of related members the lower ones.
    fn intersection(&self, a: &Tuples, b: &Tuples) -> Result<Tuples> {
        let members = self.members();
        let trees: Vec<Tree<'_>> = a.hierarchies.iter().map(|h| Tree::new(&members, *h)).collect();
        let mut out = TupleSet::new(a.hierarchies.clone());
        let mut step = 0;
        for x in a.iter() {
            for y in b.iter() {
                self.context.check_every(&mut step)?;
                if let Some(tuple) = lower(&trees, x, y) {
                    out.members.extend(tuple);
                }
            }
        }
        Tuples::new(out, &self.context)
    }

    /// What subselects leave of a set.
    pub(crate) fn visible(&self, set: Set) -> Result<Set> {
        let mut set = set;
        for left in self.left.borrow().clone() {
            if set.hierarchies().iter().any(|h| left.tuples.hierarchies.contains(h)) {
                let tuples = set.tuples(&self.context)?;
                set = self.exists(&tuples, &left.tuples)?;
            }
        }
        Ok(set)
    }

    /// The coordinates of stored cells as subselects show them: a member that is not left whole becomes the set of what is
    /// left of it. A member of which nothing is left keeps its value; only calculations can ask for it.
    pub(crate) fn as_left(&self, batch: &Batch) -> Result<Option<Batch>> {
        let all = self.left.borrow().clone();
        if all.is_empty() {
            return Ok(None);
        }
        let mut out = batch.clone();
        for left in &all {
            let hierarchies = &left.tuples.hierarchies;
            let varying = hierarchies.iter().any(|h| matches!(out.column(*h), Column::Many(_)));
            let rows = if varying { out.len } else { 1 };
            let mut columns: Vec<Vec<MemberId>> = vec![Vec::with_capacity(rows); hierarchies.len()];
            let mut key = Vec::new();
            for row in 0..rows {
                key.clear();
                key.extend(hierarchies.iter().map(|h| out.get(*h, row)));
                let mut seen = left.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let place = match seen.get(&key) {
                    Some(place) => *place,
                    None => {
                        let place = self.left_at(left, &key)?;
                        seen.insert(key.clone(), place);
                        place
                    }
                };
                columns.iter_mut().zip(&key).for_each(|(c, m)| c.push(place.unwrap_or(*m)));
            }
            for (h, members) in hierarchies.iter().zip(columns) {
                out.set(h.index(), if varying { Column::of(members) } else { Column::One(members[0]) });
            }
        }
        Ok(Some(out))
    }

    /// The coordinate that ranges over what is left at some members; none if these are left whole, or nothing is.
    fn left_at(&self, left: &Left, at: &[MemberId]) -> Result<Option<MemberId>> {
        let members = self.members();
        let trees: Vec<Tree<'_>> = left.tuples.hierarchies.iter().map(|h| Tree::new(&members, *h)).collect();
        let mut coordinates: Vec<Vec<MemberId>> = vec![Vec::new()];
        for m in at {
            let choices: Vec<MemberId> = match place(*m) {
                Place::Set(index) => {
                    let tuples = self.registered_set(index)?;
                    if tuples.arity() > 1 {
                        return Err(Error::not_supported("a subselect and a set of tuples over the same hierarchy"));
                    }
                    tuples.members.clone()
                }
                _ => vec![*m],
            };
            coordinates = coordinates
                .iter()
                .flat_map(|c| choices.iter().map(move |m| c.iter().copied().chain([*m]).collect()))
                .collect();
        }
        let mut found = TupleSet::new(left.tuples.hierarchies.clone());
        let mut whole = true;
        let mut step = 0;
        for coordinate in &coordinates {
            for tuple in left.tuples.iter() {
                self.context.check_every(&mut step)?;
                if let Some(lower) = lower(&trees, tuple, coordinate) {
                    whole &= lower == *coordinate;
                    found.members.extend(lower);
                }
            }
        }
        let single = coordinates.len() == 1;
        if found.is_empty() || single && (whole || found.iter().any(|t| t == at)) {
            return Ok(None);
        }
        self.register_set(Arc::new(Tuples::new(found, &self.context)?)).map(Some)
    }
}

/// Of two tuples the lower member in each place; none if in some place neither lies under the other.
fn lower(trees: &[Tree<'_>], x: &[MemberId], y: &[MemberId]) -> Option<Vec<MemberId>> {
    let lower = |(tree, (a, b)): (&Tree<'_>, (&MemberId, &MemberId))| {
        if tree.is_at_or_under(*a, *b) {
            Some(*a)
        } else if tree.is_at_or_under(*b, *a) {
            Some(*b)
        } else {
            None
        }
    };
    trees.iter().zip(x.iter().zip(y)).map(lower).collect()
}
