//! DISCOVER_CONNECTIONS.

use super::visible_sessions;
use crate::clock::Moment;
use crate::connections::{Connection, Who};
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, column, restriction, rows_of};
use facetta_model::{Field, Result};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An open connection as it is at one moment.
pub struct ConnectionRow {
    connection: Arc<Connection>,
    who: Who,
    now: Moment,
}

fn connections(ask: &Ask) -> Result<Rows<ConnectionRow>> {
    let server = &ask.server;
    let found = match ask.wanted_number("CONNECTION_ID") {
        Some(id) => u32::try_from(id).ok().and_then(|id| server.connections.get(id)).into_iter().collect(),
        None => server.connections.all(),
    };
    let now = server.clock.now();
    let rows: Vec<ConnectionRow> =
        found.into_iter().map(|connection| ConnectionRow { who: connection.who(), connection, now }).collect();
    let own = |row: &ConnectionRow| ask.user.admin || row.who.user.as_deref() == Some(&*ask.user.name);
    if rows.iter().all(own) {
        return Ok(rows_of(rows));
    }
    // Also those to which sessions belong that he sees: a join of the two rowsets loses none.
    let seen: BTreeSet<u32> = visible_sessions(ask, "").map(|session| session.state().belongs_to()).collect();
    let rows: Vec<ConnectionRow> =
        rows.into_iter().filter(|row| own(row) || seen.contains(&row.connection.id)).collect();
    Ok(rows_of(rows))
}

fn count(counter: &AtomicU64) -> Field {
    counter.load(Relaxed).into()
}

/// Open connections.
#[rustfmt::skip]
pub static DISCOVER_CONNECTIONS: RowsetDef<ConnectionRow> = RowsetDef {
    name: "DISCOVER_CONNECTIONS",
    guid: "A07CCD25-8148-11D0-87BB-00C04FC33942",
    about: "Open connections",
    dmv: true,
    audience: Audience::Everyone,
    rows: connections,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "CONNECTION_ID", Int, |r| r.connection.id.into()),
        restriction(1, "CONNECTION_USER_NAME", Str, |r| r.who.user.clone().into()),
        restriction(2, "CONNECTION_IMPERSONATED_USER_NAME", Str, |_| Field::Null),
        restriction(3, "CONNECTION_HOST_NAME", Str, |r| r.connection.peer.to_string().into()),
        column("CONNECTION_HOST_APPLICATION", Str, |r| r.who.application().into()),
        column("CONNECTION_START_TIME", Date, |r| r.connection.started.to_datetime().into()),
        restriction(4, "CONNECTION_ELAPSED_TIME_MS", Long, |r| r.now.millis_since(r.connection.started).into()),
        column("CONNECTION_LAST_COMMAND_START_TIME", Date, |r| r.who.request_started.map(Moment::to_datetime).into()),
        column("CONNECTION_LAST_COMMAND_END_TIME", Date, |r| r.who.request_ended.map(Moment::to_datetime).into()),
        restriction(5, "CONNECTION_LAST_COMMAND_ELAPSED_TIME_MS", Long,
            |r| r.who.request_started.map(|s| r.who.request_ended.unwrap_or(r.now).millis_since(s)).into()),
        restriction(6, "CONNECTION_IDLE_TIME_MS", Long, |r| match r.who.busy {
            0 => r.now.millis_since(r.who.request_ended.unwrap_or(r.connection.started)).into(),
            _ => 0i64.into(),
        }),
        column("CONNECTION_BYTES_SENT", Long, |r| count(&r.connection.bytes_sent)),
        column("CONNECTION_DATA_BYTES_SENT", Long, |r| count(&r.connection.data_sent)),
        column("CONNECTION_BYTES_RECEIVED", Long, |r| count(&r.connection.bytes_received)),
        column("CONNECTION_DATA_BYTES_RECEIVED", Long, |r| count(&r.connection.data_received)),
    ],
};
