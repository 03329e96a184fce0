//! The DISCOVER_* rowsets: what the server is, and what goes on in it.

pub mod commands;
pub mod connections;
pub mod memory;
pub mod metadata;
pub mod objects;
pub mod provider;
pub mod sessions;
pub mod words;

use crate::rowsets::definition::Ask;
use crate::running::Command;
use crate::session::Session;
use std::sync::Arc;

/// Whether the caller sees a session: a server administrator all, a catalog administrator those whose current catalog is
/// his, others their own (spec/decisions.md, DMVs).
fn sees(ask: &Ask, session: &Session) -> bool {
    *session.user == *ask.user.name || ask.user.administers(session.state().catalog.as_deref())
}

/// The sessions that the caller sees, by SPID; with a SPID wanted that one only, without a look at the others.
fn visible_sessions(ask: &Ask, spid_column: &'static str) -> Box<dyn Iterator<Item = Arc<Session>> + Send> {
    let ask = ask.clone();
    if let Some(spid) = ask.wanted_number(spid_column) {
        let found = u32::try_from(spid).ok().and_then(|spid| ask.server.sessions.by_spid(spid));
        return Box::new(found.into_iter().filter(move |s| sees(&ask, s)));
    }
    if let Some(id) = ask.wanted_text("SESSION_ID") {
        let found = ask.server.sessions.by_id(id);
        return Box::new(found.into_iter().filter(move |s| sees(&ask, s)));
    }
    let mut first = 0;
    let server = ask.server.clone();
    let pages = std::iter::from_fn(move || {
        let page = server.sessions.page(first, 512);
        first = page.last()?.spid.saturating_add(1);
        Some(page)
    });
    Box::new(pages.flatten().filter(move |s| sees(&ask, s)))
}

/// The commands in flight in sessions that the caller sees, in order of arrival.
fn visible_commands(ask: &Ask) -> impl Iterator<Item = Arc<Command>> + Send + 'static {
    let ask = ask.clone();
    ask.server.running.all().into_iter().filter(move |command| sees(&ask, &command.session))
}
