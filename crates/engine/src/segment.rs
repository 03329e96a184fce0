//! A segment: some millions of fact rows as columns, never changed once made.

use crate::column::{BLOCK_ROWS, CodeColumn, DistinctColumn, NumberColumn};
use facetta_model::MemberId;
use std::ops::Range;
use std::sync::Arc;

/// Rows after which a segment is closed and the next begun: what Process holds in memory at a time.
pub(crate) const SEGMENT_ROWS: usize = 64 * BLOCK_ROWS;

/// Fact rows as columns.
pub(crate) struct Segment {
    pub(crate) rows: usize,
    /// A column for each path of the measure group, in the order of [`crate::version::PathTable`].
    pub(crate) paths: Vec<CodeColumn>,
    pub(crate) numbers: Vec<NumberColumn>,
    /// Where values are counted: 1 for a value, 0 for null.
    pub(crate) flags: Vec<crate::buffer::Buffer<u8>>,
    pub(crate) distincts: Vec<DistinctColumn>,
    /// Where the values of each measure are.
    pub(crate) measures: Vec<MeasureSource>,
    /// Whether its rows are changes to cells, not facts of their own.
    pub(crate) is_delta: bool,
}

/// Where the values of a measure are in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum MeasureSource {
    /// The rows themselves are counted.
    Rows,
    /// Rows whose flag is set are counted.
    Flag(usize),
    /// A number column.
    Number(usize),
    /// A column of distinct values.
    Distinct(usize),
    /// The segment has none: a delta of other measures.
    Absent,
}

impl Segment {
    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK_ROWS)
    }

    /// The rows of a block.
    pub(crate) fn block(&self, block: usize) -> Range<usize> {
        block * BLOCK_ROWS..self.rows.min((block + 1) * BLOCK_ROWS)
    }

    /// Bytes of its columns.
    pub(crate) fn bytes(&self) -> u64 {
        let paths: usize = self.paths.iter().map(|c| c.codes.width()).sum();
        let numbers: usize = self.numbers.iter().map(|c| 8 + usize::from(c.valid.is_some())).sum();
        let distincts: usize = self.distincts.iter().map(|c| c.codes.width()).sum();
        (self.rows as u64) * (paths + numbers + distincts + self.flags.len()) as u64
    }

    /// Bytes of memory that it takes, however few its rows are.
    pub(crate) fn held_bytes(&self) -> u64 {
        let columns = self.paths.len() + self.numbers.len() + self.flags.len() + self.distincts.len();
        self.bytes() + (columns * size_of::<CodeColumn>() + size_of_val(&*self.measures) + size_of::<Segment>()) as u64
    }

    /// The column of a measure's numbers.
    pub(crate) fn number(&self, measure: usize) -> Option<&NumberColumn> {
        match self.measures[measure] {
            MeasureSource::Number(at) => Some(&self.numbers[at]),
            _ => None,
        }
    }
}

/// Which member of a version each code of a segment's path stands for.
///
/// Codes are positions in the segment's own dictionary, so that a member added later never rewrites a segment: only
/// this map is made anew. The code after the last stands for rows that have no member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CodeMap {
    /// Code 0 is the first member of the range, and so on.
    Range(Range<u32>),
    /// By code; [`MemberId::NULL`] for members that are gone.
    Listed(Arc<[MemberId]>),
}

impl CodeMap {
    /// How many codes stand for members; the next one stands for none.
    pub(crate) fn len(&self) -> usize {
        match self {
            CodeMap::Range(range) => range.len(),
            CodeMap::Listed(members) => members.len(),
        }
    }

    /// The member of a code; [`MemberId::NULL`] if there is none.
    pub(crate) fn member(&self, code: u32) -> MemberId {
        match self {
            CodeMap::Range(range) if (code as usize) < range.len() => MemberId(range.start + code),
            CodeMap::Range(_) => MemberId::NULL,
            CodeMap::Listed(members) => members.get(code as usize).copied().unwrap_or(MemberId::NULL),
        }
    }
}
