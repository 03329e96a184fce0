//! Seats for commands: few where statements compute, as many again where the metadata of cubes are read, more where the server's
//! state is, so that none waits for another kind.

use crate::clock::Clock;
use crate::running::{Command, Stage};
use facetta_model::Result;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Threads at a time that read the server's state.
const STATE_SEATS: usize = 32;

/// What kind of work a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Computing: as many at a time as there are workers.
    Statement,
    /// Reading what cubes consist of: as many again, so that a client can find its way while long queries run.
    Metadata,
    /// Reading the server's state, or a commit: never waits for statements.
    State,
}

/// The seats.
#[derive(Debug)]
pub struct Pool {
    clock: Clock,
    statements: Arc<Semaphore>,
    metadata: Arc<Semaphore>,
    state: Arc<Semaphore>,
    workers: usize,
}

impl Pool {
    /// A pool that runs `workers` statements at a time.
    pub fn new(clock: Clock, workers: usize) -> Self {
        let workers = workers.max(1);
        let seats = |count| Arc::new(Semaphore::new(count));
        Self { clock, statements: seats(workers), metadata: seats(workers), state: seats(STATE_SEATS), workers }
    }

    /// Waits for a seat, in order of arrival.
    ///
    /// # Errors
    /// The command is cancelled meanwhile, or its time is over.
    pub async fn seat(&self, work: Work, command: &Command) -> Result<Seat> {
        let seats = match work {
            Work::Statement => &self.statements,
            Work::Metadata => &self.metadata,
            Work::State => &self.state,
        };
        command.set_stage(Stage::WaitsForWorker);
        let permit = command.unless_cancelled(seats.clone().acquire_owned()).await?;
        command.runs(self.clock.now());
        Ok(Seat { seats: seats.clone(), permit: permit.ok() })
    }

    /// Statements that run now.
    pub fn busy(&self) -> usize {
        self.workers - self.statements.available_permits().min(self.workers)
    }

    /// Statements that can run at a time.
    pub fn workers(&self) -> usize {
        self.workers
    }
}

/// A seat; it is free again when dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Seat {
    /// Leaves the seat to others for a while.
    pub fn leave(&mut self) {
        self.permit = None;
    }

    /// Takes a seat again, waiting for one unless the command is cancelled: then it only ends, and needs none.
    /// To be called from a thread that may block.
    pub fn take(&mut self, command: &Command) {
        if self.permit.is_none() {
            let seat = command.unless_cancelled(self.seats.clone().acquire_owned());
            self.permit = Handle::current().block_on(seat).ok().and_then(std::result::Result::ok);
        }
    }
}
