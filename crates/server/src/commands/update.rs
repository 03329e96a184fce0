//! UPDATE CUBE: its cells written in the session's transaction, or in one of its own.

use crate::dispatch::ask;
use crate::environment;
use crate::handler::Exchange;
use facetta_engine::{CellWrite, Database, Transaction};
use facetta_mdx::ast::Update;
use facetta_model::{Context, Result};
use facetta_query::{CellUpdate, updates};
use facetta_xmla::Parameter;
use std::sync::Arc;

/// Writes the cells that a statement assigns to. In a transaction of the session they stay private until it commits; without one
/// they are committed before this returns. If it fails, nothing of the statement is left, and a transaction of the session is as
/// it was before (spec/decisions.md, Cancel).
///
/// # Errors
/// Those of the resolver; a cell that cannot be written; without a transaction those of its commit.
pub fn run(exchange: &Exchange, update: &Update, parameters: &[Parameter]) -> Result<()> {
    let (server, context) = (&exchange.call.server, exchange.context());
    let ask = ask(exchange);
    let database = server.catalogs.database(&ask.catalog_name()?, &ask.user.name)?;
    let of_session = exchange.session().changes();
    let implicit = of_session.is_none();
    let changes = of_session.unwrap_or_else(|| Arc::new(server.store.begin()));
    let mut query = environment::with_parameters(&ask, parameters)?;
    // The version that the cells are written over, which a commit since then may have made an old one.
    query.snapshot = changes.snapshot(&database);
    let cells = updates(update, exchange.properties.cube(), &query, context)?;
    if exchange.properties.prepare_only() {
        return Ok(());
    }
    let savepoint = changes.savepoint();
    let written = write(&changes, &database, cells, context).and_then(|cells| {
        // The last moment at which a Cancel hits: from here on the changes stay.
        context.check()?;
        Ok(cells)
    });
    match written {
        Ok(cells) => {
            let session = exchange.session().id;
            tracing::debug!(%session, catalog = database.name(), cells, "cells written");
        }
        Err(error) => {
            changes.rollback_to(savepoint)?;
            return Err(error);
        }
    }
    if implicit { changes.commit(context) } else { Ok(()) }
}

/// Writes all cells. How many leaf cells that were.
fn write(changes: &Transaction, database: &Arc<Database>, cells: Vec<CellUpdate>, context: &Context) -> Result<usize> {
    let mut count = 0;
    for CellUpdate { group, measure, filters, tuples, value, span } in cells {
        let cell = CellWrite { group, measure, filters, tuples, value };
        let written = changes.write(database, &cell, context);
        // A Cancel hits the statement, wherever that is.
        count += written.map_err(|e| if e.is_interrupt() { e } else { e.at(span) })?.cells;
    }
    Ok(count)
}
