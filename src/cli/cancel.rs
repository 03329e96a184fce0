//! `facetta cancel`: stops what a session or connection runs.

use super::answer::Answer;
use super::client::Client;
use super::endpoint::Endpoint;
use super::output::{Table, print_table, to_json};
use anyhow::{Result, bail};
use clap::Args;
use facetta_xmla::xml::writer::escape;

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

/// What a Cancel names.
pub(super) enum Target {
    /// A session by its SPID.
    Spid(i64),
    /// A session by its id.
    Session(String),
    /// A connection.
    Connection(i64),
}

impl Cancel {
    pub(super) fn run(self) -> Result<()> {
        let target = match (self.connection, self.target) {
            (Some(connection), _) => Target::Connection(connection),
            (None, Some(target)) => target.parse().map_or(Target::Session(target), Target::Spid),
            (None, None) => bail!("name a SPID, a SessionId or a connection"),
        };
        let answer = send(&self.endpoint.client(None)?, &target, self.associated)?;
        if self.json {
            println!("{:#}", to_json(answer));
        } else if let Answer::Empty = answer {
            println!("cancelled");
        } else {
            print_table(&mut std::io::stdout().lock(), &Table::of(answer))?;
        }
        Ok(())
    }
}

/// Sends a Cancel and asks for its receipt.
pub(super) fn send(client: &Client, target: &Target, associated: bool) -> Result<Answer> {
    let id = match target {
        Target::Spid(spid) => format!("<SPID>{spid}</SPID>"),
        Target::Session(id) => format!("<SessionID>{}</SessionID>", escape(id)),
        Target::Connection(id) => format!("<ConnectionID>{id}</ConnectionID>"),
    };
    let associated = if associated { "<CancelAssociated>true</CancelAssociated>" } else { "" };
    let engine = "http://schemas.microsoft.com/analysisservices/2003/engine";
    let command = format!("<Cancel xmlns=\"{engine}\">{id}{associated}</Cancel>");
    client.command(&command, &[("FacettaCancelReceipt", "true"), ("Content", "SchemaData"), ("Format", "Tabular")])
}
