//! The log of commits made short: one delta for each cell and measure, and the definitions that are left, in the place of all
//! that were committed.
//!
//! What is read and written here stays in the form of the disk, by names and keys, so that a change keeps waiting for a leaf
//! that is gone for now (spec/decisions.md, Transactions).

use super::definitions::DefinitionChange;
use super::delta::Amounts;
use super::durable::{self, Head, Keeper, MERGED, StoredGroup};
use crate::log::{self, Frames, Fresh, Kind, Log, Stage};
use facetta_model::{Context, Result, name};
use indexmap::{IndexMap, IndexSet};
use jiff::civil::DateTime;
use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};

/// Names of transactions that stay. Whether one was committed is asked at a start only, of what was committed when the server
/// ended: far fewer, and the last ones.
const NAMES: usize = 4096;

/// The log of commits.
pub(crate) const COMMITS: Kind =
    Kind { what: "log of commits", file: "writeback", magic: b"FCTWB\0\0\x01", is_merged, synced: true };

fn is_merged(frame: &[u8]) -> bool {
    frame.first() == Some(&MERGED)
}

/// Merges the log of commits if most of it is history. True if there was something to do.
pub(crate) fn merge_log<'l>(
    lock: impl Fn() -> MutexGuard<'l, Log>,
    context: &Context,
    at: &mut dyn FnMut(Stage),
) -> Result<bool> {
    let write = |frames, fresh: &mut Fresh<'_>| {
        let merged = merged(frames, context)?;
        fresh.tell(Stage::Merged);
        merged.iter().try_for_each(|frame| {
            context.check()?;
            fresh.push(frame)
        })
    };
    log::merge_at(lock, write, at)
}

/// What is kept of a catalog.
struct Catalog {
    name: String,
    /// When its cells were changed last, and its definitions.
    cells_time: Option<DateTime>,
    definitions_time: Option<DateTime>,
    /// By key, in the order in which they were made last.
    definitions: IndexMap<Arc<str>, DefinitionChange>,
    /// By the names of the measure group and of its columns: a schema that changed may have left several.
    groups: IndexMap<(String, Vec<(String, String)>), Group>,
}

/// The sums of the deltas of a measure group.
struct Group {
    name: String,
    columns: Vec<(String, String)>,
    members: Vec<IndexSet<Vec<String>>>,
    cells: IndexSet<Box<[u32]>>,
    /// By name and scale.
    measures: IndexMap<(String, Option<u8>), (String, Amounts)>,
}

/// A frame for the cells and one for the definitions of each catalog that frames tell of.
fn merged(mut frames: Frames, context: &Context) -> Result<Vec<Vec<u8>>> {
    let mut catalogs: IndexMap<String, Catalog> = IndexMap::new();
    let mut names: VecDeque<u128> = VecDeque::new();
    while let Some(frame) = frames.pull()? {
        context.check()?;
        names.extend(Keeper::names(&frame)?);
        names.drain(..names.len().saturating_sub(NAMES));
        for change in Keeper::read(&frame)? {
            let catalog = catalogs.entry(name::fold(&change.catalog)).or_insert_with(|| Catalog {
                name: change.catalog.clone(),
                cells_time: None,
                definitions_time: None,
                definitions: IndexMap::new(),
                groups: IndexMap::new(),
            });
            if !change.groups.is_empty() {
                catalog.cells_time = catalog.cells_time.max(Some(change.time));
            }
            for definition in change.definitions {
                catalog.definitions_time = catalog.definitions_time.max(Some(change.time));
                catalog.definitions.shift_remove(&definition.key);
                // Before all commits there was none: one that is taken away leaves nothing to say.
                if definition.text.is_some() {
                    catalog.definitions.insert(definition.key.clone(), definition);
                }
            }
            for stored in change.groups {
                let key = (name::fold(&stored.group), stored.columns.clone());
                let group = catalog.groups.entry(key).or_insert_with(|| Group::like(&stored));
                group.add(&stored, context)?;
            }
        }
    }
    let mut out = Vec::with_capacity(catalogs.len() + 1);
    out.push(durable::write(Head::Merged(names.make_contiguous()), DateTime::MIN, [].into_iter(), context)?);
    for catalog in catalogs.into_values() {
        let groups: Vec<StoredGroup> = catalog.groups.into_values().map(Group::stored).collect();
        let definitions: Vec<DefinitionChange> = catalog.definitions.into_values().collect();
        // Each with its own time: data and schema tell clients when they changed.
        let frames =
            [(catalog.cells_time, &[][..], &groups[..]), (catalog.definitions_time, &definitions[..], &[][..])];
        for (time, definitions, groups) in frames {
            if let Some(time) = time.filter(|_| !definitions.is_empty() || !groups.is_empty()) {
                let changes = [(catalog.name.as_str(), definitions, groups)];
                out.push(durable::write(Head::Merged(&[]), time, changes.into_iter(), context)?);
            }
        }
    }
    Ok(out)
}

impl Group {
    fn like(stored: &StoredGroup) -> Group {
        Group {
            name: stored.group.clone(),
            columns: stored.columns.clone(),
            members: vec![IndexSet::new(); stored.columns.len()],
            cells: IndexSet::new(),
            measures: IndexMap::new(),
        }
    }

    fn add(&mut self, stored: &StoredGroup, context: &Context) -> Result<()> {
        let position = |(known, paths): (&mut IndexSet<Vec<String>>, &Vec<Vec<String>>)| -> Vec<u32> {
            paths.iter().map(|path| known.insert_full(path.clone()).0 as u32).collect()
        };
        let positions: Vec<Vec<u32>> = self.members.iter_mut().zip(&stored.members).map(position).collect();
        let mut step = 0;
        let mut to = Vec::with_capacity(stored.cells.len() / stored.columns.len().max(1));
        for cell in stored.cells.chunks(stored.columns.len().max(1)) {
            context.check_every(&mut step)?;
            let cell = cell.iter().zip(&positions).map(|(at, positions)| positions[*at as usize]).collect();
            to.push(self.cells.insert_full(cell).0);
        }
        for (measure, scale, amounts) in &stored.measures {
            let key = (name::fold(measure), *scale);
            let (_, sums) = self.measures.entry(key).or_insert_with(|| (measure.clone(), amounts.none()));
            sums.resize(self.cells.len());
            sums.add(amounts, &to)?;
        }
        Ok(())
    }

    fn stored(self) -> StoredGroup {
        let cells = self.cells.len();
        let measures = self.measures.into_iter().map(|((_, scale), (name, mut amounts))| {
            amounts.resize(cells);
            (name, scale, amounts)
        });
        StoredGroup {
            group: self.name,
            columns: self.columns,
            members: self.members.into_iter().map(|members| members.into_iter().collect()).collect(),
            measures: measures.collect(),
            cells: self.cells.into_iter().flatten().collect(),
        }
    }
}
