//! What must be true: of every answer that a reader gets at any time, and of the server after a restart.

use crate::Result;
use crate::client::{Client, Known, Session, assignment};
use crate::envelope::{cancel, execute, session_header, statement};
use crate::ledger::{Ledger, OWNERS, account, versions};
use crate::random::Random;
use crate::wire::{Asked, Trouble, Wire, mdx, transaction};
use facetta_model::ErrorKind;
use facetta_xmla::client::Answer;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Reads all cells until the server is gone: no change by halves, none that was acknowledged before is missing, none is there that
/// nobody sent. How many answers it has checked.
pub fn read(url: &str, ledger: &Ledger, over: &AtomicBool) -> Result<u64> {
    let Ok(mut wire) = Wire::connect(url) else { return Ok(0) };
    let mut checked = 0;
    while !over.load(SeqCst) {
        let before: Vec<i64> = ledger.acknowledged.iter().map(|v| v.load(SeqCst)).collect();
        let cells = match wire.cells(None) {
            Ok(cells) => cells,
            Err(Trouble::Gone(_)) => break,
            Err(trouble) => return Err(format!("a reader: {trouble}")),
        };
        let found = versions(&cells).map_err(|e| format!("a reader sees {e}"))?;
        for owner in 0..OWNERS {
            let (first, last) = (before[owner], ledger.sent[owner].load(SeqCst));
            if !(first..=last).contains(&found[owner]) {
                return Err(format!(
                    "a reader sees version {} of owner {owner}, not of {first} to {last}",
                    found[owner]
                ));
            }
        }
        checked += 1;
    }
    Ok(checked)
}

/// Asks the server after a restart all that the clients know of it.
pub fn after_restart(wire: &mut Wire, clients: &mut [Client], ledger: &Ledger, random: &mut Random) -> Result {
    let cells = wire.cells(None).map_err(|e| e.to_string())?;
    let found = versions(&cells).map_err(|e| format!("after the restart there is {e}"))?;
    // The commit of a client's session that was not answered: whether it is there.
    let mut there = BTreeMap::new();
    for client in clients.iter_mut() {
        let (owner, acknowledged) = (client.owner, ledger.acknowledged[client.owner].load(SeqCst));
        let under_way = client.under_way.take();
        let possible = under_way.as_ref().and_then(|u| u.version);
        let version = found[owner];
        if version != acknowledged && Some(version) != possible {
            return Err(format!(
                "owner {owner} has version {version}; {acknowledged} was acknowledged, {possible:?} under way"
            ));
        }
        ledger.acknowledged[owner].store(version, SeqCst);
        ledger.sent[owner].store(version, SeqCst);
        if let Some(possible) = possible {
            client.tally.under_way += 1;
            client.tally.under_way_there += u64::from(version == possible);
            if let Some(id) = under_way.and_then(|u| u.session) {
                there.insert(id, version == possible);
            }
        }
    }
    sessions(wire, clients)?;
    for client in clients.iter_mut() {
        for at in 0..client.sessions.len() {
            session(wire, client, at, &there, random)?;
        }
        client.sessions.retain(|s| s.ended == Known::No);
    }
    let again = wire.cells(None).map_err(|e| e.to_string())?;
    if again != cells {
        return Err(format!("a call that was not to be executed has changed cells: {cells:?}, then {again:?}"));
    }
    Ok(())
}

/// The sessions are those that were begun and not ended. What was begun or ended without an answer may be there.
fn sessions(wire: &mut Wire, clients: &mut [Client]) -> Result {
    let dmv = "SELECT SESSION_ID, SESSION_SPID, SESSION_USER_NAME, SESSION_CURRENT_DATABASE, SESSION_CONNECTION_ID \
               FROM $System.DISCOVER_SESSIONS";
    let table = wire.table(None, dmv).map_err(|e| e.to_string())?;
    // A session that came back belongs to no connection; that of this call does.
    let rows = table.rows.iter().filter(|r| r[4].is_none());
    let mut rows: BTreeMap<String, &Vec<Option<String>>> =
        rows.map(|r| (r[0].clone().unwrap_or_default(), r)).collect();
    for client in clients.iter_mut() {
        client.sessions.retain_mut(|session| {
            // One whose end was under way and is over needs no look.
            session.ended == Known::No || rows.contains_key(&session.id)
        });
        for session in &mut client.sessions {
            let row = rows.remove(&session.id).ok_or_else(|| format!("session {} is lost", session.id))?;
            session.ended = Known::No;
            client.tally.came_back += 1;
            let spid = session.spid.get_or_insert_with(|| row[1].clone().unwrap_or_default());
            let expected = [Some(spid.as_str()), Some("anonymous"), Some("Ledger")];
            let found = [row[1].as_deref(), row[2].as_deref(), row[3].as_deref()];
            if found != expected {
                return Err(format!("session {} came back as {found:?}, not {expected:?}", session.id));
            }
        }
    }
    let begins = clients.iter_mut().filter_map(|c| std::mem::take(&mut c.begins).then_some(())).count();
    if rows.len() > begins {
        return Err(format!("sessions that have ended came back, or one came twice: {rows:?}"));
    }
    for id in rows.keys() {
        let end = execute(&cancel(None, Some(id), None, Some("1")), &[]);
        wire.ask(None, &end).map_err(|e| format!("ending a session by CancelAssociated: {e}"))?;
    }
    Ok(())
}

/// The first call of a session after the restart.
#[derive(Clone, Copy, Debug)]
enum First {
    Query,
    Write,
    Rollback,
    Cancel,
    End,
}

/// What the first call of a session after a restart says.
fn first_call(wire: &mut Wire, client: &Client, session: &Session, first: First) -> Asked<Answer> {
    let id = Some(session.id.as_str());
    match first {
        First::Query => wire.ask(id, &mdx("SELECT {} ON 0 FROM [Ledger]")),
        // No version is as high: half of it would be seen at once.
        First::Write => {
            wire.ask(id, &mdx(&format!("UPDATE CUBE [Ledger] SET {}", assignment(&account(client.owner, 0), 1 << 40))))
        }
        First::Rollback => wire.ask(id, &transaction("Rollback", false)),
        First::Cancel => wire.ask(id, &execute(&cancel(None, None, None, None), &[])),
        First::End => wire.ask_with(&session_header("EndSession", id), &statement("", &[])),
    }
}

/// A session is as it was, and is told once of a transaction that was lost.
fn session(
    wire: &mut Wire,
    client: &mut Client,
    at: usize,
    there: &BTreeMap<String, bool>,
    random: &mut Random,
) -> Result {
    let session = client.sessions[at].clone();
    let context = |what: &str| format!("session {} of client {} ({what}): {session:?}", session.id, client.owner);
    let lost = match (session.transaction, there.get(&session.id)) {
        // A commit that is there has lost nothing, one that is not is what the notice is for.
        (_, Some(there)) => {
            if *there {
                Known::No
            } else {
                Known::Yes
            }
        }
        (known, None) => known,
    };
    // A call that works in spite of the loss tells nothing of it, so it is only made where the loss is known.
    let first = match (lost, random.below(10)) {
        (Known::Yes, 0) => First::Rollback,
        (Known::Yes, 1) => First::Cancel,
        (Known::Yes, 2) => First::End,
        (Known::Yes, 3..6) => First::Write,
        _ => First::Query,
    };
    let answer = first_call(wire, client, &session, first);
    let told = answer.as_ref().is_err_and(|e| e.is(ErrorKind::TransactionLost));
    let clears = matches!(first, First::Rollback | First::Cancel | First::End);
    match (&answer, lost) {
        (Ok(_), Known::Yes) if !clears => return Err(context("its transaction is lost, and it was not told")),
        (Err(e), Known::No) if told => return Err(context(&format!("it has lost nothing, and was told {e}"))),
        (Err(e), _) if !told || clears => return Err(context(&format!("{first:?}: {e}"))),
        _ => {}
    }
    client.tally.told += u64::from(told);
    if matches!(first, First::End) {
        client.sessions[at].ended = Known::Yes;
        return match first_call(wire, client, &session, First::Query) {
            Err(e) if e.is(ErrorKind::SessionNotFound) => Ok(()),
            other => Err(context(&format!("it has ended, and answers {other:?}"))),
        };
    }
    first_call(wire, client, &session, First::Query).map_err(|e| context(&format!("the second call: {e}")))?;
    client.sessions[at].transaction = Known::No;
    for (number, known) in &mut client.sessions[at].members {
        match (wire.measure(Some(&session.id), &format!("M{number}")), *known) {
            (Ok(Some(value)), _) if value == number.to_string() => *known = Known::Yes,
            (Err(Trouble::Fault(_)), Known::Unsure) => *known = Known::No,
            (other, _) => return Err(format!("member M{number} of session {} came back as {other:?}", session.id)),
        }
    }
    client.sessions[at].members.retain(|(_, known)| *known == Known::Yes);
    Ok(())
}
