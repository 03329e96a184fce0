//! Sets as evaluation holds them: tuples in order, or a product of such that is not written out.

use facetta_model::{Charge, Context, HierarchyId, MemberId, Result, TupleSet, bail};
use std::ops::Deref;
use std::sync::Arc;

/// Bytes below which a set is not charged to its command.
const SMALL: usize = 1 << 16;

/// Tuples with the memory that they are charged with.
#[derive(Debug, Default)]
pub(crate) struct Tuples {
    set: TupleSet,
    #[allow(dead_code)] // held for its drop
    charge: Option<Charge>,
}

impl Deref for Tuples {
    type Target = TupleSet;

    fn deref(&self) -> &TupleSet {
        &self.set
    }
}

impl Tuples {
    /// Charges for `set` and keeps it.
    pub(crate) fn new(set: TupleSet, context: &Context) -> Result<Tuples> {
        let bytes = set.members.capacity() * size_of::<MemberId>();
        let charge = if bytes > SMALL { Some(context.charge("Set", bytes)?) } else { None };
        Ok(Tuples { set, charge })
    }
}

/// An ordered set of tuples: the product of its parts, the last running fastest. Duplicates are kept.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    parts: Vec<Arc<Tuples>>,
}

impl Set {
    pub(crate) fn new(set: TupleSet, context: &Context) -> Result<Set> {
        Ok(Set { parts: vec![Arc::new(Tuples::new(set, context)?)] })
    }

    /// Members of one hierarchy.
    pub(crate) fn of_members(hierarchy: HierarchyId, members: Vec<MemberId>, context: &Context) -> Result<Set> {
        Set::new(TupleSet { hierarchies: vec![hierarchy], members }, context)
    }

    /// No tuples over `hierarchies`.
    pub(crate) fn empty(hierarchies: &[HierarchyId]) -> Set {
        let set = TupleSet::new(hierarchies.to_vec());
        Set { parts: vec![Arc::new(Tuples { set, charge: None })] }
    }

    pub(crate) fn shared(tuples: Arc<Tuples>) -> Set {
        Set { parts: vec![tuples] }
    }

    /// The product of some factors, of which there is at least one.
    pub(crate) fn product(parts: Vec<Arc<Tuples>>) -> Set {
        Set { parts }
    }

    /// The product with another set.
    pub(crate) fn times(&self, other: &Set) -> Set {
        Set { parts: self.parts.iter().chain(&other.parts).cloned().collect() }
    }

    /// The factors, at least one.
    pub(crate) fn parts(&self) -> &[Arc<Tuples>] {
        &self.parts
    }

    pub(crate) fn hierarchies(&self) -> Vec<HierarchyId> {
        self.parts.iter().flat_map(|p| p.hierarchies.iter().copied()).collect()
    }

    pub(crate) fn arity(&self) -> usize {
        self.parts.iter().map(|p| p.arity()).sum()
    }

    /// Tuples, saturating.
    pub(crate) fn len(&self) -> u64 {
        self.parts.iter().fold(1u64, |n, p| n.saturating_mul(p.len() as u64))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.iter().any(|p| p.is_empty())
    }

    /// The tuple at `index`, put in the place of `tuple`.
    pub(crate) fn read(&self, index: u64, tuple: &mut Vec<MemberId>) {
        tuple.clear();
        tuple.resize(self.arity(), MemberId::NULL);
        let (mut rest, mut end) = (index, tuple.len());
        for part in self.parts.iter().rev() {
            let n = part.len() as u64;
            let start = end - part.arity();
            tuple[start..end].copy_from_slice(part.get((rest % n) as usize));
            rest /= n;
            end = start;
        }
    }

    /// For each position of a tuple, the members of the tuples from `start`, `len` of them.
    pub(crate) fn columns(&self, start: u64, len: usize) -> Vec<Vec<MemberId>> {
        let mut columns: Vec<Vec<MemberId>> = (0..self.arity()).map(|_| Vec::with_capacity(len)).collect();
        if let [part] = self.parts.as_slice() {
            for tuple in part.iter().skip(start as usize).take(len) {
                columns.iter_mut().zip(tuple).for_each(|(c, &m)| c.push(m));
            }
            return columns;
        }
        let mut tuple = Vec::new();
        for index in start..start + len as u64 {
            self.read(index, &mut tuple);
            columns.iter_mut().zip(&tuple).for_each(|(c, &m)| c.push(m));
        }
        columns
    }

    /// The tuples written out. A product that does not fit the command's memory fails before it is made.
    pub(crate) fn tuples(&self, context: &Context) -> Result<Arc<Tuples>> {
        if let [part] = self.parts.as_slice() {
            return Ok(part.clone());
        }
        let arity = self.arity();
        let bytes = self.len().saturating_mul(4 * arity as u64);
        if bytes > i64::MAX as u64 / 4 {
            bail!(MemoryLimit, "Memory error: the operation reached its limit in Crossjoin of {} tuples", self.len());
        }
        let charge = context.charge("Crossjoin", bytes as usize)?;
        let mut set = TupleSet::new(self.hierarchies());
        set.members.reserve_exact(bytes as usize / 4);
        let mut tuple = Vec::new();
        let mut step = 0;
        for index in 0..self.len() {
            context.check_every(&mut step)?;
            self.read(index, &mut tuple);
            set.members.extend_from_slice(&tuple);
        }
        Ok(Arc::new(Tuples { set, charge: Some(charge) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(hierarchy: u32, ids: &[u32]) -> Set {
        let members = ids.iter().copied().map(MemberId).collect();
        Set::of_members(HierarchyId(hierarchy), members, &Context::unlimited()).unwrap()
    }

    #[test]
    fn a_product_runs_its_last_part_fastest() {
        let product = members(1, &[1, 2]).times(&members(2, &[7, 8, 9]));
        assert_eq!((product.len(), product.arity()), (6, 2));
        let written = product.tuples(&Context::unlimited()).unwrap();
        let all: Vec<Vec<u32>> = written.iter().map(|t| t.iter().map(|m| m.0).collect()).collect();
        assert_eq!(all, [[1, 7], [1, 8], [1, 9], [2, 7], [2, 8], [2, 9]]);
        assert_eq!(product.columns(2, 2), [vec![MemberId(1), MemberId(2)], vec![MemberId(9), MemberId(7)]]);
    }

    #[test]
    fn a_product_beyond_memory_fails_before_it_is_made() {
        let ids: Vec<u32> = (0..1000).collect();
        let one = members(1, &ids);
        let product = one.times(&one).times(&one).times(&one);
        let error = product.tuples(&Context::new(1 << 20, None)).unwrap_err();
        assert!(error.is_interrupt() && error.message().contains("Crossjoin"));
    }
}
