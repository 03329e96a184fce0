//! `facetta sessions`: the sessions of a server.

use super::endpoint::Endpoint;
use super::output::Format;
use super::{output, output::Table};
use anyhow::Result;
use clap::Args;

/// List the sessions of a server.
#[derive(Args)]
pub(super) struct Sessions {
    /// As JSON, all columns
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

const COLUMNS: &str = "SESSION_SPID, SESSION_ID, SESSION_CONNECTION_ID, SESSION_USER_NAME, SESSION_CURRENT_DATABASE, \
                       SESSION_STATUS, SESSION_START_TIME, SESSION_IDLE_TIME_MS, SESSION_CPU_TIME_MS, SESSION_COMMAND_COUNT, \
                       SESSION_LAST_COMMAND";

impl Sessions {
    pub(super) fn run(self) -> Result<()> {
        list(&self.endpoint, "DISCOVER_SESSIONS", COLUMNS, "SESSION_SPID", self.json)
    }
}

/// Prints the rows of a rowset of the server's state: chosen columns as a table, or all of them as JSON.
pub(super) fn list(endpoint: &Endpoint, rowset: &str, columns: &str, order: &str, json: bool) -> Result<()> {
    let (columns, format) = if json { ("*", Format::Json) } else { (columns, Format::Table) };
    let statement = format!("SELECT {columns} FROM $System.{rowset} ORDER BY {order}");
    let answer = endpoint.client(None)?.statement(&statement)?;
    output::print(&Table::of(answer), format)
}
