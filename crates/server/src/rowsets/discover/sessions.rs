//! DISCOVER_SESSIONS and DISCOVER_TRANSACTIONS.

use super::visible_sessions;
use crate::clock::Moment;
use crate::guid::Guid;
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, column, restriction, rows_of};
use crate::running::Stage;
use crate::session::{Session, Transaction, Used};
use facetta_model::{Field, Result};
use std::sync::Arc;

/// A session as it is at one moment.
pub struct SessionRow {
    id: Guid,
    spid: u32,
    connection: Option<u32>,
    user: Arc<str>,
    catalog: Option<Arc<str>>,
    memory_kib: u64,
    properties: Option<String>,
    started: Moment,
    now: Moment,
    last: Option<LastRow>,
    idle_millis: u64,
    used: Used,
    status: i32,
    commands: u32,
}

/// The running or last command.
struct LastRow {
    text: Option<Arc<str>>,
    started: Moment,
    ended: Option<Moment>,
    used: Used,
}

const NANOS_PER_MILLI: u64 = 1_000_000;

impl SessionRow {
    fn of(ask: &Ask, session: &Session) -> SessionRow {
        let now = ask.server.clock.now();
        let state = session.state();
        let running = state.running();
        let last = match (running, &state.last) {
            (Some(command), _) => Some(LastRow {
                text: Some(command.text.clone()),
                started: command.started,
                ended: None,
                used: Used::of(command),
            }),
            (None, Some(last)) => Some(LastRow {
                text: last.text.clone(),
                started: last.started,
                ended: Some(last.ended),
                used: last.used,
            }),
            (None, None) => None,
        };
        let unwinds = running.is_some_and(|c| c.context.token().reason().is_some());
        let status = match (state.ended, running.map(|c| c.stage())) {
            (Some(_), _) => 3,
            _ if unwinds => 3,
            (None, None) => 0,
            (None, Some(Stage::WaitsForWorker | Stage::WaitsForSession)) => 2,
            (None, Some(_)) => 1,
        };
        let connection = Some(state.belongs_to()).filter(|&id| ask.server.connections.is_open(id));
        let properties: Vec<String> = state.properties.0.iter().map(|(p, v)| format!("{}={v}", p.name)).collect();
        let commands_hold: u64 = state.commands.iter().map(|c| c.context.memory().held()).sum();
        let transaction_holds = state.transaction.as_ref().map_or(0, |t| t.changes.bytes());
        SessionRow {
            id: session.id,
            spid: session.spid,
            connection,
            user: session.user.clone(),
            catalog: state.catalog.clone(),
            memory_kib: (commands_hold + transaction_holds) >> 10,
            properties: Some(properties.join(";")).filter(|p| !p.is_empty()),
            started: session.started,
            now,
            idle_millis: if state.is_idle() { now.millis_since(state.idle_since) } else { 0 },
            used: running.map_or(state.used, |c| state.used.plus(Used::of(c))),
            last,
            status,
            commands: state.command_count,
        }
    }

    fn last<T>(&self, get: impl FnOnce(&LastRow) -> T) -> Field
    where
        Field: From<T>,
    {
        self.last.as_ref().map_or(Field::Null, |l| Field::from(get(l)))
    }
}

fn sessions(ask: &Ask) -> Result<Rows<SessionRow>> {
    let rows = visible_sessions(ask, "SESSION_SPID");
    let ask = ask.clone();
    Ok(Box::new(rows.map(move |session| Ok(SessionRow::of(&ask, &session)))))
}

fn none(_: &SessionRow) -> Field {
    Field::Null
}

/// Open sessions.
#[rustfmt::skip]
pub static DISCOVER_SESSIONS: RowsetDef<SessionRow> = RowsetDef {
    name: "DISCOVER_SESSIONS",
    guid: "A07CCD26-8148-11D0-87BB-00C04FC33942",
    about: "Open sessions on the server",
    dmv: true,
    audience: Audience::Everyone,
    rows: sessions,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "SESSION_ID", Str, |r| r.id.to_string().into()),
        restriction(1, "SESSION_SPID", Int, |r| r.spid.into()),
        restriction(2, "SESSION_CONNECTION_ID", Int, |r| r.connection.into()),
        restriction(3, "SESSION_USER_NAME", Str, |r| r.user.clone().into()),
        restriction(4, "SESSION_CURRENT_DATABASE", Str, |r| r.catalog.clone().into()),
        column("SESSION_USED_MEMORY", Int, |r| i32::try_from(r.memory_kib).unwrap_or(i32::MAX).into()),
        column("SESSION_PROPERTIES", Str, |r| r.properties.clone().into()),
        column("SESSION_START_TIME", Date, |r| r.started.to_datetime().into()),
        restriction(5, "SESSION_ELAPSED_TIME_MS", ULong, |r| r.now.millis_since(r.started).into()),
        column("SESSION_LAST_COMMAND_START_TIME", Date, |r| r.last(|l| l.started.to_datetime())),
        column("SESSION_LAST_COMMAND_END_TIME", Date, |r| r.last(|l| l.ended.map(Moment::to_datetime))),
        column("SESSION_LAST_COMMAND_ELAPSED_TIME_MS", ULong, |r| r.last(|l| l.ended.unwrap_or(r.now).millis_since(l.started))),
        restriction(7, "SESSION_IDLE_TIME_MS", ULong, |r| r.idle_millis.into()),
        restriction(6, "SESSION_CPU_TIME_MS", ULong, |r| (r.used.cpu_nanos / NANOS_PER_MILLI).into()),
        column("SESSION_LAST_COMMAND", Str, |r| r.last(|l| l.text.clone())),
        column("SESSION_LAST_COMMAND_CPU_TIME_MS", ULong, |r| r.last(|l| l.used.cpu_nanos / NANOS_PER_MILLI)),
        restriction(8, "SESSION_STATUS", Int, |r| r.status.into()),
        column("SESSION_READS", ULong, |r| r.used.scans.into()),
        column("SESSION_WRITES", ULong, none),
        column("SESSION_READ_KB", ULong, |r| (r.used.bytes_read >> 10).into()),
        column("SESSION_WRITE_KB", ULong, none),
        column("SESSION_COMMAND_COUNT", Int, |r| r.commands.into()),
        column("RESTRICT_CATALOG_NAME", Str, none),
        restriction(9, "RESTRICT_CATALOG_ID", Str, none),
        column("THREAD_POOL_USED", Str, none),
        restriction(10, "REQUEST_ACTIVITY_ID", Uuid, none),
        restriction(11, "CLIENT_ACTIVITY_ID", Uuid, none),
    ],
};

/// An open transaction.
pub struct TransactionRow {
    session: Guid,
    transaction: Transaction,
    now: Moment,
}

fn transactions(ask: &Ask) -> Result<Rows<TransactionRow>> {
    let now = ask.server.clock.now();
    // Looked for at once: open transactions are few among many sessions, and a batch would wait for its full number.
    let rows: Vec<TransactionRow> = visible_sessions(ask, "")
        .filter_map(|session| {
            let transaction = session.state().transaction.as_deref().cloned()?;
            Some(TransactionRow { session: session.id, transaction, now })
        })
        .collect();
    Ok(rows_of(rows))
}

/// Open transactions.
pub static DISCOVER_TRANSACTIONS: RowsetDef<TransactionRow> = RowsetDef {
    name: "DISCOVER_TRANSACTIONS",
    guid: "A07CCD28-8148-11D0-87BB-00C04FC33942",
    about: "Open transactions",
    dmv: true,
    audience: Audience::Everyone,
    rows: transactions,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "TRANSACTION_ID", Str, |r| r.transaction.id.to_string().into()),
        restriction(1, "TRANSACTION_SESSION_ID", Str, |r| r.session.to_string().into()),
        column("TRANSACTION_START_TIME", Date, |r| r.transaction.started.to_datetime().into()),
        column("TRANSACTION_ELAPSED_TIME_MS", Long, |r| r.now.millis_since(r.transaction.started).into()),
        column("TRANSACTION_CPU_TIME_MS", Long, |r| (r.transaction.cpu_nanos / NANOS_PER_MILLI).into()),
    ],
};
