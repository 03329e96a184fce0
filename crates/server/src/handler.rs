//! One request, end to end: read it, find its session, run it, write its answer, log it.

use crate::auth::User;
use crate::body::Answer;
use crate::clock::Moment;
use crate::connections::Connection;
use crate::dispatch;
use crate::guid::Guid;
use crate::respond::Outcome;
use crate::running::{Command, Guard, Kind, NewCommand};
use crate::server::Server;
use crate::session::{EndReason, Session};
use crate::sessions::NewSession;
use crate::settings::Timeouts;
use bytes::Bytes;
use facetta_mdx::{StatementClass, classify};
use facetta_model::{CancelReason, Context, Error, ErrorKind, Result};
use facetta_xmla::{Body, Command as XmlaCommand, Properties, Request, SessionHeaders};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Requests from this size on are read on a thread of their own.
const LARGE: usize = 64 << 10;

/// A request may take this long to be read.
const READING: Duration = Duration::from_secs(60);

/// Who calls, and where.
#[derive(Clone)]
pub struct Call {
    /// The server.
    pub server: Arc<Server>,
    /// The socket.
    pub connection: Arc<Connection>,
    /// The user.
    pub user: Arc<User>,
}

/// A request that stands in its session and in the registry of commands.
pub struct Exchange {
    /// Who calls, and where.
    pub call: Call,
    /// Its command; takes it out of the registry when dropped.
    pub guard: Guard,
    /// The properties of the request, over those of the session.
    pub properties: Properties,
    /// The id that the answer tells, where the request begins a session.
    pub announce: Option<Guid>,
    /// What it is, for the log.
    pub method: Cow<'static, str>,
    /// The session's transaction was lost by a restart, and this is the first call since.
    pub transaction_lost: bool,
}

impl Exchange {
    /// Its command.
    pub fn command(&self) -> &Arc<Command> {
        self.guard.command()
    }

    /// Its session.
    pub fn session(&self) -> &Arc<Session> {
        &self.guard.command().session
    }

    /// Its context.
    pub fn context(&self) -> &Context {
        &self.guard.command().context
    }

    /// Ends it: the session that it begins stays unless it faulted, the registry forgets it, the log gets its line.
    pub fn finish(mut self, outcome: &Outcome) {
        if self.announce.is_some() && !matches!(outcome, Outcome::Fault(_)) {
            self.guard.keep_session();
        }
        let now = self.call.server.clock.now();
        log(&self.call, Some(self.command()), &self.method, now, outcome);
    }
}

/// Cancels a command whose client has gone, unless it was answered before.
struct Watch(Option<Arc<Command>>);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(command) = self.0.take() {
            command.cancel(CancelReason::Disconnect);
        }
    }
}

/// Answers a request; `None` only if its thread is gone without a word.
pub async fn handle(call: Call, body: Bytes) -> Option<Answer> {
    let request = match read(&call.server, body).await {
        Ok(request) => request,
        Err(error) => return Some(refuse(&call, "malformed", error)),
    };
    let method = method(&request);
    let exchange = match enter(&call, &request, method.clone()) {
        Ok(exchange) => exchange,
        Err(error) => {
            note_application(&call, request.properties());
            return Some(refuse(&call, &method, error));
        }
    };
    let mut watch = Watch(Some(exchange.command().clone()));
    let answer = dispatch::dispatch(exchange, request.body).await;
    watch.0 = None;
    answer
}

async fn read(server: &Server, body: Bytes) -> Result<Request> {
    let context = Context::new(server.settings.limits.command_memory, Some(READING));
    if body.len() < LARGE {
        return Request::read(&body, &context);
    }
    let read = tokio::task::spawn_blocking(move || Request::read(&body, &context));
    read.await.unwrap_or_else(|e| Err(Error::internal(e)))
}

/// The fault for a request that never came to stand in a session.
fn refuse(call: &Call, method: &str, error: Error) -> Answer {
    let bytes = facetta_xmla::fault_response(&error);
    log(call, None, method, call.server.clock.now(), &Outcome::Fault(error));
    Answer::Whole(bytes)
}

/// Notes on the connection who calls, and with what program. The texts are shared, and looked up only where they have changed.
pub fn note_caller(call: &Call, agent: Option<&str>) {
    call.connection.update(|who| {
        if who.user.as_deref() != Some(&*call.user.name) {
            who.user = Some(call.user.name.clone());
        }
        if let Some(agent) = agent.filter(|agent| who.agent.as_deref() != Some(agent)) {
            who.agent = Some(call.server.sessions.share_text(agent));
        }
    });
}

/// Notes on the connection how the application names itself, if it does.
fn note_application(call: &Call, properties: &Properties) {
    let Some(name) = properties.application() else { return };
    call.connection.update(|who| {
        if who.named.as_deref() != Some(name) {
            who.named = Some(call.server.sessions.share_text(name));
        }
    });
}

fn method(request: &Request) -> Cow<'static, str> {
    match &request.body {
        Body::Discover(discover) => Cow::Owned(discover.request_type.clone()),
        Body::Execute(execute) => Cow::Borrowed(execute.command.name()),
    }
}

/// Finds or begins the session, and registers the command in it.
fn enter(call: &Call, request: &Request, method: Cow<'static, str>) -> Result<Exchange> {
    let server = &call.server;
    let user = &*call.user.name;
    let given = request.properties();
    let begin = |explicit| {
        let catalog = given.catalog().map(|c| server.catalogs.canonical(c, user)).transpose();
        // An unknown catalog faults later, where it matters; some Discovers do not mind.
        let catalog = catalog.ok().flatten();
        server.sessions.begin(&NewSession { user, explicit, properties: given, catalog: catalog.as_deref() })
    };
    let (session, end, announce) = match &request.headers {
        SessionHeaders::None => (begin(false)?, Some(EndReason::CallOver), None),
        SessionHeaders::Begin => {
            let session = begin(true)?;
            let id = session.id;
            (session, Some(EndReason::BeginFaulted), Some(id))
        }
        SessionHeaders::Use(id) => (server.sessions.find(id, user)?, None, None),
        SessionHeaders::End(id) => (server.sessions.find(id, user)?, Some(EndReason::EndSession), None),
    };
    let properties = effective(given, &session);
    note_application(call, &properties);
    let (kind, text) = match &request.body {
        Body::Discover(discover) => (Kind::Discover, Cow::Borrowed(&*discover.request_type)),
        Body::Execute(execute) => match &execute.command {
            XmlaCommand::Statement(text) => (Kind::Statement, Cow::Borrowed(&**text)),
            other => (Kind::Command(other.name()), Cow::Owned(other.text())),
        },
    };
    let passes = matches!(&request.body, Body::Execute(e) if matches!(e.command, XmlaCommand::Cancel(_)));
    let limits = &server.settings.limits;
    let memory = properties.memory_limit().map_or(limits.command_memory, |asked| asked.min(limits.command_memory));
    let context = Context::new(memory, time_limit(&server.settings.timeouts, &properties, &request.body));
    let connection = call.connection.id;
    let new = NewCommand { session: session.clone(), connection, kind, text: &text, context, passes };
    match server.running.enter(&server.sessions, &server.running, new) {
        Ok(mut guard) => {
            if let Some(reason) = end {
                guard.end_session_after(reason);
            }
            Ok(Exchange { call: call.clone(), guard, properties, announce, method, transaction_lost: false })
        }
        Err(error) => {
            if matches!(end, Some(EndReason::CallOver | EndReason::BeginFaulted)) {
                server.sessions.end(&session, EndReason::BeginFaulted);
            }
            Err(error)
        }
    }
}

/// How long a request may run: as its property Timeout says, else as the server's for its kind does.
fn time_limit(timeouts: &Timeouts, properties: &Properties, body: &Body) -> Option<Duration> {
    let limit = if is_administrative(body) { timeouts.admin } else { timeouts.server };
    properties.timeout().or(limit)
}

/// Whether a request is an administrative command, to which AdminTimeout applies and ServerTimeout does not: what changes the
/// server for all, namely commits and definitions that are global, as Process will be.
fn is_administrative(body: &Body) -> bool {
    let Body::Execute(execute) = body else { return false };
    match &execute.command {
        XmlaCommand::CommitTransaction(_) => true,
        XmlaCommand::Statement(text) => {
            let first_words = |wanted: [&str; 2]| {
                let mut words = text.split_ascii_whitespace();
                wanted.iter().all(|w| words.next().is_some_and(|word| word.eq_ignore_ascii_case(w)))
            };
            match classify(text) {
                StatementClass::Transaction => first_words(["COMMIT", "TRANSACTION"]),
                StatementClass::Definition => first_words(["CREATE", "GLOBAL"]) || first_words(["DROP", "GLOBAL"]),
                _ => false,
            }
        }
        _ => false,
    }
}

/// The properties of a request over those of its session, whose Catalog is the current one.
fn effective(given: &Properties, session: &Session) -> Properties {
    let state = session.state();
    let mut properties = given.clone();
    if let (None, Some(current)) = (properties.catalog(), &state.catalog) {
        // The name of a catalog that exists; it cannot be refused.
        let _ = properties.set("Catalog", current);
    }
    properties.over(&state.properties.0)
}

/// The line of a request: who, where, how long, what came of it. The text of a statement is in DISCOVER_COMMANDS for those
/// who may see it, and not in the log.
fn log(call: &Call, command: Option<&Arc<Command>>, method: &str, now: Moment, outcome: &Outcome) {
    let (outcome, error) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Fault(error) => ("fault", Some(error)),
        Outcome::Exception(error) => ("exception", Some(error)),
        Outcome::ClientGone => ("client gone", None),
    };
    let error_text = error.map(ToString::to_string).unwrap_or_default();
    let code = error.map_or(0, Error::code);
    let internal = error.is_some_and(|e| e.kind() == ErrorKind::Internal);
    let user = &call.user.name;
    let connection = call.connection.id;
    let Some(command) = command else {
        tracing::info!(%user, connection, method, outcome, code, error = error_text, "request");
        return;
    };
    let counters = command.context.counters();
    let (cells, bytes) = (counters.cells.load(Relaxed), counters.bytes_written.load(Relaxed));
    let millis = now.millis_since(command.started);
    let (session, spid) = (command.session.id, command.session.spid);
    if internal {
        tracing::error!(%user, %session, spid, connection, method, millis, cells, bytes, outcome, code, error = error_text, "request");
    } else {
        tracing::info!(%user, %session, spid, connection, method, millis, cells, bytes, outcome, code, error = error_text, "request");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrative_commands_have_a_time_out_of_their_own() {
        let second = Duration::from_secs;
        let timeouts = Timeouts { server: Some(second(10)), admin: Some(second(20)), ..Timeouts::default() };
        let execute = |command: &str| {
            let text = format!(
                r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>
                <Execute xmlns="urn:schemas-microsoft-com:xml-analysis"><Command>{command}</Command></Execute>
                </Body></Envelope>"#
            );
            Request::read(text.as_bytes(), &Context::unlimited()).unwrap_or_else(|e| panic!("{command}: {e}")).body
        };
        let table = [
            ("<CommitTransaction xmlns='http://schemas.microsoft.com/analysisservices/2003/engine'/>", 20),
            ("<Statement>COMMIT TRANSACTION</Statement>", 20),
            ("<Statement>  commit\n transaction</Statement>", 20),
            ("<Statement>CREATE GLOBAL SET [Sales].[A] AS {}</Statement>", 20),
            ("<Statement>drop global set [Sales].[A]</Statement>", 20),
            ("<Statement>CREATE SESSION SET [Sales].[A] AS {}</Statement>", 10),
            ("<Statement>BEGIN TRANSACTION</Statement>", 10),
            ("<Statement>UPDATE CUBE [Sales] SET [Measures].[Units] = 1</Statement>", 10),
            ("<Statement>SELECT {} ON 0 FROM [Global]</Statement>", 10),
            ("<Statement/>", 10),
        ];
        for (command, expected) in table {
            let limit = time_limit(&timeouts, &Properties::default(), &execute(command));
            assert_eq!(limit, Some(second(expected)), "{command}");
        }
        let mut properties = Properties::default();
        properties.set("Timeout", "5").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(time_limit(&timeouts, &properties, &execute(table[0].0)), Some(second(5)));
        assert_eq!(time_limit(&Timeouts::default(), &Properties::default(), &execute(table[0].0)), None);
    }
}
