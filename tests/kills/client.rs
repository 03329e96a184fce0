//! A client that writes, and all that it was told: its sessions, their definitions and transactions, the version of its accounts.

use crate::Result;
use crate::envelope::{session_header, statement};
use crate::ledger::{COMMON, Ledger, PARTS, account, common, member};
use crate::random::Random;
use crate::wire::{Asked, Trouble, Wire, mdx, transaction};
use facetta_model::ErrorKind;
use std::sync::atomic::Ordering::SeqCst;

/// Sessions that a client has at a time.
const SESSIONS: usize = 6;

/// What is known of something that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// It is not so.
    #[default]
    No,
    /// It is so: the server said it.
    Yes,
    /// It was asked for, and the server was killed before it answered.
    Unsure,
}

/// A session that was begun.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: String,
    /// None if the server was killed before it told.
    pub spid: Option<String>,
    /// Numbers of the members that it has, whose value is the number.
    pub members: Vec<(u64, Known)>,
    pub transaction: Known,
    /// Whether its end was asked for.
    pub ended: Known,
}

/// A commit that was sent and not answered.
#[derive(Clone, Debug)]
pub struct UnderWay {
    /// The session, if it was a transaction of one.
    pub session: Option<String>,
    /// The version that it commits, if it is one of the client's own accounts.
    pub version: Option<i64>,
}

/// What the campaign counts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub requests: u64,
    pub commits: u64,
    pub conflicts: u64,
    /// Sessions that came back from a restart.
    pub came_back: u64,
    /// Lost transactions that were told.
    pub told: u64,
    /// Commits that were under way at a kill.
    pub under_way: u64,
    /// Those of them that were there afterwards.
    pub under_way_there: u64,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    pub owner: usize,
    pub sessions: Vec<Session>,
    pub under_way: Option<UnderWay>,
    /// Whether a BeginSession was sent and not answered.
    pub begins: bool,
    pub tally: Tally,
    next_member: u64,
    next_version: i64,
}

/// How a piece of work can end early.
enum Stop {
    Killed,
    Wrong(String),
}

impl Client {
    pub fn new(owner: usize) -> Client {
        Client {
            owner,
            sessions: Vec::new(),
            under_way: None,
            begins: false,
            tally: Tally::default(),
            next_member: 1,
            next_version: 1,
        }
    }

    /// Works until the server is gone. An answer that cannot be is an error.
    pub fn work(&mut self, url: &str, ledger: &Ledger, random: &mut Random) -> Result {
        let Ok(mut wire) = Wire::connect(url) else { return Ok(()) };
        loop {
            match self.step(&mut wire, ledger, random) {
                Ok(()) => self.tally.requests += 1,
                Err(Stop::Killed) => return Ok(()),
                Err(Stop::Wrong(what)) => return Err(format!("client {}: {what}", self.owner)),
            }
        }
    }

    fn step(&mut self, wire: &mut Wire, ledger: &Ledger, random: &mut Random) -> std::result::Result<(), Stop> {
        let some = random.below(self.sessions.len());
        let room = self.sessions.len() < SESSIONS;
        match random.below(100) {
            0..10 if room => self.begin_session(wire),
            _ if self.sessions.is_empty() => self.write_alone(wire, ledger),
            10..14 => self.end_session(wire, some),
            14..24 => self.use_session(wire, some),
            24..34 => self.create_member(wire, some),
            34..50 => self.write_alone(wire, ledger),
            50..75 => self.write_in_transaction(wire, ledger, some, random),
            75..92 => self.transfer(wire, some, random),
            _ => self.leave_open(wire, some, random),
        }
    }

    /// Takes an answer, or notes what is unsure when there is none.
    fn told<T>(
        &mut self,
        what: &str,
        asked: Asked<T>,
        unsure: impl FnOnce(&mut Client),
    ) -> std::result::Result<T, Stop> {
        match asked {
            Ok(answer) => Ok(answer),
            Err(Trouble::Gone(_)) => {
                unsure(self);
                Err(Stop::Killed)
            }
            Err(trouble) => Err(Stop::Wrong(format!("{what}: {trouble}"))),
        }
    }

    fn begin_session(&mut self, wire: &mut Wire) -> std::result::Result<(), Stop> {
        let begun = wire.begin();
        let id = self.told("BeginSession", begun, |c| c.begins = true)?;
        let at = self.sessions.len();
        let (members, transaction, ended) = (Vec::new(), Known::No, Known::No);
        self.sessions.push(Session { id: id.clone(), spid: None, members, transaction, ended });
        let dmv = format!("SELECT SESSION_SPID FROM $System.DISCOVER_SESSIONS WHERE SESSION_ID = '{id}'");
        let table = wire.table(None, &dmv);
        let table = self.told("the SPID of a session", table, |_| ())?;
        match table.rows.as_slice() {
            [row] => self.sessions[at].spid = row[0].clone(),
            rows => return Err(Stop::Wrong(format!("DISCOVER_SESSIONS of {id}: {rows:?}"))),
        }
        Ok(())
    }

    fn end_session(&mut self, wire: &mut Wire, at: usize) -> std::result::Result<(), Stop> {
        let header = session_header("EndSession", Some(&self.sessions[at].id));
        let ended = wire.ask_with(&header, &statement("", &[]));
        self.told("EndSession", ended, |c| c.sessions[at].ended = Known::Unsure)?;
        self.sessions.remove(at);
        Ok(())
    }

    fn use_session(&mut self, wire: &mut Wire, at: usize) -> std::result::Result<(), Stop> {
        let id = self.sessions[at].id.clone();
        let Some((number, _)) = self.sessions[at].members.last().copied() else {
            let cells = wire.cells(Some(&id));
            return self.told("a query", cells, |_| ()).map(|_| ());
        };
        let value = wire.measure(Some(&id), &format!("M{number}"));
        match self.told("a member of the session", value, |_| ())? {
            Some(value) if value == number.to_string() => Ok(()),
            other => Err(Stop::Wrong(format!("member M{number} of session {id} is {other:?}"))),
        }
    }

    fn create_member(&mut self, wire: &mut Wire, at: usize) -> std::result::Result<(), Stop> {
        let (id, number) = (self.sessions[at].id.clone(), self.next_member);
        self.next_member += 1;
        let create = format!("CREATE SESSION MEMBER [Ledger].[Measures].[M{number}] AS '{number}'");
        let created = wire.ask(Some(&id), &mdx(&create));
        self.told("CREATE MEMBER", created, |c| c.sessions[at].members.push((number, Known::Unsure)))?;
        self.sessions[at].members.push((number, Known::Yes));
        Ok(())
    }

    /// The assignments that bring the client's accounts to a version.
    fn assignments(&self, version: i64) -> Vec<String> {
        let each = PARTS.iter().enumerate().map(|(part, factor)| (account(self.owner, part), version * factor));
        each.map(|(account, value)| assignment(&account, value)).collect()
    }

    fn next_version(&mut self) -> i64 {
        self.next_version += 1;
        self.next_version
    }

    /// Sends what commits a version of the client's accounts, and notes what came of it.
    fn commit(
        &mut self,
        wire: &mut Wire,
        ledger: &Ledger,
        session: Option<usize>,
        version: Option<i64>,
        body: &str,
    ) -> std::result::Result<(), Stop> {
        let id = session.map(|at| self.sessions[at].id.clone());
        if let Some(version) = version {
            ledger.sent[self.owner].fetch_max(version, SeqCst);
        }
        let committed = wire.ask(id.as_deref(), body);
        if let Some(at) = session {
            let gone = matches!(committed, Err(Trouble::Gone(_)));
            self.sessions[at].transaction = if gone { Known::Unsure } else { Known::No };
        }
        // Nobody else writes the accounts of an owner.
        if version.is_none() && committed.as_ref().is_err_and(|trouble| trouble.is(ErrorKind::Conflict)) {
            self.tally.conflicts += 1;
            return Ok(());
        }
        self.told("a commit", committed, |c| c.under_way = Some(UnderWay { session: id, version }))?;
        self.tally.commits += 1;
        if let Some(version) = version {
            ledger.acknowledged[self.owner].fetch_max(version, SeqCst);
        }
        Ok(())
    }

    /// One statement of four assignments, which is a transaction of its own.
    fn write_alone(&mut self, wire: &mut Wire, ledger: &Ledger) -> std::result::Result<(), Stop> {
        let version = self.next_version();
        let update = format!("UPDATE CUBE [Ledger] SET {}", self.assignments(version).join(", "));
        self.commit(wire, ledger, None, Some(version), &mdx(&update))
    }

    fn begin_transaction(&mut self, wire: &mut Wire, at: usize, random: &mut Random) -> std::result::Result<(), Stop> {
        if self.sessions[at].transaction == Known::Yes {
            return Ok(());
        }
        let id = self.sessions[at].id.clone();
        let begun = wire.ask(Some(&id), &transaction("Begin", random.below(2) == 0));
        self.told("BeginTransaction", begun, |c| c.sessions[at].transaction = Known::Unsure)?;
        self.sessions[at].transaction = Known::Yes;
        Ok(())
    }

    fn roll_back(&mut self, wire: &mut Wire, at: usize, random: &mut Random) -> std::result::Result<(), Stop> {
        let id = self.sessions[at].id.clone();
        let rolled = wire.ask(Some(&id), &transaction("Rollback", random.below(2) == 0));
        self.told("RollbackTransaction", rolled, |c| c.sessions[at].transaction = Known::Unsure)?;
        self.sessions[at].transaction = Known::No;
        Ok(())
    }

    fn update(&mut self, wire: &mut Wire, at: usize, assignment: &str) -> std::result::Result<(), Stop> {
        let id = self.sessions[at].id.clone();
        let updated = wire.ask(Some(&id), &mdx(&format!("UPDATE CUBE [Ledger] SET {assignment}")));
        self.told("UPDATE CUBE", updated, |_| ()).map(|_| ())
    }

    /// Four statements in a transaction. The last word is a commit, now and then a rollback.
    fn write_in_transaction(
        &mut self,
        wire: &mut Wire,
        ledger: &Ledger,
        at: usize,
        random: &mut Random,
    ) -> std::result::Result<(), Stop> {
        // One that was left open has a base of its own, and half a version perhaps.
        if self.sessions[at].transaction == Known::Yes {
            self.roll_back(wire, at, random)?;
        }
        self.begin_transaction(wire, at, random)?;
        let version = self.next_version();
        for assignment in self.assignments(version) {
            self.update(wire, at, &assignment)?;
        }
        let id = self.sessions[at].id.clone();
        let cells = wire.cells(Some(&id));
        let own = self.told("a query in a transaction", cells, |_| ())?.get(&account(self.owner, 0)).copied();
        if own != Some(version) {
            return Err(Stop::Wrong(format!("the writer of version {version} sees {own:?}")));
        }
        if random.below(6) == 0 {
            return self.roll_back(wire, at, random);
        }
        let commit = transaction("Commit", random.below(2) == 0);
        self.commit(wire, ledger, Some(at), Some(version), &commit)
    }

    /// Takes from one common account what it adds to another; whoever commits second must not.
    fn transfer(&mut self, wire: &mut Wire, at: usize, random: &mut Random) -> std::result::Result<(), Stop> {
        if self.sessions[at].transaction == Known::Yes {
            self.roll_back(wire, at, random)?;
        }
        self.begin_transaction(wire, at, random)?;
        let id = self.sessions[at].id.clone();
        let cells = wire.cells(Some(&id));
        let cells = self.told("a query in a transaction", cells, |_| ())?;
        let from = random.below(COMMON);
        let (from, to) = (common(from), common((from + 1 + random.below(COMMON - 1)) % COMMON));
        let amount = 1 + random.below(1000) as i64;
        let get = |name: &String| cells.get(name).copied().unwrap_or_default();
        self.update(wire, at, &assignment(&from, get(&from) - amount))?;
        self.update(wire, at, &assignment(&to, get(&to) + amount))?;
        let commit = transaction("Commit", random.below(2) == 0);
        self.commit(wire, &Ledger::default(), Some(at), None, &commit)
    }

    /// Leaves a transaction open with half a version in it.
    fn leave_open(&mut self, wire: &mut Wire, at: usize, random: &mut Random) -> std::result::Result<(), Stop> {
        self.begin_transaction(wire, at, random)?;
        let version = self.next_version();
        let half = self.assignments(version).swap_remove(random.below(PARTS.len()));
        self.update(wire, at, &half)
    }
}

/// An assignment of UPDATE CUBE.
pub fn assignment(account: &str, value: i64) -> String {
    format!("([Measures].[Amount], {}) = {value}", member(account))
}
