//! Statement: MDX, DMV queries, and transaction commands written as MDX.

use super::{Reply, transaction};
use crate::dispatch::ask;
use crate::handler::Exchange;
use crate::rowsets::select::{Query, select};
use facetta_mdx::ast::{Statement, StatementKind};
use facetta_mdx::parse;
use facetta_model::{Error, Result};
use facetta_xmla::{Command, Content, Execute};

fn text(execute: &Execute) -> &str {
    if let Command::Statement(text) = &execute.command { text } else { "" }
}

/// Whether a statement rolls the session's transaction back.
pub fn is_rollback(text: &str) -> bool {
    text.trim_start().get(..8).is_some_and(|word| word.eq_ignore_ascii_case("ROLLBACK"))
}

/// Whether a query is only to be checked.
fn only_checked(exchange: &Exchange) -> bool {
    exchange.properties.prepare_only() || exchange.properties.content() == Content::None
}

/// Runs a DMV query.
///
/// # Errors
/// The text is no DMV query, or names what is not there.
pub fn run_dmv(exchange: &Exchange, execute: &Execute) -> Result<Reply> {
    let text = text(execute);
    let parsed = parse(text, exchange.context()).map_err(|e| e.located_in(text))?;
    let StatementKind::Dmv(query) = &parsed.statement.kind else { return run(exchange, execute) };
    let query = Query { select: query, text, parameters: &execute.parameters };
    let rowset = select(&ask(exchange), &query)?;
    if only_checked(exchange) { Ok(Reply::Empty) } else { Ok(Reply::Rowset(rowset)) }
}

/// Runs BEGIN, COMMIT or ROLLBACK TRANSACTION.
///
/// # Errors
/// The text is none of them; else those of the command.
pub fn run_transaction(exchange: &Exchange, execute: &Execute) -> Result<Reply> {
    let text = text(execute);
    let parsed = parse(text, exchange.context()).map_err(|e| e.located_in(text))?;
    match run_if_transaction(exchange, &parsed.statement) {
        Some(done) => done.map(|()| Reply::Empty),
        None => run(exchange, execute),
    }
}

fn run_if_transaction(exchange: &Exchange, statement: &Statement) -> Option<Result<()>> {
    let (server, session) = (&exchange.call.server, exchange.session());
    match statement.kind {
        StatementKind::BeginTransaction => Some(transaction::begin(server, session)),
        StatementKind::CommitTransaction => Some(transaction::commit(server, session, exchange.context())),
        StatementKind::RollbackTransaction => Some(transaction::rollback(exchange)),
        _ => None,
    }
}

/// Runs any other statement.
///
/// # Errors
/// Those of the parser, the resolver and the evaluator.
pub fn run(exchange: &Exchange, execute: &Execute) -> Result<Reply> {
    let text = text(execute);
    let parsed = parse(text, exchange.context()).map_err(|e| e.located_in(text))?;
    let _ = parsed;
    Err(Error::not_supported("MDX"))
}
