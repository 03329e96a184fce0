//! The environment of a statement: snapshot, session scope and settings, of what a request and its session say.

use crate::rowsets::definition::Ask;
use facetta_model::{Result, Snapshot, bail, name};
use facetta_query::format::Locale;
use facetta_query::{MissingMemberMode, Query};
use facetta_xmla::Parameter;
use std::sync::Arc;

/// The environment in which a statement of `ask` is carried out.
///
/// # Errors
/// There is no catalog, it does not answer, the request names roles, which are not enforced yet (spec/decisions.md, Roles in a
/// loaded schema), or a definition of the session is no longer understood.
pub fn query(ask: &Ask) -> Result<Query> {
    let mut query = of_everybody(ask, ask.snapshot()?)?;
    let scope = ask.session.state().scope.as_deref().cloned();
    if let Some(scope) = scope {
        scope.add_to(&query.snapshot.catalog().name, Arc::make_mut(&mut query.session))?;
    }
    Ok(query)
}

/// The same without what the session has defined, over a version of the catalog.
///
/// # Errors
/// As [`query`].
pub fn of_everybody(ask: &Ask, snapshot: Arc<dyn Snapshot>) -> Result<Query> {
    for property in ["Roles", "EffectiveUserName"] {
        if ask.properties.text(property).is_some_and(|v| !v.trim().is_empty()) {
            bail!(NotSupported, "The {property} property is not supported yet: roles are not enforced");
        }
    }
    let mut query = Query::new(snapshot, ask.server.clock.now().to_datetime());
    query.cache = ask.server.subcubes.clone();
    let globals = ask.server.globals.of(query.snapshot.catalog());
    if !globals.is_empty() {
        globals.add_to(&query.snapshot.catalog().name, Arc::make_mut(&mut query.session))?;
    }
    if let Some(locale) = ask.properties.locale().and_then(Locale::by_lcid) {
        query.settings.locale = locale;
    }
    if ask.properties.text("MdxMissingMemberMode").is_some_and(|m| m.eq_ignore_ascii_case("Ignore")) {
        query.settings.missing_members = MissingMemberMode::Ignore;
    }
    query.settings.user = ask.user.name.clone();
    query.settings.custom_data = ask.properties.custom_data().unwrap_or_default().into();
    Ok(query)
}

/// The same with values for the `@name`s of the statement.
///
/// # Errors
/// As [`query`].
pub fn with_parameters(ask: &Ask, parameters: &[Parameter]) -> Result<Query> {
    let mut query = query(ask)?;
    let by_name = parameters.iter().map(|p| (name::fold(&p.name), p.value.clone()));
    query.settings.parameters = Arc::new(by_name.collect());
    Ok(query)
}
