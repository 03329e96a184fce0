//! The writes of a transaction as few segments: what it sees costs neither a merge of all at each write nor a scan of each.

use super::delta;
use crate::version::{PlacedSegment, Version};
use facetta_model::{Context, Result};
use std::collections::BTreeMap;

/// Runs of writes by measure group, oldest first: each has at least twice the rows of the next, so that there are few, and a
/// row is merged as often as there are runs.
#[derive(Clone, Default)]
pub(super) struct Runs(BTreeMap<usize, Vec<Run>>);

/// The sums of some writes that followed each other.
#[derive(Clone)]
struct Run {
    deltas: PlacedSegment,
    /// Made here; the segment of a single write is that write's own.
    merged: bool,
}

impl Run {
    fn rows(&self) -> usize {
        self.deltas.segment.rows
    }
}

impl Runs {
    /// The runs after one more write.
    pub(super) fn with(&self, base: &Version, group: usize, write: &PlacedSegment, context: &Context) -> Result<Runs> {
        let mut after = self.clone();
        let runs = after.0.entry(group).or_default();
        runs.push(Run { deltas: write.clone(), merged: false });
        while let [.., older, newer] = runs.as_slice() {
            if older.rows() >= 2 * newer.rows() {
                break;
            }
            let both = [older.deltas.clone(), newer.deltas.clone()];
            let deltas = delta::merged(&base.groups[group], &both, context)?;
            runs.truncate(runs.len() - 2);
            runs.push(Run { deltas, merged: true });
        }
        Ok(after)
    }

    /// Measure group and deltas of each.
    pub(super) fn segments(&self) -> impl Iterator<Item = (usize, &PlacedSegment)> {
        self.0.iter().flat_map(|(group, runs)| runs.iter().map(|run| (*group, &run.deltas)))
    }

    /// Bytes of what was made here.
    pub(super) fn bytes(&self) -> u64 {
        self.0.values().flatten().filter(|run| run.merged).map(|run| run.deltas.segment.held_bytes()).sum()
    }
}
