//! `facetta commands`: what the sessions of a server run, or ran last.

use super::endpoint::Endpoint;
use super::sessions::list;
use anyhow::Result;
use clap::Args;

/// List the running and last commands of a server; a command without an end time runs.
#[derive(Args)]
pub(super) struct Commands {
    /// As JSON, all columns
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

const COLUMNS: &str = "SESSION_SPID, COMMAND_START_TIME, COMMAND_END_TIME, COMMAND_ELAPSED_TIME_MS, COMMAND_CPU_TIME_MS, \
                       COMMAND_READS, COMMAND_TEXT";

impl Commands {
    pub(super) fn run(self) -> Result<()> {
        list(&self.endpoint, "DISCOVER_COMMANDS", COLUMNS, "SESSION_SPID", self.json)
    }
}
