//! The release server that the conformance cases and the real clients talk to.

use crate::machine::{Machine, show_end};
use crate::step::Line;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long loading FoodMart may take on a slow machine.
const START: Duration = Duration::from_secs(60);
/// The contract: SIGTERM drains and stops within this.
const STOP: Duration = Duration::from_secs(5);

/// A running server; dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    /// Its XMLA address.
    pub(crate) url: String,
    log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Machine {
    /// The address of the release server over FoodMart, started by the first step that asks.
    pub(crate) fn server(&mut self) -> Result<String> {
        let server = match self.server.take() {
            Some(server) => server,
            None => start(self)?,
        };
        Ok(self.server.insert(server).url.clone())
    }
}

fn start(machine: &Machine) -> Result<Server> {
    let binary = machine.target.join("release/facetta");
    ensure!(binary.is_file(), "there is no release build at {}; run step 'release' first", binary.display());
    let data = machine.work("server")?;
    fs::remove_dir_all(&data).with_context(|| format!("clearing {}", data.display()))?;
    let log = machine.work("logs")?.join("server.log");
    let foodmart = machine.shared.join("foodmart");
    let catalog = format!("FoodMart={},{}", foodmart.join("FoodMart.xml").display(), foodmart.join("data").display());
    let mut child = Command::new(&binary)
        .args(["serve", "--listen", "127.0.0.1:0", "--catalog", &catalog, "--data-dir"])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log).with_context(|| format!("making {}", log.display()))?)
        .spawn()
        .with_context(|| format!("starting {}", binary.display()))?;
    let out = child.stdout.take().context("the server has no output")?;
    let mut server = Server { child, url: String::new(), log };
    let (sender, receiver) = mpsc::channel();
    // Reads to the end, so that the server never waits for a full pipe.
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(url) = line.trim().strip_prefix("listening on ") {
                let _ = sender.send(url.to_string());
            }
        }
    });
    match receiver.recv_timeout(START) {
        Ok(url) => {
            server.url = url;
            Ok(server)
        }
        Err(_) => {
            show_end(&fs::read_to_string(&server.log).unwrap_or_default());
            bail!("the server did not say where it listens within {} s", START.as_secs())
        }
    }
}

/// The server stops by SIGTERM in time, and its log tells of no panic.
pub(crate) fn shutdown(machine: &mut Machine) -> Result<Line> {
    machine.server()?;
    let mut server = machine.server.take().context("no server was started")?;
    let start = Instant::now();
    let signalled = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status()?;
    ensure!(signalled.success(), "the server was gone before it was told to stop");
    let status = loop {
        if let Some(status) = server.child.try_wait()? {
            break status;
        }
        ensure!(start.elapsed() < STOP, "the server was still there {} s after SIGTERM", STOP.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    };
    ensure!(status.success(), "the server ended with {status}");
    let log = fs::read_to_string(&server.log)?;
    if let Some(line) = log.lines().find(|l| l.contains("panicked at")) {
        bail!("the server's log tells of a panic: {line}");
    }
    Ok(format!("stopped {:.2} s after SIGTERM, no panic in its log", start.elapsed().as_secs_f64()))
}
