//! The catalogs of a server: loaded, versioned, and on disk where there is a folder for them.

use crate::naive::NaiveSnapshot;
use crate::process::{Progress, Source, Times, assemble, process};
use crate::snapshot::StoreSnapshot;
use crate::version::{GroupData, Version};
use facetta_model::definition::Definition;
use facetta_model::{Context, Result, Snapshot, name};
use jiff::civil::DateTime;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Catalogs by name.
pub struct Store {
    databases: Mutex<Vec<Arc<Database>>>,
}

/// A catalog with its versions.
pub struct Database {
    name: String,
    current: RwLock<Arc<Version>>,
}

impl Store {
    /// A store that keeps nothing when it is dropped.
    pub fn in_memory() -> Store {
        Store { databases: Mutex::default() }
    }

    /// Loads a catalog, or its next version if there is one of that name already.
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
        let started = std::time::Instant::now();
        let processed = process(definition, source, &mut |segment| Ok(Arc::new(segment)), (context, progress))?;
        let groups: Vec<Arc<GroupData>> = processed.groups.into_iter().map(Arc::new).collect();
        let times = Times { schema: now(), data: now() };
        let catalog = assemble(name, definition, processed.dimensions, &groups, times)?;
        let rows: u64 = groups.iter().map(|g| g.rows).sum();
        let bytes: u64 = groups.iter().flat_map(|g| &g.segments).map(|s| s.segment.bytes()).sum();
        tracing::info!(catalog = name, rows, bytes, seconds = started.elapsed().as_secs_f64(), "loaded");
        let version = Arc::new(Version { catalog: Arc::new(catalog), groups, number: Version::next_number() });
        Ok(self.publish(name, version))
    }

    fn publish(&self, wanted: &str, version: Arc<Version>) -> Arc<Database> {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = databases.iter().find(|d| name::same(&d.name, wanted)) {
            *database.current.write().unwrap_or_else(PoisonError::into_inner) = version;
            return database.clone();
        }
        let database = Arc::new(Database { name: wanted.to_owned(), current: RwLock::new(version) });
        databases.push(database.clone());
        database
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

impl Database {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The current version, which stays as it is however long it is held.
    pub fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(StoreSnapshot { version: self.version() })
    }

    /// The current version, answered row by row: slow, obvious, for tests.
    pub fn naive_snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(NaiveSnapshot { version: self.version() })
    }

    fn version(&self) -> Arc<Version> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn now() -> DateTime {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now())
}
