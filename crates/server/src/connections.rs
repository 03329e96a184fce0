//! One record for each open client socket: id, peer, user, application, counters, and a way to close it.

use crate::clock::{Clock, Moment};
use crate::sync::{lock, read, write};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::Notify;

/// What `poll` calls a socket whose other end is closed; elsewhere than on Linux only a broken one is told.
#[cfg(target_os = "linux")]
const CLOSED: libc::c_short = libc::POLLRDHUP;
#[cfg(not(target_os = "linux"))]
const CLOSED: libc::c_short = 0;

/// An open client socket.
#[derive(Debug)]
pub struct Connection {
    /// Its id, not given again while the server runs.
    pub id: u32,
    /// The client's end.
    pub peer: SocketAddr,
    /// When it was opened.
    pub started: Moment,
    /// Bytes read from the socket.
    pub bytes_received: AtomicU64,
    /// Bytes written to the socket.
    pub bytes_sent: AtomicU64,
    /// Bytes of request bodies.
    pub data_received: AtomicU64,
    /// Bytes of answers, before compression.
    pub data_sent: AtomicU64,
    /// When bytes of a request's head first came that is not whole yet; 0 for never. Guards against heads that never end.
    pub head_since: AtomicI64,
    closing: AtomicBool,
    close: Notify,
    who: Mutex<Who>,
    /// The socket's descriptor, for as long as it is open.
    socket: Mutex<Option<RawFd>>,
}

/// What of a connection its requests say.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The user of its last request.
    pub user: Option<Arc<str>>,
    /// SspropInitAppName of its last request that gave one, or whose session did.
    pub named: Option<Arc<str>>,
    /// User-Agent of its last request that gave one.
    pub agent: Option<Arc<str>>,
    /// When its last request came.
    pub request_started: Option<Moment>,
    /// When that was answered; none while it runs.
    pub request_ended: Option<Moment>,
    /// Requests that are being answered.
    pub busy: u32,
}

impl Who {
    /// The application at the other end: as it names itself, else its User-Agent.
    pub fn application(&self) -> Option<Arc<str>> {
        self.named.clone().or_else(|| self.agent.clone())
    }
}

impl Connection {
    /// What its requests say.
    pub fn who(&self) -> Who {
        lock(&self.who).clone()
    }

    /// Changes what its requests say.
    pub fn update(&self, change: impl FnOnce(&mut Who)) {
        change(&mut lock(&self.who));
    }

    /// Asks for the socket to be closed once what is being answered is written.
    pub fn close(&self) {
        self.closing.store(true, Relaxed);
        self.close.notify_one();
    }

    /// Whether somebody has asked for that: the client is to be told with the answer.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// Waits until somebody asks for it to be closed.
    pub async fn closing(&self) {
        self.close.notified().await;
    }

    /// Notes the socket, or, before it is closed, that there is none any more.
    pub fn note_socket(&self, socket: Option<RawFd>) {
        *lock(&self.socket) = socket;
    }

    /// Whether the client has closed its end, though nobody may have read so far: what it sent before may still wait to be read.
    #[allow(unsafe_code)]
    pub fn is_hung_up(&self) -> bool {
        // Held over the call, so that the descriptor is not closed and given to another socket meanwhile.
        let socket = lock(&self.socket);
        let Some(fd) = *socket else { return false };
        let mut asked = libc::pollfd { fd, events: CLOSED, revents: 0 };
        // SAFETY: the pointer is to one record of ours that lives over the call, which does not wait.
        let found = unsafe { libc::poll(&raw mut asked, 1, 0) };
        found > 0 && asked.revents & (CLOSED | libc::POLLHUP | libc::POLLERR) != 0
    }

    /// Notes a request.
    pub fn request_begins(&self, now: Moment) {
        self.head_since.store(0, Relaxed);
        self.update(|who| {
            who.busy += 1;
            who.request_started = Some(now);
            who.request_ended = None;
        });
    }

    /// Notes that a request is answered.
    pub fn request_ends(&self, now: Moment) {
        self.update(|who| {
            who.busy = who.busy.saturating_sub(1);
            if who.busy == 0 {
                who.request_ended = Some(now);
            }
        });
    }

    /// Since when nothing is asked on it; none while something is.
    pub fn idle_since(&self) -> Option<Moment> {
        let who = lock(&self.who);
        (who.busy == 0).then(|| who.request_ended.unwrap_or(self.started))
    }
}

/// Every open socket.
#[derive(Debug)]
pub struct Connections {
    clock: Clock,
    limit: usize,
    next: AtomicU32,
    refused: AtomicU64,
    closing: AtomicBool,
    open: RwLock<BTreeMap<u32, Arc<Connection>>>,
}

impl Connections {
    /// None yet; at most `limit` at a time.
    pub fn new(clock: Clock, limit: usize) -> Self {
        let (next, refused, closing) = (AtomicU32::new(1), AtomicU64::new(0), AtomicBool::new(false));
        Self { clock, limit, next, refused, closing, open: RwLock::default() }
    }

    /// A record for a socket that was accepted; none if there are too many.
    pub fn open(&self, peer: SocketAddr) -> Option<Open<'_>> {
        let mut open = write(&self.open);
        if open.len() >= self.limit {
            self.refused.fetch_add(1, Relaxed);
            return None;
        }
        let connection = Arc::new(Connection {
            id: self.next.fetch_add(1, Relaxed),
            peer,
            started: self.clock.now(),
            bytes_received: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            data_received: AtomicU64::new(0),
            data_sent: AtomicU64::new(0),
            head_since: AtomicI64::new(0),
            closing: AtomicBool::new(false),
            close: Notify::new(),
            who: Mutex::default(),
            socket: Mutex::default(),
        });
        if self.closing.load(Relaxed) {
            connection.close();
        }
        open.insert(connection.id, connection.clone());
        Some(Open { connection, all: self })
    }

    /// Asks for all to be closed, and for every one that is opened from now on.
    pub fn close_all(&self) {
        // Held meanwhile, so that none is opened between the two.
        let open = write(&self.open);
        self.closing.store(true, Relaxed);
        open.values().for_each(|connection| connection.close());
    }

    /// The open one of an id.
    pub fn get(&self, id: u32) -> Option<Arc<Connection>> {
        read(&self.open).get(&id).cloned()
    }

    /// Whether it is open.
    pub fn is_open(&self, id: u32) -> bool {
        read(&self.open).contains_key(&id)
    }

    /// All that are open, by id.
    pub fn all(&self) -> Vec<Arc<Connection>> {
        read(&self.open).values().cloned().collect()
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        read(&self.open).len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were turned away because there were too many.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}

/// Takes its connection out of the registry when dropped.
#[derive(Debug)]
pub struct Open<'a> {
    /// The connection.
    pub connection: Arc<Connection>,
    all: &'a Connections,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        write(&self.all.open).remove(&self.connection.id);
    }
}
