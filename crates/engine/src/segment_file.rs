//! A segment as a file: its columns one after the other, each at a cache line; the manifest says where.

use crate::buffer::{ALIGNMENT, Buffer, Plain};
use crate::column::{CodeColumn, Codes, DistinctColumn, NumberColumn, Numbers};
use crate::files::{read_error, write_error};
use crate::segment::{MeasureSource, Segment};
use facetta_model::{Result, bail};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// What a manifest says of a segment file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SegmentLayout {
    pub(crate) file: String,
    rows: usize,
    bytes: u64,
    paths: Vec<PathLayout>,
    numbers: Vec<NumberLayout>,
    flags: Vec<Part>,
    distincts: Vec<DistinctLayout>,
    measures: Vec<MeasureSource>,
}

/// Where a run of numbers is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Part {
    start: usize,
    len: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct CodesLayout {
    width: usize,
    part: Part,
}

#[derive(Debug, Serialize, Deserialize)]
struct PathLayout {
    codes: CodesLayout,
    mins: Part,
    maxs: Part,
}

#[derive(Debug, Serialize, Deserialize)]
struct NumberLayout {
    /// Decimals; none for doubles.
    scale: Option<u8>,
    values: Part,
    valid: Option<Part>,
    bound: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct DistinctLayout {
    codes: CodesLayout,
    space: usize,
}

/// A file that grows column by column.
struct Growing {
    file: BufWriter<File>,
    at: usize,
}

impl Growing {
    fn part<T: Plain>(&mut self, values: &Buffer<T>) -> std::io::Result<Part> {
        let padding = self.at.next_multiple_of(ALIGNMENT) - self.at;
        self.file.write_all(&[0; ALIGNMENT][..padding])?;
        self.at += padding;
        let part = Part { start: self.at, len: values.len() };
        self.file.write_all(values.as_bytes())?;
        self.at += size_of_val(&values[..]);
        Ok(part)
    }

    fn codes(&mut self, codes: &Codes) -> std::io::Result<CodesLayout> {
        let part = match codes {
            Codes::U8(v) => self.part(v)?,
            Codes::U16(v) => self.part(v)?,
            Codes::U32(v) => self.part(v)?,
        };
        Ok(CodesLayout { width: codes.width(), part })
    }
}

/// Writes a segment to a file in `folder`, and syncs it.
pub(crate) fn write(segment: &Segment, folder: &Path, name: &str) -> Result<SegmentLayout> {
    let path = folder.join(name);
    write_columns(segment, &path, name).map_err(|e| write_error(&path, e))
}

fn write_columns(segment: &Segment, path: &Path, name: &str) -> std::io::Result<SegmentLayout> {
    let mut out = Growing { file: BufWriter::with_capacity(1 << 20, File::create(path)?), at: 0 };
    let mut layout = SegmentLayout {
        file: name.to_owned(),
        rows: segment.rows,
        bytes: 0,
        paths: Vec::new(),
        numbers: Vec::new(),
        flags: Vec::new(),
        distincts: Vec::new(),
        measures: segment.measures.clone(),
    };
    for column in &segment.paths {
        let codes = out.codes(&column.codes)?;
        layout.paths.push(PathLayout { codes, mins: out.part(&column.mins)?, maxs: out.part(&column.maxs)? });
    }
    for column in &segment.numbers {
        let (scale, values) = match &column.numbers {
            Numbers::Scaled { units, scale } => (Some(*scale), out.part(units)?),
            Numbers::Double(values) => (None, out.part(values)?),
        };
        let valid = column.valid.as_ref().map(|v| out.part(v)).transpose()?;
        layout.numbers.push(NumberLayout { scale, values, valid, bound: column.bound });
    }
    for flags in &segment.flags {
        layout.flags.push(out.part(flags)?);
    }
    for column in &segment.distincts {
        layout.distincts.push(DistinctLayout { codes: out.codes(&column.codes)?, space: column.space });
    }
    layout.bytes = out.at as u64;
    out.file.flush()?;
    out.file.get_ref().sync_all()?;
    Ok(layout)
}

/// A file of the right length, mapped.
struct MappedFile<'a> {
    map: Arc<Mmap>,
    layout: &'a SegmentLayout,
}

impl MappedFile<'_> {
    /// A column, which has an entry for each row.
    fn rows<T: Plain>(&self, part: Part) -> Result<Buffer<T>> {
        self.part(part, self.layout.rows)
    }

    fn part<T: Plain>(&self, part: Part, expected: usize) -> Result<Buffer<T>> {
        if part.len != expected {
            bail!(Io, "a column of the segment file '{}' has a wrong length", self.layout.file);
        }
        Buffer::mapped(&self.map, part.start, part.len)
    }

    fn codes(&self, layout: &CodesLayout) -> Result<Codes> {
        Ok(match layout.width {
            1 => Codes::U8(self.rows(layout.part)?),
            2 => Codes::U16(self.rows(layout.part)?),
            4 => Codes::U32(self.rows(layout.part)?),
            other => bail!(Io, "the segment file '{}' has codes of {other} bytes", self.layout.file),
        })
    }
}

/// Maps a segment file; nothing of it is read yet.
pub(crate) fn map(folder: &Path, layout: &SegmentLayout) -> Result<Segment> {
    let path = folder.join(&layout.file);
    let file = File::open(&path).map_err(|e| read_error(&path, e))?;
    if file.metadata().map_err(|e| read_error(&path, e))?.len() != layout.bytes {
        bail!(Io, "the segment file '{}' has a wrong length", path.display());
    }
    let file = MappedFile { map: Arc::new(map_file(&file, &path)?), layout };
    let mut segment = Segment {
        rows: layout.rows,
        paths: Vec::new(),
        numbers: Vec::new(),
        flags: Vec::new(),
        distincts: Vec::new(),
        measures: layout.measures.clone(),
        is_delta: false,
    };
    let blocks = segment.blocks();
    for path in &layout.paths {
        segment.paths.push(CodeColumn {
            codes: file.codes(&path.codes)?,
            mins: file.part(path.mins, blocks)?,
            maxs: file.part(path.maxs, blocks)?,
        });
    }
    for number in &layout.numbers {
        let numbers = match number.scale {
            Some(scale) => Numbers::Scaled { units: file.rows(number.values)?, scale },
            None => Numbers::Double(file.rows(number.values)?),
        };
        let valid = number.valid.map(|v| file.rows(v)).transpose()?;
        segment.numbers.push(NumberColumn { numbers, valid, bound: number.bound });
    }
    for flags in &layout.flags {
        segment.flags.push(file.rows(*flags)?);
    }
    for distinct in &layout.distincts {
        segment.distincts.push(DistinctColumn { codes: file.codes(&distinct.codes)?, space: distinct.space });
    }
    let known = segment.measures.iter().all(|m| match *m {
        MeasureSource::Number(at) => at < segment.numbers.len(),
        MeasureSource::Flag(at) => at < segment.flags.len(),
        MeasureSource::Distinct(at) => at < segment.distincts.len(),
        MeasureSource::Rows | MeasureSource::Absent => true,
    });
    if !known {
        bail!(Io, "the manifest of '{}' names a column that is not there", layout.file);
    }
    Ok(segment)
}

#[allow(unsafe_code)]
fn map_file(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: a mapping is unsound to read while its file changes. Segment files are written once, before their
    // manifest names them, and are only ever removed afterwards; the store's lock keeps other processes out.
    unsafe { Mmap::map(file) }.map_err(|e| read_error(path, e))
}
