//! The catalogs that the server serves, and whether each can answer yet.

use crate::sync::{read, write};
use facetta_engine::{Database, Transaction};
use facetta_model::{Error, Result, Snapshot, bail, catalog::Catalog, error, name};
use std::sync::{Arc, RwLock};

/// What of a catalog there is.
#[derive(Clone)]
pub enum CatalogState {
    /// Its data is being loaded.
    Loading,
    /// It answers, in the newest version of a stored database.
    Ready(Arc<Database>),
    /// It answers, always in this version.
    Fixed(Arc<dyn Snapshot>),
    /// It could not be loaded.
    Failed(Error),
}

impl CatalogState {
    /// The newest version, if it answers.
    fn snapshot(&self) -> Option<Arc<dyn Snapshot>> {
        match self {
            CatalogState::Ready(database) => Some(database.snapshot()),
            CatalogState::Fixed(snapshot) => Some(snapshot.clone()),
            CatalogState::Loading | CatalogState::Failed(_) => None,
        }
    }
}

/// A catalog that answers.
enum Answering {
    Stored(Arc<Database>),
    Fixed(Arc<dyn Snapshot>),
}

struct Entry {
    name: Arc<str>,
    state: CatalogState,
}

/// Every catalog, in the order of the settings.
#[derive(Default)]
pub struct Catalogs(RwLock<Vec<Entry>>);

impl Catalogs {
    /// Sets the state of a catalog; one that is new comes last.
    pub fn set(&self, name: &str, state: CatalogState) {
        let mut all = write(&self.0);
        match all.iter_mut().find(|e| name::same(&e.name, name)) {
            Some(entry) => entry.state = state,
            None => all.push(Entry { name: name.into(), state }),
        }
    }

    /// The names.
    pub fn names(&self) -> Vec<Arc<str>> {
        read(&self.0).iter().map(|e| e.name.clone()).collect()
    }

    /// The catalogs that answer, each in its newest version.
    pub fn ready(&self) -> Vec<Arc<dyn Snapshot>> {
        read(&self.0).iter().filter_map(|e| e.state.snapshot()).collect()
    }

    /// Whether every catalog answers.
    pub fn is_ready(&self) -> bool {
        read(&self.0).iter().all(|e| matches!(e.state, CatalogState::Ready(_) | CatalogState::Fixed(_)))
    }

    /// The name of a catalog as it is defined.
    ///
    /// # Errors
    /// There is none for `user`; whether it exists is not told.
    pub fn canonical(&self, wanted: &str, user: &str) -> Result<Arc<str>> {
        let all = read(&self.0);
        all.iter().find(|e| name::same(&e.name, wanted)).map(|e| e.name.clone()).ok_or_else(|| no_access(wanted, user))
    }

    /// A catalog as a transaction sees it; without one, its newest version.
    ///
    /// # Errors
    /// There is none for `user`, it is still loading, or it could not be loaded.
    pub fn snapshot(&self, wanted: &str, user: &str, within: Option<&Transaction>) -> Result<Arc<dyn Snapshot>> {
        Ok(match self.answering(wanted, user)? {
            Answering::Stored(database) => within.map_or_else(|| database.snapshot(), |t| t.snapshot(&database)),
            Answering::Fixed(snapshot) => snapshot,
        })
    }

    /// The database of a catalog, to be written.
    ///
    /// # Errors
    /// As [`Catalogs::snapshot`]; or it has one version for ever.
    pub fn database(&self, wanted: &str, user: &str) -> Result<Arc<Database>> {
        match self.answering(wanted, user)? {
            Answering::Stored(database) => Ok(database),
            Answering::Fixed(_) => bail!(NotWritable, "The '{wanted}' database cannot be written"),
        }
    }

    fn answering(&self, wanted: &str, user: &str) -> Result<Answering> {
        let all = read(&self.0);
        match all.iter().find(|e| name::same(&e.name, wanted)).map(|e| &e.state) {
            Some(CatalogState::Ready(database)) => Ok(Answering::Stored(database.clone())),
            Some(CatalogState::Fixed(snapshot)) => Ok(Answering::Fixed(snapshot.clone())),
            Some(CatalogState::Loading) => bail!(Unavailable, "The '{wanted}' database is still loading"),
            Some(CatalogState::Failed(why)) => bail!(Unavailable, "The '{wanted}' database could not be loaded: {why}"),
            None => Err(no_access(wanted, user)),
        }
    }

    /// The catalog of who names none: the first.
    ///
    /// # Errors
    /// There is no catalog at all.
    pub fn default_name(&self) -> Result<Arc<str>> {
        let first = read(&self.0).first().map(|e| e.name.clone());
        first.ok_or_else(|| error!(CatalogNotFound, "The server has no database"))
    }

    /// The definitions of the catalogs that answer.
    pub fn definitions(&self) -> Vec<Arc<Catalog>> {
        self.ready().iter().map(|s| s.catalog().clone()).collect()
    }
}

fn no_access(catalog: &str, user: &str) -> Error {
    error!(
        CatalogNotFound,
        "Either the user, '{user}', does not have access to the '{catalog}' database, or the database does not exist."
    )
}

impl std::fmt::Debug for Catalogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
