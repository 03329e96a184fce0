//! The server as a whole: what every request can reach, how it starts and how it stops.

use crate::auth::Auth;
use crate::catalogs::{CatalogState, Catalogs};
use crate::clock::{Clock, Moment};
use crate::connections::{Connection, Connections};
use crate::globals::Globals;
use crate::journal::Journal;
use crate::pool::Pool;
use crate::running::Running;
use crate::sessions::Sessions;
use crate::settings::{CatalogSettings, Settings};
use facetta_engine::Store;
use facetta_model::{CancelReason, Context, Error, Result, Snapshot, bail, error};
use facetta_query::SubcubeCache;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How often time-outs, memory and sockets are looked after.
const HOUSEKEEPING: Duration = Duration::from_millis(250);

/// How often the log of commits is looked after.
const LOG_KEEPING: Duration = Duration::from_secs(1);

/// A head of a request has to be whole within this.
const HEAD: Duration = Duration::from_secs(30);

/// The stack of a thread that runs commands: calculations nest up to the evaluator's limit. Only what is touched is taken.
const STACK: usize = facetta_query::STACK_BYTES;

/// Bytes of subcubes kept between statements.
const SUBCUBES: usize = 256 << 20;

/// Threads for commands: those that hold a seat, and those that wait for a slow client.
const THREADS: usize = 4096;

/// What every request can reach.
pub struct Server {
    /// What it was told.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// When it started.
    pub started: Moment,
    /// Where it listens.
    pub address: SocketAddr,
    /// Who may call.
    pub auth: Auth,
    /// Sockets.
    pub connections: Connections,
    /// Sessions.
    pub sessions: Arc<Sessions>,
    /// Commands in flight.
    pub running: Arc<Running>,
    /// Seats for them.
    pub pool: Pool,
    /// What they ask of.
    pub catalogs: Catalogs,
    /// Where the catalogs' data is.
    pub store: Arc<Store>,
    /// Subcubes kept between statements.
    pub subcubes: Arc<SubcubeCache>,
    /// What administrators have defined for everybody.
    pub globals: Globals,
    ready: AtomicBool,
}

impl Server {
    /// A server that listens nowhere yet.
    ///
    /// # Errors
    /// The settings contradict each other, or the state cannot be read.
    pub fn new(settings: Settings, clock: Clock, address: SocketAddr) -> Result<Arc<Server>> {
        // First: a folder that another process has is refused by name here.
        let store = match &settings.data_dir {
            Some(folder) => Store::open(folder)?,
            None => Store::in_memory(),
        };
        let store = store.answering(settings.answers).transactions_within(settings.limits.transaction_memory);
        let auth = Auth::open(clock.clone(), settings.users_path())?;
        let folder = settings.data_dir.as_ref().filter(|_| settings.keep_sessions).map(|d| d.join("sessions"));
        let journal = folder.map(|f| Journal::open(&f)).transpose()?;
        let sessions =
            Sessions::open(clock.clone(), settings.timeouts.clone(), settings.limits.sessions, journal, &store)?;
        let server = Server {
            started: clock.now(),
            address,
            auth,
            globals: Globals::default(),
            connections: Connections::new(clock.clone(), settings.limits.connections),
            sessions: Arc::new(sessions),
            running: Arc::new(Running::new(clock.clone(), settings.limits.session_queue)),
            pool: Pool::new(clock.clone(), settings.workers),
            catalogs: Catalogs::default(),
            store: Arc::new(store),
            subcubes: Arc::new(SubcubeCache::new(SUBCUBES)),
            ready: AtomicBool::new(false),
            settings,
            clock,
        };
        for catalog in &server.settings.catalogs {
            server.catalogs.set(&catalog.name, CatalogState::Loading);
        }
        Ok(Arc::new(server))
    }

    /// Whether all catalogs answer.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Relaxed)
    }

    /// Whether everyone may call, and only loopback is served.
    pub fn is_open_loopback(&self) -> bool {
        self.address.ip().is_loopback() && self.auth.is_open()
    }

    /// Notes that the catalogs answer, if they do.
    pub fn note_ready(&self) {
        self.ready.store(self.catalogs.is_ready(), Relaxed);
    }

    /// Ends what is over time, and relieves memory.
    pub fn keep_house(&self) {
        self.sessions.expire();
        self.sweep_connections();
        if self.running.take_give_back() {
            #[cfg(all(target_os = "linux", target_env = "gnu"))]
            crate::allocator::give_back();
        }
        self.relieve_memory();
    }

    /// Makes what sessions have changed survive the machine, or tries to write again what could not be written.
    pub fn sync(&self) {
        if let Err(error) = self.sessions.sync() {
            tracing::error!(%error, "the journal of sessions cannot be synced");
        }
    }

    fn sweep_connections(&self) {
        let now = self.clock.now();
        for connection in self.connections.all() {
            let Some(idle_since) = connection.idle_since() else {
                self.cancel_where_hung_up(&connection);
                continue;
            };
            let head = Moment(connection.head_since.load(Relaxed));
            let stalled = head > idle_since && now - head >= HEAD;
            let idle = self.settings.timeouts.idle_connection.is_some_and(|limit| now - idle_since >= limit);
            if stalled || idle {
                tracing::info!(connection = connection.id, stalled, "connection closed: idle for too long");
                connection.close();
            }
        }
    }

    /// HTTP tells at once of a client that is gone, unless a further request of its waits to be read: then nobody reads on.
    fn cancel_where_hung_up(&self, connection: &Connection) {
        if connection.is_hung_up() {
            for command in self.running.on_connection(connection.id) {
                command.cancel(CancelReason::Disconnect);
            }
        }
    }

    /// Idle sessions lose the texts of their last commands first, then the oldest go (spec/decisions.md).
    fn relieve_memory(&self) {
        let (Some(used), limit) = (crate::memory::resident(), self.settings.limits.total_memory) else { return };
        if used < limit || self.sessions.forget_texts() > 0 {
            return;
        }
        let ended = self.sessions.end_oldest_idle((self.sessions.len() / 16).max(1));
        if ended > 0 {
            tracing::warn!(ended, used, limit, "memory is short: idle sessions ended");
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A server that runs. Dropping it stops it.
#[derive(Debug)]
pub struct Handle {
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    runtime: Option<Runtime>,
    loaded: mpsc::Receiver<Result<()>>,
    main: Option<tokio::task::JoinHandle<()>>,
    signals: Option<Signals>,
}

/// Starts a server: checks schemas, opens the port, loads the catalogs behind it.
///
/// # Errors
/// The settings, a schema, the state folder or the port cannot be used.
pub fn start(settings: Settings) -> Result<Handle> {
    start_with(settings, Clock::machine(), Vec::new())
}

/// As [`start`], with a clock, and with catalogs that are loaded already.
///
/// # Errors
/// As [`start`].
pub fn start_with(settings: Settings, clock: Clock, given: Vec<(String, Arc<dyn Snapshot>)>) -> Result<Handle> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    crate::allocator::map_large_blocks();
    let loads = settings.catalogs.iter().map(crate::load::prepare).collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("facetta")
        .thread_stack_size(STACK)
        .max_blocking_threads(THREADS)
        .build()
        .map_err(|e| error!(Io, "The threads of the server cannot be started: {e}"))?;
    let listen = settings.listen;
    let listener = runtime
        .block_on(TcpListener::bind(listen))
        .map_err(|e| error!(Io, "The address {listen} cannot be listened on: {e}"))?;
    let address = listener.local_addr().map_err(|e| error!(Io, "The address {listen} cannot be listened on: {e}"))?;
    let server = Server::new(settings, clock, address)?;
    check_exposure(&server)?;
    for warning in &server.settings.warnings {
        tracing::warn!("{warning}");
    }
    if server.auth.is_open() {
        tracing::info!(
            "there is no users' file: every caller is the administrator 'anonymous', credentials are ignored"
        );
    }
    for (name, snapshot) in given {
        server.catalogs.set(&name, CatalogState::Fixed(snapshot));
    }
    let (stop, stopping) = watch::channel(false);
    let main = runtime.spawn(crate::accept::run(server.clone(), listener, stopping.clone()));
    runtime.spawn(housekeeping(server.clone(), stopping.clone()));
    runtime.spawn(log_keeping(server.clone(), stopping));
    let (tell, loaded) = mpsc::channel();
    if loads.is_empty() {
        server.note_ready();
        // Nobody may be asking.
        let _ = tell.send(Ok(()));
    } else {
        let server = server.clone();
        runtime.spawn_blocking(move || {
            let _ = tell.send(crate::load::run(&server, loads));
            server.note_ready();
        });
    }
    Ok(Handle { server, stop, runtime: Some(runtime), loaded, main: Some(main), signals: None })
}

/// An address that others can reach needs users, and TLS or a waiver of it (spec/decisions.md; the waiver never waives users).
fn check_exposure(server: &Server) -> Result<()> {
    if server.address.ip().is_loopback() {
        return Ok(());
    }
    let users = if server.auth.is_open() { "users (make them with `facetta user add`)" } else { "" };
    let tls =
        if server.settings.insecure { "" } else { "TLS, which this version does not have (--insecure serves without)" };
    let missing: Vec<&str> = [users, tls].into_iter().filter(|m| !m.is_empty()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        Definition,
        "{} is not a loopback address; to serve it, what is missing is {}",
        server.address,
        missing.join(", and ")
    )
}

async fn housekeeping(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let mut since_sync = Duration::ZERO;
    loop {
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        since_sync += HOUSEKEEPING;
        let sync = since_sync >= Duration::from_millis(750);
        if sync {
            since_sync = Duration::ZERO;
        }
        let server = server.clone();
        let work = tokio::task::spawn_blocking(move || {
            server.keep_house();
            if sync {
                server.sync();
            }
        });
        if work.await.is_err() {
            tracing::error!("housekeeping panicked");
        }
    }
}

/// Merges the log of commits when it has grown; apart from other housekeeping, since that may take its time.
async fn log_keeping(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let context = Context::unlimited();
    let token = context.token().clone();
    let keep = async {
        loop {
            // First at once: a server that never lives for long would have an ever longer log to read at its start.
            let (server, context) = (server.clone(), context.clone());
            let work = tokio::task::spawn_blocking(move || {
                if let Err(error) = server.store.tidy_log(&context)
                    && !error.is_interrupt()
                {
                    tracing::error!(%error, "the log of commits cannot be merged");
                }
            });
            if work.await.is_err() {
                tracing::error!("a merge of the log of commits panicked");
            }
            tokio::time::sleep(LOG_KEEPING).await;
        }
    };
    tokio::select! {
        () = keep => {}
        _ = stop.wait_for(|stop| *stop) => {
            token.cancel(CancelReason::Shutdown);
        }
    }
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("http://{}/xmla", self.server.address)
    }

    /// What requests reach; for tests and for programs that hold a server within them.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Waits until every catalog answers.
    ///
    /// # Errors
    /// One cannot be loaded; the server goes on with the others.
    pub fn wait_ready(&self) -> Result<()> {
        self.loaded.recv().unwrap_or_else(|_| Err(Error::internal("the loader is gone")))
    }

    /// From here on SIGTERM and an interrupt from the keyboard are for [`Handle::run_until_signal`], also those that come
    /// before it is called. To be called before anybody is told that the server runs.
    ///
    /// # Errors
    /// The system does not let them be waited for.
    pub fn catch_signals(&mut self) -> Result<()> {
        if let Some(runtime) = &self.runtime {
            let _within = runtime.enter();
            let signals = Signals::new().map_err(|e| error!(Io, "Signals cannot be waited for: {e}"))?;
            self.signals = Some(signals);
        }
        Ok(())
    }

    /// Waits for SIGTERM or an interrupt from the keyboard, then stops.
    ///
    /// # Errors
    /// Those of [`Handle::catch_signals`], if it was not called before.
    pub fn run_until_signal(mut self) -> Result<()> {
        if self.signals.is_none() {
            self.catch_signals()?;
        }
        if let (Some(runtime), Some(signals)) = (&self.runtime, &mut self.signals) {
            runtime.block_on(signals.next());
        }
        tracing::info!("stopping");
        self.shut_down();
        Ok(())
    }

    /// Takes no more requests, cancels what runs, and ends within some seconds. Sessions are kept.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        // Commands that are nearly done may end by themselves; the others are cancelled and say so.
        let server = self.server.clone();
        let main = self.main.take();
        let stop = self.stop.clone();
        runtime.block_on(async move {
            stop.send_replace(true);
            let grace = tokio::time::Instant::now() + Duration::from_secs(2);
            while !server.running.is_empty() && tokio::time::Instant::now() < grace {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            server.running.shut_down();
            if let Some(main) = main {
                let _ = tokio::time::timeout(Duration::from_millis(1500), main).await;
            }
        });
        runtime.shutdown_timeout(Duration::from_millis(500));
        self.server.sync();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// What tells the process to stop; caught from the moment on that this is made.
#[derive(Debug)]
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {})
    }

    /// Waits for one.
    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

impl CatalogSettings {
    /// A sentence that tells it from others in errors.
    pub fn place(&self) -> String {
        format!("catalog '{}' ({})", self.name, self.schema.display())
    }
}
