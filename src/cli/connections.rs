//! `facetta connections`: the client sockets of a server.

use super::endpoint::Endpoint;
use super::sessions::list;
use anyhow::Result;
use clap::Args;

/// List the connections of a server.
#[derive(Args)]
pub(super) struct Connections {
    /// As JSON, all columns
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

const COLUMNS: &str = "CONNECTION_ID, CONNECTION_USER_NAME, CONNECTION_HOST_NAME, CONNECTION_HOST_APPLICATION, \
                       CONNECTION_START_TIME, CONNECTION_IDLE_TIME_MS, CONNECTION_BYTES_RECEIVED, CONNECTION_BYTES_SENT";

impl Connections {
    pub(super) fn run(self) -> Result<()> {
        list(&self.endpoint, "DISCOVER_CONNECTIONS", COLUMNS, "CONNECTION_ID", self.json)
    }
}
