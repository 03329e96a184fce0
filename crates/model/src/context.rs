//! What a running command carries everywhere: cancel token with its reason, deadline, memory account, counters.

use crate::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Why a command was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CancelReason {
    /// A Cancel command named it.
    Cancel = 1,
    /// Its deadline passed.
    Timeout = 2,
    /// The client closed the socket on which it ran.
    Disconnect = 3,
    /// Its session ended or expired.
    SessionEnd = 4,
    /// The server is stopping.
    Shutdown = 5,
}

impl CancelReason {
    fn from_u8(byte: u8) -> Option<Self> {
        use CancelReason::*;
        [Cancel, Timeout, Disconnect, SessionEnd, Shutdown].into_iter().find(|r| *r as u8 == byte)
    }

    /// The error that the command's caller gets (spec/decisions.md, Cancel).
    pub fn error(self) -> Error {
        match self {
            CancelReason::Timeout => {
                Error::new(ErrorKind::Timeout, "Server: The operation has been cancelled because of timeout.")
            }
            _ => Error::new(ErrorKind::Cancelled, "Server: The operation has been cancelled."),
        }
    }
}

/// A flag that anyone may set once; the first reason stays.
#[derive(Debug, Default)]
pub struct CancelToken(AtomicU8);

impl CancelToken {
    /// Sets the flag; false if it was set already.
    pub fn cancel(&self, reason: CancelReason) -> bool {
        self.0.compare_exchange(0, reason as u8, Relaxed, Relaxed).is_ok()
    }

    /// The reason, once set.
    pub fn reason(&self) -> Option<CancelReason> {
        CancelReason::from_u8(self.0.load(Relaxed))
    }
}

/// Bytes that a command, or a transaction between commands, holds now, at most ever, and may hold.
#[derive(Debug)]
pub struct MemoryAccount {
    /// Whose it is, as the fault says.
    holder: &'static str,
    limit: u64,
    held: AtomicU64,
    peak: AtomicU64,
    /// Charges asked for; tests refuse the one of a number.
    charges: AtomicU64,
    refused: u64,
}

impl MemoryAccount {
    /// An account of `holder` ("operation", "transaction") that may hold `limit` bytes.
    pub fn new(holder: &'static str, limit: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { holder, limit, held: zero(), peak: zero(), charges: zero(), refused: u64::MAX }
    }

    /// A charge of nothing yet in the name of `operator`; it is given back when dropped.
    pub fn begin(self: &Arc<Self>, operator: &'static str) -> Charge {
        Charge { account: self.clone(), operator, bytes: 0 }
    }

    /// Bytes held now.
    pub fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    /// The most bytes that were held at one time.
    pub fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }

    /// How often a charge was asked for; tests count these.
    pub fn charges(&self) -> u64 {
        self.charges.load(Relaxed)
    }

    fn take(&self, bytes: u64, operator: &str) -> Result<()> {
        let held = self.held.fetch_add(bytes, Relaxed) + bytes;
        let refused = self.charges.fetch_add(1, Relaxed) + 1 == self.refused;
        if held > self.limit || refused {
            self.held.fetch_sub(bytes, Relaxed);
            let (limit, unit) = if self.limit < 1 << 20 { (self.limit, "bytes") } else { (self.limit >> 20, "MiB") };
            crate::bail!(
                MemoryLimit,
                "Memory error: the {} reached its limit of {limit} {unit} in {operator}",
                self.holder
            );
        }
        self.peak.fetch_max(held, Relaxed);
        Ok(())
    }
}

/// Bytes charged to a command; given back when dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<MemoryAccount>,
    operator: &'static str,
    bytes: u64,
}

impl Charge {
    /// Charges `bytes` more; an error names the limit and the operator.
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        self.account.take(bytes as u64, self.operator)?;
        self.bytes += bytes as u64;
        Ok(())
    }

    /// Charges what is needed so that the whole is `bytes`, or gives back what is not.
    pub fn resize(&mut self, bytes: usize) -> Result<()> {
        let bytes = bytes as u64;
        if bytes > self.bytes {
            self.account.take(bytes - self.bytes, self.operator)?;
        } else {
            self.account.held.fetch_sub(self.bytes - bytes, Relaxed);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Bytes charged.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.held.fetch_sub(self.bytes, Relaxed);
    }
}

/// What a command has done so far; read by DISCOVER_COMMANDS while it runs.
#[derive(Debug, Default)]
pub struct Counters {
    /// Rows of segments looked at.
    pub rows_read: AtomicU64,
    /// Bytes of segments looked at.
    pub bytes_read: AtomicU64,
    /// Cells evaluated or rows of a rowset made.
    pub cells: AtomicU64,
    /// Bytes of the answer written.
    pub bytes_written: AtomicU64,
    /// Processor time, all threads, nanoseconds.
    pub cpu_nanos: AtomicU64,
    /// Times that [`Context::check`] was asked; tests count these.
    pub checks: AtomicU64,
    /// Subcube requests answered by a scan.
    pub scans: AtomicU64,
}

/// Of a running command: cancel token, deadline, memory account, counters. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Context {
    token: Arc<CancelToken>,
    deadline: Option<Instant>,
    memory: Arc<MemoryAccount>,
    counters: Arc<Counters>,
    /// The check at which the token sets itself, for tests; 0 for none.
    trips_at: u64,
}

/// Where a context stops its command by itself, so that a test can stop it wherever it can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// At the check of this number, from 1: as if it were cancelled just before.
    Check(u64),
    /// At the charge of this number, from 1: as if it would pass the limit.
    Charge(u64),
}

impl Context {
    /// A context with a limit of memory in bytes, and a time to run if there is one.
    pub fn new(memory_limit: u64, timeout: Option<Duration>) -> Self {
        Self {
            token: Arc::default(),
            deadline: timeout.and_then(|t| Instant::now().checked_add(t)),
            memory: Arc::new(MemoryAccount::new("operation", memory_limit)),
            counters: Arc::default(),
            trips_at: 0,
        }
    }

    /// A context without limits that stops its command at a point.
    pub fn tripping(trip: Trip) -> Self {
        let mut context = Self::unlimited();
        match trip {
            Trip::Check(number) => context.trips_at = number,
            Trip::Charge(number) => {
                let account = MemoryAccount { refused: number, ..MemoryAccount::new("operation", u64::MAX / 2) };
                context.memory = Arc::new(account);
            }
        }
        context
    }

    /// A context without limits: for loading at start and for tests.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX / 2, None)
    }

    /// The token, to hand to those who may cancel.
    pub fn token(&self) -> &Arc<CancelToken> {
        &self.token
    }

    /// The memory account.
    pub fn memory(&self) -> &Arc<MemoryAccount> {
        &self.memory
    }

    /// The counters.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// When the command must be done.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// An error if the command was cancelled or its deadline has passed.
    /// Every loop that can be long asks this at least every 10 ms of work.
    #[inline]
    pub fn check(&self) -> Result<()> {
        let check = self.counters.checks.fetch_add(1, Relaxed) + 1;
        if check == self.trips_at {
            self.token.cancel(CancelReason::Cancel);
        }
        if let Some(reason) = self.token.reason() {
            return Err(reason.error());
        }
        if let Some(deadline) = self.deadline
            && Instant::now() >= deadline
        {
            self.token.cancel(CancelReason::Timeout);
            return Err(CancelReason::Timeout.error());
        }
        Ok(())
    }

    /// [`Context::check`] once in 1,024 calls, for loops whose steps are short; `step` counts the calls.
    #[inline]
    pub fn check_every(&self, step: &mut u32) -> Result<()> {
        *step = step.wrapping_add(1);
        if *step & 1023 == 0 { self.check() } else { Ok(()) }
    }

    /// Charges `bytes` to the command in the name of `operator`; the charge is given back when dropped.
    pub fn charge(&self, operator: &'static str, bytes: usize) -> Result<Charge> {
        let mut charge = self.memory.begin(operator);
        charge.grow(bytes)?;
        Ok(charge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let context = Context::unlimited();
        assert!(context.check().is_ok());
        assert!(context.token().cancel(CancelReason::Timeout));
        assert!(!context.token().cancel(CancelReason::Cancel));
        assert_eq!(context.check().unwrap_err().kind(), ErrorKind::Timeout);
    }

    #[test]
    fn a_charge_is_given_back() {
        let context = Context::new(100, None);
        let mut charge = context.charge("Crossjoin", 60).unwrap();
        let error = charge.grow(60).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MemoryLimit);
        assert!(error.message().contains("Crossjoin"));
        assert_eq!(context.memory().held(), 60);
        charge.resize(10).unwrap();
        drop(charge);
        assert_eq!(context.memory().held(), 0);
        assert_eq!(context.memory().peak(), 60);
    }

    #[test]
    fn a_context_trips_where_it_is_told() {
        let context = Context::tripping(Trip::Check(2));
        assert!(context.check().is_ok());
        assert_eq!(context.check().unwrap_err().kind(), ErrorKind::Cancelled);
        let context = Context::tripping(Trip::Charge(2));
        let _first = context.charge("Filter", 10).unwrap();
        assert_eq!(context.charge("Filter", 10).unwrap_err().kind(), ErrorKind::MemoryLimit);
        assert_eq!((context.memory().held(), context.memory().charges()), (10, 2));
        assert!(context.charge("Filter", 10).is_ok());
    }
}
