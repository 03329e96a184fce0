//! DISCOVER_MEMORYUSAGE, _MEMORYGRANT, _PERFORMANCE_COUNTERS, _TRACES.

use super::visible_commands;
use crate::clock::Moment;
use crate::rowsets::definition::{
    Ask, Audience, Rows, RowsetDef, Type::*, column, needed, restricted_as, restriction, rows_of,
};
use crate::running::Command;
use crate::server::Server;
use facetta_model::{Field, Result, bail};
use std::sync::Arc;

/// Memory held by the server as a whole, or by a command.
pub struct MemoryRow {
    id: u64,
    name: &'static str,
    spid: u32,
    created: Moment,
    used: u64,
}

fn memory_usage(ask: &Ask) -> Result<Rows<MemoryRow>> {
    // The process is nobody's own.
    let used = crate::memory::resident().filter(|_| ask.user.admin);
    let whole = used.map(|used| MemoryRow { id: 0, name: "Process", spid: 0, created: ask.server.started, used });
    let commands = visible_commands(ask).map(|c| MemoryRow {
        id: c.number,
        name: "Command",
        spid: c.session.spid,
        created: c.started,
        used: c.context.memory().held(),
    });
    Ok(rows_of(whole.into_iter().chain(commands).collect::<Vec<_>>()))
}

/// Memory of the process, for administrators, and of each command.
#[rustfmt::skip]
pub static DISCOVER_MEMORYUSAGE: RowsetDef<MemoryRow> = RowsetDef {
    name: "DISCOVER_MEMORYUSAGE",
    guid: "A07CCD21-8148-11D0-87BB-00C04FC33942",
    about: "Memory of the process, for administrators, and of each command",
    dmv: true,
    audience: Audience::Everyone,
    rows: memory_usage,
    order: &[],
    extra: &[],
    columns: &[
        column("MemoryID", ULong, |r| r.id.into()),
        column("MemoryName", Str, |r| r.name.into()),
        restriction(0, "SPID", UInt, |r| r.spid.into()),
        column("CreationTime", Date, |r| r.created.to_datetime().into()),
        restriction(2, "BaseObjectType", UInt, |_| Field::Null),
        restricted_as(Long, restriction(1, "MemoryUsed", ULong, |r| r.used.into())),
        column("MemoryAllocated", ULong, |_| Field::Null),
        column("MemoryAllocBase", ULong, |_| Field::Null),
        column("MemoryAllocFromAlloc", ULong, |_| Field::Null),
        column("ElementCount", UInt, |_| Field::Null),
        restriction(3, "Shrinkable", Bool, |_| Field::Null),
        column("ObjectParentPath", Str, |_| Field::Null),
        column("ObjectId", Str, |_| Field::Null),
        column("Group", Str, |_| Field::Null),
    ],
};

/// What a command holds and may hold.
pub struct GrantRow {
    command: Arc<Command>,
    granted: u64,
}

fn grants(ask: &Ask) -> Result<Rows<GrantRow>> {
    let granted = ask.server.settings.limits.command_memory;
    Ok(rows_of(visible_commands(ask).map(move |command| GrantRow { command, granted })))
}

fn kib(bytes: u64) -> Field {
    i32::try_from(bytes >> 10).unwrap_or(i32::MAX).into()
}

/// Memory that commands hold and may hold.
#[rustfmt::skip]
pub static DISCOVER_MEMORYGRANT: RowsetDef<GrantRow> = RowsetDef {
    name: "DISCOVER_MEMORYGRANT",
    guid: "A07CCD23-8148-11D0-87BB-00C04FC33942",
    about: "Memory that running commands hold and may hold",
    dmv: true,
    audience: Audience::Everyone,
    rows: grants,
    order: &[],
    extra: &[],
    columns: &[
        column("MemoryID", Long, |r| r.command.number.into()),
        restricted_as(Str, restriction(0, "SPID", Int, |r| r.command.session.spid.into())),
        column("CreationTime", Date, |r| r.command.started.to_datetime().into()),
        column("LastRequestTime", Date, |_| Field::Null),
        column("MemoryUsed", Int, |r| kib(r.command.context.memory().held())),
        column("MemoryGranted", Int, |r| kib(r.granted)),
        column("Blocked", Bool, |_| false.into()),
    ],
};

/// A performance counter.
struct Counter {
    name: &'static str,
    value: fn(&Server) -> f64,
}

/// The counters, under the paths that Analysis Services gives them.
static COUNTERS: &[Counter] = &[
    Counter { name: r"\Connection\Current connections", value: |s| s.connections.len() as f64 },
    Counter { name: r"\Connection\Current user sessions", value: |s| s.sessions.len() as f64 },
    Counter { name: r"\Connection\Total refused connections", value: |s| s.connections.refused() as f64 },
    Counter { name: r"\Connection\Failures/sec total", value: |s| s.auth.failed() as f64 },
    Counter { name: r"\Memory\Memory Usage KB", value: |s| memory_kib(s) },
    Counter { name: r"\Memory\Memory Limit High KB", value: |s| (s.settings.limits.total_memory >> 10) as f64 },
    Counter { name: r"\Threads\Query pool busy threads", value: |s| s.pool.busy() as f64 },
    Counter { name: r"\Threads\Query pool idle threads", value: |s| (s.pool.workers() - s.pool.busy()) as f64 },
    Counter { name: r"\MDX\Total commands finished", value: |s| s.running.finished() as f64 },
    Counter { name: r"\MDX\Commands in flight", value: |s| s.running.len() as f64 },
];

fn memory_kib(_: &Server) -> f64 {
    crate::memory::resident().map_or(f64::NAN, |bytes| (bytes >> 10) as f64)
}

/// A counter's value.
pub struct CounterRow {
    name: String,
    value: f64,
}

fn counters(ask: &Ask) -> Result<Rows<CounterRow>> {
    let mut rows = Vec::new();
    for wanted in ask.wanted("PERF_COUNTER_NAME").unwrap_or_default().iter().filter_map(Field::as_str) {
        let plain = wanted.rsplit_once(':').map_or(wanted, |(_, rest)| rest);
        let Some(counter) = COUNTERS
            .iter()
            .find(|c| c.name.trim_start_matches('\\').eq_ignore_ascii_case(plain.trim_start_matches('\\')))
        else {
            let known: Vec<&str> = COUNTERS.iter().map(|c| c.name).collect();
            bail!(NotFound, "The performance counter '{wanted}' does not exist; there are {}", known.join(", "));
        };
        rows.push(CounterRow { name: wanted.to_owned(), value: (counter.value)(&ask.server) });
    }
    Ok(rows_of(rows))
}

/// The value of a performance counter.
pub static DISCOVER_PERFORMANCE_COUNTERS: RowsetDef<CounterRow> = RowsetDef {
    name: "DISCOVER_PERFORMANCE_COUNTERS",
    guid: "A07CCD2E-8148-11D0-87BB-00C04FC33942",
    about: "Value of a performance counter",
    dmv: true,
    audience: Audience::Administrators,
    rows: counters,
    order: &[],
    extra: &[],
    columns: &[
        needed(restriction(0, "PERF_COUNTER_NAME", Str, |r: &CounterRow| r.name.clone().into())),
        column("PERF_COUNTER_VALUE", Double, |r| Some(r.value).filter(|v| !v.is_nan()).into()),
    ],
};

/// A trace; there is none, since Subscribe is not supported.
pub struct TraceRow {
    never: std::convert::Infallible,
}

impl TraceRow {
    fn field(&self) -> Field {
        match self.never {}
    }
}

/// Traces that run.
#[rustfmt::skip]
pub static DISCOVER_TRACES: RowsetDef<TraceRow> = RowsetDef {
    name: "DISCOVER_TRACES",
    guid: "A07CCD1A-8148-11D0-87BB-00C04FC33942",
    about: "Traces that run on the server; none, since they are not supported yet",
    dmv: true,
    audience: Audience::Administrators,
    rows: |_| Ok(rows_of(Vec::<TraceRow>::new())),
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "TraceID", Str, TraceRow::field),
        column("TraceName", Str, TraceRow::field),
        column("LogFileName", Str, TraceRow::field),
        column("LogFileSize", Long, TraceRow::field),
        column("LogFileRollover", Bool, TraceRow::field),
        column("AutoRestart", Bool, TraceRow::field),
        column("CreationTime", Date, TraceRow::field),
        column("StopTime", Date, TraceRow::field),
        restriction(1, "Type", Str, TraceRow::field),
    ],
};
