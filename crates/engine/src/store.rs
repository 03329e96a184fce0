//! The catalogs of a server: loaded, versioned, and on disk where there is a folder for them.

use crate::log::Log;
use crate::manifest::{Manifest, definition_hash};
use crate::process::{Processed, Progress, Source, Times, assemble, process, tables_of};
use crate::segment_file::{SegmentLayout, map};
use crate::snapshot::Answers;
use crate::version::{GroupData, Version};
use crate::writeback::{COMMITS, Commits, Keeper, Places, merge_log, with_definitions, with_segments};
use crate::{files, fingerprint, segment_file};
use facetta_model::definition::Definition;
use facetta_model::{Context, Result, Snapshot, bail, name};
use jiff::civil::DateTime;
use rustc_hash::FxHashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

/// Catalogs by name.
///
/// A store with a folder keeps each catalog there: segment files, members, and a manifest that is replaced as a
/// whole. What a definition and its source have made is mapped when the store is opened again; it is made anew
/// when either has changed.
pub struct Store {
    disk: Option<Disk>,
    databases: Mutex<Vec<Arc<Database>>>,
    /// One catalog is loaded at a time.
    loading: Mutex<()>,
    /// Commits; whoever publishes a version holds it.
    log: Mutex<Log>,
    /// One merge of the log at a time.
    merging: Mutex<()>,
    answers: Answers,
    transaction_memory: u64,
}

struct Disk {
    folder: PathBuf,
    /// Held as long as the store is open.
    _lock: File,
}

/// A catalog with its versions.
pub struct Database {
    name: String,
    current: RwLock<Arc<Version>>,
    commits: Mutex<Commits>,
    answers: Answers,
}

impl Store {
    /// A store that keeps nothing when it is dropped.
    pub fn in_memory() -> Store {
        Store::with(None, Log::in_memory(COMMITS))
    }

    fn with(disk: Option<Disk>, log: Log) -> Store {
        Store {
            disk,
            databases: Mutex::default(),
            loading: Mutex::default(),
            log: Mutex::new(log),
            merging: Mutex::default(),
            answers: Answers::default(),
            transaction_memory: u64::MAX / 2,
        }
    }

    /// The same store, answering by another implementor of the seam; to be said before anything is loaded.
    pub fn answering(mut self, answers: Answers) -> Store {
        self.answers = answers;
        self
    }

    /// The same store, in which the changes of a transaction may hold so many bytes until it ends.
    pub fn transactions_within(mut self, bytes: u64) -> Store {
        self.transaction_memory = bytes;
        self
    }

    pub(crate) fn answers(&self) -> Answers {
        self.answers
    }

    pub(crate) fn transaction_memory(&self) -> u64 {
        self.transaction_memory
    }

    /// Opens the store in a folder, which is made if it does not exist.
    ///
    /// # Errors
    /// If another process has it open, or it cannot be written.
    pub fn open(folder: &Path) -> Result<Store> {
        files::make_folder(folder)?;
        let path = folder.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|e| files::write_error(&path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(Unavailable, "the data folder '{}' is in use by another process", folder.display())
            }
            Err(TryLockError::Error(e)) => return Err(files::write_error(&path, e)),
        }
        let log = Log::open(folder, COMMITS)?;
        Ok(Store::with(Some(Disk { folder: folder.to_owned(), _lock: lock }), log))
    }

    /// Loads a catalog, or its next version if there is one of that name already. In a store with a folder, what is
    /// stored is mapped if neither the definition nor the source has changed.
    ///
    /// # Errors
    /// Everything that is wrong with the definition and its source; interrupts of the context.
    pub fn load(
        &self,
        name: &str,
        definition: &Definition,
        source: &Source,
        context: &Context,
        progress: &Progress<'_>,
    ) -> Result<Arc<Database>> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let (version, what) = match &self.disk {
            None => {
                let processed = process(definition, source, &mut |s| Ok(Arc::new(s)), (context, progress))?;
                (finish(name, definition, processed, Times { schema: now(), data: now() })?, "loaded")
            }
            Some(disk) => match disk.restore(name, definition, source, context)? {
                Some(version) => (version, "mapped"),
                None => (disk.process(name, definition, source, (context, progress))?, "loaded"),
            },
        };
        let mut log = self.log();
        let version = with_commits(name, version, &mut log, context)?;
        tell(what, name, &version, started);
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = databases.iter().find(|d| name::same(&d.name, name)) {
            database.publish(version);
            return Ok(database.clone());
        }
        let current = RwLock::new(Arc::new(version));
        let database =
            Arc::new(Database { name: name.to_owned(), current, commits: Mutex::default(), answers: self.answers });
        databases.push(database.clone());
        Ok(database)
    }

    /// The log of commits; held by whoever publishes a version.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of all transactions that were committed under one, but for those of long ago.
    ///
    /// # Errors
    /// The log of commits cannot be read.
    pub fn committed(&self) -> Result<FxHashSet<u128>> {
        let mut frames = self.log().read()?;
        let mut names = FxHashSet::default();
        while let Some(frame) = frames.pull()? {
            names.extend(Keeper::names(&frame)?);
        }
        Ok(names)
    }

    /// Merges the log of commits if most of it is history: as many bytes stay as the changes of cells need that are alive.
    /// Commits go on meanwhile. True if there was something to do.
    ///
    /// # Errors
    /// The disk refuses: then the log is as it was; interrupts.
    pub fn tidy_log(&self, context: &Context) -> Result<bool> {
        let _one = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        merge_log(|| self.log(), context, &mut |_| {})
    }

    /// The catalog of a name, without regard to case.
    pub fn database(&self, wanted: &str) -> Option<Arc<Database>> {
        let databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        databases.iter().find(|d| name::same(&d.name, wanted)).cloned()
    }

    /// All catalogs, in the order in which they were loaded.
    pub fn databases(&self) -> Vec<Arc<Database>> {
        self.databases.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Disk {
    fn catalog_folder(&self, name: &str) -> PathBuf {
        self.folder.join("catalogs").join(files::safe_name(name))
    }

    /// The stored version, if it was made of this definition and this source.
    fn restore(
        &self,
        name: &str,
        definition: &Definition,
        source: &Source,
        context: &Context,
    ) -> Result<Option<Version>> {
        let folder = self.catalog_folder(name);
        let Some(mut manifest) = Manifest::read(&folder) else { return Ok(None) };
        if manifest.definition != definition_hash(definition)? {
            return Ok(None);
        }
        let tables = tables_of(definition);
        let Some(now) = fingerprint::unchanged(source, &tables, &manifest.source, context)? else { return Ok(None) };
        let stored = match manifest.open(&folder, definition) {
            Ok(stored) => stored,
            Err(e) => {
                tracing::warn!(catalog = name, error = %e, "stored files cannot be used; the catalog is loaded again");
                return Ok(None);
            }
        };
        if manifest.source != now {
            // The same bytes at another time: next time the time will do.
            manifest.source = now;
            manifest.write(&folder)?;
        }
        Manifest::clean(&folder, Some(&manifest.folder));
        let processed = Processed { dimensions: stored.dimensions, groups: stored.groups };
        finish(name, definition, processed, stored.times).map(Some)
    }

    /// Loads from the source, and stores what came of it.
    fn process(
        &self,
        name: &str,
        definition: &Definition,
        source: &Source,
        (context, progress): (&Context, &Progress<'_>),
    ) -> Result<Version> {
        let folder = self.catalog_folder(name);
        let last = Manifest::read(&folder);
        let version_folder = Manifest::next_folder(&folder, last.as_ref());
        let path = folder.join(&version_folder);
        files::make_folder(&path)?;
        let tables = tables_of(definition);
        let looked = fingerprint::look(source, &tables)?;
        let mut layouts: Vec<SegmentLayout> = Vec::new();
        let mut sink = |segment| {
            let layout = segment_file::write(&segment, &path, &format!("{}.segment", layouts.len()))?;
            let mapped = map(&path, &layout)?;
            layouts.push(layout);
            Ok(Arc::new(mapped))
        };
        let loaded = process(definition, source, &mut sink, (context, progress));
        let made = loaded.and_then(|processed| {
            let hash = definition_hash(definition)?;
            let schema = last.as_ref().filter(|m| m.definition == hash).and_then(|m| m.times().ok());
            let times = Times { schema: schema.map_or_else(now, |t| t.schema), data: now() };
            let source = fingerprint::seal(source, &tables, looked, context)?;
            let version = finish(name, definition, processed, times)?;
            let parts = (&version.catalog.dimensions[..], &version.groups[..]);
            let mut manifest = Manifest::of_version(&folder, version_folder.clone(), parts, layouts, times)?;
            manifest.definition = hash;
            manifest.source = source;
            manifest.write(&folder)?;
            Ok(version)
        });
        // Either the new version's files or those of the last one are now without a manifest.
        let keep = if made.is_ok() { Some(version_folder.as_str()) } else { last.as_ref().map(|m| m.folder.as_str()) };
        Manifest::clean(&folder, keep);
        made
    }
}

/// A version with the changes that were committed to the catalog, found by their keys.
fn with_commits(name: &str, version: Version, log: &mut Log, context: &Context) -> Result<Version> {
    let (mut segments, mut lost) = (Vec::new(), 0);
    let (mut time, mut schema_time) = (version.catalog.last_data_update, version.catalog.last_schema_update);
    let mut definitions = Vec::new();
    let mut places = Places::new(&version);
    let mut frames = log.read()?;
    while let Some(frame) = frames.pull()? {
        context.check()?;
        for change in Keeper::read(&frame)?.into_iter().filter(|c| name::same(&c.catalog, name)) {
            let applied = change.apply(&mut places, context)?;
            if !applied.segments.is_empty() || applied.lost > 0 {
                time = time.max(change.time);
            }
            segments.extend(applied.segments);
            lost += applied.lost;
            if !change.definitions.is_empty() {
                schema_time = schema_time.max(change.time);
                definitions.extend(change.definitions);
            }
        }
    }
    let version = with_definitions(version, &definitions, Some(schema_time));
    if segments.is_empty() && lost == 0 {
        return Ok(version);
    }
    let cells: usize = segments.iter().map(|(_, s)| s.segment.rows).sum();
    tracing::info!(catalog = name, cells, without_place = lost, "committed changes of cells were applied");
    with_segments(&version, &segments, Some(time), context)
}

fn finish(name: &str, definition: &Definition, processed: Processed, times: Times) -> Result<Version> {
    let groups: Vec<Arc<GroupData>> = processed.groups.into_iter().map(Arc::new).collect();
    let catalog = assemble(name, definition, processed.dimensions, &groups, times)?;
    Ok(Version { catalog: Arc::new(catalog), groups, number: Version::next_number(), generation: Arc::default() })
}

fn tell(what: &str, catalog: &str, version: &Version, started: Instant) {
    let rows: u64 = version.groups.iter().map(|g| g.rows).sum();
    let bytes = group_bytes(version).chain(version.catalog.dimensions.iter().map(|d| d.bytes())).sum::<u64>();
    tracing::info!(catalog, rows, seconds = started.elapsed().as_secs_f64(), bytes, "{what}");
}

/// Bytes of the segments of each measure group.
fn group_bytes(version: &Version) -> impl Iterator<Item = u64> {
    version.groups.iter().map(|group| group.segments.iter().map(|s| s.segment.bytes()).sum())
}

impl Database {
    /// Bytes of the segments of each measure group, in the order of the catalog; in memory, or mapped and read when needed.
    pub fn group_bytes(&self) -> Vec<u64> {
        group_bytes(&self.version()).collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The current version, which stays as it is however long it is held.
    pub fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.answers.snapshot(self.version())
    }

    /// The current version, answered row by row: slow, obvious, for tests.
    pub fn naive_snapshot(&self) -> Arc<dyn Snapshot> {
        Answers::RowByRow.snapshot(self.version())
    }

    pub(crate) fn version(&self) -> Arc<Version> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a version the current one.
    pub(crate) fn publish(&self, version: Version) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(version);
    }

    /// The commits that open transactions may conflict with.
    pub(crate) fn commits(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time, UTC.
pub(crate) fn now() -> DateTime {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now())
}
