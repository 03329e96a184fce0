//! Walking over sets: conditions for each tuple, sets for each tuple, existence together.

use super::{Batch, Evaluator, Set, Tuples};
use crate::coordinate::{Place, place};
use crate::expr::Expr;
use crate::functions::logical;
use crate::navigate::{Related, Tree};
use facetta_model::{HierarchyId, MemberId, Result, TupleSet};

impl Evaluator {
    /// The tuples of `set` at which `condition` holds. `name` is the set's expression, which says whether it is an iteration.
    pub(crate) fn filter(&self, set: &Set, name: &Expr, condition: &Expr, at: &Batch) -> Result<Set> {
        let mut out = TupleSet::new(set.hierarchies());
        let mut tuple = Vec::new();
        let mut charge = self.context.charge("Filter", 0)?;
        self.for_each_value_of(at, set, name, Some(condition), &mut |position, value| {
            if logical::is_true(value) {
                set.read(position, &mut tuple);
                out.members.extend_from_slice(&tuple);
                if out.members.len() % 65_536 < tuple.len() {
                    charge.resize(out.members.len() * 4)?;
                }
            }
            Ok(())
        })?;
        drop(charge);
        Set::new(out, &self.context)
    }

    /// Calls `each` with the coordinate of every tuple of the set of `expr`, one after the other.
    pub(crate) fn for_each_tuple(
        &self,
        expr: &Expr,
        at: &Batch,
        each: &mut dyn FnMut(&Batch) -> Result<()>,
    ) -> Result<()> {
        let set = self.set_at(expr, at)?;
        let hierarchies = set.hierarchies();
        let iteration = self.iteration(expr);
        let first = match iteration {
            Some(_) => self.register_iteration(&set)?,
            None => 0,
        };
        let mut inner = at.clone();
        let mut tuple = Vec::new();
        for index in 0..set.len() {
            self.context.check()?;
            set.read(index, &mut tuple);
            hierarchies.iter().zip(&tuple).for_each(|(h, m)| inner.set_one(h.index(), *m));
            if let Some(iteration) = iteration {
                inner.set_one(self.cube.hierarchies.len() + iteration, MemberId(first.wrapping_add(index as u32)));
            }
            each(&inner)?;
        }
        Ok(())
    }

    /// What Exists yields: as [`Evaluator::exists`], but hierarchies that one of the sets lacks are seen at their default
    /// members where the catalog's habits are so.
    pub(crate) fn exists_by_default(&self, set: &Tuples, other: &Tuples) -> Result<Set> {
        if !self.cube.compatibility.exists_minds_default_members() {
            return self.exists(set, other);
        }
        let own = self.at_defaults(set, other)?;
        let others = self.at_defaults(other, set)?;
        self.exists(&own, &others)
    }

    /// The tuples of a set whose members of hierarchies that `like` lacks are related to the default ones.
    fn at_defaults(&self, set: &Tuples, like: &Tuples) -> Result<Tuples> {
        let members = self.members();
        let lacking = |(i, h): (usize, &HierarchyId)| {
            let minded = *h != HierarchyId::MEASURES && !like.hierarchies.contains(h);
            minded.then(|| (i, self.default_member(*h), Tree::new(&members, *h)))
        };
        let lacking: Vec<_> = set.hierarchies.iter().enumerate().filter_map(lacking).collect();
        let mut out = TupleSet::new(set.hierarchies.clone());
        let mut step = 0;
        for tuple in set.iter() {
            self.context.check_every(&mut step)?;
            let related = lacking.iter().all(|(i, default, tree)| {
                tree.is_at_or_under(tuple[*i], *default) || tree.is_at_or_under(*default, tuple[*i])
            });
            if related {
                out.members.extend_from_slice(tuple);
            }
        }
        Tuples::new(out, &self.context)
    }

    /// The tuples of `set` that exist together with a tuple of `other`: in the hierarchies that both have, one member is the
    /// other or lies below it.
    pub(crate) fn exists(&self, set: &Tuples, other: &Tuples) -> Result<Set> {
        let members = self.members();
        let shared: Vec<(usize, usize, Tree<'_>)> = set
            .hierarchies
            .iter()
            .enumerate()
            .filter_map(|(i, h)| Some((i, other.hierarchies.iter().position(|o| o == h)?, Tree::new(&members, *h))))
            .collect();
        let together = |a: &[MemberId], b: &[MemberId]| {
            shared.iter().all(|(i, j, tree)| tree.is_at_or_under(a[*i], b[*j]) || tree.is_at_or_under(b[*j], a[*i]))
        };
        // What is not related in one hierarchy is not together; for one hierarchy that says all.
        let related: Vec<(usize, Related<'_>)> =
            shared.iter().map(|(i, j, tree)| (*i, Related::new(*tree, other.iter().map(|o| o[*j])))).collect();
        let mut out = TupleSet::new(set.hierarchies.clone());
        let mut step = 0;
        for tuple in set.iter() {
            self.context.check_every(&mut step)?;
            let mut found = !other.is_empty() && related.iter().all(|(i, related)| related.holds(tuple[*i]));
            if found && shared.len() > 1 {
                found = false;
                for o in other.iter() {
                    self.context.check_every(&mut step)?;
                    if together(tuple, o) {
                        found = true;
                        break;
                    }
                }
            }
            if found {
                out.members.extend_from_slice(tuple);
            }
        }
        Set::new(out, &self.context)
    }

    /// The tuples of `set` that exist together with the coordinate `at`.
    pub(crate) fn existing(&self, set: &Tuples, at: &Batch) -> Result<Set> {
        let members = self.members();
        let mut here: Vec<(usize, Related<'_>)> = Vec::new();
        for (i, h) in set.hierarchies.iter().enumerate() {
            if *h == HierarchyId::MEASURES {
                continue;
            }
            let current = match place(at.get(*h, 0)) {
                Place::Set(index) => {
                    let tuples = self.registered_set(index)?;
                    let position = tuples.hierarchies.iter().position(|t| t == h).unwrap_or(0);
                    tuples.iter().map(|t| t[position]).collect()
                }
                Place::Null => continue,
                _ => vec![at.get(*h, 0)],
            };
            here.push((i, Related::new(Tree::new(&members, *h), current)));
        }
        let mut out = TupleSet::new(set.hierarchies.clone());
        let mut step = 0;
        for tuple in set.iter() {
            self.context.check_every(&mut step)?;
            if here.iter().all(|(i, related)| related.holds(tuple[*i])) {
                out.members.extend_from_slice(tuple);
            }
        }
        Set::new(out, &self.context)
    }
}
