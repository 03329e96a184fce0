//! What this machine has: folders, programs, and a way to run one with a limit of time.

use crate::floors::Floors;
use crate::server::Server;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a step may need that a machine may lack.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    /// The shared reference material.
    Shared,
    /// Python 3.
    Python,
    /// A Java compiler and olap4j.
    Java,
    /// Mono with its compiler, and gcc.
    Mono,
    /// cargo-deny.
    CargoDeny,
    /// git, in a checkout.
    Git,
}

/// The machine that the steps run on, and what they share.
pub(crate) struct Machine {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// The shared reference material, whether it exists or not.
    pub(crate) shared: PathBuf,
    /// Where builds go, and below it what the steps leave behind.
    pub(crate) target: PathBuf,
    /// A skipped step is a failed one.
    pub(crate) no_skip: bool,
    /// Floors that were surpassed are written.
    pub(crate) raise: bool,
    /// The release server, once a step has asked for it.
    pub(crate) server: Option<Server>,
}

/// What a program said, and how it ended.
pub(crate) struct Ran {
    /// Exit status.
    pub(crate) status: ExitStatus,
    /// Standard output and error, in order.
    pub(crate) text: String,
}

impl Machine {
    /// Looks around.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?.to_path_buf();
        let shared = std::env::var_os("FACETTA_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Machine {
            shared: fs::canonicalize(&shared).unwrap_or(shared),
            target: root.join(target),
            no_skip: std::env::var("FACETTA_NO_SKIP").is_ok_and(|v| v == "1"),
            raise: false,
            server: None,
            root,
        })
    }

    /// Why a step that needs this cannot run here, or none if it can.
    pub(crate) fn lacks(&self, need: Need) -> Option<String> {
        let program = |name: &str| (!has(name)).then(|| format!("'{name}' is not installed"));
        match need {
            Need::Shared => (!self.shared.join("conformance").is_dir())
                .then(|| format!("the shared material is not at {} (FACETTA_SHARED)", self.shared.display())),
            Need::Python => program("python3"),
            Need::Java => program("javac").or_else(|| {
                let jar = "/usr/share/java/olap4j-xmla.jar";
                (!Path::new(jar).exists()).then(|| "olap4j (libolap4j-java) is not installed".to_string())
            }),
            Need::Mono => ["mono", "mcs", "gcc", "python3"].into_iter().find_map(program),
            Need::CargoDeny => program("cargo-deny"),
            Need::Git => program("git")
                .or_else(|| (!self.root.join(".git").exists()).then(|| "this is not a git checkout".to_string())),
        }
    }

    /// A folder for what a step leaves behind.
    pub(crate) fn work(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("xtask").join(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// A cargo command in the workspace.
    pub(crate) fn cargo(&self, words: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words).current_dir(&self.root).env("FACETTA_SHARED", &self.shared);
        command
    }

    /// A Python program of the shared material.
    pub(crate) fn python(&self, script: &str) -> Command {
        let mut command = Command::new("python3");
        command.arg(self.shared.join(script)).current_dir(&self.root).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Runs a command for at most `limit`; what it says goes to `NAME.log` and comes back.
    pub(crate) fn run(&self, name: &str, mut command: Command, limit: Duration) -> Result<Ran> {
        let path = self.work("logs")?.join(format!("{name}.log"));
        let log = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {shown}"))?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if start.elapsed() > limit {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        match status {
            Some(status) => Ok(Ran { status, text }),
            None => {
                show_end(&text);
                bail!("'{name}' was not done after {} s (its output: {})", limit.as_secs(), path.display())
            }
        }
    }

    /// As [`Machine::run`], and anything but success is an error; the end of the output is shown then.
    pub(crate) fn succeed(&self, name: &str, command: Command, limit: Duration) -> Result<String> {
        let ran = self.run(name, command, limit)?;
        if !ran.status.success() {
            show_end(&ran.text);
            bail!("'{name}' ended with {}", ran.status);
        }
        Ok(ran.text)
    }

    /// The floors of the conformance cases.
    pub(crate) fn floors(&self) -> Result<Floors> {
        Floors::read(&self.root.join("tests/conformance/floors.toml"))
    }
}

/// Prints the last lines of what a failed program said.
pub(crate) fn show_end(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(80)..] {
        println!("    {line}");
    }
}

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
