//! Sets: at one coordinate, or the distinct ones of a batch; named sets once.

use super::{Batch, Col, Evaluator, Set, Sets, ends_statement};
use crate::expr::{Expr, ExprKind, Kind};
use crate::functions::{Run, logical};
use crate::program::Made;
use facetta_model::{Error, ErrorKind, HierarchyId, MemberId, Result, TupleSet, Value, bail};
use std::sync::Arc;

impl Evaluator {
    /// The set of `expr` for each row of a batch: evaluated once for rows that do not differ in what it depends on.
    pub(crate) fn sets(&self, expr: &Expr, batch: &Batch) -> Result<Sets> {
        let (rows, of) = match self.distinct(batch, &expr.deps) {
            Some(found) => found,
            None => ((0..batch.len as u32).collect(), Col::Many((0..batch.len as u32).collect())),
        };
        let mut sets = Vec::with_capacity(rows.len());
        for row in rows {
            self.context.check()?;
            match self.set_at(expr, &batch.row(row as usize)) {
                Err(e) if ends_statement(&e) => return Err(e),
                result => sets.push(result),
            }
        }
        Ok(Sets { sets, of })
    }

    /// The set of `expr` at one coordinate.
    pub(crate) fn set_at(&self, expr: &Expr, at: &Batch) -> Result<Set> {
        let cached = matches!(expr.kind, ExprKind::Call(_));
        if !cached {
            return self.set_now(expr, at);
        }
        let columns = at.columns();
        let coordinates: Vec<MemberId> =
            expr.deps.iter().take_while(|i| *i < columns.len()).map(|i| columns[i].get(0)).collect();
        let key = (std::ptr::from_ref(expr) as usize, self.narrowed.get(), coordinates);
        if let Some(set) = self.set_cache.borrow().get(&key) {
            return Ok(set.clone());
        }
        let set = self.set_now(expr, at)?;
        self.set_cache.borrow_mut().insert(key, set.clone());
        Ok(set)
    }

    fn set_now(&self, expr: &Expr, at: &Batch) -> Result<Set> {
        let _depth = self.enter(expr.span)?;
        match &expr.kind {
            ExprKind::Braces(parts) => self.braces(parts, expr, at),
            ExprKind::NamedSet(index) => self.named_set(*index, at),
            ExprKind::Alias(_, set) => self.set_at(set, at),
            ExprKind::Constant(tuples) => Set::new((**tuples).clone(), &self.context),
            ExprKind::Call(call) => match call.function.run {
                Run::Set(run) => {
                    let set = run(self, call, at)?;
                    // What is made of sets is made of what is left of them.
                    let makes = self.narrowed.get() && call.args.iter().all(|a| a.ty.kind != Kind::Set);
                    if makes { self.visible(set) } else { Ok(set) }
                }
                _ => self.single(expr, at),
            },
            ExprKind::Case(branches, otherwise) => {
                for (condition, result) in branches {
                    if logical::is_true(self.values(condition, at)?.get(0)) {
                        return self.set_at(result, at);
                    }
                }
                match otherwise {
                    Some(set) => self.set_at(set, at),
                    None => Ok(Set::empty(expr.ty.hierarchies.as_deref().unwrap_or_default())),
                }
            }
            ExprKind::Failed(error) => Err(error.clone()),
            ExprKind::Literal(Value::Empty) => Ok(Set::empty(expr.ty.hierarchies.as_deref().unwrap_or_default())),
            _ => self.single(expr, at),
        }
    }

    /// The set of one member or tuple; empty if that is null.
    fn single(&self, expr: &Expr, at: &Batch) -> Result<Set> {
        if !matches!(expr.ty.kind, Kind::Member | Kind::Tuple) {
            return Err(Error::new(ErrorKind::Type, "a set was expected").at(expr.span));
        }
        let tuples = self.tuples(expr, at)?;
        match tuples.get(0) {
            Some(members) => Set::new(TupleSet { hierarchies: tuples.hierarchies, members }, &self.context),
            None => Ok(Set::empty(&tuples.hierarchies)),
        }
    }

    fn braces(&self, parts: &[Expr], expr: &Expr, at: &Batch) -> Result<Set> {
        if let [one] = parts {
            return self.set_at(one, at);
        }
        let mut out = TupleSet::new(expr.ty.hierarchies.as_deref().unwrap_or_default().to_vec());
        for part in parts {
            let set = self.set_at(part, at)?.tuples(&self.context)?;
            if out.is_empty() && !set.hierarchies.is_empty() {
                out.hierarchies.clone_from(&set.hierarchies);
            }
            self.append(&mut out, &set)?;
        }
        Set::new(out, &self.context)
    }

    /// Appends tuples, in the order of hierarchies that `out` has.
    pub(crate) fn append(&self, out: &mut TupleSet, set: &TupleSet) -> Result<()> {
        if set.is_empty() {
            return Ok(());
        }
        if out.hierarchies == set.hierarchies {
            out.members.extend_from_slice(&set.members);
            return Ok(());
        }
        let order = positions(&set.hierarchies, &out.hierarchies)?;
        for tuple in set.iter() {
            out.members.extend(order.iter().map(|&i| tuple[i]));
        }
        Ok(())
    }

    /// A named set: a static one as it was when it was made, others once, at the coordinate of the slicer.
    pub(crate) fn named_set(&self, index: usize, at: &Batch) -> Result<Set> {
        let program = self.program.clone();
        let Some(named) = program.sets.get(index) else { bail!(Internal, "a named set is unknown") };
        if named.inline {
            return self.set_at(&named.set, at);
        }
        if let Some(set) = self.named.borrow().get(&index) {
            return Ok(set.clone());
        }
        if self.evaluating.borrow().contains(&index) {
            bail!(Recursion, "The named set '[{}]' refers to itself", named.name);
        }
        self.evaluating.borrow_mut().push(index);
        let set = match &named.made {
            Some(made) => self.as_made(&named.set, made),
            None => self.with_narrowed(true, || self.set_at(&named.set, &self.base())),
        };
        self.evaluating.borrow_mut().pop();
        let set = set?;
        self.named.borrow_mut().insert(index, set.clone());
        Ok(set)
    }

    /// A static set: at the default members, in the subcubes that there were, whatever the query is about.
    fn as_made(&self, set: &Expr, made: &Made) -> Result<Set> {
        if let Some(tuples) = made.tuples.get(&self.cube) {
            return Set::new(tuples, &self.context);
        }
        let set = self.in_subcubes(made.subcubes, || self.set_at(set, &self.base()))?;
        made.tuples.keep(&self.cube, &*set.tuples(&self.context)?);
        Ok(set)
    }

    /// The tuples of a set argument at one coordinate.
    pub(crate) fn tuples_at(&self, expr: &Expr, at: &Batch) -> Result<Arc<super::Tuples>> {
        self.set_at(expr, at)?.tuples(&self.context)
    }

    /// A whole number that an argument yields at one coordinate; none if it is empty.
    pub(crate) fn integer_at(&self, expr: &Expr, at: &Batch) -> Result<Option<i64>> {
        match self.values(expr, at)?.get(0) {
            Value::Empty => Ok(None),
            Value::Error(e) => Err(e.clone()),
            v => match v.as_f64() {
                Some(d) => Ok(Some(d as i64)),
                None => bail!(Type, "a number was expected, not '{v}'"),
            },
        }
    }

    /// A number that an argument yields at one coordinate; none if it is empty.
    pub(crate) fn number_at(&self, expr: &Expr, at: &Batch) -> Result<Option<f64>> {
        match self.values(expr, at)?.get(0) {
            Value::Empty => Ok(None),
            Value::Error(e) => Err(e.clone()),
            v => match v.as_f64() {
                Some(d) => Ok(Some(d)),
                None => bail!(Type, "a number was expected, not '{v}'"),
            },
        }
    }
}

/// For each hierarchy of `to`, where it stands in `from`.
pub(crate) fn positions(from: &[HierarchyId], to: &[HierarchyId]) -> Result<Vec<usize>> {
    let order: Option<Vec<usize>> = to.iter().map(|h| from.iter().position(|f| f == h)).collect();
    match order {
        Some(order) if from.len() == to.len() => Ok(order),
        _ => bail!(Type, "the tuples of a set are not over the same hierarchies"),
    }
}
