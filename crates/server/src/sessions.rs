//! The registry of sessions: begin, find, end, time-outs, pressure, restart.

use crate::clock::{Clock, Moment};
use crate::guid::Guid;
use crate::interner::Interner;
use crate::journal::{Journal, Saved};
use crate::scope::Scope;
use crate::session::{EndReason, Session, SharedProperties, State, Transaction};
use crate::settings::Timeouts;
use crate::sync::{lock, read, write};
use facetta_engine::Store;
use facetta_model::{CancelReason, Error, Result, bail, error};
use facetta_xmla::{Properties, session_not_found};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

/// How a session begins.
pub struct NewSession<'a> {
    /// Whose it is.
    pub user: &'a str,
    /// Begun by BeginSession, and not for one call.
    pub explicit: bool,
    /// The properties of the request that begins it.
    pub properties: &'a Properties,
    /// Its current catalog.
    pub catalog: Option<&'a str>,
}

/// Every session.
#[derive(Debug)]
pub struct Sessions {
    clock: Clock,
    timeouts: Timeouts,
    limit: usize,
    journal: Option<Journal>,
    by_id: RwLock<FxHashMap<Guid, Arc<Session>>>,
    by_spid: RwLock<BTreeMap<u32, Arc<Session>>>,
    next_spid: AtomicU32,
    texts: Interner<str>,
    properties: Interner<SharedProperties>,
    /// One entry for each session that a time-out can end.
    alarms: Mutex<BTreeSet<(Moment, u32)>>,
    ended: AtomicU64,
    /// Sessions whose records do not say what they have become, since the journal could not be written.
    owed: Mutex<BTreeSet<Guid>>,
}

impl Sessions {
    /// A registry with what the journal has kept; the store knows which transactions were committed.
    ///
    /// # Errors
    /// The journal or the store's log of commits cannot be read.
    pub fn open(
        clock: Clock,
        timeouts: Timeouts,
        limit: usize,
        journal: Option<Journal>,
        store: &Store,
    ) -> Result<Sessions> {
        let kept = journal.as_ref().map(Journal::all).transpose()?.unwrap_or_default();
        let asks = kept.iter().any(|(_, saved)| saved.transaction_id.is_some());
        let committed = if asks { store.committed()? } else { FxHashSet::default() };
        let sessions = Sessions {
            clock,
            timeouts,
            limit,
            journal,
            by_id: RwLock::default(),
            by_spid: RwLock::default(),
            next_spid: AtomicU32::new(1),
            texts: Interner::default(),
            properties: Interner::default(),
            alarms: Mutex::default(),
            ended: AtomicU64::new(0),
            owed: Mutex::default(),
        };
        let mut lost = 0;
        for (id, saved) in &kept {
            sessions.restore(*id, saved, &committed)?;
            lost += usize::from(saved.has_lost(&committed));
        }
        if !kept.is_empty() {
            tracing::info!(sessions = kept.len(), transactions_lost = lost, "sessions are back after a restart");
        }
        Ok(sessions)
    }

    /// A session as it was before the restart; its idle time begins anew.
    fn restore(&self, id: Guid, saved: &Saved, committed: &FxHashSet<u128>) -> Result<()> {
        let session = Session::new(id, saved.spid, self.texts.share(&saved.user), true, saved.started());
        let mut properties = Properties::default();
        for (name, value) in &saved.properties {
            // A value that this version refuses is left out; the session itself is not to blame.
            if let Err(error) = properties.set(name, value) {
                tracing::warn!(session = %id, %error, "a property of a kept session is refused now");
            }
        }
        {
            let mut state = session.state();
            state.catalog = saved.catalog.as_deref().map(|c| self.texts.share(c));
            state.properties = self.share_properties(properties);
            state.transaction_lost = saved.has_lost(committed);
            state.scope = Scope::of_texts(&saved.scope).map(Box::new);
            state.idle_since = self.clock.now();
        }
        self.next_spid.fetch_max(saved.spid.saturating_add(1), Relaxed);
        self.add(Arc::new(session));
        Ok(())
    }

    fn add(&self, session: Arc<Session>) {
        self.set_alarm(&session, &mut session.state());
        write(&self.by_id).insert(session.id, session.clone());
        write(&self.by_spid).insert(session.spid, session);
    }

    /// Begins a session.
    ///
    /// # Errors
    /// There is no room, or the journal cannot be written.
    pub fn begin(&self, new: &NewSession<'_>) -> Result<Arc<Session>> {
        // Sessions of one call are as many as there are connections: who looks why the server is full gets an answer.
        if new.explicit && self.len() >= self.limit && !self.make_room() {
            bail!(ServerLimit, "The server has {} sessions, which is the limit", self.limit);
        }
        let id = Guid::random()?;
        let spid = self.next_spid.fetch_add(1, Relaxed);
        if spid == u32::MAX {
            return Err(Error::internal("all SPIDs have been given"));
        }
        let session = Arc::new(Session::new(id, spid, self.texts.share(new.user), new.explicit, self.clock.now()));
        {
            let mut state = session.state();
            state.catalog = new.catalog.map(|c| self.texts.share(c));
            if new.explicit {
                state.properties = self.share_properties(new.properties.of_session());
                self.save(&session, &state)?;
            }
        }
        self.add(session.clone());
        Ok(session)
    }

    /// The explicit session of an id that `user` may use.
    ///
    /// # Errors
    /// The not-found fault: never begun, ended, expired, implicit, or another user's; nothing tells which.
    pub fn find(&self, id: &str, user: &str) -> Result<Arc<Session>> {
        let found = Guid::parse(id).and_then(|g| read(&self.by_id).get(&g).cloned());
        let session = found.filter(|s| s.explicit && *s.user == *user).ok_or_else(|| session_not_found(id))?;
        // A statement of its own: the state must be unlocked before the end locks it.
        let overdue = self.overdue(&session, &session.state(), self.clock.now());
        if let Some(reason) = overdue {
            self.end(&session, reason);
            return Err(session_not_found(id));
        }
        Ok(session)
    }

    /// The session of an id, whosever it is.
    pub fn by_id(&self, id: &str) -> Option<Arc<Session>> {
        Guid::parse(id).and_then(|g| read(&self.by_id).get(&g).cloned())
    }

    /// The session of a SPID, whosever it is.
    pub fn by_spid(&self, spid: u32) -> Option<Arc<Session>> {
        read(&self.by_spid).get(&spid).cloned()
    }

    /// At most `count` sessions by SPID, from `first` on.
    pub fn page(&self, first: u32, count: usize) -> Vec<Arc<Session>> {
        read(&self.by_spid).range(first..).take(count).map(|(_, s)| s.clone()).collect()
    }

    /// The sessions that `wanted` takes.
    pub fn filter(&self, wanted: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let mut found = Vec::new();
        let mut first = 0;
        loop {
            let page = self.page(first, 4096);
            let Some(last) = page.last() else { return found };
            first = last.spid + 1;
            found.extend(page.into_iter().filter(|s| wanted(s)));
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        read(&self.by_id).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many have ended since the start.
    pub fn ended(&self) -> u64 {
        self.ended.load(Relaxed)
    }

    /// Bytes of the journal.
    pub fn journal_bytes(&self) -> Option<u64> {
        self.journal.as_ref().map(Journal::bytes)
    }

    /// The shared copy of a text.
    pub fn share_text(&self, text: &str) -> Arc<str> {
        self.texts.share(text)
    }

    fn share_properties(&self, properties: Properties) -> Arc<SharedProperties> {
        let key = SharedProperties(properties);
        self.properties.share_with(&key, || Arc::new(SharedProperties(key.0.clone())))
    }

    /// Ends a session: what runs in it is cancelled, its transaction rolled back, its id forgotten. False if it had ended.
    pub fn end(&self, session: &Arc<Session>, reason: EndReason) -> bool {
        {
            let mut state = session.state();
            if state.ended.is_some() {
                return false;
            }
            state.ended = Some(reason);
            for command in &state.commands {
                if state.transaction.is_some() {
                    command.note_rollback();
                }
                command.cancel(CancelReason::SessionEnd);
            }
            if let Some(at) = state.alarm.take() {
                lock(&self.alarms).remove(&(at, session.spid));
            }
        }
        write(&self.by_id).remove(&session.id);
        self.ended.fetch_add(1, Relaxed);
        if session.explicit {
            if let Some(Err(_)) = self.journal.as_ref().map(|j| j.forget(session.id)) {
                lock(&self.owed).insert(session.id);
            }
            tracing::info!(session = %session.id, spid = session.spid, user = %session.user, reason = reason.text(), "session ended");
        }
        self.command_over(session);
        true
    }

    /// Finishes the end of a session once nothing runs in it.
    pub(crate) fn command_over(&self, session: &Arc<Session>) {
        let mut state = session.state();
        if state.ended.is_some() && state.is_idle() {
            if let Some(transaction) = state.transaction.take() {
                transaction.changes.rollback();
                tracing::info!(session = %session.id, transaction = %transaction.id, "transaction rolled back");
            }
            drop(state);
            write(&self.by_spid).remove(&session.spid);
        }
    }

    /// Changes a session's state and keeps the change.
    ///
    /// # Errors
    /// The one of `change`, or the journal's; the state has changed then too.
    pub fn update<T>(&self, session: &Arc<Session>, change: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = session.state();
        let result = change(&mut state)?;
        self.set_alarm(session, &mut state);
        if session.explicit && state.ended.is_none() {
            self.save(session, &state).inspect_err(|_| {
                lock(&self.owed).insert(session.id);
            })?;
        }
        Ok(result)
    }

    fn save(&self, session: &Session, state: &State) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), |j| j.save(session.id, &Saved::of(session, state)))
    }

    /// Makes `catalog` the session's current one.
    ///
    /// # Errors
    /// The journal's.
    pub fn set_catalog(&self, session: &Arc<Session>, catalog: &str) -> Result<()> {
        if session.state().catalog.as_deref() == Some(catalog) {
            return Ok(());
        }
        let catalog = self.texts.share(catalog);
        self.update(session, |state| {
            state.catalog = Some(catalog);
            Ok(())
        })
    }

    /// Replaces a session's scope.
    ///
    /// # Errors
    /// The journal's.
    pub fn set_scope(&self, session: &Arc<Session>, scope: Scope) -> Result<()> {
        self.update(session, |state| {
            state.scope = Some(Box::new(scope)).filter(|s| !s.is_empty());
            Ok(())
        })
    }

    /// Opens a transaction of a store in a session, or counts the open one up.
    ///
    /// # Errors
    /// The session is implicit, or the journal cannot be written; nothing has changed then.
    pub fn begin_transaction(&self, session: &Arc<Session>, store: &Arc<Store>) -> Result<()> {
        if !session.explicit {
            return Err(implicit("BeginTransaction"));
        }
        let (id, started) = (Guid::random()?, self.clock.now());
        let mut begun = false;
        let kept = self.update(session, |state| {
            match state.transaction.as_mut() {
                Some(open) => {
                    open.count = open
                        .count
                        .checked_add(1)
                        .ok_or_else(|| error!(Transaction, "The transaction is nested too deep"))?;
                }
                None => {
                    let changes = Arc::new(store.begin());
                    state.transaction = Some(Box::new(Transaction { id, count: 1, started, cpu_nanos: 0, changes }));
                }
            }
            begun = true;
            Ok(())
        });
        if kept.is_err() && begun {
            // The caller is told that there is none, or one less.
            let mut state = session.state();
            let left = state.transaction.as_mut().map_or(0, |open| {
                open.count -= 1;
                open.count
            });
            if left == 0 {
                state.transaction = None;
            }
        }
        kept
    }

    /// Counts the open transaction down. One that has no count left is given out to be committed, and stays the session's until
    /// [`Sessions::forget_transaction`]: what stops the commit, or the server in its middle, finds it there.
    ///
    /// # Errors
    /// There is none, or the session is implicit.
    pub fn release_transaction(&self, session: &Arc<Session>) -> Result<Option<Transaction>> {
        let mut state = open_transaction(session, "CommitTransaction")?;
        let Some(open) = state.transaction.as_mut() else { return Ok(None) };
        if open.count > 1 {
            open.count -= 1;
            return Ok(None);
        }
        Ok(Some(Transaction::clone(open)))
    }

    /// Takes a transaction that was committed, or could not be, out of its session.
    ///
    /// # Errors
    /// The journal's.
    pub fn forget_transaction(&self, session: &Arc<Session>) -> Result<()> {
        self.update(session, |state| {
            state.transaction = None;
            Ok(())
        })
    }

    /// Takes the open transaction out of the session, to be rolled back.
    ///
    /// # Errors
    /// There is none, or the session is implicit.
    pub fn take_transaction(&self, session: &Arc<Session>) -> Result<Option<Box<Transaction>>> {
        drop(open_transaction(session, "RollbackTransaction")?);
        let mut taken = None;
        let kept = self.update(session, |state| {
            taken = state.transaction.take();
            Ok(())
        });
        // The journal need not know at once: the worst is that a restart tells of a transaction that is undone already.
        kept.or_else(|error| if taken.is_some() { Ok(()) } else { Err(error) })?;
        Ok(taken)
    }

    /// The notice that a restart lost the session's transaction, given once.
    ///
    /// # Errors
    /// The journal's.
    pub fn take_lost_notice(&self, session: &Arc<Session>) -> Result<bool> {
        if !session.state().transaction_lost {
            return Ok(false);
        }
        self.update(session, |state| Ok(std::mem::take(&mut state.transaction_lost)))
    }

    /// When a time-out would end a session in this state at the earliest.
    fn due(&self, session: &Session, state: &State) -> Option<(Moment, EndReason)> {
        if !session.explicit || state.ended.is_some() {
            return None;
        }
        let t = &self.timeouts;
        let idle = state.is_idle();
        let from = |start: Moment, limit: Option<Duration>, reason| limit.map(|l| (start + l, reason));
        let life = from(session.started, t.session_life, EndReason::LifeTimeout);
        let idle_for = from(state.idle_since, t.max_idle_session.filter(|_| idle), EndReason::IdleTimeout);
        let open = idle && state.transaction.is_some();
        let in_transaction =
            from(state.idle_since, t.idle_transaction.filter(|_| open), EndReason::IdleTransactionTimeout);
        [life, idle_for, in_transaction].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn overdue(&self, session: &Session, state: &State, now: Moment) -> Option<EndReason> {
        self.due(session, state).filter(|(at, _)| *at <= now).map(|(_, reason)| reason)
    }

    /// Sets the session's alarm where a time-out may strike before the one that is set. An alarm that rings early only
    /// looks and sets itself anew, so that a session in use costs nothing here.
    fn set_alarm(&self, session: &Session, state: &mut State) {
        if !session.explicit || state.ended.is_some() {
            return;
        }
        let t = &self.timeouts;
        let again = [t.max_idle_session, t.idle_transaction.filter(|_| state.transaction.is_some())];
        // While something runs only the session's life counts; the others are looked at again when they could strike.
        let busy = again.into_iter().flatten().min().map(|limit| self.clock.now() + limit);
        let due = self.due(session, state).map(|(at, _)| at);
        let Some(at) = due.into_iter().chain(busy.filter(|_| !state.is_idle())).min() else { return };
        if state.alarm.is_some_and(|set| set <= at) {
            return;
        }
        let mut alarms = lock(&self.alarms);
        if let Some(old) = state.alarm.replace(at) {
            alarms.remove(&(old, session.spid));
        }
        alarms.insert((at, session.spid));
    }

    /// Ends every session whose time is over. How many.
    pub fn expire(&self) -> usize {
        let now = self.clock.now();
        let mut ended = 0;
        loop {
            let rung = {
                let mut alarms = lock(&self.alarms);
                match alarms.first().copied() {
                    Some(first) if first.0 <= now => {
                        alarms.remove(&first);
                        first.1
                    }
                    _ => return ended,
                }
            };
            let Some(session) = self.by_spid(rung) else { continue };
            let reason = {
                let mut state = session.state();
                state.alarm = None;
                let reason = self.overdue(&session, &state, now);
                if reason.is_none() {
                    self.set_alarm(&session, &mut state);
                }
                reason
            };
            if let Some(reason) = reason {
                ended += usize::from(self.end(&session, reason));
            }
        }
    }

    /// Forgets the texts of the last commands of idle sessions. How many.
    pub fn forget_texts(&self) -> usize {
        let forget = |session: &Session| {
            let mut state = session.state();
            let idle = state.is_idle();
            state.last.as_mut().filter(|_| idle).and_then(|l| l.text.take()).is_some()
        };
        self.filter(forget).len()
    }

    /// Ends the `count` sessions that are idle for longest, of those idle past MinIdleSessionTimeout. How many.
    pub fn end_oldest_idle(&self, count: usize) -> usize {
        let now = self.clock.now();
        let idle_since = |s: &Session| {
            let state = s.state();
            (s.explicit && state.is_idle() && state.ended.is_none()).then_some(state.idle_since)
        };
        let old = |s: &Session| idle_since(s).is_some_and(|since| now - since >= self.timeouts.min_idle_session);
        let mut candidates = self.filter(old);
        candidates.sort_by_cached_key(|s| idle_since(s).unwrap_or(now));
        candidates.iter().take(count).filter(|s| self.end(s, EndReason::Pressure)).count()
    }

    /// Makes room for at least one session; a sixteenth at once, so that the scan for the oldest is rare.
    fn make_room(&self) -> bool {
        self.end_oldest_idle((self.limit / 16).max(1)) > 0
    }

    /// Makes all changes so far survive the machine. A journal that the disk has refused is told what it has missed once
    /// it can be written.
    ///
    /// # Errors
    /// The disk refuses to sync. That it still refuses what it has refused before is no news.
    pub fn sync(&self) -> Result<()> {
        let Some(journal) = &self.journal else { return Ok(()) };
        if journal.is_broken() {
            if let Err(error) = journal.mend() {
                tracing::debug!(%error, "the disk does not take the journal of sessions yet");
                return Ok(());
            }
            tracing::info!("the journal of sessions is written again");
        }
        loop {
            let Some(id) = lock(&self.owed).pop_first() else { break };
            let alive = read(&self.by_id).get(&id).cloned();
            let state = alive.as_ref().map(|session| (session, session.state()));
            let paid = match state {
                Some((session, state)) if state.ended.is_none() => self.save(session, &state),
                _ => journal.forget(id),
            };
            if paid.is_err() {
                lock(&self.owed).insert(id);
                return Ok(());
            }
        }
        journal.sync()
    }
}

/// The state of a session that has an open transaction.
fn open_transaction<'a>(session: &'a Session, command: &str) -> Result<MutexGuard<'a, State>> {
    if !session.explicit {
        return Err(implicit(command));
    }
    let state = session.state();
    if state.transaction.is_none() {
        bail!(Transaction, "{command} cannot be executed: there is no active transaction in the session");
    }
    Ok(state)
}

fn implicit(command: &str) -> Error {
    error!(Transaction, "{command} cannot be executed: an implicit session has no transactions, begin a session first")
}
