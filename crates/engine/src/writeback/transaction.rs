//! Transactions: private changes over a base version, committed by a check for conflict, one synced append, one swap.

use super::definitions::{DefinitionChange, key_hash, with_definitions};
use super::durable::{Change, GroupChange, Keeper, Places, columns, key_path};
use super::runs::Runs;
use super::{allocate, cells, delta};
use crate::plan::Conditions;
use crate::snapshot::Answers;
use crate::store::{Database, Store};
use crate::version::{GroupData, PlacedSegment, Version};
use facetta_model::definition::Aggregator;
use facetta_model::{
    Charge, Context, MeasureGroupId, MemoryAccount, Result, Snapshot, SubcubeFilter, TupleFilter, Value, bail, error,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Segments of deltas beside each other before they are merged into one.
const MOST_DELTAS: usize = 8;

/// One assignment of UPDATE CUBE: the leaf cells under a tuple, which take equal parts of a value.
#[derive(Clone, Debug)]
pub struct CellWrite {
    /// The fact rows.
    pub group: MeasureGroupId,
    /// The measure, by position in the group.
    pub measure: u32,
    /// The tuple: which rows are under it.
    pub filters: Vec<SubcubeFilter>,
    /// Tuple filters: what a role or a session subcube leaves.
    pub tuples: Vec<TupleFilter>,
    /// What the cell is to hold afterwards.
    pub value: Value,
}

/// What a write has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Leaf cells under the tuple, all of which were set.
    pub cells: usize,
}

/// A point to which the changes of a transaction can be taken back: where a statement began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(usize);

/// Private changes over a base version of each catalog that it has touched. Dropping it rolls it back.
pub struct Transaction {
    store: Arc<Store>,
    parts: Mutex<Parts>,
    /// What it holds between statements.
    memory: Arc<MemoryAccount>,
}

#[derive(Default)]
struct Parts {
    parts: Vec<Part>,
    /// The part of each write, oldest first.
    writes: Vec<usize>,
}

/// A measure group and deltas of it.
pub(crate) type GroupDeltas = (usize, PlacedSegment);

/// The changes of one catalog.
struct Part {
    database: Arc<Database>,
    base: Arc<Version>,
    /// Commits up to this number are in the base.
    base_commit: u64,
    view: Arc<Version>,
    writes: Vec<Write>,
    runs: Runs,
    charge: Charge,
}

/// What one statement has changed.
enum Write {
    Cells(CellsWritten),
    Definitions(Vec<DefinitionChange>),
}

struct CellsWritten {
    group: usize,
    segment: PlacedSegment,
    measure: usize,
    /// The cells written, each by a hash of its keys: also those whose value did not change.
    cells: Vec<u128>,
}

/// The commits of a catalog that open transactions may conflict with.
#[derive(Default)]
pub(crate) struct Commits {
    last: u64,
    /// The last commit of each cell and definition that was committed since the oldest open transaction began. However long
    /// that stays open, there are no more of them than leaf cells and names.
    recent: FxHashMap<u128, u64>,
    /// How many there were when those were forgotten that are too old to matter.
    kept: usize,
    /// How many open transactions have each commit as their base.
    open: BTreeMap<u64, usize>,
}

impl Commits {
    fn begin(&mut self) -> u64 {
        *self.open.entry(self.last).or_default() += 1;
        self.last
    }

    fn end(&mut self, base: u64) {
        if let Some(count) = self.open.get_mut(&base) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&base);
            }
        }
        // What no open transaction can conflict with is forgotten, in steps that cost no more than the commits did.
        match self.open.keys().next() {
            None => self.recent = FxHashMap::default(),
            Some(&oldest) if self.recent.len() > 2 * self.kept => {
                self.recent.retain(|_, number| *number > oldest);
                self.kept = self.recent.len();
            }
            Some(_) => {}
        }
    }

    fn conflicts(&self, base: u64, mut cells: impl Iterator<Item = u128>) -> bool {
        cells.any(|cell| self.recent.get(&cell).is_some_and(|&number| number > base))
    }

    fn add(&mut self, cells: impl Iterator<Item = u128>) {
        self.last += 1;
        self.recent.extend(cells.map(|cell| (cell, self.last)));
    }
}

impl Store {
    /// Begins a transaction. Each catalog's base version is the current one when the transaction first touches it.
    pub fn begin(self: &Arc<Self>) -> Transaction {
        let memory = Arc::new(MemoryAccount::new("transaction", self.transaction_memory()));
        Transaction { store: self.clone(), parts: Mutex::default(), memory }
    }
}

impl Transaction {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the transaction sees of a catalog: its base version and its own changes.
    pub fn snapshot(&self, database: &Arc<Database>) -> Arc<dyn Snapshot> {
        self.store.answers().snapshot(self.view(database))
    }

    /// [`Transaction::snapshot`], answered row by row.
    pub fn naive_snapshot(&self, database: &Arc<Database>) -> Arc<dyn Snapshot> {
        Answers::RowByRow.snapshot(self.view(database))
    }

    fn view(&self, database: &Arc<Database>) -> Arc<Version> {
        let mut parts = self.parts();
        let at = parts.part(database, &self.memory);
        parts.parts[at].view.clone()
    }

    /// Whether it has changed anything.
    pub fn has_changes(&self) -> bool {
        !self.parts().writes.is_empty()
    }

    /// Bytes of its changes.
    pub fn bytes(&self) -> u64 {
        self.memory.held()
    }

    /// Sets the cell that `write` names: each leaf cell under it takes an equal part, and the first ones in the
    /// order of their members the units that are left. If this fails, nothing has changed.
    ///
    /// # Errors
    /// If the measure cannot be written, the tuple has no leaf cell under it, the value is too large, or the transaction
    /// would hold more than it may; interrupts.
    pub fn write(&self, database: &Arc<Database>, write: &CellWrite, context: &Context) -> Result<Written> {
        let mut parts = self.parts();
        let at = parts.part(database, &self.memory);
        let part = &mut parts.parts[at];
        let made = make(&part.view, write, context)?;
        let cells = made.cells.len();
        part.push(Write::Cells(made), context)?;
        parts.writes.push(at);
        Ok(Written { cells })
    }

    /// Changes the definitions that everybody sees in a catalog. If this fails, nothing has changed.
    ///
    /// # Errors
    /// Interrupts; the transaction would hold more than it may.
    pub fn define(&self, database: &Arc<Database>, changes: Vec<DefinitionChange>, context: &Context) -> Result<()> {
        let mut parts = self.parts();
        let at = parts.part(database, &self.memory);
        context.check()?;
        parts.parts[at].push(Write::Definitions(changes), context)?;
        parts.writes.push(at);
        Ok(())
    }

    /// The point that the transaction has reached.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.parts().writes.len())
    }

    /// Takes back what was written since a savepoint.
    ///
    /// # Errors
    /// Only by a defect: then the transaction should be dropped.
    pub fn rollback_to(&self, savepoint: Savepoint) -> Result<()> {
        let mut parts = self.parts();
        let mut touched = Vec::new();
        while parts.writes.len() > savepoint.0 {
            if let Some(at) = parts.writes.pop() {
                parts.parts[at].pop()?;
                touched.push(at);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for at in touched {
            parts.parts[at].look_again()?;
        }
        Ok(())
    }

    /// Makes the changes durable and visible to all. If it is interrupted, the transaction is as it was; if this fails otherwise,
    /// all its changes are gone.
    ///
    /// # Errors
    /// [`facetta_model::ErrorKind::Conflict`] if another transaction committed a change of the same cells first;
    /// an error of the disk; interrupts.
    pub fn commit(&self, context: &Context) -> Result<()> {
        self.commit_as(0, context)
    }

    /// As [`Transaction::commit`], under a name that [`Store::committed`] knows from then on; 0 is none.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn commit_as(&self, name: u128, context: &Context) -> Result<()> {
        let mut parts = std::mem::take(&mut *self.parts());
        let committed = self.commit_parts(name, &mut parts, context);
        if committed.as_ref().is_err_and(facetta_model::Error::is_interrupt) {
            *self.parts() = parts;
        }
        committed
    }

    fn commit_parts(&self, name: u128, parts: &mut Parts, context: &Context) -> Result<()> {
        if parts.writes.is_empty() {
            return Ok(());
        }
        let mut log = self.store.log();
        let mut ready = Vec::new();
        for part in parts.parts.iter_mut().filter(|p| !p.writes.is_empty()) {
            ready.push((part.prepare(context)?, part));
        }
        let time = crate::store::now();
        let definitions: Vec<Vec<DefinitionChange>> = ready.iter().map(|(_, part)| part.definitions()).collect();
        let mut changes = Vec::with_capacity(ready.len());
        let mut versions = Vec::with_capacity(ready.len());
        for (((base, segments), part), definitions) in ready.iter().zip(&definitions) {
            let groups = segments.iter().map(|(group, segment)| GroupChange { group: *group, segment }).collect();
            changes.push(Change { catalog: part.database.name(), version: base, groups, definitions });
            versions.push(with_definitions(changed(base, segments, Some(time), context)?, definitions, Some(time)));
        }
        let frame = Keeper::frame(name, &changes, time, context)?;
        // From here on it cannot be cancelled: either the frame gets to the disk, or it does not.
        context.check()?;
        log.append(&frame)
            .map_err(|e| error!(Io, "The transaction cannot be made durable and was rolled back: {}", e.message()))?;
        for ((_, part), version) in ready.iter().zip(versions) {
            // Under this lock a transaction begins with a version and the number of its last commit together.
            let mut commits = part.database.commits();
            part.database.publish(version);
            commits.add(part.writes.iter().flat_map(Write::hashes));
        }
        Ok(())
    }

    /// Forgets all changes.
    pub fn rollback(&self) {
        drop(std::mem::take(&mut *self.parts()));
    }
}

impl Parts {
    /// The part of a catalog, begun if there is none yet.
    fn part(&mut self, database: &Arc<Database>, memory: &Arc<MemoryAccount>) -> usize {
        if let Some(at) = self.parts.iter().position(|p| Arc::ptr_eq(&p.database, database)) {
            return at;
        }
        let mut commits = database.commits();
        let base = database.version();
        let base_commit = commits.begin();
        drop(commits);
        self.parts.push(Part {
            database: database.clone(),
            view: base.clone(),
            base,
            base_commit,
            writes: Vec::new(),
            runs: Runs::default(),
            charge: memory.begin("Writeback"),
        });
        self.parts.len() - 1
    }
}

impl Write {
    /// Bytes that it holds.
    fn bytes(&self) -> u64 {
        let own = match self {
            Write::Cells(written) => written.segment.segment.held_bytes() + 16 * written.cells.len() as u64,
            Write::Definitions(changes) => {
                let texts = changes.iter().map(|c| c.key.len() + c.text.as_ref().map_or(0, |t| t.len()));
                (texts.sum::<usize>() + size_of_val(&**changes)) as u64
            }
        };
        own + size_of::<Write>() as u64
    }

    /// What others may not have changed since: cells, or definitions.
    fn hashes(&self) -> Box<dyn Iterator<Item = u128> + '_> {
        match self {
            Write::Cells(written) => Box::new(written.cells.iter().copied()),
            Write::Definitions(changes) => Box::new(changes.iter().map(|c| key_hash(&c.key))),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.database.commits().end(self.base_commit);
    }
}

impl Part {
    /// Adds a write; if this fails, nothing has changed.
    fn push(&mut self, write: Write, context: &Context) -> Result<()> {
        let runs = match &write {
            Write::Cells(written) => self.runs.with(&self.base, written.group, &written.segment, context)?,
            Write::Definitions(_) => self.runs.clone(),
        };
        let bytes = self.charge.bytes() - self.runs.bytes() + runs.bytes() + write.bytes();
        self.charge.resize(bytes as usize)?;
        self.writes.push(write);
        self.runs = runs;
        self.look();
        Ok(())
    }

    /// Takes back the last write; the view is made anew by [`Part::look_again`].
    fn pop(&mut self) -> Result<()> {
        let taken = self.writes.pop().map_or(0, |write| write.bytes());
        self.charge.resize(self.charge.bytes().saturating_sub(taken) as usize)
    }

    /// Sees the base version with the writes that are left. Undoing is not stopped by what stopped the statement.
    fn look_again(&mut self) -> Result<()> {
        let mut runs = Runs::default();
        for (group, segment) in self.segments() {
            runs = runs.with(&self.base, group, &segment, &Context::unlimited())?;
        }
        let bytes = self.charge.bytes() - self.runs.bytes() + runs.bytes();
        self.runs = runs;
        self.look();
        self.charge.resize(bytes as usize)
    }

    /// Makes the view: the base version with all writes.
    fn look(&mut self) {
        let version = beside(&self.base, self.runs.segments());
        self.view = Arc::new(with_definitions(version, &self.definitions(), None));
    }

    /// The cells written, as segments.
    fn segments(&self) -> Vec<GroupDeltas> {
        let of = |w: &Write| match w {
            Write::Cells(written) => Some((written.group, written.segment.clone())),
            Write::Definitions(_) => None,
        };
        self.writes.iter().filter_map(of).collect()
    }

    /// The definitions changed, in order.
    fn definitions(&self) -> Vec<DefinitionChange> {
        let of = |w: &Write| match w {
            Write::Definitions(changes) => changes.clone(),
            Write::Cells(_) => Vec::new(),
        };
        self.writes.iter().flat_map(of).collect()
    }

    /// That nobody else has committed a change of what this part changes.
    fn check_conflicts(&self, context: &Context) -> Result<()> {
        let commits = self.database.commits();
        for write in &self.writes {
            context.check()?;
            if !commits.conflicts(self.base_commit, write.hashes()) {
                continue;
            }
            match write {
                Write::Cells(written) => {
                    let measure = &self.base.catalog.measure_groups[written.group].measures[written.measure].name;
                    bail!(
                        Conflict,
                        "The transaction conflicts with another one that has committed a change of the same cells of \
                         '{measure}' first; it was rolled back"
                    );
                }
                Write::Definitions(_) => bail!(
                    Conflict,
                    "The transaction conflicts with another one that has committed a change of the same definitions \
                     first; it was rolled back"
                ),
            }
        }
        Ok(())
    }

    /// The version that the changes are to be added to, and their segments as they are there. The store's log is
    /// held: nobody else commits or loads meanwhile.
    fn prepare(&self, context: &Context) -> Result<(Arc<Version>, Vec<GroupDeltas>)> {
        self.check_conflicts(context)?;
        let current = self.database.version();
        let merged = merged_by_group(&self.base, &self.segments(), context)?;
        if Arc::ptr_eq(&current.generation, &self.base.generation) {
            return Ok((current, merged));
        }
        // The catalog was loaded again: its members have other numbers now.
        let groups = merged.iter().map(|(group, segment)| GroupChange { group: *group, segment }).collect();
        let change = Change { catalog: self.database.name(), version: &self.base, groups, definitions: &[] };
        let frame = Keeper::frame(0, &[change], crate::store::now(), context)?;
        let mut segments = Vec::new();
        for change in Keeper::read(&frame)? {
            let applied = change.apply(&mut Places::new(&current), context)?;
            if applied.lost > 0 {
                bail!(
                    Conflict,
                    "The catalog was loaded again without some of the cells that the transaction has changed; it was rolled back"
                );
            }
            segments.extend(applied.segments);
        }
        Ok((current, segments))
    }
}

/// The deltas of each measure group in one segment.
fn merged_by_group(version: &Version, segments: &[GroupDeltas], context: &Context) -> Result<Vec<GroupDeltas>> {
    let mut by_group: BTreeMap<usize, Vec<PlacedSegment>> = BTreeMap::new();
    segments.iter().for_each(|(group, segment)| by_group.entry(*group).or_default().push(segment.clone()));
    let merged = by_group.into_iter().map(|(group, segments)| match &segments[..] {
        [one] => Ok((group, one.clone())),
        _ => Ok((group, delta::merged(&version.groups[group], &segments, context)?)),
    });
    merged.collect()
}

/// A version with more deltas, if there are any: else the data is the same.
fn changed(
    version: &Version,
    segments: &[GroupDeltas],
    time: Option<jiff::civil::DateTime>,
    context: &Context,
) -> Result<Version> {
    with_segments(version, segments, time.filter(|_| !segments.is_empty()), context)
}

/// A version with more deltas, kept in few segments; its data is newer if `time` says when.
pub(crate) fn with_segments(
    version: &Version,
    segments: &[GroupDeltas],
    time: Option<jiff::civil::DateTime>,
    context: &Context,
) -> Result<Version> {
    let mut more = beside(version, segments.iter().map(|(group, segment)| (*group, segment)));
    for (group, before) in more.groups.iter_mut().zip(&version.groups) {
        if Arc::ptr_eq(group, before) {
            continue;
        }
        let (mut kept, deltas): (Vec<PlacedSegment>, Vec<PlacedSegment>) =
            group.segments.iter().cloned().partition(|p| !p.segment.is_delta);
        if deltas.len() > MOST_DELTAS {
            kept.push(delta::merged(group, &deltas, context)?);
            *group = Arc::new(GroupData { segments: kept, ..GroupData::clone(group) });
        }
    }
    if let Some(time) = time {
        more.catalog = Arc::new(crate::process::with_data_update(&version.catalog, time));
    }
    Ok(more)
}

/// A version with more deltas beside its segments.
fn beside<'a>(version: &Version, segments: impl Iterator<Item = (usize, &'a PlacedSegment)>) -> Version {
    let mut groups = version.groups.clone();
    for (group, segment) in segments {
        Arc::make_mut(&mut groups[group]).segments.push(segment.clone());
    }
    let same = groups.iter().zip(&version.groups).all(|(now, before)| Arc::ptr_eq(now, before));
    Version {
        catalog: version.catalog.clone(),
        groups,
        number: if same { version.number } else { Version::next_number() },
        generation: version.generation.clone(),
    }
}

/// The deltas of one assignment.
fn make(version: &Version, write: &CellWrite, context: &Context) -> Result<CellsWritten> {
    let (group, measure) = (write.group.index(), write.measure as usize);
    let data = version.group(write.group)?;
    let Some(stored) = version.catalog.measure_groups[group].measures.get(measure) else {
        bail!(Internal, "measure {measure} does not exist");
    };
    if stored.aggregator != Aggregator::Sum || !stored.writable {
        bail!(NotWritable, "The measure '{}' cannot be written", stored.name);
    }
    let conditions = Conditions { group: write.group, axes: &[], filters: &write.filters, tuples: &write.tuples };
    let found = cells::leaf_cells(version, &conditions, measure, context)?;
    if found.len() == 0 {
        bail!(NotWritable, "The cell of '{}' has no leaf cell under it that could be written", stored.name);
    }
    let _charge = context.charge("Writeback", found.len() * (found.width * 4 + 48))?;
    let amounts = match data.scales[measure] {
        Some(scale) => {
            let total = allocate::units(&write.value, scale)?;
            // What could not be read as one cell is not written, even if each leaf could hold its part.
            if i64::try_from(total).is_err() {
                bail!(NotWritable, "The value is too large for a cell of '{}'", stored.name);
            }
            let shares = allocate::equal_units(total, found.len());
            let each = shares.zip(&found.units).map(|(share, now)| match i64::try_from(share - now) {
                Ok(delta) if i64::try_from(share).is_ok() => Ok(Some(delta)),
                _ => bail!(NotWritable, "The value is too large for a cell of '{}'", stored.name),
            });
            delta::Amounts::Units(each.collect::<Result<_>>()?)
        }
        None => {
            let Some(total) = write.value.as_f64().filter(|v| v.is_finite() && write.value.is_number()) else {
                bail!(NotWritable, "a cell cannot be set to '{}'", write.value);
            };
            let shares = allocate::equal_doubles(total, found.len());
            delta::Amounts::Doubles(shares.zip(&found.doubles).map(|(share, now)| Some(share - now)).collect())
        }
    };
    let cells = cell_hashes(version, group, &stored.name, &found, context)?;
    let deltas = delta::Deltas { width: found.width, codes: found.codes, measures: vec![(measure, amounts)] };
    Ok(CellsWritten { group, segment: delta::segment(data, &deltas)?, measure, cells })
}

/// A hash of the names and keys of each cell: the same whatever numbers the members have.
fn cell_hashes(
    version: &Version,
    group: usize,
    measure: &str,
    found: &cells::LeafCells,
    context: &Context,
) -> Result<Vec<u128>> {
    let maps = &version.groups[group].segments[0].maps;
    let columns = columns(version, group);
    let mut known: Vec<FxHashMap<u32, [u8; 32]>> = vec![FxHashMap::default(); columns.len()];
    let mut hashes = Vec::with_capacity(found.len());
    let mut step = 0;
    for codes in found.codes.chunks(found.width.max(1)) {
        context.check_every(&mut step)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(version.catalog.measure_groups[group].name.as_bytes()).update(b"\0");
        hasher.update(measure.as_bytes()).update(b"\0");
        for (at, code) in codes.iter().enumerate() {
            let (link, name, hierarchy) = &columns[at];
            let of_member = known[at].entry(*code).or_insert_with(|| {
                let keys = key_path(hierarchy, maps[at].member(*code)).join("\u{1}");
                *blake3::hash(format!("{link}\u{1}{name}\u{1}{keys}").as_bytes()).as_bytes()
            });
            hasher.update(&*of_member);
        }
        let mut half = [0; 16];
        half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        hashes.push(u128::from_le_bytes(half));
    }
    Ok(hashes)
}
