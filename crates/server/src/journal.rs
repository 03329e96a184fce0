//! Sessions on disk, so that a restart finds them: one record for each that is alive, none for those that ended.
//!
//! An insert is not synced: it survives the process, `kill -9` included. [`Journal::sync`], asked every second, makes all
//! inserts before it survive the machine. A disk that refuses breaks the journal: it takes nothing until [`Journal::mend`] has
//! opened it again, lest a record stand behind a torn one.

use crate::clock::Moment;
use crate::guid::Guid;
use crate::scope::Scope;
use crate::session::{Session, State};
use crate::sync::{read, write};
use facetta_model::{Error, Result, error};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Its SPID.
    pub spid: u32,
    /// Whose it is.
    pub user: Arc<str>,
    /// When it began, microseconds since 1970 UTC.
    pub started: i64,
    /// The current catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Arc<str>>,
    /// Names and values of its properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<(String, String)>,
    /// Catalog and text of each definition in its scope, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<(Arc<str>, Arc<str>)>,
    /// Whether a transaction is open, or was and the session has not been told that it is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transaction: bool,
    /// The name of the open transaction: one that the store has committed was not lost, whatever else is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
}

impl Saved {
    /// What is kept of a session in a state.
    pub fn of(session: &Session, state: &State) -> Saved {
        let properties = state.properties.0.iter().map(|(p, v)| (p.name.to_owned(), v.to_owned())).collect();
        Saved {
            spid: session.spid,
            user: session.user.clone(),
            started: session.started.0,
            catalog: state.catalog.clone(),
            properties,
            scope: state.scope.as_deref().map(Scope::texts).unwrap_or_default(),
            transaction: state.transaction.is_some() || state.transaction_lost,
            transaction_id: state.transaction.as_ref().map(|t| t.id.to_string()),
        }
    }

    /// When it began.
    pub fn started(&self) -> Moment {
        Moment(self.started)
    }

    /// Whether a transaction is lost if none is open any more, and the store has committed those of `committed`.
    pub fn has_lost(&self, committed: &FxHashSet<u128>) -> bool {
        let id = self.transaction_id.as_deref().and_then(Guid::parse);
        self.transaction && !id.is_some_and(|id| committed.contains(&id.0))
    }
}

/// The journal of sessions.
pub struct Journal {
    folder: PathBuf,
    /// None while it could not be opened again.
    opened: RwLock<Option<Opened>>,
    broken: AtomicBool,
}

struct Opened {
    database: Database,
    sessions: Keyspace,
}

fn failed(what: &str) -> impl Fn(fjall::Error) -> Error + '_ {
    move |e| error!(Io, "The journal of sessions {what}: {e}")
}

fn broken() -> Error {
    error!(Io, "The journal of sessions cannot be written: the disk is full or fails, which is looked at every second")
}

impl Journal {
    /// Opens or makes the journal in `folder`. Another process that holds it is an error.
    ///
    /// # Errors
    /// The folder cannot be used, or what is in it cannot be read.
    pub fn open(folder: &Path) -> Result<Journal> {
        let opened = RwLock::new(Some(Opened::at(folder)?));
        Ok(Journal { folder: folder.to_owned(), opened, broken: AtomicBool::new(false) })
    }

    /// Keeps a session as it is now.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save(&self, id: Guid, saved: &Saved) -> Result<()> {
        let bytes = serde_json::to_vec(saved).map_err(Error::internal)?;
        self.write(|opened| opened.sessions.insert(id.0.to_be_bytes(), bytes))
    }

    /// Forgets a session.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn forget(&self, id: Guid) -> Result<()> {
        self.write(|opened| opened.sessions.remove(id.0.to_be_bytes()))
    }

    fn write(&self, work: impl FnOnce(&Opened) -> fjall::Result<()>) -> Result<()> {
        let opened = read(&self.opened);
        let Some(opened) = opened.as_ref().filter(|_| !self.is_broken()) else { return Err(broken()) };
        work(opened).map_err(|e| {
            let error = failed("cannot be written")(e);
            if !self.broken.swap(true, Relaxed) {
                tracing::error!(%error, "sessions cannot begin or change until the disk takes writes again");
            }
            error
        })
    }

    /// Whether the disk has refused, and nothing is taken.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// Opens a broken journal again: what it took before is there, what it refused is not.
    ///
    /// # Errors
    /// The disk still refuses.
    pub fn mend(&self) -> Result<()> {
        let mut opened = write(&self.opened);
        // Closed first: there can be only one.
        *opened = None;
        *opened = Some(Opened::at(&self.folder)?);
        self.broken.store(false, Relaxed);
        Ok(())
    }

    /// Every session that is kept. A record that cannot be read is an error that names it, never a session lost in silence.
    ///
    /// # Errors
    /// The disk refuses, or a record is damaged.
    pub fn all(&self) -> Result<Vec<(Guid, Saved)>> {
        let opened = read(&self.opened);
        let Some(opened) = opened.as_ref() else { return Err(broken()) };
        let mut all = Vec::new();
        for entry in opened.sessions.iter() {
            let (key, value) = entry.into_inner().map_err(failed("cannot be read"))?;
            let bytes = <[u8; 16]>::try_from(&*key).map_err(|_| Error::internal("a key of the journal is damaged"))?;
            let id = Guid(u128::from_be_bytes(bytes));
            let saved = serde_json::from_slice(&value)
                .map_err(|e| error!(Io, "The journal of sessions: the record of {id} is damaged: {e}"))?;
            all.push((id, saved));
        }
        Ok(all)
    }

    /// Makes everything written so far survive the machine.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn sync(&self) -> Result<()> {
        // The database would hold its lock while the disk works, and every begin and end would wait for the disk. What was
        // written is with the system already, and a file is synced through any descriptor of it.
        let unsynced = |e| error!(Io, "The journal of sessions cannot be synced: {e}");
        let mut synced = 0;
        for entry in std::fs::read_dir(&self.folder).map_err(unsynced)? {
            let path = entry.map_err(unsynced)?.path();
            if path.extension().is_none_or(|extension| extension != "jnl") {
                continue;
            }
            match File::options().write(true).open(&path).and_then(|file| file.sync_data()) {
                Ok(()) => synced += 1,
                // All that was in it is in tables meanwhile, and those are synced before it goes.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(unsynced(e)),
            }
        }
        if synced > 0 {
            return Ok(());
        }
        self.write(|opened| opened.database.persist(PersistMode::SyncData))
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        read(&self.opened).as_ref().and_then(|opened| opened.database.disk_space().ok()).unwrap_or(0)
    }
}

impl Opened {
    fn at(folder: &Path) -> Result<Opened> {
        let database = Database::builder(folder)
            .cache_size(4 << 20)
            .max_journaling_size(64 << 20)
            .worker_threads(1)
            .open()
            .map_err(failed("cannot be opened"))?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(8 << 20);
        let sessions = database.keyspace("sessions", options).map_err(failed("cannot be opened"))?;
        Ok(Opened { database, sessions })
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_was_committed_is_not_lost() {
        let saved = |transaction, id: Option<Guid>| Saved {
            spid: 1,
            user: "ann".into(),
            started: 0,
            catalog: None,
            properties: Vec::new(),
            scope: Vec::new(),
            transaction,
            transaction_id: id.map(|id| id.to_string()),
        };
        let committed = [7].into_iter().collect();
        let table =
            [(false, None, false), (true, None, true), (true, Some(Guid(7)), false), (true, Some(Guid(8)), true)];
        for (transaction, id, lost) in table {
            assert_eq!(saved(transaction, id).has_lost(&committed), lost, "{transaction} {id:?}");
        }
    }

    #[test]
    fn what_is_synced_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let id = Guid(7);
        let journal = Journal::open(folder.path()).unwrap();
        let found = std::fs::read_dir(folder.path()).unwrap().flatten();
        assert!(found.into_iter().any(|e| e.path().extension().is_some_and(|e| e == "jnl")), "no file to sync");
        let kept = Saved { spid: 3, ..serde_json::from_str(r#"{"spid":1,"user":"ann","started":0}"#).unwrap() };
        journal.save(id, &kept).unwrap();
        journal.sync().unwrap();
        drop(journal);
        assert_eq!(Journal::open(folder.path()).unwrap().all().unwrap(), [(id, kept)]);
    }
}
