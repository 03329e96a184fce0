//! `facetta serve`: the server itself.

use super::folder;
use super::server_flags::ServerFlags;
use anyhow::{Context, Result, ensure};
use clap::Args;
use facetta_server::{Settings, start};
use std::io::Write;

/// Serve catalogs to XMLA clients.
///
/// SCHEMA is a Mondrian 3 schema (XML) or a Facetta one (YAML, see `facetta init`); SOURCE is a folder with one Parquet
/// or CSV file for each table. POST to any path is XMLA, /xmla by custom; GET /health is 200 once all catalogs answer.
#[derive(Args)]
#[command(after_help = "\
Example: facetta serve --catalog Shop=shop/facetta.yaml,shop

Each flag is also a key of the configuration file and an environment variable: --data-dir is data_dir and
FACETTA_DATA_DIR. Flags win over the environment, the environment over the file. In the file catalogs are tables:

    listen = \"127.0.0.1:8080\"
    [catalogs.Shop]
    schema = \"shop/facetta.yaml\"
    source = \"shop\"")]
pub(super) struct Serve {
    #[command(flatten)]
    flags: ServerFlags,
}

impl Serve {
    pub(super) fn run(self) -> Result<()> {
        let mut settings = self.flags.settings()?;
        ensure!(
            !settings.catalogs.is_empty(),
            "there is no catalog to serve; name one with --catalog NAME=SCHEMA,SOURCE or in a configuration file, or try `facetta demo`"
        );
        if settings.data_dir.is_none() {
            settings.data_dir = Some(folder::data()?);
        }
        serve(settings, |_| Ok(()))
    }
}

/// Starts the server, says where it listens once all catalogs answer, calls `greet` with that address, and serves until
/// the process is told to stop.
pub(super) fn serve(settings: Settings, greet: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    let mut handle = start(settings)?;
    handle.wait_ready()?;
    handle.catch_signals()?;
    let url = handle.url();
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {url}").and_then(|()| out.flush()).context("writing to standard output")?;
    drop(out);
    greet(&url)?;
    Ok(handle.run_until_signal()?)
}
