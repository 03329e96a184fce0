//! A server of its own, with a clock that stands until it is turned, and clients on sockets.

use super::http::{Request, Response, Socket};
use super::names::{Kind, Names};
use super::show::Form;
use super::{catalogs, envelope, show};
use facetta_engine::Answers;
use facetta_model::Snapshot;
use facetta_server::auth::users::Users;
use facetta_server::clock::{Clock, Moment};
use facetta_server::running::Command;
use facetta_server::{Handle, Settings, start_with};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// What goes wrong in a test.
pub type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The first moment: 2024-01-01T00:00:00 UTC.
const START: Moment = Moment(1_704_067_200_000_000);

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client: a socket, a session, a user.
#[derive(Debug, Default)]
pub struct Client {
    socket: Option<Socket>,
    session: Option<String>,
    login: Option<(String, String)>,
    properties: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    /// An answer that is to come begins a session.
    waits: Option<bool>,
}

/// Which session header a request carries.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Header {
    /// Session, if the client has one.
    #[default]
    Usual,
    /// None.
    Implicit,
    /// BeginSession.
    Begin,
    /// Session, with another's id.
    Of(String),
    /// EndSession.
    End,
    /// These.
    Literal(String),
}

/// A server and its clients.
pub struct World {
    pub clock: Clock,
    pub names: Names,
    pub catalogs: Vec<(String, Arc<dyn Snapshot>)>,
    settings: Vec<(String, String)>,
    answers: Answers,
    folder: tempfile::TempDir,
    users: Users,
    handle: Option<Handle>,
    clients: BTreeMap<String, Client>,
}

impl World {
    pub fn new() -> Result<World> {
        World::answering(Answers::default())
    }

    /// A world whose catalogs are answered by an implementor of the seam to storage.
    pub fn answering(answers: Answers) -> Result<World> {
        Ok(World {
            answers,
            clock: Clock::virtual_from(START),
            names: Names::default(),
            catalogs: catalogs::bare(),
            settings: Vec::new(),
            folder: tempfile::tempdir()?,
            users: Users::default(),
            handle: None,
            clients: BTreeMap::new(),
        })
    }

    /// Sets a key of the configuration; the server must not run yet.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if self.handle.is_some() {
            return Err("the server runs already".into());
        }
        self.settings.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Serves the shop too, as the first catalog.
    pub fn open_shop(&mut self) -> Result<()> {
        let shop = catalogs::write_shop(self.folder.path())?;
        self.set("catalog", &shop)
    }

    /// Replaces a text in the schema of the shop; the next start sees it.
    pub fn edit_shop(&mut self, old: &str, new: &str) -> Result<()> {
        let path = self.folder.path().join("shop.yaml");
        let schema = std::fs::read_to_string(&path)?;
        if !schema.contains(old) {
            return Err(format!("the schema of the shop has no '{old}'").into());
        }
        Ok(std::fs::write(&path, schema.replace(old, new))?)
    }

    pub fn handle(&mut self) -> Result<&Handle> {
        if self.handle.is_none() {
            let mut flags = vec![
                ("listen".to_owned(), "127.0.0.1:0".to_owned()),
                ("data_dir".to_owned(), self.folder.path().join("data").display().to_string()),
            ];
            flags.extend(self.settings.iter().cloned());
            let settings = Settings { answers: self.answers, ..Settings::load(None, [], flags)? };
            let handle = start_with(settings, self.clock.clone(), self.catalogs.clone())?;
            self.handle = Some(handle);
            self.handle.as_ref().ok_or("no server")?.wait_ready()?;
        }
        self.handle.as_ref().ok_or_else(|| "no server".into())
    }

    /// Stops the server and starts it again on the same data; all sockets are gone.
    pub fn restart(&mut self) -> Result<()> {
        for client in self.clients.values_mut() {
            client.socket = None;
            client.waits = None;
        }
        self.names.forget(Kind::Connection);
        if let Some(handle) = self.handle.take() {
            handle.stop();
        }
        self.handle().map(|_| ())
    }

    /// Turns the clock, and lets the server look after its time-outs.
    pub fn advance(&mut self, by: Duration) -> Result<()> {
        self.clock.advance(by);
        self.handle()?.server().keep_house();
        Ok(())
    }

    /// Adds a user to the file, or changes one.
    pub fn add_user(&mut self, name: &str, password: &str, admin: bool, admin_of: Option<&str>) -> Result<()> {
        self.users.add(name, password, admin, admin_of.map(str::to_owned).into_iter().collect())?;
        self.write_users()
    }

    pub fn remove_user(&mut self, name: &str) -> Result<()> {
        self.users.remove(name);
        self.write_users()
    }

    fn write_users(&mut self) -> Result<()> {
        self.users.write(&self.folder.path().join("data/users.toml"))?;
        // The server does not look at the file at every request.
        self.clock.advance(Duration::from_secs(1));
        Ok(())
    }

    pub fn client(&mut self, name: &str) -> &mut Client {
        self.clients.entry(name.to_owned()).or_default()
    }

    pub fn login(&mut self, client: &str, name: &str, password: &str) {
        self.client(client).login = Some((name.to_owned(), password.to_owned()));
    }

    pub fn logout(&mut self, client: &str) {
        self.client(client).login = None;
    }

    /// The client has no session any more; the server is not told.
    pub fn forget(&mut self, client: &str) {
        self.client(client).session = None;
    }

    /// Sets what the client sends in every PropertyList from here on.
    pub fn set_properties(&mut self, client: &str, properties: Vec<(String, String)>) {
        self.client(client).properties = properties;
    }

    /// Sets what the client sends among the headers of HTTP from here on.
    pub fn set_headers(&mut self, client: &str, headers: Vec<(String, String)>) {
        self.client(client).headers = headers;
    }

    pub fn properties(&mut self, client: &str) -> Vec<(String, String)> {
        self.client(client).properties.clone()
    }

    /// The session of a client.
    pub fn session(&self, client: &str) -> Option<String> {
        self.clients.get(client).and_then(|c| c.session.clone())
    }

    /// The client's socket, opened if it is not.
    pub fn socket(&mut self, client: &str) -> Result<&mut Socket> {
        let address = self.handle()?.address();
        if self.client(client).socket.is_none() {
            let socket = Socket::connect(address)?;
            let local = socket.local()?;
            self.client(client).socket = Some(socket);
            let id = wait_for("a connection's record", || {
                let all = self.handle.as_ref()?.server().connections.all();
                all.iter().find(|c| c.peer == local).map(|c| c.id)
            })?;
            self.names.add(Kind::Connection, &id.to_string(), client);
        }
        self.client(client).socket.as_mut().ok_or_else(|| "no socket".into())
    }

    /// The header blocks of a request.
    pub fn header_blocks(&self, client: &str, header: &Header) -> Result<String> {
        let named = |name: &str, of: &str| {
            let id = self.session(of).ok_or_else(|| format!("{of} has no session"))?;
            Ok::<_, Box<dyn Error>>(envelope::session_header(name, Some(&id)))
        };
        match header {
            Header::Usual if self.session(client).is_none() => Ok(String::new()),
            Header::Usual => named("Session", client),
            Header::Implicit => Ok(String::new()),
            Header::Begin => Ok(envelope::session_header("BeginSession", None)),
            Header::Of(other) => named("Session", other),
            Header::End => named("EndSession", client),
            Header::Literal(blocks) => self.names.fill(blocks).map_err(Into::into),
        }
    }

    /// Sends an envelope with the body, and does not wait for the answer.
    pub fn send(&mut self, client: &str, header: &Header, body: &str) -> Result<()> {
        let envelope = envelope::envelope(&self.header_blocks(client, header)?, body);
        self.send_bytes(client, envelope.into_bytes(), *header == Header::Begin)?;
        if *header == Header::End {
            self.client(client).session = None;
        }
        Ok(())
    }

    /// Sends a body as it is.
    pub fn send_bytes(&mut self, client: &str, body: Vec<u8>, begins: bool) -> Result<()> {
        let mut request = Request::post(body);
        request.headers.extend(self.client(client).headers.iter().cloned());
        self.send_request(client, request, begins)
    }

    pub fn send_request(&mut self, client: &str, mut request: Request, begins: bool) -> Result<()> {
        if self.client(client).waits.is_some() {
            return Err(format!("{client} waits for an answer").into());
        }
        if let Some((name, password)) = &self.client(client).login {
            let word = base64(format!("{name}:{password}").as_bytes());
            request.headers.push(("Authorization".to_owned(), format!("Basic {word}")));
        }
        if self.socket(client)?.send(&request).is_err() {
            // Closed by the server meanwhile; a client opens another.
            self.client(client).socket = None;
            self.socket(client)?.send(&request)?;
        }
        self.client(client).waits = Some(begins);
        Ok(())
    }

    /// Sends a body behind a request that is not answered yet; nobody will wait for its answer.
    pub fn pipeline(&mut self, client: &str, body: &str) -> Result<()> {
        let envelope = envelope::envelope(&self.header_blocks(client, &Header::Usual)?, body);
        Ok(self.socket(client)?.send(&Request::post(envelope.into_bytes()))?)
    }

    /// Waits for the answer of what was sent.
    pub fn receive(&mut self, client: &str) -> Result<Response> {
        let state = self.client(client);
        let begins = state.waits.take().ok_or("nothing was asked")?;
        let response = state.socket.as_mut().ok_or("the socket is closed")?.receive(false)?;
        if begins {
            let answer = facetta_xmla::client::Answer::read(&response.body, &facetta_model::Context::unlimited());
            if let Some(id) = answer.ok().and_then(|a| a.session) {
                self.adopt(client, &id)?;
            }
        }
        Ok(response)
    }

    /// Makes a session the client's.
    fn adopt(&mut self, client: &str, id: &str) -> Result<()> {
        let spid = self.handle()?.server().sessions.by_id(id).map(|s| s.spid);
        self.names.add(Kind::Id, id, client);
        if let Some(spid) = spid {
            self.names.add(Kind::Spid, &spid.to_string(), client);
        }
        self.client(client).session = Some(id.to_owned());
        Ok(())
    }

    /// Waits for the answer of what was sent, and shows it; one that says that something went wrong is an error.
    pub fn shown_answer(&mut self, client: &str, form: &Form) -> Result<String> {
        let response = self.receive(client)?;
        let shown = show::answer(&response, form, &mut self.names);
        if show::is_failure(&response) { Err(show::Failure(shown.trim_end().to_owned()).into()) } else { Ok(shown) }
    }

    /// Waits until what was sent stands in the registry, or is answered.
    pub fn wait_sent(&mut self, client: &str) -> Result<()> {
        let local = self.socket(client)?.local()?;
        let connection = self.connection_at(local)?;
        wait_for("a command in the registry", || {
            let there = !self.handle.as_ref()?.server().running.on_connection(connection).is_empty();
            let answered = || {
                self.clients.get(client).and_then(|c| c.socket.as_ref()).is_some_and(|s| s.has_answer().unwrap_or(true))
            };
            (there || answered()).then_some(())
        })
    }

    /// Waits until the command of a client is at a stage; `Streams`: until bytes of its answer are written; `Computes`: until it
    /// has used two milliseconds of processor time.
    pub fn wait_stage(&mut self, client: &str, stage: &str) -> Result<()> {
        let local = self.socket(client)?.local()?;
        let connection = self.connection_at(local)?;
        wait_for(stage, || {
            let commands = self.handle.as_ref()?.server().running.on_connection(connection);
            let there = |c: &Command| match stage {
                "Streams" => c.context.counters().bytes_written.load(Relaxed) > 0,
                "Computes" => c.cpu_nanos() > 2_000_000,
                stage => format!("{:?}", c.stage()) == stage,
            };
            commands.iter().any(|c| there(c)).then_some(())
        })
    }

    fn connection_at(&mut self, local: std::net::SocketAddr) -> Result<u32> {
        let all = self.handle()?.server().connections.all();
        all.iter().find(|c| c.peer == local).map(|c| c.id).ok_or_else(|| "the connection is closed".into())
    }

    /// Closes the client's socket, and waits until the server has noticed.
    pub fn hang_up(&mut self, client: &str) -> Result<()> {
        let state = self.client(client);
        state.waits = None;
        let Some(socket) = state.socket.take() else { return Ok(()) };
        let local = socket.local()?;
        drop(socket);
        wait_for("the server to notice a closed socket", || {
            let server = self.handle.as_ref()?.server();
            (!server.connections.all().iter().any(|c| c.peer == local)).then_some(())
        })
    }

    /// Whether the server has closed the client's socket; waits for it if that is what is expected.
    pub fn socket_is_closed(&mut self, client: &str, expected: bool) -> Result<bool> {
        let limit = if expected { PATIENCE } else { Duration::from_millis(50) };
        let socket = self.client(client).socket.as_mut().ok_or("the client has no socket")?;
        let closed = socket.wait_closed(limit)?;
        if closed {
            let local = socket.local()?;
            self.client(client).socket = None;
            wait_for("the end of a connection's record", || {
                let server = self.handle.as_ref()?.server();
                (!server.connections.all().iter().any(|c| c.peer == local)).then_some(())
            })?;
        }
        Ok(closed)
    }

    /// Waits until no command is in flight but those of clients who wait for an answer, and the sessions of one call are gone.
    pub fn settle(&mut self) -> Result<()> {
        if self.clients.values().any(|c| c.waits.is_some()) {
            return Ok(());
        }
        wait_for("all commands to be over", || {
            let over = self.handle.as_ref().is_none_or(|h| {
                let server = h.server();
                server.running.is_empty() && server.sessions.filter(|s| !s.explicit).is_empty()
            });
            over.then_some(())
        })
    }

    /// Hangs up, and sees that nothing is left: no command, no connection, no implicit session.
    pub fn end(&mut self) -> Result<()> {
        if let Some(name) = self.clients.iter().find(|(_, c)| c.waits.is_some()).map(|(n, _)| n) {
            return Err(format!("{name} never asked for its answer").into());
        }
        let names: Vec<String> = self.clients.keys().cloned().collect();
        for name in names {
            self.hang_up(&name)?;
        }
        self.settle()?;
        let Some(handle) = self.handle.take() else { return Ok(()) };
        let server = handle.server().clone();
        wait_for("implicit sessions to be gone", || server.sessions.filter(|s| !s.explicit).is_empty().then_some(()))?;
        let left = server.sessions.filter(|session| {
            let state = session.state();
            !state.commands.is_empty() || state.ended.is_some()
        });
        if !left.is_empty() {
            return Err(format!("sessions are left with commands, or after their end: {left:?}").into());
        }
        handle.stop();
        Ok(())
    }
}

/// Asks until there is something.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return Ok(found);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("waited in vain for {what}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Base64 as Basic authentication wants it.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}
