//! What the server logs, kept so that tests can ask for it. One log for the process: worlds that read it take turns.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static TURN: Mutex<()> = Mutex::new(());
static SET: Once = Once::new();

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The log from here on; nobody else logs until it is dropped.
#[derive(Debug)]
pub struct Log {
    _turn: MutexGuard<'static, ()>,
    seen: BTreeMap<String, usize>,
}

impl Log {
    /// Waits for its turn.
    pub fn begin() -> Log {
        SET.call_once(|| tracing::subscriber::set_global_default(Keeper).expect("no other subscriber"));
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        lines().clear();
        Log { _turn: turn, seen: BTreeMap::new() }
    }

    /// The lines that hold `part`, since the same was asked last.
    pub fn take(&mut self, part: &str) -> Vec<String> {
        let lines = lines();
        let seen = self.seen.insert(part.to_owned(), lines.len()).unwrap_or(0);
        lines[seen..].iter().filter(|l| l.contains(part)).cloned().collect()
    }

    /// Lines that tell of a defect, in the whole log.
    pub fn defects(&self) -> Vec<String> {
        lines().iter().filter(|l| l.starts_with("ERROR") || l.contains("panicked")).cloned().collect()
    }
}

struct Keeper;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("facetta")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        lines().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
