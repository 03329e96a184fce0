//! A session: who, where, in which state; its commands in flight and its last one.

use crate::clock::Moment;
use crate::guid::Guid;
use crate::running::Command;
use crate::scope::Scope;
use crate::sync::lock;
use facetta_model::CancelReason;
use facetta_xmla::Properties;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

/// Properties that a session keeps, in a form that can be shared among sessions.
#[derive(Debug, Default, PartialEq)]
pub struct SharedProperties(pub Properties);

impl Eq for SharedProperties {}

impl Hash for SharedProperties {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (property, value) in self.0.iter() {
            (property.name, value).hash(state);
        }
    }
}

/// Why a session ended; the log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its owner sent EndSession.
    EndSession,
    /// The call that began it faulted.
    BeginFaulted,
    /// The one call of an implicit session is over.
    CallOver,
    /// A Cancel with CancelAssociated.
    CancelAssociated,
    /// Idle for longer than MaxIdleSessionTimeout.
    IdleTimeout,
    /// Idle for too long with an open transaction.
    IdleTransactionTimeout,
    /// Older than a session may get.
    LifeTimeout,
    /// Memory or room for sessions is short, and it was idle past MinIdleSessionTimeout.
    Pressure,
}

impl EndReason {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            EndReason::EndSession => "ended by its owner",
            EndReason::BeginFaulted => "the call that began it faulted",
            EndReason::CallOver => "its call is over",
            EndReason::CancelAssociated => "ended by CancelAssociated",
            EndReason::IdleTimeout => "idle for longer than MaxIdleSessionTimeout",
            EndReason::IdleTransactionTimeout => "idle in a transaction for longer than IdleTransactionTimeout",
            EndReason::LifeTimeout => "older than SessionLifeTimeout",
            EndReason::Pressure => "memory or sessions are short, and it was idle past MinIdleSessionTimeout",
        }
    }
}

/// An open transaction of a session.
#[derive(Clone)]
pub struct Transaction {
    /// Its name.
    pub id: Guid,
    /// BeginTransactions without their CommitTransaction.
    pub count: u32,
    /// When it began.
    pub started: Moment,
    /// Processor time of its commands, nanoseconds.
    pub cpu_nanos: u64,
    /// What storage keeps of it: the versions that it sees, and its changes.
    pub changes: Arc<facetta_engine::Transaction>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("id", &self.id).field("count", &self.count).finish_non_exhaustive()
    }
}

/// The last command of a session that is over.
#[derive(Clone, Debug)]
pub struct LastCommand {
    /// Its number within the session, from 1.
    pub ordinal: u32,
    /// Its text, cut; none once memory was short.
    pub text: Option<Arc<str>>,
    /// When it came.
    pub started: Moment,
    /// When it was over.
    pub ended: Moment,
    /// What it used.
    pub used: Used,
}

/// What commands used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// Processor time, nanoseconds.
    pub cpu_nanos: u64,
    /// Scans of segments.
    pub scans: u64,
    /// Bytes of segments read.
    pub bytes_read: u64,
    /// Rows read.
    pub rows_read: u64,
}

impl Used {
    /// What a command has used so far.
    pub fn of(command: &Command) -> Used {
        use std::sync::atomic::Ordering::Relaxed;
        let counters = command.context.counters();
        Used {
            cpu_nanos: command.cpu_nanos(),
            scans: counters.scans.load(Relaxed),
            bytes_read: counters.bytes_read.load(Relaxed),
            rows_read: counters.rows_read.load(Relaxed),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Used) -> Used {
        Used {
            cpu_nanos: self.cpu_nanos + other.cpu_nanos,
            scans: self.scans + other.scans,
            bytes_read: self.bytes_read + other.bytes_read,
            rows_read: self.rows_read + other.rows_read,
        }
    }
}

/// A session.
#[derive(Debug)]
pub struct Session {
    /// Its name.
    pub id: Guid,
    /// Its number, not given again while the server runs.
    pub spid: u32,
    /// Begun by BeginSession, and not made for one call.
    pub explicit: bool,
    /// Whose it is; shared among the user's sessions.
    pub user: Arc<str>,
    /// When it began.
    pub started: Moment,
    state: Mutex<State>,
}

/// What of a session changes.
#[derive(Debug)]
pub struct State {
    /// Set once it has ended; what still runs in it is being undone.
    pub ended: Option<EndReason>,
    /// The transaction was open when the server stopped; the next call is told.
    pub transaction_lost: bool,
    /// The connection of its last request; 0 for none.
    pub connection: u32,
    /// Commands begun in it.
    pub command_count: u32,
    /// The current catalog.
    pub catalog: Option<Arc<str>>,
    /// The ReadWrite properties that the request which began it gave.
    pub properties: Arc<SharedProperties>,
    /// Texts that made what is in scope: CREATE MEMBER and the like, in order. None until there is one.
    pub scope: Option<Box<Scope>>,
    /// The open transaction.
    pub transaction: Option<Box<Transaction>>,
    /// Commands in flight in order of arrival: the first runs, the others wait. A Cancel is not among them.
    pub commands: Vec<Arc<Command>>,
    /// The last command that is over.
    pub last: Option<Box<LastCommand>>,
    /// Since when nothing runs in it.
    pub idle_since: Moment,
    /// What its finished commands used.
    pub used: Used,
    /// When its time-outs are looked at next.
    pub alarm: Option<Moment>,
}

impl Session {
    /// A session as it begins.
    pub fn new(id: Guid, spid: u32, user: Arc<str>, explicit: bool, now: Moment) -> Self {
        let state = State {
            ended: None,
            transaction_lost: false,
            connection: 0,
            command_count: 0,
            catalog: None,
            properties: Arc::default(),
            scope: None,
            transaction: None,
            commands: Vec::new(),
            last: None,
            idle_since: now,
            used: Used::default(),
            alarm: None,
        };
        Self { id, spid, explicit, user, started: now, state: Mutex::new(state) }
    }

    /// Its state, locked. Never held across a wait, nor while another session's is.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// What storage keeps of the open transaction, if there is one.
    pub fn changes(&self) -> Option<Arc<facetta_engine::Transaction>> {
        self.state().transaction.as_ref().map(|t| t.changes.clone())
    }

    /// Cancels the command that runs and those that wait; later ones are not hit. How many were told.
    pub fn cancel_commands(&self, reason: CancelReason) -> usize {
        let state = self.state();
        state.commands.iter().filter(|c| c.cancel(reason)).count()
    }
}

impl State {
    /// The connection that it belongs to (spec/decisions.md, Connections): that of the running command, else of the
    /// last request; it may be closed by now. 0 for none.
    pub fn belongs_to(&self) -> u32 {
        self.commands.first().map_or(self.connection, |c| c.connection)
    }

    /// Whether nothing runs or waits in it.
    pub fn is_idle(&self) -> bool {
        self.commands.is_empty()
    }

    /// The command that runs.
    pub fn running(&self) -> Option<&Arc<Command>> {
        self.commands.first()
    }
}
