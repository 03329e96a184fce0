//! `facetta query`: one statement, one answer.

use super::endpoint::Endpoint;
use super::output::{Format, Table, print, to_json};
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::io::{Read, Write};

/// Ask a server one MDX or DMV statement and print the answer.
#[derive(Args)]
#[command(after_help = "\
Examples:
  facetta query --catalog Demo 'SELECT [Measures].Members ON 0 FROM [Retail]'
  facetta query --format csv 'SELECT * FROM $System.DISCOVER_SESSIONS'
  facetta query - < report.mdx")]
pub(super) struct Query {
    /// The statement; - reads it from standard input
    #[arg(value_name = "MDX")]
    statement: String,
    /// Catalog to ask; the server's first one if none is given
    #[arg(long, value_name = "NAME")]
    catalog: Option<String>,
    /// How the answer is printed
    #[arg(long, default_value = "table")]
    format: Format,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Query {
    pub(super) fn run(self) -> Result<()> {
        let mut statement = self.statement;
        if statement == "-" {
            statement.clear();
            std::io::stdin().read_to_string(&mut statement).context("reading the statement from standard input")?;
        }
        ensure!(!statement.trim().is_empty(), "the statement is empty");
        let client = self.endpoint.client(self.catalog.as_deref())?;
        match self.format {
            Format::Xml => std::io::stdout().write_all(&client.statement_bytes(&statement)?)?,
            Format::Json => writeln!(std::io::stdout(), "{:#}", to_json(client.statement(&statement)?))?,
            format => print(&Table::of(client.statement(&statement)?), format)?,
        }
        Ok(())
    }
}
