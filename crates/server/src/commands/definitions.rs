//! CREATE and DROP of members, sets, cell calculations and subcubes: in the session, or for everybody in the catalog.

use crate::dispatch::ask;
use crate::environment;
use crate::handler::Exchange;
use crate::rowsets::definition::Ask;
use crate::scope::{Owner, Scope, owner_of};
use facetta_engine::DefinitionChange;
use facetta_mdx::ast::{DropObjects, SetEvaluation, Statement, StatementKind};
use facetta_model::{Context, Result, Snapshot, bail};
use facetta_query::Query;
use std::sync::Arc;

/// Adds a definition, if its cube takes it.
///
/// # Errors
/// It is wrong, or its name is taken. Where it is for everybody: the user does not administer the catalog, or the change cannot be
/// committed.
pub fn create(exchange: &Exchange, statement: &Statement, text: &str) -> Result<()> {
    let ask = ask(exchange);
    let cube = exchange.properties.cube();
    if owner_of(statement) == Owner::Catalog {
        return change_catalog(exchange, &ask, |query, before| {
            let catalog = &query.snapshot.catalog().name;
            let (after, cube) = before.with(catalog, statement, text, cube)?;
            check(statement, query, &cube, exchange.context())?;
            Ok(after.changes_since(before))
        });
    }
    let catalog = ask.catalog_name()?;
    let before = exchange.session().state().scope.as_deref().cloned().unwrap_or_default();
    let (after, cube) = before.with(&catalog, statement, text, cube)?;
    check(statement, &environment::query(&ask)?, &cube, exchange.context())?;
    if matches!(&statement.kind, StatementKind::CreateSet(create) if create.set.evaluation != Some(SetEvaluation::Dynamic))
    {
        evaluate_set(exchange, &ask, &after, &cube)?;
    }
    if exchange.properties.prepare_only() {
        return Ok(());
    }
    exchange.call.server.sessions.set_scope(exchange.session(), after)
}

/// Takes definitions away.
///
/// # Errors
/// One of them is not there; nothing is taken away then. Where it is for everybody: the user does not administer the catalog, or
/// the change cannot be committed.
pub fn drop(exchange: &Exchange, objects: &DropObjects) -> Result<()> {
    let ask = ask(exchange);
    let cube = exchange.properties.cube();
    if Owner::of(objects.scope) == Owner::Catalog {
        return change_catalog(exchange, &ask, |query, before| {
            Ok(before.without(&query.snapshot.catalog().name, objects, cube)?.changes_since(before))
        });
    }
    let before = exchange.session().state().scope.as_deref().cloned().unwrap_or_default();
    let after = before.without(&ask.catalog_name()?, objects, cube)?;
    if exchange.properties.prepare_only() {
        return Ok(());
    }
    exchange.call.server.sessions.set_scope(exchange.session(), after)
}

/// Evaluates a static set of the session, once and for all.
fn evaluate_set(exchange: &Exchange, ask: &Ask, after: &Scope, cube: &str) -> Result<()> {
    let mut query = environment::of_everybody(ask, ask.snapshot()?)?;
    let catalog = query.snapshot.catalog().clone();
    after.add_to(&catalog.name, Arc::make_mut(&mut query.session))?;
    match catalog.cube(cube) {
        Some(cube) => facetta_query::evaluate_newest_set(&query, cube, exchange.context()),
        None => Ok(()),
    }
}

fn check(statement: &Statement, query: &Query, cube: &str, context: &Context) -> Result<()> {
    let Some(cube) = query.snapshot.catalog().cube(cube) else {
        bail!(CubeNotFound, "The {cube} cube either does not exist or has not been processed.");
    };
    facetta_query::check_definition(statement, query, cube, context)
}

/// Changes what everybody sees in the current catalog. In a transaction of the session the change stays private until it commits;
/// without one it is committed before this returns.
///
/// # Errors
/// The user does not administer the catalog, the catalog cannot be written, those of `change`, and without a transaction those of
/// its commit.
fn change_catalog(
    exchange: &Exchange,
    ask: &Ask,
    change: impl FnOnce(&Query, &Scope) -> Result<Vec<DefinitionChange>>,
) -> Result<()> {
    let (server, context) = (&exchange.call.server, exchange.context());
    let catalog = ask.catalog_name()?;
    if !ask.user.administers(Some(&catalog)) {
        bail!(
            Permission,
            "The user, '{}', does not have permission to define for everybody in the '{catalog}' database",
            ask.user.name
        );
    }
    let database = server.catalogs.database(&catalog, &ask.user.name)?;
    let of_session = exchange.session().changes();
    let implicit = of_session.is_none();
    let transaction = of_session.unwrap_or_else(|| Arc::new(server.store.begin()));
    let snapshot: Arc<dyn Snapshot> = transaction.snapshot(&database);
    let scope = server.globals.of(snapshot.catalog());
    // What is for everybody is made of what everybody sees, and of nothing of this session.
    let query = environment::of_everybody(ask, snapshot)?;
    let changes = change(&query, &scope)?;
    if exchange.properties.prepare_only() {
        return Ok(());
    }
    let savepoint = transaction.savepoint();
    transaction.define(&database, changes, context)?;
    if let Err(error) = context.check() {
        transaction.rollback_to(savepoint)?;
        return Err(error);
    }
    if implicit { transaction.commit(context) } else { Ok(()) }
}
