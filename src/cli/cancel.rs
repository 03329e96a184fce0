//! `facetta cancel`: stops what a session or connection runs.

use super::client::Client;
use super::endpoint::Endpoint;
use super::output::{Table, print_table, to_json};
use anyhow::Result;
use clap::Args;
use facetta_xmla::client::AnswerResult;
use facetta_xmla::{Cancel as CancelCommand, Command};

/// Cancel what a session or connection runs.
///
/// Waits until the victim has stopped, a second at most, and says what it was doing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  facetta cancel 1042                   the running command of the session with this SPID
  facetta cancel 1042 --associated      and end the session
  facetta cancel --connection 7         all that runs on this connection, and close it")]
pub(super) struct Cancel {
    /// SPID or SessionId (see `facetta sessions`)
    #[arg(value_name = "SPID|SESSION", required_unless_present = "connection")]
    target: Option<String>,
    /// The connection with this id instead
    #[arg(long, value_name = "N", conflicts_with = "target")]
    connection: Option<i64>,
    /// Also end the session, or the sessions of the connection
    #[arg(long)]
    associated: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Cancel {
    pub(super) fn run(self) -> Result<()> {
        let spid = self.target.as_ref().and_then(|target| target.parse().ok());
        let cancel = CancelCommand {
            connection_id: self.connection,
            spid,
            session_id: self.target.filter(|_| spid.is_none()),
            cancel_associated: self.associated,
        };
        let answer = send(&self.endpoint.client(None)?, cancel)?;
        if self.json {
            println!("{:#}", to_json(answer));
        } else if let AnswerResult::Empty = answer {
            println!("cancelled");
        } else {
            let table = Table::of(answer);
            if table.rows.is_empty() {
                println!("nothing was running");
            } else {
                print_table(&mut std::io::stdout().lock(), &table)?;
            }
        }
        Ok(())
    }
}

/// Sends a Cancel and asks for its receipt.
pub(super) fn send(client: &Client, cancel: CancelCommand) -> Result<AnswerResult> {
    client.command(
        Command::Cancel(cancel),
        &[("FacettaCancelReceipt", "true"), ("Content", "SchemaData"), ("Format", "Tabular")],
    )
}
