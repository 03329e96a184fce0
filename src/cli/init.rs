//! `facetta init`: a first schema for a folder of Parquet or CSV files.

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use facetta_engine::{ProfileKind, Source, TableProfile};
use facetta_model::Context;
use facetta_schema::infer::{Column, ColumnKind, Table, hash_value, infer};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Write a schema for a folder of Parquet or CSV files.
///
/// The file with the most rows becomes the fact table, its numbers measures; files whose key columns it shares become
/// dimensions, dates a time hierarchy. The schema is meant to be read and edited.
#[derive(Args)]
#[command(after_help = "Example: facetta init shop && facetta serve --catalog Shop=shop/facetta.yaml,shop")]
pub(super) struct Init {
    /// The folder, with one Parquet or CSV file for each table
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Name of the catalog (default: that of the folder)
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace the schema that is there
    #[arg(long)]
    force: bool,
}

/// Name of the schema in the folder.
const FILE: &str = "facetta.yaml";
/// Rows of a table that are looked at: enough to hold every dimension of which a schema can be guessed.
const MAX_ROWS: usize = 1_000_000;

impl Init {
    pub(super) fn run(self) -> Result<()> {
        let folder = &self.folder;
        ensure!(folder.is_dir(), "there is no folder {}", folder.display());
        let name = match &self.name {
            Some(name) => name.clone(),
            None => catalog_name(folder)?,
        };
        let path = folder.join(FILE);
        ensure!(self.force || !path.exists(), "{} is there already; --force replaces it", path.display());
        let tables = Source::Folder(folder.clone()).profile(MAX_ROWS, &hash_value, &Context::unlimited())?;
        ensure!(!tables.is_empty(), "there is no Parquet or CSV file in {}", folder.display());
        for table in &tables {
            println!("{:<24} {:>12} rows {:>4} columns", table.name, table.rows, table.columns.len());
        }
        let tables: Vec<Table> = tables.into_iter().map(table).collect();
        write(&path, &infer(&name, &tables)?, self.force)?;
        println!("\nwrote {}\n\nRead and edit it, then serve it:", path.display());
        println!(
            "  facetta serve --catalog {},{}",
            quoted(&format!("{name}={}", path.display())),
            quoted(&folder.display().to_string())
        );
        Ok(())
    }
}

/// The folder's own name.
fn catalog_name(folder: &Path) -> Result<String> {
    let whole = folder.canonicalize().with_context(|| format!("finding {}", folder.display()))?;
    let name = whole.file_name().context("a root folder has no name to call the catalog by; give --name")?;
    Ok(name.to_string_lossy().into_owned())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn table(profile: TableProfile) -> Table {
    let column = |column: facetta_engine::ColumnProfile| Column {
        name: column.name,
        kind: match column.kind {
            ProfileKind::Integer => ColumnKind::Integer,
            ProfileKind::Number => ColumnKind::Number,
            ProfileKind::Text => ColumnKind::Text,
            ProfileKind::Boolean => ColumnKind::Boolean,
            ProfileKind::Date => ColumnKind::Date,
            ProfileKind::DateTime => ColumnKind::DateTime,
            ProfileKind::Other => ColumnKind::Other,
        },
        values: column.values,
    };
    Table { name: profile.name, rows: profile.rows, columns: profile.columns.into_iter().map(column).collect() }
}

/// Writes the schema; without `replace` a file that appeared meanwhile is left alone.
fn write(path: &Path, text: &str, replace: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if replace {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    match options.open(path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; --force replaces it", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("writing {}", path.display())),
    }
}
