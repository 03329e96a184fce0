//! The way of an answer's bytes from the thread that writes them to the socket: chunks, with back-pressure.

use crate::pool::Seat;
use crate::running::Command;
use crate::sync::lock;
use bytes::Bytes;
use facetta_model::CancelReason;
use http_body::Frame;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

/// Bytes gathered before they leave as a chunk. An answer that is shorter leaves whole, and may still become a fault.
const CHUNK: usize = 32 << 10;

/// Bytes that may wait for the socket before the writer has to.
const WAITING: usize = 256 << 10;

/// How often a writer that waits for a slow client looks whether it is cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// The bytes of an answer.
#[derive(Debug)]
pub enum Answer {
    /// All of them.
    Whole(Vec<u8>),
    /// A stream that has begun.
    Stream(Stream),
}

#[derive(Debug, Default)]
struct Pipe {
    chunks: VecDeque<Bytes>,
    waiting: usize,
    /// The writer is done; true if it wrote a proper end.
    ended: Option<bool>,
    /// The client is gone.
    closed: bool,
    reader: Option<Waker>,
}

#[derive(Debug, Default)]
struct Shared {
    pipe: Mutex<Pipe>,
    room: Condvar,
}

/// The writer's end.
#[derive(Debug)]
pub struct Sink {
    buffer: Vec<u8>,
    head: Option<oneshot::Sender<Answer>>,
    shared: Arc<Shared>,
    command: Arc<Command>,
    seat: Seat,
}

impl Sink {
    /// A sink for the answer to a command; the receiver gets its bytes. `seat` is left to others while a slow client is
    /// waited for.
    pub fn new(command: Arc<Command>, seat: Seat) -> (Sink, oneshot::Receiver<Answer>) {
        let (head, answer) = oneshot::channel();
        let sink =
            Sink { buffer: Vec::with_capacity(4 << 10), head: Some(head), shared: Arc::default(), command, seat };
        (sink, answer)
    }

    /// Whether bytes have left already.
    pub fn has_begun(&self) -> bool {
        self.head.is_none()
    }

    /// Forgets what was written, none of which has left.
    pub fn restart(&mut self) {
        debug_assert!(!self.has_begun());
        self.buffer.clear();
    }

    /// Sends the rest; the answer is whole.
    pub fn finish(mut self) {
        let rest = std::mem::take(&mut self.buffer);
        match self.head.take() {
            Some(head) => {
                // The client may be gone; there is nobody to tell.
                let _ = head.send(Answer::Whole(rest));
            }
            None => {
                let mut pipe = lock(&self.shared.pipe);
                pipe.waiting += rest.len();
                pipe.chunks.push_back(rest.into());
                end(&mut pipe, true);
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + (4 << 10))));
        if let Some(head) = self.head.take() {
            let stream = Stream { shared: self.shared.clone(), command: self.command.clone() };
            if head.send(Answer::Stream(stream)).is_err() {
                return Err(gone(&self.command));
            }
        }
        self.wait_for_room()?;
        let mut pipe = lock(&self.shared.pipe);
        pipe.waiting += chunk.len();
        pipe.chunks.push_back(chunk);
        if let Some(reader) = pipe.reader.take() {
            reader.wake();
        }
        Ok(())
    }

    /// Waits while too much waits for the socket. A command that is cancelled does not wait: what it still writes is the
    /// end of its answer, which is short.
    fn wait_for_room(&mut self) -> io::Result<()> {
        loop {
            let pipe = lock(&self.shared.pipe);
            if pipe.closed {
                return Err(gone(&self.command));
            }
            if pipe.waiting < WAITING || self.command.context.check().is_err() {
                drop(pipe);
                self.seat.take(&self.command);
                return Ok(());
            }
            self.seat.leave();
            drop(self.shared.room.wait_timeout(pipe, LOOK).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

fn gone(command: &Command) -> io::Error {
    command.cancel(CancelReason::Disconnect);
    io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone")
}

fn end(pipe: &mut Pipe, whole: bool) {
    pipe.ended = Some(whole);
    if let Some(reader) = pipe.reader.take() {
        reader.wake();
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let mut pipe = lock(&self.shared.pipe);
        // Dropped without `finish`: the reader must not take what came for the whole.
        if pipe.ended.is_none() {
            end(&mut pipe, false);
        }
    }
}

/// The socket's end of a stream.
#[derive(Debug)]
pub struct Stream {
    shared: Arc<Shared>,
    command: Arc<Command>,
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let mut pipe = lock(&self.shared.pipe);
        if let Some(chunk) = pipe.chunks.pop_front() {
            pipe.waiting -= chunk.len();
            self.shared.room.notify_one();
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match pipe.ended {
            Some(true) => Poll::Ready(None),
            Some(false) => Poll::Ready(Some(Err(io::Error::other("the answer was broken off")))),
            None => {
                pipe.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut pipe = lock(&self.shared.pipe);
        pipe.closed = true;
        if pipe.ended.is_none() {
            self.command.cancel(CancelReason::Disconnect);
        }
        self.shared.room.notify_one();
    }
}
