//! A cell set: axes of tuples, and a source of blocks of cells that is pulled.

use crate::{Context, HierarchyId, MemberId, Members, Result, Strings, Value};
use jiff::civil::DateTime;
use std::sync::Arc;

/// An ordered list of tuples over the same hierarchies, held as one run of member ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TupleSet {
    /// The hierarchy of each position of a tuple.
    pub hierarchies: Vec<HierarchyId>,
    /// Tuple after tuple.
    pub members: Vec<MemberId>,
}

impl TupleSet {
    /// An empty set over `hierarchies`.
    pub fn new(hierarchies: impl Into<Vec<HierarchyId>>) -> Self {
        Self { hierarchies: hierarchies.into(), members: Vec::new() }
    }

    /// Members in a tuple.
    pub fn arity(&self) -> usize {
        self.hierarchies.len()
    }

    /// Tuples in the set.
    pub fn len(&self) -> usize {
        if self.hierarchies.is_empty() { 0 } else { self.members.len() / self.hierarchies.len() }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The tuple at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> &[MemberId] {
        let n = self.arity();
        &self.members[index * n..(index + 1) * n]
    }

    /// All tuples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[MemberId]> + DoubleEndedIterator {
        self.members.chunks_exact(self.arity().max(1))
    }

    /// Appends a tuple.
    pub fn push(&mut self, tuple: &[MemberId]) {
        debug_assert_eq!(tuple.len(), self.arity());
        self.members.extend_from_slice(tuple);
    }
}

/// The tuples of an axis: the product of sets of tuples, the last running fastest. It is not written out, so that an axis may have
/// more tuples than memory could hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AxisTuples {
    hierarchies: Vec<HierarchyId>,
    parts: Vec<TupleSet>,
    /// Where each position of a tuple is found.
    places: Vec<AxisPlace>,
}

/// Where a position of an axis' tuples is found among its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AxisPlace {
    part: usize,
    position: usize,
    /// Tuples of the axis for which the part stands at one of its own.
    stride: u64,
}

impl AxisTuples {
    /// The product of `parts`.
    pub fn new(parts: Vec<TupleSet>) -> Self {
        let mut places = Vec::new();
        for (part, set) in parts.iter().enumerate() {
            let stride = product(&parts[part + 1..]).max(1);
            places.extend((0..set.arity()).map(|position| AxisPlace { part, position, stride }));
        }
        let hierarchies = parts.iter().flat_map(|p| p.hierarchies.iter().copied()).collect();
        Self { hierarchies, parts, places }
    }

    /// The hierarchy of each position of a tuple.
    pub fn hierarchies(&self) -> &[HierarchyId] {
        &self.hierarchies
    }

    /// Tuples on the axis, saturating.
    pub fn len(&self) -> u64 {
        if self.hierarchies.is_empty() { 0 } else { product(&self.parts) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member at `position` of the tuple at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn member(&self, index: u64, position: usize) -> MemberId {
        let place = self.places[position];
        let part = &self.parts[place.part];
        part.get((index / place.stride % part.len() as u64) as usize)[place.position]
    }

    /// The members that stand at `position` in any tuple, some more than once.
    pub fn members_at(&self, position: usize) -> impl Iterator<Item = MemberId> {
        let AxisPlace { part, position, .. } = self.places[position];
        let tuples = if self.is_empty() { 0 } else { self.parts[part].len() };
        self.parts[part].iter().take(tuples).map(move |tuple| tuple[position])
    }

    /// All tuples in order.
    pub fn iter(&self) -> impl Iterator<Item = Vec<MemberId>> {
        (0..self.len()).map(|index| (0..self.places.len()).map(|position| self.member(index, position)).collect())
    }
}

impl From<TupleSet> for AxisTuples {
    fn from(set: TupleSet) -> Self {
        Self::new(vec![set])
    }
}

/// Tuples of a product, saturating.
fn product(parts: &[TupleSet]) -> u64 {
    parts.iter().fold(1u64, |n, p| n.saturating_mul(p.len() as u64))
}

/// A member property that the query asks for on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisProperty {
    /// The property's name, in the spelling of its definition: `PARENT_UNIQUE_NAME`, `Store Sqft`.
    pub name: String,
    /// The full name in OlapInfo: `[Store].[PARENT_UNIQUE_NAME]`, `[Store].[Store Name].[Store Sqft]`.
    pub unique_name: String,
    /// How to read it of a member.
    pub property: crate::Property,
}

/// A hierarchy on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisHierarchy {
    /// Which.
    pub id: HierarchyId,
    /// Its unique name.
    pub unique_name: String,
    /// DIMENSION PROPERTIES in the order asked, standard ones too.
    pub properties: Vec<AxisProperty>,
}

impl AxisHierarchy {
    /// The properties that a cell set writes after the standard five (spec/results.md 2.2): those asked that are none
    /// of them, each once.
    pub fn further_properties(&self) -> impl Iterator<Item = &AxisProperty> {
        use crate::Property::{DisplayInfo, LevelNumber, LevelUniqueName, MemberCaption, MemberUniqueName};
        let standard = |p: &AxisProperty| {
            matches!(p.property, MemberUniqueName | MemberCaption | LevelUniqueName | LevelNumber | DisplayInfo)
        };
        let first = |i: usize| !self.properties[..i].iter().any(|p| p.unique_name == self.properties[i].unique_name);
        self.properties.iter().enumerate().filter(move |(i, p)| !standard(p) && first(*i)).map(|(_, p)| p)
    }
}

/// An axis of a cell set.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The hierarchies in the order of every tuple; also known when there is no tuple.
    pub hierarchies: Vec<AxisHierarchy>,
    /// The tuples.
    pub tuples: AxisTuples,
    /// Whether the query wrote DIMENSION PROPERTIES on this axis: flattening then replaces captions by them.
    pub properties_asked: bool,
}

/// The cell properties that a query can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CellProperty {
    Value,
    FormattedValue,
    CellOrdinal,
    FormatString,
    Language,
    BackColor,
    ForeColor,
    FontName,
    FontSize,
    FontFlags,
    ActionType,
    Updateable,
    NonEmptyBehavior,
    SolveOrder,
    CellEvaluationList,
}

/// Some cells, by ascending ordinal; empty cells are left out.
#[derive(Clone, Debug, Default)]
pub struct CellBlock {
    /// The cells' ordinals.
    pub ordinals: Vec<u64>,
    /// VALUE of each; [`Value::Error`] where the cell could not be evaluated.
    pub values: Vec<Value>,
    /// FORMATTED_VALUE of each, if the query asks for it; else empty.
    pub formatted: Strings,
    /// For each further property asked, in the order of [`CellSet::cell_properties`] without VALUE, FORMATTED_VALUE and
    /// CELL_ORDINAL, its value for each cell.
    pub others: Vec<Vec<Value>>,
}

/// Yields the next block of cells at each pull, `None` at the end. A block holds at most a few thousand cells.
pub type CellSource = Box<dyn FnMut(&Context) -> Result<Option<CellBlock>> + Send>;

/// The answer to an MDX query.
pub struct CellSet {
    /// The cube of FROM.
    pub cube_name: String,
    /// When its data last changed.
    pub last_data_update: DateTime,
    /// When its definition last changed.
    pub last_schema_update: DateTime,
    /// What the member ids of the axes mean.
    pub members: Arc<Members>,
    /// The axes by number.
    pub axes: Vec<Axis>,
    /// The slicer: the hierarchies on no axis, with the members of WHERE or the default ones.
    pub slicer: Axis,
    /// The cell properties in the order asked.
    pub cell_properties: Vec<CellProperty>,
    /// The cells. Ordinals count row by row: the first axis runs fastest.
    pub cells: CellSource,
}

impl CellSet {
    /// Cells in the product of the axes, empty ones too; saturating.
    pub fn cell_count(&self) -> u64 {
        self.axes.iter().fold(1u64, |n, a| n.saturating_mul(a.tuples.len()))
    }
}

/// What an Execute yields.
pub enum Outcome {
    /// A cell set.
    CellSet(CellSet),
    /// A rowset.
    Rowset(crate::Rowset),
    /// Nothing to show.
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(hierarchies: &[u32], members: &[u32]) -> TupleSet {
        let hierarchies = hierarchies.iter().copied().map(HierarchyId).collect();
        TupleSet { hierarchies, members: members.iter().copied().map(MemberId).collect() }
    }

    #[test]
    fn an_axis_is_the_product_of_its_parts() {
        let axis = AxisTuples::new(vec![set(&[1], &[1, 2]), set(&[2, 3], &[7, 70, 8, 80, 9, 90])]);
        let all: Vec<Vec<u32>> = axis.iter().map(|t| t.iter().map(|m| m.0).collect()).collect();
        assert_eq!(all, [[1, 7, 70], [1, 8, 80], [1, 9, 90], [2, 7, 70], [2, 8, 80], [2, 9, 90]]);
        assert_eq!(axis.members_at(2).map(|m| m.0).collect::<Vec<_>>(), [70, 80, 90]);
        assert_eq!(axis.hierarchies(), [1, 2, 3].map(HierarchyId));
        let none = AxisTuples::new(vec![set(&[1], &[1, 2]), set(&[2], &[])]);
        assert!(none.is_empty() && none.iter().next().is_none() && none.members_at(0).next().is_none());
        assert!(AxisTuples::from(TupleSet::default()).is_empty() && AxisTuples::default().is_empty());
        let many = AxisTuples::new(vec![set(&[1], &(0..100_000).collect::<Vec<_>>()); 5]);
        assert_eq!((many.len(), many.member(u64::MAX - 1, 4)), (u64::MAX, MemberId(51_614)));
    }
}
