//! A campaign of `kill -9`: clients use the real server until it is killed in the middle of their commands, it is started again
//! on the same folder, and must know all that it had acknowledged and nothing by halves.
//!
//! `FACETTA_KILL_COUNT` kills (3 if it is not set), from the seed `FACETTA_KILL_SEED` on: the seed decides what each client does
//! and when the server is killed. A failing round is printed with its seed; the two variables play it again. A limit of time
//! for the restart is held only where `FACETTA_KILL_RESTART_MS` sets one, as `cargo xtask soak` does.

#![cfg(unix)]
// Its modules are all of this one test binary.
#![allow(unreachable_pub, clippy::unwrap_used)]

mod check;
mod client;
#[path = "../../crates/server/tests/common/envelope.rs"]
#[allow(dead_code)]
mod envelope;
#[path = "../../crates/server/tests/common/http.rs"]
#[allow(dead_code)]
mod http;
mod ledger;
#[path = "../common/process.rs"]
mod process;
#[path = "../../crates/server/tests/common/random.rs"]
#[allow(dead_code)]
mod random;
mod wire;

use client::Client;
use ledger::{Ledger, OWNERS};
use process::Server;
use random::{Random, number};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use wire::Wire;

/// Readers beside the writers.
const READERS: usize = 2;

/// What a check or a client has to say against the server.
pub type Result<T = (), E = String> = std::result::Result<T, E>;

struct Campaign {
    ledger: Ledger,
    clients: Vec<Client>,
    words: Vec<String>,
    server: Option<Server>,
    restarts: Vec<Duration>,
    /// Answers that readers have checked.
    read: u64,
}

impl Campaign {
    fn new(folder: &std::path::Path) -> Campaign {
        let catalog = ledger::write(folder).unwrap();
        let data = folder.join("state").display().to_string();
        let words = ["serve", "--catalog", &catalog, "--data-dir", &data].map(str::to_owned).to_vec();
        let clients = (0..OWNERS).map(Client::new).collect();
        let mut campaign =
            Campaign { ledger: Ledger::default(), clients, words, server: None, restarts: Vec::new(), read: 0 };
        campaign.start().unwrap();
        campaign
    }

    /// Starts the server; it is there when it has answered.
    fn start(&mut self) -> Result {
        let started = Instant::now();
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        self.server = Some(Server::start(&words));
        self.wire()?.cells(None).map_err(|e| e.to_string())?;
        self.restarts.push(started.elapsed());
        Ok(())
    }

    fn wire(&self) -> Result<Wire> {
        let url = self.server.as_ref().map_or("", |s| &s.url);
        Wire::connect(url).map_err(|e| format!("the server cannot be reached: {e}"))
    }

    /// Lets all clients work for a while, kills the server, starts it again and asks what it knows.
    fn round(&mut self, random: &mut Random) -> Result {
        let seeds: Vec<u64> = (0..OWNERS).map(|_| random.below(usize::MAX) as u64).collect();
        let pause = Duration::from_millis(30 + random.below(170) as u64);
        self.work(&seeds, pause)?;
        self.start()?;
        let mut wire = self.wire()?;
        check::after_restart(&mut wire, &mut self.clients, &self.ledger, random)
    }

    fn work(&mut self, seeds: &[u64], pause: Duration) -> Result {
        let mut server = self.server.take().ok_or("no server")?;
        let (url, ledger, over) = (server.url.clone(), &self.ledger, &AtomicBool::new(false));
        let clients = &mut self.clients;
        let (complaints, read) = std::thread::scope(|scope| {
            let writers: Vec<_> = clients
                .iter_mut()
                .zip(seeds)
                .map(|(client, seed)| (client, Random::new(*seed), &url))
                .map(|(client, mut random, url)| scope.spawn(move || client.work(url, ledger, &mut random)))
                .collect();
            let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(|| check::read(&url, ledger, over))).collect();
            std::thread::sleep(pause);
            // SIGKILL: nothing of the process runs after it.
            let _ = server.child.kill();
            let _ = server.child.wait();
            over.store(true, SeqCst);
            let mut complaints: Vec<String> = Vec::new();
            complaints.extend(writers.into_iter().filter_map(|w| w.join().unwrap().err()));
            let mut read = 0;
            for reader in readers {
                match reader.join().unwrap() {
                    Ok(count) => read += count,
                    Err(complaint) => complaints.push(complaint),
                }
            }
            (complaints, read)
        });
        self.read += read;
        let log = server.log();
        match log.lines().find(|l| l.contains("panicked") || l.contains("ERROR")) {
            Some(line) => Err(format!("the server's log: {line}")),
            None if complaints.is_empty() => Ok(()),
            None => Err(complaints.join("\n")),
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let (seed, count) = (number("FACETTA_KILL_SEED", 1), number("FACETTA_KILL_COUNT", 3));
    let folder = tempfile::tempdir().unwrap();
    let mut campaign = Campaign::new(folder.path());
    for round in 0..count {
        let seed = seed.wrapping_add(round);
        if let Err(complaint) = campaign.round(&mut Random::new(seed)) {
            panic!("kill {round}: {complaint}\nreplay with FACETTA_KILL_SEED={seed} FACETTA_KILL_COUNT=1");
        }
        if (round + 1) % 50 == 0 {
            println!("{} of {count} kills", round + 1);
        }
    }
    report(count, &campaign);
}

fn report(count: u64, campaign: &Campaign) {
    let sum = |f: fn(&client::Tally) -> u64| campaign.clients.iter().map(|c| f(&c.tally)).sum::<u64>();
    let mut restarts = campaign.restarts.clone();
    restarts.sort_unstable();
    let at = |part: f64| restarts[((restarts.len() - 1) as f64 * part).round() as usize].as_secs_f64() * 1e3;
    println!(
        "{count} kills: {} requests acknowledged, {} commits, {} conflicts, {} answers of readers checked; over the restarts \
         {} sessions came back, {} lost transactions were told once, {} commits under way ended wholly there or wholly gone \
         ({} there)",
        sum(|t| t.requests),
        sum(|t| t.commits),
        sum(|t| t.conflicts),
        campaign.read,
        sum(|t| t.came_back),
        sum(|t| t.told),
        sum(|t| t.under_way),
        sum(|t| t.under_way_there),
    );
    println!("restart to the first answer: p50 {:.0} ms, p99 {:.0} ms, worst {:.0} ms", at(0.5), at(0.99), at(1.0));
    let limit = number("FACETTA_KILL_RESTART_MS", 0);
    assert!(limit == 0 || at(0.99) <= limit as f64, "the p99 of a restart is over {limit} ms");
}
