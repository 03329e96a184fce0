//! DISCOVER_COMMANDS, _COMMAND_OBJECTS, _JOBS, _LOCKS.

use super::{visible_commands, visible_sessions};
use crate::clock::Moment;
use crate::rowsets::definition::{
    Ask, Audience, Rows, RowsetDef, Type::*, column, extra, restricted_as, restriction, rows_of,
};
use crate::running::{Command, Stage};
use crate::session::Used;
use facetta_model::{Field, Result};
use std::sync::Arc;

/// The current or last command of a session.
pub struct CommandRow {
    spid: u32,
    ordinal: u32,
    text: Option<Arc<str>>,
    started: Moment,
    ended: Option<Moment>,
    now: Moment,
    used: Used,
}

fn commands(ask: &Ask) -> Result<Rows<CommandRow>> {
    let server = ask.server.clone();
    let row = move |session: Arc<crate::session::Session>| {
        let now = server.clock.now();
        let state = session.state();
        let spid = session.spid;
        if let Some(c) = state.running() {
            let (text, used) = (Some(c.text.clone()), Used::of(c));
            return Some(CommandRow { spid, ordinal: c.ordinal, text, started: c.started, ended: None, now, used });
        }
        let last = state.last.as_deref()?;
        Some(CommandRow {
            spid,
            ordinal: last.ordinal,
            text: last.text.clone(),
            started: last.started,
            ended: Some(last.ended),
            now,
            used: last.used,
        })
    };
    Ok(Box::new(visible_sessions(ask, "SESSION_SPID").filter_map(row).map(Ok)))
}

/// The last or current command of each session.
#[rustfmt::skip]
pub static DISCOVER_COMMANDS: RowsetDef<CommandRow> = RowsetDef {
    name: "DISCOVER_COMMANDS",
    guid: "A07CCD34-8148-11D0-87BB-00C04FC33942",
    about: "Last or current command of each session",
    dmv: true,
    audience: Audience::Everyone,
    rows: commands,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "SESSION_SPID", Int, |r| r.spid.into()),
        column("SESSION_COMMAND_COUNT", Int, |r| r.ordinal.into()),
        column("COMMAND_START_TIME", Date, |r| r.started.to_datetime().into()),
        column("COMMAND_ELAPSED_TIME_MS", Long, |r| r.ended.unwrap_or(r.now).millis_since(r.started).into()),
        column("COMMAND_CPU_TIME_MS", Long, |r| (r.used.cpu_nanos / 1_000_000).into()),
        column("COMMAND_READS", Long, |r| r.used.scans.into()),
        column("COMMAND_READ_KB", Long, |r| (r.used.bytes_read >> 10).into()),
        column("COMMAND_WRITES", Long, |_| Field::Null),
        column("COMMAND_WRITE_KB", Long, |_| Field::Null),
        column("COMMAND_TEXT", Str, |r| r.text.clone().into()),
        column("COMMAND_END_TIME", Date, |r| r.ended.map(Moment::to_datetime).into()),
    ],
};

/// A command in flight and the catalog that it works on.
pub struct RunningRow {
    command: Arc<Command>,
    catalog: Option<Arc<str>>,
    now: Moment,
    used: Used,
}

fn running(ask: &Ask) -> impl Iterator<Item = RunningRow> + Send + 'static {
    visible_commands(ask).map(|command| {
        let now = command.started;
        let catalog = command.session.state().catalog.clone();
        RunningRow { used: Used::of(&command), command, catalog, now }
    })
}

fn command_objects(ask: &Ask) -> Result<Rows<RunningRow>> {
    Ok(rows_of(running(ask).filter(|r| r.catalog.is_some() && r.command.stage() == Stage::Runs)))
}

/// What running commands use, by object: by catalog, as finer is not measured.
#[rustfmt::skip]
pub static DISCOVER_COMMAND_OBJECTS: RowsetDef<RunningRow> = RowsetDef {
    name: "DISCOVER_COMMAND_OBJECTS",
    guid: "A07CCD35-8148-11D0-87BB-00C04FC33942",
    about: "Resource use per object of the running commands",
    dmv: true,
    audience: Audience::Everyone,
    rows: command_objects,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "SESSION_SPID", Int, |r| r.command.session.spid.into()),
        restriction(1, "SESSION_ID", Str, |r| r.command.session.id.to_string().into()),
        column("SESSION_COMMAND_COUNT", Int, |r| r.command.ordinal.into()),
        restriction(2, "OBJECT_PARENT_PATH", Str, |_| "Server.Databases".into()),
        restriction(3, "OBJECT_ID", Str, |r| r.catalog.clone().into()),
        column("OBJECT_VERSION", Int, |_| Field::Null),
        column("OBJECT_DATA_VERSION", Int, |_| Field::Null),
        column("OBJECT_CPU_TIME_MS", Long, |r| (r.used.cpu_nanos / 1_000_000).into()),
        column("OBJECT_READS", Long, |r| r.used.scans.into()),
        column("OBJECT_READ_KB", Long, |r| (r.used.bytes_read >> 10).into()),
        column("OBJECT_WRITES", Long, |_| Field::Null),
        column("OBJECT_WRITE_KB", Long, |_| Field::Null),
        column("OBJECT_ROWS_SCANNED", Long, |r| r.used.rows_read.into()),
        column("OBJECT_ROWS_RETURNED", Long, |_| Field::Null),
    ],
};

fn jobs(ask: &Ask) -> Result<Rows<RunningRow>> {
    let (now, least) = (ask.server.clock.now(), ask.wanted_number("JOB_MIN_TOTAL_TIME_MS").unwrap_or(0));
    let rows = running(ask).map(move |r| RunningRow { now, ..r });
    Ok(rows_of(rows.filter(move |r| i64::try_from(r.now.millis_since(r.command.started)).unwrap_or(i64::MAX) >= least)))
}

/// Commands as jobs: one each. Those that wait have no start time.
#[rustfmt::skip]
pub static DISCOVER_JOBS: RowsetDef<RunningRow> = RowsetDef {
    name: "DISCOVER_JOBS",
    guid: "A07CCD27-8148-11D0-87BB-00C04FC33942",
    about: "Jobs of running commands",
    dmv: true,
    audience: Audience::Everyone,
    rows: jobs,
    order: &[],
    extra: &[extra(4, "JOB_MIN_TOTAL_TIME_MS", Long)],
    columns: &[
        restriction(0, "SPID", Int, |r| r.command.session.spid.into()),
        restriction(1, "JOB_ID", Int, |r| r.command.number.into()),
        restriction(2, "JOB_DESCRIPTION", Str, |r| r.command.description().into()),
        column("JOB_CREATION_TIME", Date, |r| r.command.started.to_datetime().into()),
        column("JOB_TOTAL_TIME_MS", Long, |r| r.now.millis_since(r.command.started).into()),
        column("JOB_START_TIME", Date, |r| r.command.run_since().map(Moment::to_datetime).into()),
        column("JOB_EXECUTION_TIME_MS", Long, |r| r.command.run_since().map(|s| r.now.millis_since(s)).into()),
        restriction(3, "JOB_THREADPOOL_ID", Int, |_| Field::Null),
    ],
};

/// A lock; there is none, since readers and writers work on versions.
pub struct LockRow {
    never: std::convert::Infallible,
}

impl LockRow {
    fn field(&self) -> Field {
        match self.never {}
    }
}

fn locks(_: &Ask) -> Result<Rows<LockRow>> {
    Ok(rows_of(Vec::<LockRow>::new()))
}

/// Locks held or waited for.
#[rustfmt::skip]
pub static DISCOVER_LOCKS: RowsetDef<LockRow> = RowsetDef {
    name: "DISCOVER_LOCKS",
    guid: "A07CCD24-8148-11D0-87BB-00C04FC33942",
    about: "Locks held or waited for; none, since readers and writers work on versions",
    dmv: true,
    audience: Audience::Everyone,
    rows: locks,
    order: &[],
    extra: &[extra(5, "LOCK_MIN_TOTAL_MS", Long)],
    columns: &[
        restriction(0, "SPID", Int, LockRow::field),
        column("LOCK_ID", Uuid, LockRow::field),
        restriction(1, "LOCK_TRANSACTION_ID", Uuid, LockRow::field),
        restricted_as(Str, restriction(2, "LOCK_OBJECT_ID", Xml, LockRow::field)),
        restriction(3, "LOCK_STATUS", Int, LockRow::field),
        restriction(4, "LOCK_TYPE", Int, LockRow::field),
        column("LOCK_CREATION_TIME", Date, LockRow::field),
        column("LOCK_GRANT_TIME", Date, LockRow::field),
    ],
};
