//! The demo's data as Parquet files in a folder of its own, made once.

use super::{Table, tables};
use anyhow::{Context, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Raised when the generator makes other data, so that folders of earlier versions are made again.
const VERSION: u32 = 1;
/// Says what the folder holds; written last.
const MARK: &str = "made-by-facetta-demo.txt";
/// The schema of the catalog, beside the data, for people who want to start from it.
const SCHEMA: &str = "demo.yaml";

/// What the demo serves.
pub(crate) struct DemoFiles {
    /// The schema.
    pub(crate) schema: PathBuf,
    /// The folder of Parquet files.
    pub(crate) source: PathBuf,
    /// Whether they were made now, rather than found.
    pub(crate) made: bool,
}

/// Makes the demo's files in a folder below `demo` unless they are there; other numbers of rows have folders of their own.
pub(crate) fn prepare(demo: &Path, seed: u64, rows: usize) -> Result<DemoFiles> {
    let source = demo.join(format!("sales-{rows}"));
    let files = |made| DemoFiles { schema: source.join(SCHEMA), source: source.join("data"), made };
    let mark = format!("version {VERSION}, seed {seed}, {rows} sales\n");
    if fs::read_to_string(source.join(MARK)).is_ok_and(|found| found == mark)
        && fs::read_to_string(source.join(SCHEMA)).is_ok_and(|found| found == super::SCHEMA)
    {
        return Ok(files(false));
    }
    // Beside the real name first, so that an interrupted run leaves nothing that looks finished.
    let half = source.with_extension("half");
    for folder in [&source, &half] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("clearing {}", folder.display()))?;
        }
    }
    fs::create_dir_all(half.join("data")).with_context(|| format!("making {}", half.display()))?;
    write_all(&tables(seed, rows), &half.join("data"))?;
    fs::write(half.join(SCHEMA), super::SCHEMA).context("writing the demo's schema")?;
    fs::write(half.join(MARK), mark).context("writing the demo's mark")?;
    fs::rename(&half, &source).with_context(|| format!("naming {}", source.display()))?;
    Ok(files(true))
}

/// Each table to a file of its name; the largest, which is last, beside the others.
fn write_all(tables: &[Table], folder: &Path) -> Result<()> {
    let Some((largest, others)) = tables.split_last() else { return Ok(()) };
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| others.iter().try_for_each(|table| write(table, folder)));
        write(largest, folder)?;
        beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn write(table: &Table, folder: &Path) -> Result<()> {
    let path = folder.join(table.name).with_extension("parquet");
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let write = || -> Result<()> {
        let mut writer = ArrowWriter::try_new(File::create(&path)?, table.rows.schema(), Some(properties))?;
        writer.write(&table.rows)?;
        writer.close()?;
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_once_and_again_when_they_are_incomplete() {
        let folder = tempfile::tempdir().unwrap();
        let first = prepare(folder.path(), 1, 500).unwrap();
        assert!(first.made && first.source.join("sales.parquet").is_file() && first.schema.is_file());
        assert!(!prepare(folder.path(), 1, 500).unwrap().made);
        assert!(prepare(folder.path(), 2, 500).unwrap().made, "another seed");
        fs::remove_file(first.source.join("../").join(MARK)).unwrap();
        assert!(prepare(folder.path(), 2, 500).unwrap().made, "no mark");
        assert!(prepare(folder.path(), 2, 600).unwrap().made, "another number of rows");
    }
}
