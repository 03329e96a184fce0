//! Many coordinates as columns: for each hierarchy one member for all, or one for each row.

use crate::coordinate::is_special;
use facetta_model::{HierarchyId, MemberId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Rows that a step of evaluation takes at once.
pub(crate) const CHUNK: usize = 8192;

static NEXT_RUN: AtomicU64 = AtomicU64::new(1);

/// The members of one hierarchy, one for each row.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Tells runs apart: equal ids mean equal members.
    pub(crate) id: u64,
    pub(crate) members: Arc<[MemberId]>,
    /// Whether any is not a stored member.
    pub(crate) special: bool,
    /// The least and the greatest member.
    pub(crate) bounds: (MemberId, MemberId),
}

/// The coordinate of one hierarchy for all rows of a batch.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    One(MemberId),
    Many(Run),
}

impl Column {
    /// A column of `members`; one member for all if they are the same.
    pub(crate) fn of(members: Vec<MemberId>) -> Column {
        let Some(&first) = members.first() else { return Column::One(MemberId::NULL) };
        let (mut low, mut high) = (first, first);
        for &m in &members {
            low = low.min(m);
            high = high.max(m);
        }
        if low == high {
            return Column::One(first);
        }
        let id = NEXT_RUN.fetch_add(1, Relaxed);
        Column::Many(Run { id, members: members.into(), special: is_special(high), bounds: (low, high) })
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> MemberId {
        match self {
            Column::One(m) => *m,
            Column::Many(run) => run.members[row],
        }
    }

    /// Whether any row is not a stored member.
    pub(crate) fn special(&self) -> bool {
        match self {
            Column::One(m) => is_special(*m),
            Column::Many(run) => run.special,
        }
    }
}

/// Coordinates by the columns of the cube's hierarchies, then by those of iterations over named sets.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) len: usize,
    columns: Vec<Column>,
}

impl Batch {
    /// One coordinate.
    pub(crate) fn point(members: Vec<MemberId>) -> Batch {
        Batch { len: 1, columns: members.into_iter().map(Column::One).collect() }
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn column(&self, hierarchy: HierarchyId) -> &Column {
        &self.columns[hierarchy.index()]
    }

    #[inline]
    pub(crate) fn get(&self, hierarchy: HierarchyId, row: usize) -> MemberId {
        self.columns[hierarchy.index()].get(row)
    }

    /// Puts one member into all rows.
    pub(crate) fn set_one(&mut self, index: usize, member: MemberId) {
        self.columns[index] = Column::One(member);
    }

    /// Puts a column into the place of a hierarchy or iteration.
    pub(crate) fn set(&mut self, index: usize, column: Column) {
        self.columns[index] = column;
    }

    /// The same with one member of a hierarchy in all rows.
    pub(crate) fn with_one(&self, hierarchy: HierarchyId, member: MemberId) -> Batch {
        let mut out = self.clone();
        out.columns[hierarchy.index()] = Column::One(member);
        out
    }

    /// The coordinate of one row alone.
    pub(crate) fn row(&self, row: usize) -> Batch {
        if self.len == 1 {
            return self.clone();
        }
        Batch { len: 1, columns: self.columns.iter().map(|c| Column::One(c.get(row))).collect() }
    }

    /// The coordinates of some rows, in the order given; rows may repeat.
    pub(crate) fn select(&self, rows: &[u32]) -> Batch {
        let pick = |column: &Column| match column {
            Column::One(m) => Column::One(*m),
            Column::Many(run) => Column::of(rows.iter().map(|&r| run.members[r as usize]).collect()),
        };
        Batch { len: rows.len(), columns: self.columns.iter().map(pick).collect() }
    }

    /// The coordinate of `row`, repeated.
    pub(crate) fn repeat(&self, row: usize, len: usize) -> Batch {
        let mut out = self.row(row);
        out.len = len;
        out
    }

    /// A text of numbers that is the same only for the same coordinates.
    pub(crate) fn identity(&self) -> Vec<u64> {
        let key = |c: &Column| match c {
            Column::One(m) => u64::from(m.0) << 1,
            Column::Many(run) => run.id << 1 | 1,
        };
        std::iter::once(self.len as u64).chain(self.columns.iter().map(key)).collect()
    }
}

/// A result for each row, or one that holds for all.
#[derive(Clone, Debug)]
pub(crate) enum Col<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Col<T> {
    #[inline]
    pub(crate) fn get(&self, row: usize) -> &T {
        match self {
            Col::One(v) => v,
            Col::Many(v) => &v[row],
        }
    }

    /// Each result by a function of it.
    pub(crate) fn map<U>(&self, f: impl FnMut(&T) -> U) -> Col<U> {
        let mut f = f;
        match self {
            Col::One(v) => Col::One(f(v)),
            Col::Many(v) => Col::Many(v.iter().map(f).collect()),
        }
    }

    /// Results of two columns by a function of both, for `len` rows.
    pub(crate) fn zip<U, V>(&self, other: &Col<U>, len: usize, mut f: impl FnMut(&T, &U) -> V) -> Col<V> {
        match (self, other) {
            (Col::One(a), Col::One(b)) => Col::One(f(a, b)),
            _ => Col::Many((0..len).map(|row| f(self.get(row), other.get(row))).collect()),
        }
    }
}

impl<T: Clone> Col<T> {
    /// The results of the rows that `of` says, one for each of its entries.
    pub(crate) fn pick(&self, of: &Col<u32>) -> Col<T> {
        match (self, of) {
            (Col::One(v), _) => Col::One(v.clone()),
            (Col::Many(v), Col::One(row)) => Col::One(v[*row as usize].clone()),
            (Col::Many(v), Col::Many(rows)) => Col::Many(rows.iter().map(|&r| v[r as usize].clone()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_members_are_one() {
        let mut batch = Batch::point(vec![MemberId(0), MemberId(5)]);
        batch.len = 3;
        batch.set(1, Column::of(vec![MemberId(5), MemberId(6), MemberId(5)]));
        assert_eq!(batch.select(&[1, 0]).get(HierarchyId(1), 0), MemberId(6));
        assert!(matches!(batch.select(&[0, 2]).column(HierarchyId(1)), Column::One(MemberId(5))));
        assert_ne!(batch.identity(), batch.select(&[0, 1, 2]).identity());
        assert_eq!(batch.row(1).get(HierarchyId(1), 0), MemberId(6));
    }

    #[test]
    fn columns_combine_by_row() {
        let a = Col::One(1);
        let b = Col::Many(vec![1, 2, 3]);
        assert!(matches!(a.zip(&b, 3, |x, y| x + y), Col::Many(v) if v == [2, 3, 4]));
        assert!(matches!(b.pick(&Col::Many(vec![2, 2])), Col::Many(v) if v == [3, 3]));
    }
}
