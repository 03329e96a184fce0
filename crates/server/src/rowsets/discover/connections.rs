//! DISCOVER_CONNECTIONS.

use crate::clock::Moment;
use crate::connections::{Connection, Who};
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, column, restriction, rows_of};
use facetta_model::{Field, Result, name};
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
    let (now, user) = (server.clock.now(), ask.user.clone());
    let rows = found.into_iter().map(move |connection| ConnectionRow { who: connection.who(), connection, now });
    // A connection belongs to no catalog: others than the server's administrators see their own.
    let own =
        move |row: &ConnectionRow| user.admin || row.who.user.as_deref().is_some_and(|u| name::same(u, &user.name));
    Ok(rows_of(rows.filter(own)))
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
        column("CONNECTION_HOST_APPLICATION", Str, |r| r.who.application.clone().into()),
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
