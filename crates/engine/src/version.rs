//! A version of a catalog's data: the catalog, and for each measure group its segments.

use crate::segment::{CodeMap, Segment};
use facetta_model::catalog::Catalog;
use facetta_model::{MeasureGroupId, Path, Result, ValueColumn, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An immutable version.
pub(crate) struct Version {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) groups: Vec<Arc<GroupData>>,
    /// Changes with the data.
    pub(crate) number: u64,
    /// The same one for all versions whose codes mean the same members.
    pub(crate) generation: Arc<Generation>,
}

/// One load of a catalog; told from others by its address.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    // Without a byte, two could lie at one address.
    _byte: u8,
}

/// The segments of a measure group.
#[derive(Clone)]
pub(crate) struct GroupData {
    /// For each link, for each hierarchy of its dimension, the column in the segments; none if it is not reached.
    pub(crate) path_columns: Vec<Vec<Option<usize>>>,
    /// The name of each link.
    pub(crate) link_names: Vec<String>,
    pub(crate) segments: Vec<PlacedSegment>,
    /// The decimals of each measure; none for doubles.
    pub(crate) scales: Vec<Option<u8>>,
    /// The values of each column of distinct values, by code.
    pub(crate) distinct_values: Arc<[ValueColumn]>,
    pub(crate) rows: u64,
}

/// A segment and what its codes mean in one version.
#[derive(Clone)]
pub(crate) struct PlacedSegment {
    pub(crate) segment: Arc<Segment>,
    /// A map for each path column.
    pub(crate) maps: Arc<[CodeMap]>,
}

impl Version {
    /// A number that no version of this process has had.
    pub(crate) fn next_number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Relaxed)
    }

    /// The segments of a measure group.
    pub(crate) fn group(&self, id: MeasureGroupId) -> Result<&Arc<GroupData>> {
        match self.groups.get(id.index()) {
            Some(group) => Ok(group),
            None => bail!(Internal, "measure group {} does not exist", id.0),
        }
    }
}

impl GroupData {
    /// The column of a path.
    pub(crate) fn column(&self, path: Path) -> Result<usize> {
        let of_link = self.path_columns.get(path.link.index());
        match of_link.and_then(|columns| columns.get(path.hierarchy as usize)) {
            Some(Some(column)) => Ok(*column),
            _ => bail!(Internal, "link {} does not reach hierarchy {}", path.link.0, path.hierarchy),
        }
    }
}
