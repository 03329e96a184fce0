//! Numbers for paths of keys: what tells a member is its key under its parent's path.

use super::dictionary::{Dictionary, NONE};
use super::vector::Vector;
use facetta_model::{Context, Result, bail};
use rustc_hash::FxHashMap;

/// The value number of a null key: nulls make a member of their own.
const NULL_KEY: u32 = NONE - 1;

/// Numbers the paths of each level, in the order in which they first came.
#[derive(Default)]
pub(crate) struct PathCoder {
    levels: Vec<CodedLevel>,
}

struct CodedLevel {
    values: Dictionary,
    /// Number by the parent's number and the value's.
    paths: FxHashMap<(u32, u32), u32>,
}

impl PathCoder {
    /// How many paths a level has.
    pub(crate) fn count(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |l| l.paths.len())
    }

    /// The number of the path of each row at each level, for the keys of all levels; new paths are added.
    pub(crate) fn encode(&mut self, keys: &[&Vector], context: &Context) -> Result<Vec<Vec<u32>>> {
        let mut of_levels: Vec<Vec<u32>> = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            if self.levels.len() <= at {
                self.levels.push(CodedLevel { values: Dictionary::new(key.ty()), paths: FxHashMap::default() });
            }
            let level = &mut self.levels[at];
            let values = level.values.encode(key, context)?;
            let mut numbers = Vec::with_capacity(values.len());
            let mut step = 0;
            for (row, value) in values.into_iter().enumerate() {
                context.check_every(&mut step)?;
                let parent = of_levels.last().map_or(0, |parents| parents[row]);
                let next = level.paths.len() as u32;
                let value = if value == NONE { NULL_KEY } else { value };
                numbers.push(*level.paths.entry((parent, value)).or_insert(next));
            }
            if level.paths.len() >= NULL_KEY as usize {
                bail!(Definition, "a level has too many members");
            }
            of_levels.push(numbers);
        }
        Ok(of_levels)
    }
}
