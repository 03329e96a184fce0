//! Cancel: whom it hits, who may, and what its sender is told (spec/decisions.md, Cancel).

use super::Reply;
use crate::auth::User;
use crate::connections::Connection;
use crate::running::{Command, Stage};
use crate::server::Server;
use crate::session::{EndReason, Session};
use facetta_mdx::{StatementClass, classify};
use facetta_model::{CancelReason, Column, ColumnType, Error, Field, Result, Rowset, bail, error};
use facetta_xmla::{Cancel, Warning, session_not_found};
use std::sync::Arc;
use std::time::Duration;

/// How long a receipt waits for its victims to unwind.
const RECEIPT: Duration = Duration::from_secs(1);

/// Who cancels, and from where.
pub struct Sender<'a> {
    /// The server.
    pub server: &'a Server,
    /// The session in which the Cancel was sent.
    pub session: &'a Arc<Session>,
    /// The user.
    pub user: &'a User,
}

/// What a Cancel means.
#[derive(Debug)]
enum Target {
    /// The commands of a session.
    Session(Arc<Session>),
    /// The commands on a socket and those of the sessions that belong to it; then the socket.
    Connection(Arc<Connection>),
}

/// A command that was cancelled, and what is told of it.
struct Victim {
    command: Arc<Command>,
    /// Where it was when it was hit.
    stage: Stage,
    held_transaction: bool,
}

/// What a Cancel has hit.
#[derive(Default)]
struct Struck {
    victims: Vec<Victim>,
    /// Sessions that it has ended, each with the connection to which it belonged, and whether a transaction was open.
    ended: Vec<(Arc<Session>, u32, bool)>,
    /// The connection that it has closed.
    closed: Option<u32>,
}

/// Carries out a Cancel. With a receipt, waits for the victims to unwind, at most a second.
///
/// # Errors
/// An id is unknown or another's, ids contradict each other, or the sender may not.
pub async fn cancel(sender: &Sender<'_>, cancel: &Cancel, receipt: bool) -> Result<Reply> {
    let Some(target) = target(sender, cancel)? else { return Ok(Reply::Warned(Warning::nothing_to_cancel())) };
    let struck = match &target {
        // Without an id only what runs is meant; what waits behind it takes its turn.
        Target::Session(session) if cancel.names_nothing() && !cancel.cancel_associated => {
            Struck { victims: strike_running(session), ..Struck::default() }
        }
        Target::Session(session) => strike_session(sender, session, cancel.cancel_associated),
        Target::Connection(connection) => strike_connection(sender, connection, cancel.cancel_associated),
    };
    for victim in &struck.victims {
        let command = &victim.command;
        tracing::info!(by = %sender.user.name, spid = command.session.spid, session = %command.session.id, "command cancelled");
    }
    // Also where a session was ended or a socket closed: the warning is about commands.
    let warning = struck.victims.is_empty().then(Warning::nothing_to_cancel);
    let rowset = if receipt { Some(write_receipt(sender, &struck).await) } else { None };
    Ok(match (rowset, warning) {
        (Some(rowset), warning) => Reply::Receipt(rowset, warning),
        (None, Some(warning)) => Reply::Warned(warning),
        (None, None) => Reply::Empty,
    })
}

/// What the ids mean together; `None` for an implicit session that cancels itself.
fn target(sender: &Sender<'_>, cancel: &Cancel) -> Result<Option<Target>> {
    let by_id = cancel.session_id.as_deref().map(|id| sender.server.sessions.by_id(id));
    let by_spid = cancel.spid.map(|spid| u32::try_from(spid).ok().and_then(|s| sender.server.sessions.by_spid(s)));
    let connection =
        cancel.connection_id.map(|id| u32::try_from(id).ok().and_then(|i| sender.server.connections.get(i)));
    if by_id.is_none() && by_spid.is_none() && connection.is_none() {
        return Ok(sender.session.explicit.then(|| Target::Session(sender.session.clone())));
    }
    let visible = |found: Option<Arc<Session>>| found.filter(|s| may_cancel(sender, s));
    let (by_id, by_spid) = (by_id.map(visible), by_spid.map(visible));
    let connection = connection.map(|found| found.filter(|c| may_close(sender, c)));
    let given = [cancel.session_id.is_some(), cancel.spid.is_some(), cancel.connection_id.is_some()];
    if given.iter().filter(|g| **g).count() > 1 {
        return agree(cancel, by_id, by_spid, connection).map(Some);
    }
    match (by_id, by_spid, connection) {
        (Some(found), ..) => found
            .map(|s| Some(Target::Session(s)))
            .ok_or_else(|| session_not_found(cancel.session_id.as_deref().unwrap_or(""))),
        (_, Some(found), _) => found.map(|s| Some(Target::Session(s))).ok_or_else(|| unknown("SPID", cancel.spid)),
        (.., Some(found)) => {
            found.map(|c| Some(Target::Connection(c))).ok_or_else(|| unknown("ConnectionID", cancel.connection_id))
        }
        (None, None, None) => Ok(None),
    }
}

fn unknown(what: &str, id: Option<i64>) -> Error {
    let id = id.map(|i| i.to_string()).unwrap_or_default();
    error!(CancelTarget, "The {what} '{id}' cannot be found. Either it does not exist or it is no longer there.")
}

/// Several ids must name one session, and the connection that it belongs to; else nothing is cancelled, and the fault says
/// what each names.
fn agree(
    cancel: &Cancel,
    by_id: Option<Option<Arc<Session>>>,
    by_spid: Option<Option<Arc<Session>>>,
    connection: Option<Option<Arc<Connection>>>,
) -> Result<Target> {
    let sessions: Vec<&Option<Arc<Session>>> = by_id.iter().chain(&by_spid).collect();
    let first = sessions.first().and_then(|s| s.as_ref());
    let one = first.filter(|first| sessions.iter().all(|s| s.as_ref().is_some_and(|s| s.spid == first.spid)));
    if let Some(session) = one {
        let belongs_to = session.state().belongs_to();
        match &connection {
            None => return Ok(Target::Session(session.clone())),
            Some(Some(connection)) if connection.id == belongs_to => return Ok(Target::Session(session.clone())),
            Some(_) => {}
        }
    }
    let mut said = Vec::new();
    let of_session = |found: &Option<Arc<Session>>| match found {
        Some(session) => format!("the session {} with SPID {}", session.id, session.spid),
        None => "nothing".to_owned(),
    };
    if let Some(found) = &connection {
        let names = if found.is_some() { "an open connection" } else { "nothing" };
        said.push(format!("ConnectionID {} names {names}", cancel.connection_id.unwrap_or_default()));
    }
    if let Some(found) = &by_id {
        said.push(format!("SessionID '{}' names {}", cancel.session_id.as_deref().unwrap_or(""), of_session(found)));
    }
    if let Some(found) = &by_spid {
        said.push(format!("SPID {} names {}", cancel.spid.unwrap_or_default(), of_session(found)));
    }
    bail!(
        CancelTarget,
        "The Cancel names things that do not belong together, so nothing was cancelled: {}. Give one of ConnectionID, \
         SessionID, SPID, and delete the placeholders of the sample (111, 222, 333)",
        said.join("; ")
    )
}

/// A session's user his own; a catalog administrator those whose current catalog is his; a server administrator all.
fn may_cancel(sender: &Sender<'_>, session: &Session) -> bool {
    *session.user == *sender.user.name || sender.user.administers(session.state().catalog.as_deref())
}

/// Only who may cancel every session that belongs to it; for a socket without sessions, its user and the administrators.
fn may_close(sender: &Sender<'_>, connection: &Connection) -> bool {
    if sender.user.admin {
        return true;
    }
    let sessions = belonging(sender.server, connection.id);
    let own = connection.who().user.is_some_and(|u| *u == *sender.user.name);
    let commands = sender.server.running.on_connection(connection.id);
    sessions.iter().all(|s| may_cancel(sender, s))
        && commands.iter().all(|c| may_cancel(sender, &c.session))
        && (own || !sessions.is_empty())
}

/// The sessions that belong to a connection.
fn belonging(server: &Server, connection: u32) -> Vec<Arc<Session>> {
    server.sessions.filter(|s| s.state().belongs_to() == connection)
}

fn strike_session(sender: &Sender<'_>, session: &Arc<Session>, associated: bool) -> Struck {
    let connection = session.state().belongs_to();
    let mut struck = Struck { victims: strike(session), ..Struck::default() };
    if associated {
        struck.end(sender, session);
        // Its connection goes too, unless another session belongs there; that of the Cancel itself does not count.
        let own = |s: &Session| s.spid == session.spid || (!s.explicit && s.spid == sender.session.spid);
        if belonging(sender.server, connection).iter().all(|s| own(s))
            && let Some(connection) = sender.server.connections.get(connection)
        {
            struck.close(&connection);
        }
    }
    struck
}

fn strike_connection(sender: &Sender<'_>, connection: &Arc<Connection>, associated: bool) -> Struck {
    let mut struck = Struck::default();
    for session in belonging(sender.server, connection.id) {
        // The Cancel may have come on the very socket; its own session has nothing to be cancelled but itself.
        struck.victims.extend(strike(&session));
        if associated && (session.explicit || session.spid != sender.session.spid) {
            struck.end(sender, &session);
        }
    }
    for command in sender.server.running.on_connection(connection.id) {
        let known = struck.victims.iter().any(|v| v.command.number == command.number);
        if !known && strikes(&command) {
            struck.victims.push(victim(command));
        }
    }
    struck.close(connection);
    struck
}

impl Struck {
    fn end(&mut self, sender: &Sender<'_>, session: &Arc<Session>) {
        let (connection, open) = {
            let state = session.state();
            (state.belongs_to(), state.transaction.is_some())
        };
        if sender.server.sessions.end(session, EndReason::CancelAssociated) {
            self.ended.push((session.clone(), connection, open));
        }
    }

    fn close(&mut self, connection: &Connection) {
        self.closed = Some(connection.id);
        connection.close();
    }
}

/// Cancels a command; true if it is one that a Cancel is about, also where an earlier one has hit it and it still unwinds.
fn strikes(command: &Command) -> bool {
    if command.passes || command.stage() == Stage::Over {
        return false;
    }
    command.cancel(CancelReason::Cancel);
    true
}

/// Cancels what runs in a session.
fn strike_running(session: &Session) -> Vec<Victim> {
    let running = session.state().running().cloned();
    running.into_iter().filter(|c| strikes(c)).map(victim).collect()
}

/// Cancels what runs and waits in a session.
fn strike(session: &Session) -> Vec<Victim> {
    let struck: Vec<_> = {
        // Under the lock: what waits must not get its turn between its predecessor's end and its own.
        let state = session.state();
        state.commands.iter().filter(|c| strikes(c)).cloned().collect()
    };
    struck.into_iter().map(victim).collect()
}

fn victim(command: Arc<Command>) -> Victim {
    let (stage, held_transaction) = (command.stage(), command.session.state().transaction.is_some());
    Victim { command, stage, held_transaction }
}

/// A row for each victim, and for what was ended or closed without one.
async fn write_receipt(sender: &Sender<'_>, struck: &Struck) -> Rowset {
    let deadline = tokio::time::Instant::now() + RECEIPT;
    let mut rows = Vec::new();
    for victim in &struck.victims {
        let command = &victim.command;
        let over = command.wait_over(deadline.saturating_duration_since(tokio::time::Instant::now())).await;
        let ended = command.session.state().ended.is_some();
        let now = sender.server.clock.now();
        rows.push(vec![
            command.session.spid.into(),
            command.session.id.to_string().into(),
            // The socket on which it came, open or not by now.
            known(command.connection),
            command.text.clone().into(),
            victim.doing().into(),
            now.millis_since(command.started).into(),
            victim.undone(over, ended).into(),
            Field::Boolean(over),
        ]);
    }
    for (session, connection, open) in &struck.ended {
        if struck.victims.iter().any(|v| v.command.session.spid == session.spid) {
            continue;
        }
        let undone = if *open { TRANSACTION } else { NOTHING };
        rows.push(vec![
            session.spid.into(),
            session.id.to_string().into(),
            known(*connection),
            Field::Null,
            "idle; the session was ended".into(),
            Field::Null,
            undone.into(),
            Field::Boolean(true),
        ]);
    }
    let told = |c: u32| {
        struck.victims.iter().any(|v| v.command.connection == c) || struck.ended.iter().any(|(_, of, _)| *of == c)
    };
    if let Some(closed) = struck.closed.filter(|c| !told(*c)) {
        let mut row = vec![Field::Null; RECEIPT_COLUMNS.len()];
        (row[2], row[4]) = (known(closed), "idle; the connection was closed".into());
        (row[6], row[7]) = (NOTHING.into(), Field::Boolean(true));
        rows.push(row);
    }
    Rowset::of(RECEIPT_COLUMNS.map(|(name, ty)| Column::new(name, ty)).to_vec(), rows)
}

const TRANSACTION: &str = "the transaction of the session";
const NOTHING: &str = "nothing";

impl Victim {
    fn doing(&self) -> &'static str {
        match self.stage {
            Stage::WaitsForSession => "waited for earlier commands of its session",
            Stage::WaitsForWorker => "waited for a worker",
            Stage::Runs => "ran",
            Stage::Over => "was over",
        }
    }

    /// What was rolled back with it.
    fn undone(&self, over: bool, ended: bool) -> &'static str {
        let changes = || {
            let class = classify(&self.command.text);
            matches!(class, StatementClass::Update | StatementClass::Definition | StatementClass::Transaction)
        };
        match (over, ended && self.held_transaction) {
            (false, _) => "still unwinding",
            (true, true) => TRANSACTION,
            (true, false) if self.stage == Stage::Runs && changes() => "the changes of the command",
            (true, false) => NOTHING,
        }
    }
}

fn known(connection: u32) -> Field {
    Some(connection).filter(|&c| c != 0).into()
}

/// The columns of a receipt.
const RECEIPT_COLUMNS: [(&str, ColumnType); 8] = [
    ("SPID", ColumnType::Int),
    ("SESSION_ID", ColumnType::String),
    ("CONNECTION_ID", ColumnType::Int),
    ("COMMAND_TEXT", ColumnType::String),
    ("COMMAND_WAS", ColumnType::String),
    ("ELAPSED_MS", ColumnType::UnsignedLong),
    ("ROLLED_BACK", ColumnType::String),
    ("FINISHED", ColumnType::Boolean),
];
