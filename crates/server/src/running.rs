//! Every command in flight, in one registry; a guard takes each one out.

use crate::clock::{Clock, Moment};
use crate::memory::ThreadTime;
use crate::session::{EndReason, LastCommand, Session, Used};
use crate::sessions::Sessions;
use crate::sync::lock;
use facetta_model::{CancelReason, Context, Error, Result, bail};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Where a command is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Waits for earlier commands of its session.
    WaitsForSession = 0,
    /// Waits for a worker.
    WaitsForWorker = 1,
    /// Runs.
    Runs = 2,
    /// Is over.
    Over = 3,
}

impl Stage {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Stage::WaitsForSession => "waits for earlier commands of its session",
            Stage::WaitsForWorker => "waits for a worker",
            Stage::Runs => "runs",
            Stage::Over => "is over",
        }
    }
}

/// What a command in flight asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rowset.
    Discover,
    /// A Statement.
    Statement,
    /// Another command of Execute, of this name.
    Command(&'static str),
}

/// A Discover or Execute in flight.
#[derive(Debug)]
pub struct Command {
    /// Its number, in order of arrival over the whole server.
    pub number: u64,
    /// Where it runs.
    pub session: Arc<Session>,
    /// Its number within the session, from 1.
    pub ordinal: u32,
    /// The connection on which it came.
    pub connection: u32,
    /// What it asks for.
    pub kind: Kind,
    /// Its text, cut at [`MAX_TEXT`]; of a Discover the name of its rowset.
    pub text: Arc<str>,
    /// When it came.
    pub started: Moment,
    /// Token, deadline, memory, counters.
    pub context: Context,
    /// Passes the session's queue, as a Cancel does.
    pub passes: bool,
    stage: AtomicU8,
    /// When it got its worker; 0 before.
    run_since: AtomicI64,
    rolled_back: AtomicBool,
    /// The thread that works on it now.
    thread: Mutex<Option<ThreadTime>>,
    wake: Notify,
    over: Notify,
}

/// Bytes of a command's text that the rowsets show (spec/decisions.md, DMVs).
pub const MAX_TEXT: usize = 4096;

/// `text` cut to [`MAX_TEXT`] bytes at a character's end.
pub fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

impl Command {
    /// Sets the token and wakes whoever waits; false if it was cancelled before.
    pub fn cancel(&self, reason: CancelReason) -> bool {
        let first = self.context.token().cancel(reason);
        self.wake.notify_one();
        first
    }

    /// Where it is on its way.
    pub fn stage(&self) -> Stage {
        use Stage::*;
        [WaitsForSession, WaitsForWorker, Runs]
            .into_iter()
            .find(|s| *s as u8 == self.stage.load(Relaxed))
            .unwrap_or(Over)
    }

    /// What it asks for and where it is, for people: `Discover MDSCHEMA_CUBES: waits for a worker`.
    pub fn description(&self) -> String {
        let stage = self.stage().text();
        match self.kind {
            Kind::Discover => format!("Discover {}: {stage}", self.text),
            Kind::Statement => format!("Execute: {stage}"),
            Kind::Command(name) => format!("Execute {name}: {stage}"),
        }
    }

    /// Notes where it is.
    pub fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
    }

    /// Notes that it runs, from `now` on.
    pub fn runs(&self, now: Moment) {
        self.run_since.store(now.0, Relaxed);
        self.set_stage(Stage::Runs);
    }

    /// Since when it runs; none while it waits.
    pub fn run_since(&self) -> Option<Moment> {
        Some(Moment(self.run_since.load(Relaxed))).filter(|m| m.0 != 0)
    }

    /// Notes that the calling thread works on it from now on.
    pub fn thread_begins(&self) {
        *lock(&self.thread) = Some(ThreadTime::begin());
    }

    /// Notes that the calling thread is done with it; what it used goes to the counters.
    pub fn thread_ends(&self) {
        let mut thread = lock(&self.thread);
        if let Some(time) = thread.take() {
            self.context.counters().cpu_nanos.fetch_add(time.nanos(), Relaxed);
        }
    }

    /// Processor time so far, nanoseconds; also while it runs.
    pub fn cpu_nanos(&self) -> u64 {
        let thread = lock(&self.thread);
        self.context.counters().cpu_nanos.load(Relaxed) + thread.as_ref().map_or(0, ThreadTime::nanos)
    }

    /// Notes that the session's transaction was undone because of it.
    pub fn note_rollback(&self) {
        self.rolled_back.store(true, Relaxed);
    }

    /// Whether the session's transaction was undone because of it.
    pub fn rolled_back(&self) -> bool {
        self.rolled_back.load(Relaxed)
    }

    /// Waits until all earlier commands of the session are over.
    ///
    /// # Errors
    /// It was cancelled meanwhile, its time is over, or the session has ended.
    pub async fn turn(&self) -> Result<()> {
        loop {
            {
                let state = self.session.state();
                // Behind an EndSession there is no session any more; of other ends the token tells.
                if state.ended == Some(EndReason::EndSession) {
                    return Err(not_found(&self.session));
                }
                self.context.check()?;
                if self.passes || state.commands.first().is_none_or(|c| c.number == self.number) {
                    return Ok(());
                }
            }
            self.wait_until_woken(self.wake.notified()).await;
        }
    }

    /// Runs `future` unless the command is cancelled, or its time is over, first.
    ///
    /// # Errors
    /// The one of the interrupt.
    pub async fn unless_cancelled<F: Future>(&self, future: F) -> Result<F::Output> {
        let mut future = std::pin::pin!(future);
        loop {
            self.context.check()?;
            tokio::select! {
                biased;
                output = &mut future => return Ok(output),
                () = self.wait_until_woken(self.wake.notified()) => {}
            }
        }
    }

    async fn wait_until_woken(&self, woken: impl Future<Output = ()>) {
        match self.context.deadline() {
            Some(deadline) => {
                let _ = tokio::time::timeout_at(deadline.into(), woken).await;
            }
            None => woken.await,
        }
    }

    /// Waits at most `limit` until it is over; whether it is.
    pub async fn wait_over(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let over = self.over.notified();
            let mut over = std::pin::pin!(over);
            over.as_mut().enable();
            if self.stage() == Stage::Over {
                return true;
            }
            if tokio::time::timeout_at(deadline.into(), over).await.is_err() {
                return self.stage() == Stage::Over;
            }
        }
    }
}

fn not_found(session: &Session) -> Error {
    facetta_xmla::session_not_found(&session.id.to_string())
}

/// What comes with a new command.
pub struct NewCommand<'a> {
    /// The session.
    pub session: Arc<Session>,
    /// The connection on which it came.
    pub connection: u32,
    /// What it asks for.
    pub kind: Kind,
    /// Its text.
    pub text: &'a str,
    /// Token, deadline, memory, counters.
    pub context: Context,
    /// Whether it passes the session's queue.
    pub passes: bool,
}

/// The registry.
#[derive(Debug)]
pub struct Running {
    clock: Clock,
    queue_limit: usize,
    next: AtomicU64,
    stopping: AtomicBool,
    finished: AtomicU64,
    /// How many times the housekeeper is to give memory back: more than once, since some is freed a little after its command.
    to_give_back: AtomicU8,
    commands: Mutex<BTreeMap<u64, Arc<Command>>>,
}

impl Running {
    /// An empty registry; at most `queue_limit` commands stand in a session.
    pub fn new(clock: Clock, queue_limit: usize) -> Self {
        Self {
            clock,
            queue_limit,
            next: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            finished: AtomicU64::new(0),
            to_give_back: AtomicU8::new(0),
            commands: Mutex::default(),
        }
    }

    /// Registers a command; it stands in its session's queue from now on.
    ///
    /// # Errors
    /// The session has ended, its queue is full, or the server is stopping.
    pub fn enter(&self, sessions: &Arc<Sessions>, running: &Arc<Running>, new: NewCommand<'_>) -> Result<Guard> {
        if self.stopping.load(Relaxed) {
            bail!(Unavailable, "The server is stopping");
        }
        let text = sessions.share_text(shown(new.text));
        let now = self.clock.now();
        let mut state = new.session.state();
        if state.ended.is_some() {
            return Err(not_found(&new.session));
        }
        if state.commands.len() >= self.queue_limit && !new.passes {
            bail!(ServerLimit, "The session has {} commands waiting, which is the limit", self.queue_limit);
        }
        state.command_count = state.command_count.saturating_add(1);
        let command = Arc::new(Command {
            number: self.next.fetch_add(1, Relaxed),
            session: new.session.clone(),
            ordinal: state.command_count,
            connection: new.connection,
            kind: new.kind,
            text,
            started: now,
            context: new.context,
            passes: new.passes,
            stage: AtomicU8::new(Stage::WaitsForSession as u8),
            run_since: AtomicI64::new(0),
            rolled_back: AtomicBool::new(false),
            thread: Mutex::default(),
            wake: Notify::new(),
            over: Notify::new(),
        });
        if !new.passes {
            state.commands.push(command.clone());
        }
        // A Cancel says nothing about where the session lives while something runs in it (spec/decisions.md, Connections).
        if !new.passes || state.is_idle() {
            state.connection = new.connection;
        }
        drop(state);
        lock(&self.commands).insert(command.number, command.clone());
        Ok(Guard { command, running: running.clone(), sessions: sessions.clone(), ends_session: None })
    }

    /// Commands in flight, in order of arrival.
    pub fn all(&self) -> Vec<Arc<Command>> {
        lock(&self.commands).values().cloned().collect()
    }

    /// How many commands are in flight.
    pub fn len(&self) -> usize {
        lock(&self.commands).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Commands that are over.
    pub fn finished(&self) -> u64 {
        self.finished.load(Relaxed)
    }

    /// Whether a command that held much is over, whose memory the system should get back; true for some times.
    pub fn take_give_back(&self) -> bool {
        self.to_give_back.fetch_update(Relaxed, Relaxed, |times| times.checked_sub(1)).is_ok()
    }

    /// The commands that came on a connection.
    pub fn on_connection(&self, connection: u32) -> Vec<Arc<Command>> {
        lock(&self.commands).values().filter(|c| c.connection == connection).cloned().collect()
    }

    /// Takes no new commands from now on, and cancels those in flight.
    pub fn shut_down(&self) {
        self.stopping.store(true, Relaxed);
        for command in self.all() {
            command.cancel(CancelReason::Shutdown);
        }
    }
}

/// Takes its command out of the registry and its session when dropped.
#[derive(Debug)]
pub struct Guard {
    command: Arc<Command>,
    running: Arc<Running>,
    sessions: Arc<Sessions>,
    ends_session: Option<EndReason>,
}

impl Guard {
    /// The command.
    pub fn command(&self) -> &Arc<Command> {
        &self.command
    }

    /// The session ends with the command.
    pub fn end_session_after(&mut self, reason: EndReason) {
        self.ends_session = Some(reason);
    }

    /// The session stays after all.
    pub fn keep_session(&mut self) {
        self.ends_session = None;
    }

    /// Whether its owner ends the session with it.
    pub fn ends_session(&self) -> bool {
        self.ends_session == Some(EndReason::EndSession)
    }

    fn leave_session(&self, now: Moment) {
        let command = &self.command;
        let used = Used::of(command);
        let mut state = command.session.state();
        state.used = state.used.plus(used);
        if let Some(transaction) = state.transaction.as_mut() {
            transaction.cpu_nanos += used.cpu_nanos;
        }
        let was_running = state.running().is_some_and(|c| c.number == command.number);
        state.commands.retain(|c| c.number != command.number);
        // A Cancel that came while something runs is not the session's last command: what runs will be.
        if !command.passes || state.is_idle() {
            let text = Some(command.text.clone());
            let last = LastCommand { ordinal: command.ordinal, text, started: command.started, ended: now, used };
            state.last = Some(Box::new(last));
            state.idle_since = now;
        }
        if was_running && let Some(next) = state.running() {
            next.wake.notify_one();
        }
        if state.commands.is_empty() {
            state.commands.shrink_to_fit();
        }
    }
}

/// Bytes of a command that the allocator should not keep after it.
const MUCH: u64 = 16 << 20;

impl Drop for Guard {
    fn drop(&mut self) {
        let session = &self.command.session;
        // The end comes before the leave: what is woken by the leave must not run in a session that is over.
        if let Some(reason) = self.ends_session {
            self.sessions.end(session, reason);
        }
        self.leave_session(self.running.clock.now());
        lock(&self.running.commands).remove(&self.command.number);
        self.running.finished.fetch_add(1, Relaxed);
        if self.command.context.memory().peak() >= MUCH {
            self.running.to_give_back.store(2, Relaxed);
        }
        self.sessions.command_over(session);
        self.command.set_stage(Stage::Over);
        self.command.over.notify_waiters();
    }
}
