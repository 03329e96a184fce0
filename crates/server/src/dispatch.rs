//! What a request is and where it runs: here, on a thread for the server's state, or in the pool for statements.

use crate::body::{Answer, Sink};
use crate::commands::{Reply, cancel, statement, transaction};
use crate::handler::Exchange;
use crate::pool::{Seat, Work};
use crate::respond::{self, Method, Outcome};
use crate::rowsets::{self, definition::Ask};
use facetta_mdx::{StatementClass, classify};
use facetta_model::{Error, ErrorKind, Result, error};
use facetta_xmla::{Body, Cancel, Command, Discover, Execute};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a thread does for a request.
type Job = Box<dyn FnOnce(&Exchange) -> Result<Reply> + Send>;

/// Where a request runs.
enum Place {
    /// Here; it takes no time.
    Here(Quick),
    /// On a thread, when there is a seat.
    Thread(Work, Job),
}

/// What is answered without a thread.
enum Quick {
    /// The empty Statement.
    Nothing,
    Begin,
    Rollback,
    Cancel(Cancel),
    Fault(Error),
}

/// Runs a request and answers it.
pub async fn dispatch(mut exchange: Exchange, body: Body) -> Option<Answer> {
    let method = match &body {
        Body::Discover(_) => Method::Discover,
        Body::Execute(_) => Method::Execute,
    };
    if let Err(error) = ready(&mut exchange, &body).await {
        return Some(whole(exchange, method, Err(error)));
    }
    match place(body) {
        Place::Here(quick) => {
            let reply = run_here(&exchange, quick).await;
            Some(whole(exchange, method, reply))
        }
        Place::Thread(work, job) => {
            let server = exchange.call.server.clone();
            match server.pool.seat(work, exchange.command()).await {
                Ok(seat) => on_thread(exchange, method, seat, job).await,
                Err(error) => Some(whole(exchange, method, Err(error))),
            }
        }
    }
}

/// Waits for the session's turn, and minds what the session has to be told or to know first.
async fn ready(exchange: &mut Exchange, body: &Body) -> Result<()> {
    exchange.command().turn().await?;
    exchange.transaction_lost = exchange.call.server.sessions.take_lost_notice(exchange.session())?;
    if exchange.transaction_lost && !works_without_transaction(exchange, body) {
        return Err(error!(
            TransactionLost,
            "The transaction of the session was lost when the server stopped: all its changes are undone, and this call was not \
             executed"
        ));
    }
    let (server, session) = (&exchange.call.server, exchange.session());
    let Some(catalog) = body_catalog(body) else { return Ok(()) };
    // Clients ask what a server is before they know its databases.
    let minds = match body {
        Body::Discover(discover) => !facetta_model::name::same(&discover.request_type, "DISCOVER_SCHEMA_ROWSETS"),
        Body::Execute(execute) => !matches!(execute.command, Command::Cancel(_)),
    };
    match server.catalogs.canonical(catalog, &exchange.call.user.name) {
        Ok(name) if session.explicit => server.sessions.set_catalog(session, &name),
        Err(error) if minds => Err(error),
        _ => Ok(()),
    }
}

fn body_catalog(body: &Body) -> Option<&str> {
    match body {
        Body::Discover(discover) => discover.properties.catalog(),
        Body::Execute(execute) => execute.properties.catalog(),
    }
}

/// EndSession, Cancel and RollbackTransaction clear the notice of a lost transaction and do their work.
fn works_without_transaction(exchange: &Exchange, body: &Body) -> bool {
    let ends = exchange.guard.ends_session();
    let command = match body {
        Body::Execute(execute) => &execute.command,
        Body::Discover(_) => return ends,
    };
    match command {
        Command::Cancel(_) | Command::RollbackTransaction => true,
        Command::Statement(text) => ends || statement::is_rollback(text),
        _ => ends,
    }
}

fn place(body: Body) -> Place {
    let execute = match body {
        Body::Discover(discover) => return discover_place(discover),
        Body::Execute(execute) => execute,
    };
    match execute.command {
        Command::Statement(ref text) => match classify(text) {
            StatementClass::Empty => Place::Here(Quick::Nothing),
            StatementClass::Dmv | StatementClass::Transaction => on(Work::State, execute),
            _ => on(Work::Statement, execute),
        },
        Command::Cancel(cancel) => Place::Here(Quick::Cancel(cancel)),
        Command::BeginTransaction => Place::Here(Quick::Begin),
        Command::RollbackTransaction => Place::Here(Quick::Rollback),
        Command::CommitTransaction(_) => Place::Thread(
            Work::State,
            Box::new(|exchange| {
                transaction::commit(&exchange.call.server, exchange.session(), exchange.context())
                    .map(|()| Reply::Empty)
            }),
        ),
        Command::NotSupported(name) => {
            Place::Here(Quick::Fault(Error::not_supported(format_args!("The {name} command"))))
        }
    }
}

fn on(work: Work, execute: Execute) -> Place {
    Place::Thread(work, Box::new(move |exchange| statement::run(exchange, &execute)))
}

/// What is read of the server and the list of its catalogs never waits for statements, nor for what is read of cubes, which may take
/// as long as they do: a client that connects asks for all of them.
fn discover_place(discover: Discover) -> Place {
    let begins = |prefix: &str| {
        discover.request_type.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    let of_server = begins("DISCOVER_") || begins("DBSCHEMA_");
    let work = if of_server { Work::State } else { Work::Metadata };
    let job = move |exchange: &Exchange| {
        rowsets::discover(ask(exchange), &discover.request_type, &discover.restrictions).map(Reply::Rowset)
    };
    Place::Thread(work, Box::new(job))
}

/// What rowsets are asked with.
pub fn ask(exchange: &Exchange) -> Ask {
    Ask {
        server: exchange.call.server.clone(),
        session: exchange.session().clone(),
        user: exchange.call.user.clone(),
        properties: exchange.properties.clone(),
        wanted: Vec::new(),
        context: exchange.context().clone(),
    }
}

async fn run_here(exchange: &Exchange, quick: Quick) -> Result<Reply> {
    let (server, session) = (&exchange.call.server, exchange.session());
    exchange.command().runs(server.clock.now());
    match quick {
        Quick::Nothing => Ok(Reply::Empty),
        Quick::Begin => transaction::begin(server, session).map(|()| Reply::Empty),
        Quick::Rollback => transaction::rollback(exchange).map(|()| Reply::Empty),
        Quick::Fault(error) => Err(error),
        Quick::Cancel(what) => {
            let sender = cancel::Sender { server, session, user: &exchange.call.user };
            let content = exchange.properties.content();
            let receipt = exchange.properties.cancel_receipt() && content != facetta_xmla::Content::None;
            cancel::cancel(&sender, &what, receipt).await
        }
    }
}

/// Answers what is short, here.
fn whole(exchange: Exchange, method: Method, reply: Result<Reply>) -> Answer {
    let mut bytes = Vec::new();
    let outcome = respond::respond(&mut bytes, &exchange, method, reply);
    exchange.finish(&outcome);
    Answer::Whole(bytes)
}

/// Runs a job on a thread that may block, and streams its answer.
async fn on_thread(exchange: Exchange, method: Method, seat: Seat, job: Job) -> Option<Answer> {
    let (sink, answer) = Sink::new(exchange.command().clone(), seat);
    tokio::task::spawn_blocking(move || run_job(exchange, method, sink, job));
    answer.await.ok()
}

fn run_job(exchange: Exchange, method: Method, mut sink: Sink, job: Job) {
    exchange.command().thread_begins();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let reply = exchange.context().check().and_then(|()| job(&exchange));
        respond::respond(&mut sink, &exchange, method, reply)
    }));
    exchange.command().thread_ends();
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(panic) => {
            let error = panicked(&*panic);
            if sink.has_begun() {
                // Nobody can end the document now; dropping the sink breaks the answer off.
                exchange.finish(&Outcome::Exception(error));
                return;
            }
            sink.restart();
            respond::respond(&mut sink, &exchange, method, Err(error))
        }
    };
    exchange.finish(&outcome);
    if !matches!(outcome, Outcome::ClientGone) {
        sink.finish();
    }
}

/// A panic is a defect of ours: it ends its command and nothing else.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no message");
    tracing::error!(panic = text, "a command panicked");
    Error::new(ErrorKind::Internal, "Internal error: The operation terminated unsuccessfully.")
}
