//! What a server of sessions has to do, as plain data: no sockets, no threads, no time but a number.

use std::collections::BTreeSet;

/// Seconds after which an idle session ends.
pub(crate) const IDLE: u64 = 100;
/// Seconds after which a session ends that is idle in a transaction.
pub(crate) const IDLE_IN_TRANSACTION: u64 = 50;
/// Seconds after which any session ends.
pub(crate) const LIFE: u64 = 1000;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A query that is held until the gate opens.
    Slow,
    /// Something that is answered at once.
    Quick,
    /// BeginTransaction.
    Begin,
    /// CommitTransaction.
    Commit,
    /// RollbackTransaction.
    Rollback,
    /// The empty Statement with EndSession.
    End,
    /// UPDATE CUBE of one cell, of the other, or of both, as the bits say, to a value that nobody else writes.
    Write(u8),
    /// A query of both cells.
    Read,
}

/// What a client has to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Success.
    Done,
    /// The cancelled fault.
    Cancelled,
    /// The fault of a session that is not there.
    NotFound,
    /// Cancelled or not found: which came first is not defined.
    CancelledOrNotFound,
    /// The fault of a transaction that a restart has lost.
    Lost,
    /// The fault of a transaction command without a transaction.
    NoTransaction,
    /// Success with the warning that there was nothing to cancel.
    Warned,
    /// The fault of a Cancel that names nothing.
    NoTarget,
    /// The fault of a transaction that another one was faster than.
    Conflict,
    /// These values of the two cells.
    Cells([i64; 2]),
    /// Nothing: the client has hung up.
    Gone,
}

/// A request that has come.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub connection: u32,
    /// None: one of its own.
    pub session: Option<usize>,
    pub kind: Kind,
    /// Set once it is decided.
    pub outcome: Option<Outcome>,
}

/// The two cells, and how many commits have changed each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cells {
    pub values: [i64; 2],
    commits: [u64; 2],
}

/// A transaction's view of the cells.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    /// As they were when it first touched them.
    base: Option<Cells>,
    own: [Option<i64>; 2],
}

/// An explicit session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub id: String,
    pub spid: u32,
    pub begun: u64,
    pub idle_since: u64,
    /// BeginTransactions without their end.
    pub transaction: u32,
    /// What it has touched in its transaction.
    pub changes: Changes,
    /// A restart has lost the transaction, and nobody has been told.
    pub lost: bool,
    pub ended: bool,
    /// The connection of its last request.
    pub connection: u32,
    /// Commands in order of arrival; the first runs.
    pub queue: Vec<usize>,
}

/// The server.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub now: u64,
    pub sessions: Vec<Session>,
    pub commands: Vec<Command>,
    /// What is committed.
    pub cells: Cells,
}

impl Model {
    /// The value that a command writes.
    pub fn value(command: usize) -> i64 {
        1000 + i64::try_from(command).unwrap_or(i64::MAX)
    }

    /// What an implicit transaction, or a session without one, sees and does; else what its own transaction does.
    fn touch(&mut self, session: Option<usize>, command: usize) -> Outcome {
        let open = session.filter(|&s| self.sessions[s].transaction > 0);
        let kind = self.commands[command].kind;
        let committed = self.cells;
        let mut implicit = Changes::default();
        let changes = open.map_or(&mut implicit, |s| &mut self.sessions[s].changes);
        let base = *changes.base.get_or_insert(committed);
        let Kind::Write(bits) = kind else {
            return Outcome::Cells([0, 1].map(|cell| changes.own[cell].unwrap_or(base.values[cell])));
        };
        for cell in (0..2).filter(|cell| bits & (1 << cell) != 0) {
            changes.own[cell] = Some(Self::value(command));
        }
        if open.is_none() { self.commit(implicit) } else { Outcome::Done }
    }

    /// The first committer wins, cell by cell.
    fn commit(&mut self, changes: Changes) -> Outcome {
        let Some(base) = changes.base else { return Outcome::Done };
        let written: Vec<usize> = (0..2).filter(|&cell| changes.own[cell].is_some()).collect();
        if written.iter().any(|&cell| self.cells.commits[cell] != base.commits[cell]) {
            return Outcome::Conflict;
        }
        for cell in written {
            self.cells.commits[cell] += 1;
            self.cells.values[cell] = changes.own[cell].unwrap_or_default();
        }
        Outcome::Done
    }

    /// The sessions that have not ended.
    pub fn alive(&self) -> impl Iterator<Item = usize> {
        (0..self.sessions.len()).filter(|&s| !self.sessions[s].ended)
    }

    /// The connection that a session belongs to, open or not.
    pub fn belongs_to(&self, session: usize) -> u32 {
        let session = &self.sessions[session];
        session.queue.first().map_or(session.connection, |&c| self.commands[c].connection)
    }

    /// The commands of which nobody knows yet how they end.
    pub fn pending(&self) -> impl Iterator<Item = usize> {
        (0..self.commands.len()).filter(|&c| self.commands[c].outcome.is_none())
    }

    /// The queries that the gate holds.
    pub fn held(&self) -> usize {
        let fronts: BTreeSet<usize> = self.sessions.iter().filter_map(|s| s.queue.first().copied()).collect();
        self.pending().filter(|c| self.commands[*c].session.is_none() || fronts.contains(c)).count()
    }

    /// The sessions that will read or change the cells as soon as the gate opens.
    pub fn would_touch(&self) -> Vec<usize> {
        let kind = |c: &usize| self.commands[*c].kind;
        let touches = |k| matches!(k, Kind::Read | Kind::Write(_) | Kind::Commit);
        let behind = |s: &usize| self.sessions[*s].queue.iter().skip(1).map(kind).take_while(|k| *k != Kind::Slow);
        self.alive().filter(|s| behind(s).any(touches)).collect()
    }

    pub fn begin(&mut self, id: String, spid: u32, connection: u32) {
        let (begun, idle_since) = (self.now, self.now);
        self.sessions.push(Session {
            id,
            spid,
            begun,
            idle_since,
            transaction: 0,
            changes: Changes::default(),
            lost: false,
            ended: false,
            connection,
            queue: Vec::new(),
        });
    }

    /// A command comes; its number.
    pub fn arrive(&mut self, connection: u32, session: Option<usize>, kind: Kind) -> usize {
        let number = self.commands.len();
        self.commands.push(Command { connection, session, kind, outcome: None });
        match session {
            Some(s) if self.sessions[s].ended => self.commands[number].outcome = Some(Outcome::NotFound),
            Some(s) => {
                self.sessions[s].queue.push(number);
                self.sessions[s].connection = connection;
                self.run(s);
            }
            None if kind == Kind::Slow => {}
            None if matches!(kind, Kind::Read | Kind::Write(_)) => {
                self.commands[number].outcome = Some(self.touch(None, number));
            }
            None => self.commands[number].outcome = Some(Outcome::Done),
        }
        number
    }

    /// Lets a session's commands run until one is held.
    pub fn run(&mut self, s: usize) {
        while let Some(&front) = self.sessions[s].queue.first() {
            let kind = self.commands[front].kind;
            let lost = std::mem::take(&mut self.sessions[s].lost);
            let outcome = match kind {
                Kind::Rollback if lost => Outcome::Done,
                Kind::End => Outcome::Done,
                _ if lost => Outcome::Lost,
                Kind::Slow => return,
                Kind::Quick => Outcome::Done,
                Kind::Begin => {
                    self.sessions[s].transaction += 1;
                    Outcome::Done
                }
                Kind::Commit | Kind::Rollback if self.sessions[s].transaction == 0 => Outcome::NoTransaction,
                Kind::Commit => {
                    self.sessions[s].transaction -= 1;
                    if self.sessions[s].transaction > 0 {
                        Outcome::Done
                    } else {
                        let changes = self.roll_back(s);
                        self.commit(changes)
                    }
                }
                Kind::Rollback => {
                    self.roll_back(s);
                    Outcome::Done
                }
                Kind::Read | Kind::Write(_) => self.touch(Some(s), front),
            };
            self.leave(front, outcome);
            if kind == Kind::End {
                self.end_behind(s);
            }
        }
    }

    /// An EndSession is over: nothing runs any more, and what waited finds no session.
    fn end_behind(&mut self, s: usize) {
        for command in std::mem::take(&mut self.sessions[s].queue) {
            self.leave(command, Outcome::NotFound);
        }
        self.end(s, Outcome::NotFound);
    }

    /// Takes the transaction out of a session.
    fn roll_back(&mut self, s: usize) -> Changes {
        self.sessions[s].transaction = 0;
        std::mem::take(&mut self.sessions[s].changes)
    }

    fn leave(&mut self, command: usize, outcome: Outcome) {
        self.commands[command].outcome = Some(outcome);
        if let Some(s) = self.commands[command].session {
            self.sessions[s].queue.retain(|&c| c != command);
            self.sessions[s].idle_since = self.now;
        }
    }

    /// Ends a session; what waits in it gets `waiting`, what runs is cancelled. An open transaction is gone with it.
    pub fn end(&mut self, s: usize, waiting: Outcome) {
        self.sessions[s].ended = true;
        self.roll_back(s);
        let queue = std::mem::take(&mut self.sessions[s].queue);
        let also_ends_itself = queue.iter().any(|&c| self.commands[c].kind == Kind::End);
        let waiting = if also_ends_itself { Outcome::CancelledOrNotFound } else { waiting };
        for (place, command) in queue.into_iter().enumerate() {
            let runs = place == 0 && self.commands[command].kind == Kind::Slow;
            self.leave(command, if runs { Outcome::Cancelled } else { waiting });
        }
    }

    /// Cancels what runs in a session, and what waits if `all`; whether there was anything.
    pub fn cancel(&mut self, s: usize, all: bool) -> bool {
        let queue = self.sessions[s].queue.clone();
        let struck = if all { &queue[..] } else { &queue[..queue.len().min(1)] };
        // An EndSession that is cancelled ends its session all the same: its owner has said that he is done.
        let ends = struck.iter().any(|&c| self.commands[c].kind == Kind::End);
        for (place, &command) in struck.iter().enumerate() {
            let outcome = if ends && place > 0 { Outcome::CancelledOrNotFound } else { Outcome::Cancelled };
            self.leave(command, outcome);
        }
        if ends {
            self.end(s, Outcome::NotFound);
        } else {
            self.run(s);
        }
        !struck.is_empty()
    }

    /// Cancels one command, wherever it stands.
    pub fn cancel_one(&mut self, command: usize) {
        self.leave(command, Outcome::Cancelled);
        let Some(s) = self.commands[command].session else { return };
        if self.commands[command].kind == Kind::End {
            self.end(s, Outcome::NotFound);
        } else {
            self.run(s);
        }
    }

    /// A client hangs up: what it asked for is cancelled, and nobody hears of it.
    pub fn hang_up(&mut self, connection: u32) {
        let hit: Vec<usize> = self.pending().filter(|&c| self.commands[c].connection == connection).collect();
        for command in hit {
            // An earlier one may have ended the session and so decided this one; nobody hears of that either.
            self.leave(command, Outcome::Gone);
            let Some(s) = self.commands[command].session else { continue };
            if self.commands[command].kind == Kind::End {
                self.end(s, Outcome::NotFound);
            } else {
                self.run(s);
            }
        }
    }

    /// The gate opens: what it holds is done, what it holds next stays.
    pub fn release(&mut self) {
        let fronts: Vec<usize> = self.sessions.iter().filter_map(|s| s.queue.first().copied()).collect();
        let held: Vec<usize> =
            self.pending().filter(|c| self.commands[*c].session.is_none() || fronts.contains(c)).collect();
        for command in held {
            self.leave(command, Outcome::Done);
        }
        for s in 0..self.sessions.len() {
            self.run(s);
        }
    }

    /// Time goes by; sessions whose time is over end.
    pub fn advance(&mut self, seconds: u64) {
        self.now += seconds;
        for s in 0..self.sessions.len() {
            let session = &self.sessions[s];
            let idle = session.queue.is_empty();
            let over = self.now - session.begun >= LIFE
                || idle && self.now - session.idle_since >= IDLE
                || idle && session.transaction > 0 && self.now - session.idle_since >= IDLE_IN_TRANSACTION;
            if over && !session.ended {
                self.end(s, Outcome::Cancelled);
            }
        }
    }

    /// The server stops, with all sockets closed before, and starts again.
    pub fn restart(&mut self) {
        for session in &mut self.sessions {
            session.lost |= session.transaction > 0;
            (session.transaction, session.changes) = (0, Changes::default());
            session.idle_since = self.now;
            session.connection = 0;
        }
    }
}
