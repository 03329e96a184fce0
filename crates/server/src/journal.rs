//! Sessions on disk, so that a restart finds them: a log with a record for each change, made short when most of it is history.
//!
//! A record is not synced: it survives the process, `kill -9` included. [`Journal::sync`], asked every second, makes all
//! before it survive the machine. A disk that refuses breaks the journal: it takes nothing until [`Journal::mend`] has found
//! that the disk takes writes again.

use crate::clock::Moment;
use crate::guid::Guid;
use crate::scope::Scope;
use crate::session::{Session, State};
use crate::sync::lock;
use facetta_engine::log::{self, Frames, Kind, Log};
use facetta_model::{Error, Result, bail, error};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

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

/// What is kept in the log. A frame is one byte, which says what it is, the id of a session, and, unless it is forgotten, the
/// session as JSON.
const SESSIONS: Kind = Kind {
    what: "journal of sessions",
    file: "sessions",
    magic: b"FCTSJ\0\0\x01",
    is_merged: |frame| frame.first() == Some(&MERGED),
    synced: false,
};

/// The session is kept as it is now.
const KEPT: u8 = 1;
/// As before, and written by a merge.
const MERGED: u8 = 2;
/// The session is over.
const FORGOTTEN: u8 = 3;
/// Bytes of a frame in front of the session.
const HEAD: usize = 1 + 16;

/// The journal of sessions.
pub struct Journal {
    log: Mutex<Log>,
    /// One sync, with its merge, at a time.
    syncing: Mutex<()>,
    broken: AtomicBool,
}

impl Journal {
    /// Opens or makes the journal in `folder`, of which the caller sees to it that no other process has it.
    ///
    /// # Errors
    /// The folder cannot be used, or what is in it cannot be read.
    pub fn open(folder: &Path) -> Result<Journal> {
        let log = Mutex::new(Log::open(folder, SESSIONS)?);
        Ok(Journal { log, syncing: Mutex::default(), broken: AtomicBool::new(false) })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Keeps a session as it is now.
    ///
    /// # Errors
    /// The disk refuses; what was kept before of the session stays.
    pub fn save(&self, id: Guid, saved: &Saved) -> Result<()> {
        let mut frame = Vec::with_capacity(512);
        frame.push(KEPT);
        frame.extend_from_slice(&id.0.to_be_bytes());
        serde_json::to_writer(&mut frame, saved).map_err(Error::internal)?;
        self.append(&frame)
    }

    /// Forgets a session.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn forget(&self, id: Guid) -> Result<()> {
        let mut frame = [FORGOTTEN; HEAD];
        frame[1..].copy_from_slice(&id.0.to_be_bytes());
        self.append(&frame)
    }

    fn append(&self, frame: &[u8]) -> Result<()> {
        if self.is_broken() {
            bail!(
                Io,
                "The journal of sessions cannot be written: the disk is full or fails, which is looked at every second"
            );
        }
        self.log().append(frame).map_err(|e| {
            let error = error!(Io, "The journal of sessions cannot be written: {e}");
            if !self.broken.swap(true, Relaxed) {
                tracing::error!(%error, "sessions cannot begin or change until the disk takes writes again");
            }
            error
        })
    }

    /// Whether the disk has refused, and nothing is taken until [`Journal::mend`]: what it lacks is to be in it first.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// Tries whether the disk takes writes again.
    ///
    /// # Errors
    /// It does not.
    pub fn mend(&self) -> Result<()> {
        // Of a session that there never was.
        self.log().append(&[FORGOTTEN; HEAD])?;
        self.broken.store(false, Relaxed);
        Ok(())
    }

    /// Every session that is kept. A record that cannot be read is an error that names it, never a session lost in silence.
    ///
    /// # Errors
    /// The disk refuses, or a record is damaged.
    pub fn all(&self) -> Result<Vec<(Guid, Saved)>> {
        let alive = last(&mut self.log().read()?, |_, frame| frame)?;
        let read = |(id, frame): (Guid, Arc<[u8]>)| {
            let saved = serde_json::from_slice(&frame[HEAD..])
                .map_err(|e| error!(Io, "The journal of sessions: the record of {id} is damaged: {e}"))?;
            Ok((id, saved))
        };
        alive.into_iter().map(read).collect()
    }

    /// Makes everything written so far survive the machine, and the journal short if it is long.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn sync(&self) -> Result<()> {
        let _one = lock(&self.syncing);
        // A statement of its own: nobody who begins or ends a session waits for the disk.
        let file = self.log().to_sync()?;
        if let Some(file) = file {
            file.sync_data().map_err(|e| error!(Io, "The journal of sessions cannot be synced: {e}"))?;
        }
        log::merge(|| self.log(), |frames, fresh| left(frames, |frame| fresh.push(frame))).map(|_| ())
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.log().bytes()
    }
}

/// The id in a frame, and the session if it is not forgotten.
fn parts(frame: &[u8]) -> Result<(Guid, Option<&[u8]>)> {
    let (Some(&kind), Some(id)) = (frame.first(), frame.get(1..).and_then(|rest| rest.first_chunk::<16>())) else {
        bail!(Io, "The journal of sessions: a record is too short");
    };
    let id = Guid(u128::from_be_bytes(*id));
    match kind {
        KEPT | MERGED => Ok((id, Some(&frame[HEAD..]))),
        FORGOTTEN => Ok((id, None)),
        other => bail!(Io, "The journal of sessions: the record of {id} is of the unknown kind {other}"),
    }
}

/// What `of` makes of the last frame of each session that is alive, and of its number.
fn last<T>(frames: &mut Frames, of: impl Fn(u64, Arc<[u8]>) -> T) -> Result<FxHashMap<Guid, T>> {
    let mut last = FxHashMap::default();
    let mut number = 0;
    while let Some(frame) = frames.pull()? {
        let (id, session) = parts(&frame)?;
        match session {
            Some(_) => last.insert(id, of(number, frame)),
            None => last.remove(&id),
        };
        number += 1;
    }
    Ok(last)
}

/// The last frame of each session that is alive, marked as merged. They are read twice, so that all that is held is the ids.
fn left(mut frames: Frames, mut keep: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let last = last(&mut frames, |number, _| number)?;
    frames.rewind()?;
    let mut merged = Vec::new();
    let mut number = 0;
    while let Some(frame) = frames.pull()? {
        if last.get(&parts(&frame)?.0) == Some(&number) {
            merged.clear();
            merged.push(MERGED);
            merged.extend_from_slice(&frame[1..]);
            keep(&merged)?;
        }
        number += 1;
    }
    Ok(())
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

    fn kept(spid: u32) -> Saved {
        Saved { spid, ..serde_json::from_str(r#"{"spid":1,"user":"ann","started":0}"#).unwrap() }
    }

    fn all(folder: &Path) -> Vec<(Guid, u32)> {
        let mut all: Vec<_> =
            Journal::open(folder).unwrap().all().unwrap().into_iter().map(|(id, s)| (id, s.spid)).collect();
        all.sort_by_key(|(_, spid)| *spid);
        all
    }

    #[test]
    fn what_is_kept_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        for (id, spid) in [(7, 1), (8, 2), (7, 3)] {
            journal.save(Guid(id), &kept(spid)).unwrap();
        }
        journal.forget(Guid(8)).unwrap();
        journal.sync().unwrap();
        drop(journal);
        assert_eq!(all(folder.path()), [(Guid(7), 3)]);
    }

    #[test]
    fn sessions_that_begin_and_end_while_it_is_made_short_are_in_it_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4u128)
                .map(|thread| {
                    let journal = &journal;
                    scope.spawn(move || {
                        for n in 0..5_000u128 {
                            let id = Guid(thread << 64 | n);
                            journal.save(id, &kept(1)).unwrap();
                            journal.save(id, &kept(n as u32)).unwrap();
                            if n % 100 != 0 {
                                journal.forget(id).unwrap();
                            }
                        }
                    })
                })
                .collect();
            while threads.iter().any(|t| !t.is_finished()) {
                journal.sync().unwrap();
            }
        });
        let before = journal.bytes();
        journal.sync().unwrap();
        assert!(journal.bytes() <= before && before < 4 << 20, "{before} bytes");
        drop(journal);
        let all = all(folder.path());
        assert_eq!(all.len(), 4 * 50);
        assert!(all.iter().all(|(id, spid)| id.0 & u128::from(u64::MAX) == u128::from(*spid)));
    }
}
