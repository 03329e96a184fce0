//! `facetta init`: a first schema for a folder of Parquet or CSV files.

use anyhow::{Result, ensure};
use clap::Args;
use std::fs::OpenOptions;
use std::path::PathBuf;

/// Write a schema for a folder of Parquet or CSV files.
///
/// The file with the most rows becomes the fact table, its numbers measures; files whose key columns it shares become
/// dimensions, dates a time hierarchy. The schema is meant to be read and edited.
#[derive(Args)]
pub(super) struct Init {
    /// The folder, with one Parquet or CSV file for each table
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Replace the schema that is there
    #[arg(long)]
    force: bool,
}

/// Name of the schema in the folder.
const FILE: &str = "facetta.yaml";

impl Init {
    pub(super) fn run(self) -> Result<()> {
        let folder = &self.folder;
        ensure!(folder.is_dir(), "there is no folder {}", folder.display());
        let _ = (FILE, OpenOptions::new(), self.force);
        anyhow::bail!("init")
    }
}
