//! The journal of sessions is as long as the sessions that are alive make it, however many have begun and ended.

#![allow(clippy::unwrap_used)]

use facetta_engine::Store;
use facetta_server::clock::{Clock, Moment};
use facetta_server::journal::Journal;
use facetta_server::session::EndReason;
use facetta_server::sessions::{NewSession, Sessions};
use facetta_server::settings::Timeouts;
use facetta_xmla::Properties;
use std::path::Path;

/// Sessions that begin and end in a round, and those that stay.
const BEGUN: usize = 1_250;
const ALIVE: usize = 20;

/// Bytes that the files of a folder take on disk, whatever length they say they have.
#[cfg(unix)]
fn on_disk(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let size = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        // A file may be gone since it was listed.
        let Ok(metadata) = entry.metadata() else { return 0 };
        if metadata.is_dir() { on_disk(&entry.path()) } else { metadata.blocks() * 512 }
    };
    std::fs::read_dir(folder).unwrap().map(size).sum()
}

#[cfg(unix)]
#[test]
fn the_journal_is_bounded_by_what_is_alive() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let journal = Journal::open(folder.path()).unwrap();
        let (clock, store) = (Clock::virtual_from(Moment(0)), Store::in_memory());
        Sessions::open(clock, Timeouts::default(), 1_000_000, Some(journal), &store).unwrap()
    };
    let sessions = open();
    // Each record is large, so that what is written is many times what the journal may take.
    let mut properties = Properties::default();
    properties.set("SspropInitAppName", &"x".repeat(60_000)).unwrap();
    let new = NewSession { user: "anonymous", explicit: true, properties: &properties, catalog: Some("Sales") };
    let alive: Vec<_> = (0..ALIVE).map(|_| sessions.begin(&new).unwrap()).collect();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        for _ in 0..BEGUN {
            let session = sessions.begin(&new).unwrap();
            assert!(sessions.end(&session, EndReason::EndSession));
        }
        sessions.sync().unwrap();
        sizes.push(on_disk(folder.path()) >> 20);
    }
    println!("{sizes:?} MiB after each 75 MB that were written");
    assert!(sizes.iter().all(|size| *size < 128), "{sizes:?} MiB");
    drop(sessions);
    let again = open();
    assert_eq!(again.len(), ALIVE);
    assert!(alive.iter().all(|session| again.by_spid(session.spid).is_some_and(|s| s.id == session.id)));
}
