//! Where tables come from: a folder with a Parquet or CSV file for each, or batches of Arrow in memory.

use super::csv::CsvShape;
use super::expression::FrameColumn;
use super::vector::{Type, Vector};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use facetta_model::{Context, Error, ErrorKind, Result, bail, error, name};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Rows in a batch, about.
pub(crate) const BATCH_ROWS: usize = 32 * 1024;

/// Yields the batches of a table, from the first, each time that it is called.
pub type BatchesOf = Box<dyn Fn() -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send> + Send + Sync>;

/// A table that is made in this process.
pub struct MemoryTable {
    /// Name.
    pub name: String,
    /// Names and types of its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: BatchesOf,
    /// Text that changes when the rows do: what a file's size, time and hash are for a folder.
    pub fingerprint: String,
}

/// Where the tables of a catalog come from.
pub enum Source {
    /// A folder; each `.parquet` or `.csv` file in it is a table with the file's name.
    Folder(PathBuf),
    /// Tables made in this process.
    Memory(Vec<MemoryTable>),
}

/// The tables of a source; what they hold is looked at when it is asked for.
pub(crate) struct Tables<'a> {
    tables: Vec<Table<'a>>,
    place: String,
}

/// A table of a source.
pub(crate) struct Table<'a> {
    pub(crate) name: String,
    kind: Kind<'a>,
    info: OnceLock<Result<Info>>,
}

enum Kind<'a> {
    Parquet(PathBuf),
    Csv(PathBuf),
    Memory(&'a MemoryTable),
}

/// What is known of a table before its rows are read.
#[derive(Clone)]
pub(crate) struct Info {
    /// Names and types of its columns.
    pub(crate) columns: Vec<(String, Option<Type>)>,
    /// How many rows it has, where that is known.
    pub(crate) rows: Option<u64>,
    csv: Option<CsvShape>,
}

/// Vectors of the columns asked for, batch by batch.
pub(crate) type VectorBatches<'a> = Box<dyn Iterator<Item = Result<Vec<Vector>>> + 'a>;

impl Source {
    /// The tables that there are.
    pub(crate) fn open(&self) -> Result<Tables<'_>> {
        match self {
            Source::Folder(folder) => open_folder(folder),
            Source::Memory(tables) => {
                let each = tables.iter().map(|t| Table::new(t.name.clone(), Kind::Memory(t)));
                Ok(Tables { tables: each.collect(), place: "the source".to_owned() })
            }
        }
    }

    /// Those of the named tables that exist, in the order of the names.
    pub(crate) fn tables(&self, names: &[String]) -> Result<Vec<SourceTable>> {
        let tables = self.open()?;
        let found = names.iter().filter_map(|name| tables.find(name).ok());
        let described = found.map(|table| match &table.kind {
            Kind::Parquet(path) | Kind::Csv(path) => SourceTable::File { name: table.name.clone(), path: path.clone() },
            Kind::Memory(memory) => {
                SourceTable::Memory { name: table.name.clone(), fingerprint: memory.fingerprint.clone() }
            }
        });
        Ok(described.collect())
    }
}

/// A table of a source as it can be told from its later states.
pub(crate) enum SourceTable {
    File { name: String, path: PathBuf },
    Memory { name: String, fingerprint: String },
}

fn open_folder(folder: &Path) -> Result<Tables<'static>> {
    let cannot = |e| error!(Io, "cannot read the folder '{}': {e}", folder.display());
    let mut tables: Vec<Table<'static>> = Vec::new();
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder).map_err(cannot)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(cannot)?.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        let (Some(stem), Some(extension)) = (path.file_stem(), path.extension()) else { continue };
        let table = stem.to_string_lossy().into_owned();
        let kind = match extension.to_string_lossy().to_ascii_lowercase().as_str() {
            "parquet" => Kind::Parquet(path.clone()),
            "csv" => Kind::Csv(path.clone()),
            _ => continue,
        };
        if tables.iter().any(|t| t.name == table) {
            bail!(Definition, "the folder '{}' has two files for the table '{table}'", folder.display());
        }
        tables.push(Table::new(table, kind));
    }
    Ok(Tables { tables, place: format!("the folder '{}'", folder.display()) })
}

impl<'a> Tables<'a> {
    /// The table of a name: exactly if there is one, else without regard to case.
    pub(crate) fn find(&self, wanted: &str) -> Result<&Table<'a>> {
        let exact = self.tables.iter().find(|t| t.name == wanted);
        let found = exact.or_else(|| self.tables.iter().find(|t| name::same(&t.name, wanted)));
        found.ok_or_else(|| error!(Definition, "table '{wanted}' does not exist in {}", self.place))
    }

    /// All tables, by name.
    pub(crate) fn all(&self) -> &[Table<'a>] {
        &self.tables
    }
}

impl<'a> Table<'a> {
    fn new(name: String, kind: Kind<'a>) -> Table<'a> {
        Table { name, kind, info: OnceLock::new() }
    }

    /// Its columns and rows. The first call reads a Parquet file's footer, or a whole CSV file to learn its types.
    pub(crate) fn info(&self, context: &Context) -> Result<&Info> {
        // An interrupt is not kept: the next command may have more time.
        if let Some(Ok(info)) = self.info.get() {
            return Ok(info);
        }
        let looked = self.look(context)?;
        let kept = self.info.get_or_init(|| Ok(looked));
        kept.as_ref().map_err(Clone::clone)
    }

    fn look(&self, context: &Context) -> Result<Info> {
        match &self.kind {
            Kind::Memory(table) => Ok(Info { columns: arrow_columns(&table.schema), rows: None, csv: None }),
            Kind::Parquet(path) => {
                let metadata = footer(path)?;
                let rows = metadata.metadata().file_metadata().num_rows();
                let columns = arrow_columns(metadata.schema());
                Ok(Info { columns, rows: u64::try_from(rows).ok(), csv: None })
            }
            Kind::Csv(path) => {
                let shape = CsvShape::read(path, context)?;
                let columns = shape.columns.iter().map(|c| (c.name.clone(), Some(c.ty))).collect();
                Ok(Info { columns, rows: Some(shape.rows), csv: Some(shape) })
            }
        }
    }

    /// Its columns as expressions name them.
    pub(crate) fn frame_columns(&self, alias: &str, context: &Context) -> Result<Vec<FrameColumn>> {
        let columns = self.info(context)?.columns.iter();
        Ok(columns.map(|(name, ty)| FrameColumn { table: alias.to_owned(), name: name.clone(), ty: *ty }).collect())
    }

    /// Reads the columns at `wanted` (ascending positions), batch by batch.
    pub(crate) fn read<'s>(&'s self, wanted: Arc<[usize]>, context: &'s Context) -> Result<VectorBatches<'s>> {
        let info = self.info(context)?;
        // Where a reader projects, its columns are the wanted ones in order.
        let projected = !matches!(self.kind, Kind::Memory(_));
        let positions = wanted.clone();
        let vectors = move |batch: Result<RecordBatch>| -> Result<Vec<Vector>> {
            let batch = batch?;
            let column = |(i, &at): (usize, &usize)| {
                context.check()?;
                let array = batch.columns().get(if projected { i } else { at });
                let array = array.ok_or_else(|| Error::internal("a batch lacks a column"))?;
                Vector::from_arrow(array).map_err(|e| self.in_column(&info.columns[at].0, &e))
            };
            positions.iter().enumerate().map(column).collect()
        };
        Ok(match &self.kind {
            Kind::Memory(table) => Box::new((table.batches)().map(vectors)),
            Kind::Parquet(path) => {
                let file = open(path)?;
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer(path)?);
                let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
                let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
                let reader = reader.map_err(|e| io_error(path, e))?;
                Box::new(reader.map(move |b| vectors(b.map_err(|e| io_error(path, e)))))
            }
            Kind::Csv(path) => {
                let Some(shape) = &info.csv else { return Err(Error::internal("a CSV file has no shape")) };
                Box::new(shape.batches(path, wanted, context)?)
            }
        })
    }

    fn in_column(&self, column: &str, error: &Error) -> Error {
        Error::new(error.kind(), format!("table '{}', column '{column}': {}", self.name, error.message()))
    }
}

fn arrow_columns(schema: &SchemaRef) -> Vec<(String, Option<Type>)> {
    schema.fields().iter().map(|f| (f.name().clone(), Type::of_arrow(f.data_type()))).collect()
}

fn footer(path: &Path) -> Result<ArrowReaderMetadata> {
    ArrowReaderMetadata::load(&open(path)?, ArrowReaderOptions::new()).map_err(|e| io_error(path, e))
}

pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| io_error(path, e))
}

/// A failure to read a file of the source.
pub(crate) fn io_error(path: &Path, e: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read '{}': {e}", path.display()))
}
