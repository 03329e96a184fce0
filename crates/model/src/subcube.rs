//! What a query asks of storage, and what storage answers.

use crate::{Context, LinkId, MeasureGroupId, MemberId, Result, Rowset, catalog::Catalog};
use std::sync::Arc;

/// One way to the members of a hierarchy: a link of the measure group, and a hierarchy of the linked dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// The link.
    pub link: LinkId,
    /// The hierarchy's position within the dimension.
    pub hierarchy: u32,
}

/// To which ancestor of its leaf a row is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grain {
    /// The ancestor at this depth of the tree (0: the top, the all member where there is one).
    /// Rows whose leaf lies higher are left out.
    Depth(u8),
    /// The member itself: data that a member of a parent-child hierarchy has of its own.
    Own,
}

/// One key column of a subcube.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubcubeAxis {
    /// Where the members are.
    pub path: Path,
    /// How coarse.
    pub grain: Grain,
}

/// Rows are kept whose leaf is, or lies under, one of the members.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubcubeFilter {
    /// Where the members are.
    pub path: Path,
    /// Members that stand for themselves and all below them, ascending.
    pub subtrees: Vec<MemberId>,
    /// Members of a parent-child hierarchy that stand for their own data only, ascending.
    pub own: Vec<MemberId>,
}

/// Rows are kept that belong to one of the tuples.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TupleFilter {
    /// Where the members of each tuple are.
    pub paths: Vec<Path>,
    /// The tuples, one after the other; each member stands for itself and all below it.
    pub tuples: Vec<MemberId>,
}

/// A question to storage: measures by grain, under filters. All filters hold at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubcubeRequest {
    /// The fact rows.
    pub group: MeasureGroupId,
    /// The measures, by position in the group.
    pub measures: Vec<u32>,
    /// The key columns; none gives one row.
    pub axes: Vec<SubcubeAxis>,
    /// Filters on single hierarchies: the query's and the role's.
    pub filters: Vec<SubcubeFilter>,
    /// Filters by tuples.
    pub tuples: Vec<TupleFilter>,
}

/// The values of one measure in a subcube.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureColumn {
    /// The numbers.
    pub data: MeasureData,
    /// Where false, the value is empty; none if all are there.
    pub present: Option<Vec<bool>>,
}

/// The numbers of a measure column.
#[derive(Clone, Debug, PartialEq)]
pub enum MeasureData {
    /// Whole numbers of units of 10^-scale.
    Scaled {
        /// The units.
        units: Vec<i64>,
        /// Decimals.
        scale: u8,
    },
    /// Doubles.
    Double(Vec<f64>),
}

impl MeasureColumn {
    /// The value of row `index`.
    pub fn value(&self, index: usize) -> crate::Value {
        use crate::Value;
        if self.present.as_ref().is_some_and(|p| !p[index]) {
            return Value::Empty;
        }
        match &self.data {
            MeasureData::Scaled { units, scale: 0 } => Value::Int(units[index]),
            MeasureData::Scaled { units, scale } => Value::Double(units[index] as f64 / 10f64.powi(i32::from(*scale))),
            MeasureData::Double(values) => Value::Double(values[index]),
        }
    }
}

/// An answer of storage: a row for each combination of members that has fact rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subcube {
    /// How many rows.
    pub rows: usize,
    /// For each axis of the request, the member of each row. The order of rows is not defined.
    pub keys: Vec<Vec<MemberId>>,
    /// For each measure of the request, its values.
    pub values: Vec<MeasureColumn>,
}

impl Subcube {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let values: usize = self.values.iter().map(|c| self.rows * (8 + usize::from(c.present.is_some()))).sum();
        self.keys.len() * self.rows * 4 + values
    }
}

/// A column of a drill-through.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceColumn {
    /// The member of a row at a level of a hierarchy (position of the level in the hierarchy): its caption, key or a property.
    Member {
        /// Where the members are.
        path: Path,
        /// The level's position in the hierarchy, the all level counted.
        level: u32,
        /// What of the member.
        part: MemberPart,
    },
    /// The value of a stored measure in the row.
    Measure(u32),
}

/// What of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MemberPart {
    Key,
    Name,
    Caption,
    UniqueName,
    Property(u32),
}

/// A question for fact rows.
#[derive(Clone, Debug)]
pub struct RowsRequest {
    /// The fact rows.
    pub group: MeasureGroupId,
    /// The columns with the names that the answer gives them.
    pub columns: Vec<(String, SourceColumn)>,
    /// Filters as in [`SubcubeRequest`].
    pub filters: Vec<SubcubeFilter>,
    /// Filters by tuples.
    pub tuples: Vec<TupleFilter>,
    /// At most so many rows.
    pub max_rows: Option<u64>,
    /// Rows to leave out first.
    pub skip_rows: u64,
}

/// One version of a catalog's data, the same from the start of a statement to its end.
pub trait Snapshot: Send + Sync {
    /// The catalog of this version.
    fn catalog(&self) -> &Arc<Catalog>;

    /// A number that changes with the data: two snapshots of the same number answer the same.
    fn data_version(&self) -> u64;

    /// Answers a subcube request.
    ///
    /// # Errors
    /// Interrupts of the context; a defect if the request names what the catalog does not have.
    fn subcube(&self, request: &SubcubeRequest, context: &Context) -> Result<Subcube>;

    /// The fact rows under filters, for drill-through, pulled in batches.
    ///
    /// # Errors
    /// As [`Snapshot::subcube`]; also while pulling.
    fn source_rows(&self, request: &RowsRequest, context: &Context) -> Result<Rowset>;
}
