//! Plays a history: asks the server, tells the model, and compares what both say.

use crate::common::envelope::{cancel, discover, envelope, execute, session_header, statement};
use crate::common::http::{Request, Socket};
use crate::common::random::Random;
use crate::common::world::{Result, wait_for};
use crate::gate::{Gate, QUERY};
use crate::model::{IDLE, IDLE_IN_TRANSACTION, Kind, LIFE, Model, Outcome};
use facetta_model::{Context, Snapshot};
use facetta_server::clock::{Clock, Moment};
use facetta_server::{Handle, Settings, start_with};
use facetta_xmla::client::{Answer, AnswerResult, Table};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Clients; the last one only looks.
const CLIENTS: usize = 6;
const OBSERVER: usize = CLIENTS - 1;

/// The two cells; each has one leaf cell under it.
const CELLS: [&str; 2] =
    ["[Product].[Products].[Category].[Drink].[Tea]", "[Product].[Products].[Category].[Food].[Cake]"];
const READ: &str = "SELECT {[Product].[Products].[Category].[Drink].[Tea], [Product].[Products].[Category].[Food].[Cake]} \
                    ON COLUMNS FROM [Shop] WHERE [Measures].[Units]";

fn update(bits: u8, value: i64) -> String {
    let cells = CELLS.iter().enumerate().filter(|(cell, _)| bits & (1 << cell) != 0);
    let sets: Vec<String> = cells.map(|(_, member)| format!("([Measures].[Units], {member}) = {value}")).collect();
    format!("UPDATE CUBE [Shop] SET {}", sets.join(", "))
}

fn catalog(name: &str) -> Vec<(String, String)> {
    vec![("Catalog".to_owned(), name.to_owned())]
}

#[derive(Default)]
struct Client {
    socket: Option<Socket>,
    connection: u32,
    /// The command that it waits for.
    waits: Option<usize>,
}

/// Server, clients, and the model of both.
pub(crate) struct Driver {
    pub(crate) story: Vec<String>,
    pub(crate) requests: u64,
    pub(crate) restarts: u64,
    model: Model,
    clients: Vec<Client>,
    gate: Arc<Gate>,
    clock: Clock,
    folder: tempfile::TempDir,
    handle: Option<Handle>,
}

impl Driver {
    pub(crate) fn new() -> Result<Driver> {
        let folder = tempfile::tempdir()?;
        let gate = Gate::new(folder.path())?;
        let mut driver = Driver {
            story: Vec::new(),
            requests: 0,
            restarts: 0,
            model: Model::default(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
            gate,
            clock: Clock::virtual_from(Moment(1_704_067_200_000_000)),
            folder,
            handle: None,
        };
        driver.start()?;
        // Both cells begin with a value that the model knows.
        driver.send(OBSERVER, "", &statement(&update(3, 0), &catalog("Shop")))?;
        let answer = driver.receive(OBSERVER)?;
        if let AnswerResult::Fault(fault) = answer.result {
            return Err(fault.description.into());
        }
        Ok(driver)
    }

    fn start(&mut self) -> Result<()> {
        let flags = [
            ("listen", "127.0.0.1:0".to_owned()),
            ("data_dir", self.folder.path().join("data").display().to_string()),
            ("workers", "32".to_owned()),
            ("catalog", format!("Shop={0}/shop.yaml,{0}/shop", self.folder.path().display())),
            ("MaxIdleSessionTimeout", IDLE.to_string()),
            ("IdleTransactionTimeout", IDLE_IN_TRANSACTION.to_string()),
            ("SessionLifeTimeout", LIFE.to_string()),
        ];
        let settings = Settings::load(None, [], flags.map(|(k, v)| (k.to_owned(), v)))?;
        let catalogs = vec![("Gate".to_owned(), self.gate.clone() as Arc<dyn Snapshot>)];
        let handle = start_with(settings, self.clock.clone(), catalogs)?;
        handle.wait_ready()?;
        self.handle = Some(handle);
        Ok(())
    }

    fn handle(&self) -> Result<&Handle> {
        self.handle.as_ref().ok_or_else(|| "no server".into())
    }

    /// Does one thing, and sees that all get what they have to.
    pub(crate) fn step(&mut self, random: &mut Random) -> Result<()> {
        match random.below(100) {
            0..14 => self.begin(random)?,
            14..30 => self.ask(random, Kind::Quick)?,
            30..46 => self.ask(random, Kind::Slow)?,
            46..51 => self.ask_alone(random)?,
            51..57 => self.ask(random, Kind::Begin)?,
            57..61 => self.ask(random, Kind::Commit)?,
            61..63 => self.ask(random, Kind::Rollback)?,
            63..66 => self.ask(random, Kind::End)?,
            66..72 => self.write(random)?,
            72..76 => self.ask(random, Kind::Read)?,
            76..88 => self.cancel(random)?,
            88..91 => self.hang_up(random)?,
            91..95 => self.release()?,
            95..98 => self.advance(random)?,
            _ => self.restart()?,
        }
        self.collect()?;
        if random.below(5) == 0 { self.look() } else { Ok(()) }
    }

    /// Ends what is left, so that the next history begins with nothing.
    pub(crate) fn end_history(&mut self) -> Result<()> {
        self.look()?;
        self.story.push("the end".to_owned());
        self.release()?;
        while self.model.pending().next().is_some() {
            self.collect()?;
            self.release()?;
        }
        self.collect()?;
        self.turn_clock(LIFE)?;
        self.collect()?;
        self.look()?;
        let server = self.handle()?.server();
        let left = server.sessions.filter(|s| s.explicit).len();
        if left > 0 || server.sessions.page(0, 100).iter().any(|s| s.explicit) {
            return Err(format!("{left} sessions are left after their life").into());
        }
        self.model = Model { now: self.model.now, cells: self.model.cells, ..Model::default() };
        self.story.clear();
        Ok(())
    }

    /// Clients that wait for nothing.
    fn free(&self) -> Vec<usize> {
        (0..OBSERVER).filter(|&c| self.clients[c].waits.is_none()).collect()
    }

    fn socket(&mut self, client: usize) -> Result<&mut Socket> {
        if self.clients[client].socket.is_none() {
            let socket = Socket::connect(self.handle()?.address())?;
            let local = socket.local()?;
            let server = self.handle()?.server().clone();
            let id = wait_for("a connection's record", || {
                server.connections.all().iter().find(|c| c.peer == local).map(|c| c.id)
            })?;
            self.clients[client] = Client { socket: Some(socket), connection: id, waits: None };
        }
        self.clients[client].socket.as_mut().ok_or_else(|| "no socket".into())
    }

    fn send(&mut self, client: usize, header: &str, body: &str) -> Result<()> {
        self.requests += 1;
        let request = Request::post(envelope(header, body));
        self.socket(client)?.send(&request)?;
        Ok(())
    }

    fn receive(&mut self, client: usize) -> Result<Answer> {
        let response = self.socket(client)?.receive(false)?;
        Ok(Answer::read(&response.body, &Context::unlimited())?)
    }

    fn session_header(&self, session: Option<usize>, kind: Kind) -> String {
        let name = if kind == Kind::End { "EndSession" } else { "Session" };
        session.map_or_else(String::new, |s| session_header(name, Some(&self.model.sessions[s].id)))
    }

    fn begin(&mut self, random: &mut Random) -> Result<()> {
        let Some(client) = random.one_of(&self.free()) else { return Ok(()) };
        self.send(client, &session_header("BeginSession", None), &statement("", &[]))?;
        let answer = self.receive(client)?;
        let id = answer.session.ok_or("BeginSession told no id")?;
        let found = self.handle()?.server().sessions.by_id(&id);
        let spid = found.ok_or("the session that was begun is not there")?.spid;
        self.story.push(format!("client {client} begins session {}, SPID {spid}", self.model.sessions.len()));
        if self.model.sessions.iter().any(|s| !s.ended && s.spid == spid || s.id == id) {
            return Err(format!("SPID {spid} or {id} was given twice").into());
        }
        self.model.begin(id, spid, self.clients[client].connection);
        Ok(())
    }

    /// A session, now and then one that has ended.
    fn any_session(&self, random: &mut Random) -> Option<usize> {
        let alive: Vec<usize> = self.model.alive().collect();
        let all: Vec<usize> = (0..self.model.sessions.len()).collect();
        let also_ended = random.below(8) == 0;
        random.one_of(if also_ended { &all } else { &alive })
    }

    fn ask(&mut self, random: &mut Random, kind: Kind) -> Result<()> {
        let (Some(client), Some(session)) = (random.one_of(&self.free()), self.any_session(random)) else {
            return Ok(());
        };
        self.ask_in(client, Some(session), kind)
    }

    fn write(&mut self, random: &mut Random) -> Result<()> {
        let bits = u8::try_from(1 + random.below(3))?;
        self.ask(random, Kind::Write(bits))
    }

    fn ask_alone(&mut self, random: &mut Random) -> Result<()> {
        let Some(client) = random.one_of(&self.free()) else { return Ok(()) };
        let kinds = [Kind::Slow, Kind::Slow, Kind::Quick, Kind::Read, Kind::Write(3), Kind::Write(1)];
        self.ask_in(client, None, random.one_of(&kinds).unwrap_or(Kind::Quick))
    }

    fn ask_in(&mut self, client: usize, session: Option<usize>, kind: Kind) -> Result<()> {
        self.story.push(format!("client {client} asks in session {session:?}: {kind:?}"));
        let body = match kind {
            Kind::Slow => statement(QUERY, &catalog("Gate")),
            Kind::Write(bits) => statement(&update(bits, Model::value(self.model.commands.len())), &catalog("Shop")),
            Kind::Read => statement(READ, &catalog("Shop")),
            Kind::Quick => discover("DISCOVER_KEYWORDS", &[("Keyword".to_owned(), "AXIS".to_owned())], &[]),
            Kind::Begin => execute("<BeginTransaction/>", &[]),
            Kind::Commit => execute("<CommitTransaction/>", &[]),
            Kind::Rollback => execute("<RollbackTransaction/>", &[]),
            Kind::End => statement("", &[]),
        };
        self.send(client, &self.session_header(session, kind), &body)?;
        let connection = self.clients[client].connection;
        let command = self.model.arrive(connection, session, kind);
        self.clients[client].waits = Some(command);
        if self.model.commands[command].outcome.is_none() {
            let server = self.handle()?.server().clone();
            wait_for("a command in the registry", || {
                (!server.running.on_connection(connection).is_empty()).then_some(())
            })?;
        }
        self.settle()
    }

    /// Waits until the gate holds what it has to: then every command is where the model has it.
    fn settle(&self) -> Result<()> {
        let held = self.model.held() as u64;
        wait_for(&format!("{held} held queries"), || (self.gate.held() == held).then_some(()))
    }

    fn cancel(&mut self, random: &mut Random) -> Result<()> {
        let (Some(client), Some(s)) = (random.one_of(&self.free()), self.any_session(random)) else { return Ok(()) };
        let session = self.model.sessions[s].clone();
        match random.below(8) {
            0 | 1 => self.cancel_session(client, s, &cancel(None, None, Some(&session.spid.to_string()), None), false),
            2 | 3 => self.cancel_session(client, s, &cancel(None, Some(&session.id), None, None), false),
            4 => self.cancel_without_ids(client, s),
            5 => self.cancel_connection(random, client),
            6 => self.cancel_session(client, s, &cancel(None, Some(&session.id), None, Some("1")), true),
            _ => self.cancel_alone(random, client),
        }
    }

    /// A Cancel by SPID or SessionID, sent without a session.
    fn cancel_session(&mut self, client: usize, s: usize, element: &str, associated: bool) -> Result<()> {
        self.story.push(format!("client {client} cancels session {s}: {element}"));
        let home = self.model.belongs_to(s);
        if associated && self.is_shared(home, s) {
            return Ok(());
        }
        self.send(client, "", &execute(element, &[]))?;
        if self.model.sessions[s].ended {
            let by_id = element.contains("SessionID");
            return self.expect(client, if by_id { Outcome::NotFound } else { Outcome::NoTarget });
        }
        let hit = if associated {
            let hit = !self.model.sessions[s].queue.is_empty();
            self.model.end(s, Outcome::Cancelled);
            hit
        } else {
            self.model.cancel(s, true)
        };
        self.expect(client, if hit { Outcome::Done } else { Outcome::Warned })?;
        let shared = self.model.alive().any(|other| self.model.belongs_to(other) == home);
        if associated && !shared { self.expect_closed(home) } else { Ok(()) }
    }

    /// Whether a command of another session waits on a connection to which that session does not belong: how it ends when the
    /// connection is closed depends on who is faster.
    fn is_shared(&self, connection: u32, s: usize) -> bool {
        self.model.pending().any(|c| {
            let command = &self.model.commands[c];
            command.connection == connection && command.session != Some(s)
        })
    }

    /// A Cancel without ids, sent in the session.
    fn cancel_without_ids(&mut self, client: usize, s: usize) -> Result<()> {
        self.story.push(format!("client {client} cancels in session {s}"));
        self.send(client, &self.session_header(Some(s), Kind::Quick), &execute(&cancel(None, None, None, None), &[]))?;
        if self.model.sessions[s].ended {
            return self.expect(client, Outcome::NotFound);
        }
        if self.model.sessions[s].queue.is_empty() {
            // It is the session's last request, and tells it of what was lost.
            let connection = self.clients[client].connection;
            let now = self.model.now;
            let session = &mut self.model.sessions[s];
            (session.connection, session.idle_since, session.lost) = (connection, now, false);
        }
        let hit = self.model.cancel(s, false);
        self.expect(client, if hit { Outcome::Done } else { Outcome::Warned })
    }

    fn cancel_connection(&mut self, random: &mut Random, client: usize) -> Result<()> {
        let open: Vec<usize> = (0..OBSERVER).filter(|&c| self.clients[c].socket.is_some()).collect();
        let Some(target) = random.one_of(&open) else { return Ok(()) };
        // The sender's socket has to be open, or it would be a new connection.
        self.socket(client)?;
        let connection = self.clients[target].connection;
        let associated = random.below(2) == 0;
        self.story.push(format!("client {client} cancels the connection of client {target}, associated: {associated}"));
        let element = cancel(Some(&connection.to_string()), None, None, associated.then_some("1"));
        self.send(client, "", &execute(&element, &[]))?;
        let belonging: Vec<usize> = self.model.alive().filter(|&s| self.model.belongs_to(s) == connection).collect();
        let hit = belonging.iter().any(|&s| !self.model.sessions[s].queue.is_empty())
            || self.model.pending().any(|c| self.model.commands[c].connection == connection);
        for s in belonging {
            if associated {
                self.model.end(s, Outcome::Cancelled);
            } else {
                self.model.cancel(s, true);
            }
        }
        let on_it: Vec<usize> =
            self.model.pending().filter(|&c| self.model.commands[c].connection == connection).collect();
        for command in on_it {
            self.model.cancel_one(command);
        }
        self.expect(client, if hit { Outcome::Done } else { Outcome::Warned })?;
        self.expect_closed(connection)
    }

    /// A Cancel that has nothing to hit: without ids and session, or with a SPID that was never given.
    fn cancel_alone(&mut self, random: &mut Random, client: usize) -> Result<()> {
        let unknown = random.below(2) == 0;
        self.story.push(format!("client {client} cancels nothing, by an unknown SPID: {unknown}"));
        self.send(client, "", &execute(&cancel(None, None, unknown.then_some("4000000000"), None), &[]))?;
        self.expect(client, if unknown { Outcome::NoTarget } else { Outcome::Warned })
    }

    fn hang_up(&mut self, random: &mut Random) -> Result<()> {
        let open: Vec<usize> = (0..OBSERVER).filter(|&c| self.clients[c].socket.is_some()).collect();
        let Some(client) = random.one_of(&open) else { return Ok(()) };
        self.story.push(format!("client {client} hangs up"));
        let connection = self.clients[client].connection;
        self.clients[client] = Client::default();
        self.wait_gone(connection)?;
        self.model.hang_up(connection);
        self.settle()
    }

    fn wait_gone(&self, connection: u32) -> Result<()> {
        let server = self.handle()?.server();
        wait_for("the end of a connection", || {
            let gone = !server.connections.is_open(connection) && server.running.on_connection(connection).is_empty();
            gone.then_some(())
        })
    }

    fn release(&mut self) -> Result<()> {
        // What two sessions do with the cells at once comes in an order that nobody can say; one of them is enough.
        for s in self.model.would_touch().into_iter().skip(1) {
            let spid = self.model.sessions[s].spid.to_string();
            self.cancel_session(OBSERVER, s, &cancel(None, None, Some(&spid), None), false)?;
        }
        self.story.push("the gate opens".to_owned());
        self.settle()?;
        self.gate.open();
        self.model.release();
        Ok(())
    }

    fn advance(&mut self, random: &mut Random) -> Result<()> {
        let seconds = random.one_of(&[1, 20, 49, 51, 99, 101, 500]).unwrap_or(1);
        self.turn_clock(seconds)
    }

    fn turn_clock(&mut self, seconds: u64) -> Result<()> {
        self.story.push(format!("{seconds} s go by"));
        self.clock.advance(Duration::from_secs(seconds));
        self.handle()?.server().keep_house();
        self.model.advance(seconds);
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.story.push("restart".to_owned());
        self.restarts += 1;
        // Who waits longest hangs up last: what stands before the others would run on, and nobody could say how far.
        let mut waiting: Vec<usize> = (0..CLIENTS).filter(|&c| self.clients[c].socket.is_some()).collect();
        waiting.sort_by_key(|&c| std::cmp::Reverse(self.clients[c].waits));
        for client in waiting {
            let connection = self.clients[client].connection;
            self.clients[client] = Client::default();
            self.wait_gone(connection)?;
            self.model.hang_up(connection);
        }
        self.model.restart();
        if let Some(handle) = self.handle.take() {
            handle.stop();
        }
        self.start()
    }

    /// Reads the answers that are decided.
    fn collect(&mut self) -> Result<()> {
        for client in 0..OBSERVER {
            let Some(command) = self.clients[client].waits else { continue };
            if let Some(outcome) = self.model.commands[command].outcome {
                self.expect(client, outcome)?;
            }
        }
        self.settle()
    }

    /// Reads a client's answer and compares it.
    fn expect(&mut self, client: usize, outcome: Outcome) -> Result<()> {
        self.clients[client].waits = None;
        if outcome == Outcome::Gone {
            return Ok(());
        }
        let answer = self.receive(client)?;
        let fits = match (&answer.result, outcome) {
            (AnswerResult::Fault(fault), _) => match fault.code {
                0xC11C_0002 => matches!(outcome, Outcome::Cancelled | Outcome::CancelledOrNotFound),
                0xC10C_000A => matches!(outcome, Outcome::NotFound | Outcome::CancelledOrNotFound),
                0xC11C_0021 => outcome == Outcome::NoTarget,
                0xC11C_0023 => outcome == Outcome::NoTransaction,
                0xC11C_0024 => outcome == Outcome::Conflict,
                0xC11C_0025 => outcome == Outcome::Lost,
                _ => false,
            },
            (AnswerResult::Cells(cells), Outcome::Cells(expected)) => {
                let values: Vec<&str> = cells.cells.iter().filter_map(|c| c.value.as_deref()).collect();
                values == expected.map(|v| v.to_string())
            }
            (_, Outcome::Done) => answer.warnings.is_empty() && answer.exception.is_none(),
            (_, Outcome::Warned) => answer.warnings.len() == 1,
            _ => false,
        };
        let said = || format!("client {client} should get {outcome:?}, but got {answer:?}");
        if fits { Ok(()) } else { Err(said().into()) }
    }

    /// A connection that was cancelled is closed once what is due on it has been answered.
    fn expect_closed(&mut self, connection: u32) -> Result<()> {
        let Some(client) = self.clients.iter().position(|c| c.socket.is_some() && c.connection == connection) else {
            return Ok(());
        };
        if let Some(command) = self.clients[client].waits {
            let outcome = self.model.commands[command].outcome.ok_or("a command outlives its connection")?;
            self.expect(client, outcome)?;
        }
        let closed = self.socket(client)?.wait_closed(Duration::from_secs(20))?;
        self.clients[client] = Client::default();
        if !closed {
            return Err(format!("the connection of client {client} is still open").into());
        }
        self.wait_gone(connection)?;
        self.model.hang_up(connection);
        Ok(())
    }

    fn rows(&mut self, text: &str) -> Result<BTreeSet<Vec<String>>> {
        self.send(OBSERVER, "", &statement(text, &[]))?;
        let answer = self.receive(OBSERVER)?;
        let AnswerResult::Table(Table { rows, .. }) = answer.result else {
            return Err(format!("{text}: {:?}", answer.result).into());
        };
        let text = |field: Option<String>| field.unwrap_or_else(|| "null".to_owned());
        Ok(rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect())
    }

    /// Compares the DMVs with the model.
    fn look(&mut self) -> Result<()> {
        self.socket(OBSERVER)?;
        let own = self.clients[OBSERVER].connection;
        let open: BTreeSet<u32> = self.clients.iter().filter(|c| c.socket.is_some()).map(|c| c.connection).collect();
        let sessions = self.rows(&format!(
            "SELECT SESSION_ID, SESSION_SPID, SESSION_CONNECTION_ID, SESSION_STATUS FROM $SYSTEM.DISCOVER_SESSIONS \
             WHERE SESSION_CONNECTION_ID IS NULL OR SESSION_CONNECTION_ID <> {own}"
        ))?;
        let expected: BTreeSet<Vec<String>> = self.model.alive().map(|s| self.session_row(s, &open)).collect();
        let alone = self.model.pending().filter(|&c| self.model.commands[c].session.is_none()).count();
        if !expected.is_subset(&sessions) || sessions.len() != expected.len() + alone {
            return Err(
                format!("DISCOVER_SESSIONS shows {sessions:?}, not {expected:?} and {alone} implicit ones").into()
            );
        }
        let spids: BTreeSet<&String> = sessions.iter().map(|row| &row[1]).collect();
        let commands = self.rows(
            "SELECT SESSION_SPID, COMMAND_END_TIME FROM $SYSTEM.DISCOVER_COMMANDS \
             WHERE NOT COMMAND_TEXT LIKE 'SELECT SESSION_SPID, COMMAND_END_TIME%'",
        )?;
        let running = commands.iter().filter(|row| row[1] == "null").count();
        if running != self.model.held() || commands.iter().any(|row| !spids.contains(&row[0])) {
            return Err(format!("DISCOVER_COMMANDS shows {commands:?}; sessions are {spids:?}").into());
        }
        let jobs = self.rows("SELECT COUNT(*) FROM $SYSTEM.DISCOVER_JOBS")?;
        let pending = (self.model.pending().count() + 1).to_string();
        if jobs != BTreeSet::from([vec![pending.clone()]]) {
            return Err(format!("DISCOVER_JOBS shows {jobs:?}, not {pending}").into());
        }
        let transactions = self.rows("SELECT TRANSACTION_SESSION_ID FROM $SYSTEM.DISCOVER_TRANSACTIONS")?;
        let with_one = self.model.alive().filter(|&s| self.model.sessions[s].transaction > 0);
        let expected: BTreeSet<Vec<String>> = with_one.map(|s| vec![self.model.sessions[s].id.clone()]).collect();
        if transactions != expected {
            return Err(format!("DISCOVER_TRANSACTIONS shows {transactions:?}, not {expected:?}").into());
        }
        let connections = self.rows("SELECT CONNECTION_ID FROM $SYSTEM.DISCOVER_CONNECTIONS")?;
        let expected: BTreeSet<Vec<String>> = open.iter().map(|id| vec![id.to_string()]).collect();
        if connections != expected {
            return Err(format!("DISCOVER_CONNECTIONS shows {connections:?}, not {expected:?}").into());
        }
        Ok(())
    }

    fn session_row(&self, s: usize, open: &BTreeSet<u32>) -> Vec<String> {
        let session = &self.model.sessions[s];
        let connection = Some(self.model.belongs_to(s)).filter(|c| open.contains(c));
        let connection = connection.map_or_else(|| "null".to_owned(), |c| c.to_string());
        let status = if session.queue.is_empty() { "0" } else { "1" };
        vec![session.id.clone(), session.spid.to_string(), connection, status.to_owned()]
    }
}
