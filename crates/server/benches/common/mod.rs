//! What the benches of the running server share: a server over catalogs of their own, a plain client, figures with their limits.

// Each bench uses its own part.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

#[path = "../../tests/common/envelope.rs"]
pub mod envelope;
#[path = "../../tests/common/random.rs"]
pub mod random;

pub mod catalog;
pub mod client;
pub mod figures;
pub mod load;

use facetta_server::clock::Clock;
use facetta_server::{Handle, Settings, start_with};
use std::time::{Duration, Instant};

/// A server on a folder of its own.
pub struct Bench {
    pub handle: Handle,
    pub folder: tempfile::TempDir,
}

/// Starts a server with some keys of the configuration set; `data` writes what it needs, and may answer a `catalog`.
pub fn serve(keys: &[(&str, &str)], data: impl FnOnce(&std::path::Path) -> Option<String>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let catalog = data(folder.path()).map(|c| ("catalog".to_owned(), c));
    let given = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let own = [
        ("listen".to_owned(), "127.0.0.1:0".to_owned()),
        ("data_dir".to_owned(), folder.path().join("state").display().to_string()),
    ];
    let settings = Settings::load(None, [], own.into_iter().chain(catalog).chain(given)).unwrap();
    let handle = start_with(settings, Clock::machine(), Vec::new()).unwrap();
    handle.wait_ready().unwrap();
    Bench { handle, folder }
}

/// Asks until there is something; the bench ends if that takes a minute.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}
