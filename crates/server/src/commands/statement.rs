//! Statement: MDX, DMV queries, and transaction commands written as MDX.

use super::{Reply, definitions, transaction, update};
use crate::dispatch::ask;
use crate::environment;
use crate::handler::Exchange;
use crate::rowsets::select::{Query, select};
use facetta_mdx::ast::StatementKind;
use facetta_mdx::{Parsed, parse};
use facetta_model::{Outcome, Result, drop_later};
use facetta_query::execute;
use facetta_query::flatten::flatten;
use facetta_xmla::{Command, Content, Execute, Format};

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

fn parsed(exchange: &Exchange, text: &str) -> Result<Parsed> {
    parse(text, exchange.context()).map_err(|e| e.located_in(text))
}

/// Runs a statement.
///
/// # Errors
/// Those of the parser, the resolver and the evaluator; they have line and column.
pub fn run(exchange: &Exchange, request: &Execute) -> Result<Reply> {
    let text = text(request);
    run_parsed(exchange, request, parsed(exchange, text)?, text)
}

/// Bytes of a tree that takes long to drop.
const LARGE: u64 = 4 << 20;

/// What the first words of a text seemed to say decided where it runs; what it is, its tree says.
fn run_parsed(exchange: &Exchange, request: &Execute, parsed: Parsed, text: &str) -> Result<Reply> {
    let (server, session) = (&exchange.call.server, exchange.session());
    let done = |result: Result<()>| result.map(|()| Reply::Empty);
    match &parsed.statement.kind {
        StatementKind::Dmv(dmv) => {
            let query = Query { select: dmv, text, parameters: &request.parameters };
            let rowset = select(&ask(exchange), &query)?;
            Ok(if only_checked(exchange) { Reply::Empty } else { Reply::Rowset(rowset) })
        }
        // Content=None does not prepare these: clients send it with whatever they expect no rows of.
        StatementKind::BeginTransaction | StatementKind::CommitTransaction | StatementKind::RollbackTransaction
            if exchange.properties.prepare_only() =>
        {
            Ok(Reply::Empty)
        }
        StatementKind::BeginTransaction => done(transaction::begin(server, session)),
        StatementKind::CommitTransaction => done(transaction::commit(server, session, exchange.context())),
        StatementKind::RollbackTransaction => done(transaction::rollback(exchange)),
        StatementKind::Update(what) => {
            done(update::run(exchange, what, &request.parameters).map_err(|e| e.located_in(text)))
        }
        StatementKind::CreateMember(_)
        | StatementKind::CreateSet(_)
        | StatementKind::CreateCellCalculation(_)
        | StatementKind::CreateSubcube(_) => {
            done(definitions::create(exchange, &parsed.statement, text).map_err(|e| e.located_in(text)))
        }
        StatementKind::Drop(objects) => done(definitions::drop(exchange, objects).map_err(|e| e.located_in(text))),
        _ => {
            let reply = query(exchange, request, &parsed, text);
            if parsed.charge.bytes() > LARGE {
                drop_later(parsed);
            }
            reply
        }
    }
}

fn query(exchange: &Exchange, request: &Execute, parsed: &Parsed, text: &str) -> Result<Reply> {
    let query = environment::with_parameters(&ask(exchange), &request.parameters)?;
    let outcome = execute(&parsed.statement, &query, exchange.context()).map_err(|e| e.located_in(text))?;
    if only_checked(exchange) {
        return Ok(Reply::Empty);
    }
    Ok(match (outcome, exchange.properties.format()) {
        (Outcome::Done, _) => Reply::Empty,
        (Outcome::CellSet(cells), Format::Tabular) => {
            Reply::Rowset(flatten(cells, Some(exchange.properties.row_range().end), exchange.context())?)
        }
        (Outcome::CellSet(cells), _) => Reply::CellSet(cells),
        // Whatever the format: Excel asks for all that it executes as Multidimensional (spec/excel.md 1.3).
        (Outcome::Rowset(rowset), _) => Reply::Rowset(rowset),
    })
}
