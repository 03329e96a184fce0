//! BeginTransaction, CommitTransaction, RollbackTransaction (spec/protocol.md section 8).

use crate::handler::Exchange;
use crate::server::Server;
use crate::session::Session;
use facetta_model::{Context, Result};
use std::sync::Arc;

/// Begins a transaction, or counts the open one up.
///
/// # Errors
/// The session is implicit, or the journal cannot be written.
pub fn begin(server: &Server, session: &Arc<Session>) -> Result<()> {
    server.sessions.begin_transaction(session, &server.store)
}

/// Counts the open transaction down; at zero it is committed.
///
/// # Errors
/// There is none. It conflicts with one that was committed before, or cannot be made durable: then it is rolled back, whole, and
/// the session has none any more. It is cancelled before it is durable: then it is open still (spec/decisions.md, Cancel).
pub fn commit(server: &Server, session: &Arc<Session>, context: &Context) -> Result<()> {
    context.check()?;
    let Some(transaction) = server.sessions.release_transaction(session)? else { return Ok(()) };
    let committed = transaction.changes.commit_as(transaction.id.0, context);
    match &committed {
        Ok(()) => tracing::info!(session = %session.id, transaction = %transaction.id, "transaction committed"),
        Err(error) if error.is_interrupt() => return committed,
        Err(error) => {
            tracing::info!(session = %session.id, transaction = %transaction.id, %error, "transaction rolled back");
        }
    }
    if let Err(error) = server.sessions.forget_transaction(session) {
        // It is decided already, which is what the client is to be told.
        tracing::error!(session = %session.id, %error, "the end of a transaction could not be journalled");
    }
    committed
}

/// Undoes the open transaction.
///
/// # Errors
/// There is none, or the session is implicit.
pub fn rollback(exchange: &Exchange) -> Result<()> {
    let (server, session) = (&exchange.call.server, exchange.session());
    // One that a restart has lost is rolled back already; the client that says so is right.
    if exchange.transaction_lost && session.state().transaction.is_none() {
        return Ok(());
    }
    let Some(transaction) = server.sessions.take_transaction(session)? else { return Ok(()) };
    transaction.changes.rollback();
    tracing::info!(session = %session.id, transaction = %transaction.id, "transaction rolled back");
    Ok(())
}
