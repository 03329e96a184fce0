//! The log of commits: a frame for each, appended and synced before the commit is acknowledged.

use crate::files::{read_error, sync_folder, write_error};
use facetta_model::{Result, bail};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// First bytes of a log.
const MAGIC: &[u8; 8] = b"FCTWB\0\0\x01";
/// Length and hash before each frame.
const HEAD: usize = 8 + 32;
/// A log up to this size is left as it is.
const SMALL: u64 = 1 << 20;
/// A log is merged when it is so many times as long as what the last merge left.
const GROWTH: u64 = 4;

/// Where commits are kept.
pub(crate) struct Log {
    medium: Medium,
    /// Bytes of the frames in front that a merge has written.
    merged: u64,
    /// Up to this size it is left as it is; a merge that failed raises it.
    small: u64,
}

enum Medium {
    File(LogFile),
    /// As long as the store lives.
    Memory(Vec<Arc<[u8]>>),
}

struct LogFile {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Where the last whole frame ends.
    end: u64,
    /// What could not be taken off behind the end.
    torn: bool,
    /// The file took the place of another, and the folder could not be synced.
    renamed: bool,
}

/// A point in a log: what was appended before it.
#[derive(Clone, Copy)]
pub(super) struct Mark(u64);

/// What a merge goes through; tests stop it at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Merged,
    HalfWritten,
    Written,
    TailWritten,
    Synced,
    Renamed,
    Durable,
}

impl Stage {
    #[cfg(test)]
    pub(super) const ALL: [Stage; 7] = {
        use Stage::*;
        [Merged, HalfWritten, Written, TailWritten, Synced, Renamed, Durable]
    };
}

/// Frames that are to take the place of others.
pub(super) enum Fresh {
    File { path: PathBuf, file: File, end: u64 },
    Memory(Vec<Arc<[u8]>>),
}

impl Log {
    /// A log that is gone with the store.
    pub(crate) fn in_memory() -> Log {
        Log::with(Medium::Memory(Vec::new()), 0)
    }

    fn with(medium: Medium, merged: u64) -> Log {
        Log { medium, merged, small: SMALL }
    }

    /// Opens the log in a folder, or begins one. A frame that was never finished is taken off: its commit was not
    /// acknowledged.
    pub(crate) fn open(folder: &Path) -> Result<Log> {
        let path = folder.join("writeback.log");
        // A merge that was not finished: all that it read is still in the log.
        let fresh = path.with_extension("new");
        if fresh.exists() {
            fs::remove_file(&fresh).map_err(|e| write_error(&fresh, e))?;
        }
        let opened = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = opened.map_err(|e| write_error(&path, e))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| read_error(&path, e))?;
        let mut end = bytes.len();
        let mut merged = 0;
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            let mut begin = || {
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(MAGIC)?;
                file.sync_all()
            };
            begin().map_err(|e| write_error(&path, e))?;
            sync_folder(folder)?;
            end = MAGIC.len();
        } else if !bytes.starts_with(MAGIC) {
            bail!(Io, "'{}' is not a log of commits", path.display());
        } else {
            let (found, whole) = frames(&bytes, &path)?;
            merged = found.iter().take_while(|f| super::merge::is_merged(f)).map(|f| (HEAD + f.len()) as u64).sum();
            end = end.min(whole);
        }
        if end < bytes.len() {
            // Kept aside, so that even a damaged length loses nothing.
            let aside = folder.join(format!("writeback.torn-at-{end}"));
            crate::files::write(&aside, &bytes[end..])?;
            let (bytes, aside) = (bytes.len() - end, aside.display());
            tracing::warn!(bytes, %aside, "the log of commits ends in an unfinished frame, which is put aside");
            file.set_len(end as u64).and_then(|()| file.sync_all()).map_err(|e| write_error(&path, e))?;
        }
        let folder = folder.to_owned();
        Ok(Log::with(
            Medium::File(LogFile { folder, path, file, end: end as u64, torn: false, renamed: false }),
            merged,
        ))
    }

    /// The frames so far, oldest first; what is appended later is not among them.
    pub(crate) fn read(&self) -> Result<Frames> {
        Ok(match &self.medium {
            Medium::Memory(frames) => Frames::Memory(frames.clone().into_iter()),
            Medium::File(LogFile { path, end, .. }) => {
                let mut file = File::open(path).map_err(|e| read_error(path, e))?;
                file.seek(SeekFrom::Start(MAGIC.len() as u64)).map_err(|e| read_error(path, e))?;
                let left = end - MAGIC.len() as u64;
                Frames::File { path: path.clone(), file: BufReader::new(file), left }
            }
        })
    }

    /// The point that it has reached.
    pub(super) fn mark(&self) -> Mark {
        match &self.medium {
            Medium::Memory(frames) => Mark(frames.len() as u64),
            Medium::File(file) => Mark(file.end),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.medium {
            Medium::Memory(frames) => frames.iter().map(|f| f.len() as u64).sum(),
            Medium::File(file) => file.end,
        }
    }

    /// Whether most of it is history.
    pub(super) fn is_overgrown(&self) -> bool {
        self.bytes() > self.small.max(GROWTH * self.merged)
    }

    /// Leaves it as it is up to a size.
    pub(super) fn leave_up_to(&mut self, bytes: u64) {
        self.small = bytes;
    }

    /// Appends a frame; when this returns it is durable. If it fails, nothing of it stays.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<()> {
        match &mut self.medium {
            Medium::Memory(frames) => frames.push(frame.into()),
            Medium::File(log) => log.append(frame)?,
        }
        Ok(())
    }

    /// Where frames can be put that are to take the place of those up to a mark.
    pub(super) fn fresh(&self) -> Result<Fresh> {
        let Medium::File(LogFile { path, .. }) = &self.medium else { return Ok(Fresh::Memory(Vec::new())) };
        let path = path.with_extension("new");
        let made = File::options().create(true).truncate(true).read(true).write(true).open(&path);
        match made.and_then(|mut file| file.write_all(MAGIC).map(|()| file)) {
            Ok(file) => Ok(Fresh::File { path, file, end: MAGIC.len() as u64 }),
            Err(e) => Err(give_up(&path, write_error(&path, e))),
        }
    }

    /// Puts fresh frames in the place of those up to a mark; what was appended since stays behind them. If this fails, the log
    /// is as it was.
    pub(super) fn replace(&mut self, fresh: Fresh, upto: Mark, at: &mut dyn FnMut(Stage)) -> Result<()> {
        match (&mut self.medium, fresh) {
            (Medium::Memory(frames), Fresh::Memory(fresh)) => {
                self.merged = fresh.iter().map(|f| f.len() as u64).sum();
                frames.splice(..upto.0 as usize, fresh);
            }
            (Medium::File(log), Fresh::File { path, file, end }) => {
                let merged = end - MAGIC.len() as u64;
                log.replace(&path, file, end, upto, at).map_err(|e| give_up(&path, e))?;
                self.merged = merged;
            }
            _ => bail!(Internal, "frames for another kind of log"),
        }
        Ok(())
    }
}

impl LogFile {
    fn append(&mut self, frame: &[u8]) -> Result<()> {
        self.settle()?;
        let mut bytes = Vec::with_capacity(HEAD + frame.len());
        bytes.extend_from_slice(&head(frame));
        bytes.extend_from_slice(frame);
        let (file, end) = (&mut self.file, self.end);
        let written = file.seek(SeekFrom::Start(end)).and_then(|_| {
            file.write_all(&bytes)?;
            file.sync_data()
        });
        if let Err(e) = written {
            // What got there is taken off, lest a later frame stand behind a torn one.
            self.torn = true;
            let _ = self.settle();
            return Err(write_error(&self.path, e));
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Makes up for what could not be done when something failed. As long as that cannot be, nothing is appended: a commit
    /// that is acknowledged would not be found again.
    fn settle(&mut self) -> Result<()> {
        if self.torn {
            let settled = self.file.set_len(self.end).and_then(|()| self.file.sync_all());
            settled.map_err(|e| write_error(&self.path, e))?;
            self.torn = false;
        }
        if self.renamed {
            sync_folder(&self.folder)?;
            self.renamed = false;
        }
        Ok(())
    }

    fn replace(&mut self, fresh: &Path, mut file: File, end: u64, upto: Mark, at: &mut dyn FnMut(Stage)) -> Result<()> {
        self.settle()?;
        let tail = self.end - upto.0;
        let copied = self.file.seek(SeekFrom::Start(upto.0)).and_then(|_| {
            file.seek(SeekFrom::Start(end))?;
            std::io::copy(&mut Read::by_ref(&mut self.file).take(tail), &mut file)
        });
        if copied.map_err(|e| write_error(fresh, e))? != tail {
            bail!(Io, "the log of commits '{}' is shorter than it was", self.path.display());
        }
        at(Stage::TailWritten);
        file.sync_all().map_err(|e| write_error(fresh, e))?;
        at(Stage::Synced);
        fs::rename(fresh, &self.path).map_err(|e| write_error(&self.path, e))?;
        at(Stage::Renamed);
        (self.file, self.end, self.renamed) = (file, end + tail, true);
        // Not the merge's failure any more: the next commit tries again, and fails if it must.
        let _ = self.settle();
        at(Stage::Durable);
        Ok(())
    }
}

impl Fresh {
    /// Puts one more frame behind the others.
    pub(super) fn push(&mut self, frame: &[u8], at: &mut dyn FnMut(Stage)) -> Result<()> {
        match self {
            Fresh::Memory(frames) => frames.push(frame.into()),
            Fresh::File { path, file, end } => {
                let mut out = BufWriter::new(&mut *file);
                let mut write = || {
                    out.write_all(&head(frame))?;
                    let (first, second) = frame.split_at(frame.len() / 2);
                    out.write_all(first)?;
                    out.flush()?;
                    at(Stage::HalfWritten);
                    out.write_all(second)?;
                    out.flush()
                };
                write().map_err(|e| give_up(path, write_error(path, e)))?;
                *end += (HEAD + frame.len()) as u64;
            }
        }
        Ok(())
    }
}

/// A merge that failed leaves no file: the disk may be full.
fn give_up(fresh: &Path, error: facetta_model::Error) -> facetta_model::Error {
    let _ = fs::remove_file(fresh);
    error
}

fn head(frame: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&(frame.len() as u64).to_le_bytes());
    head[8..].copy_from_slice(blake3::hash(frame).as_bytes());
    head
}

/// Frames that are read one after the other.
pub(crate) enum Frames {
    File { path: PathBuf, file: BufReader<File>, left: u64 },
    Memory(std::vec::IntoIter<Arc<[u8]>>),
}

impl Frames {
    /// The next one.
    pub(crate) fn next(&mut self) -> Result<Option<Arc<[u8]>>> {
        let (path, file, left) = match self {
            Frames::Memory(frames) => return Ok(frames.next()),
            Frames::File { left: 0, .. } => return Ok(None),
            Frames::File { path, file, left } => (path, file, left),
        };
        let mut read = |len: u64| -> Result<Vec<u8>> {
            let mut bytes = Vec::new();
            Read::by_ref(file).take(len.min(*left)).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
            *left -= bytes.len() as u64;
            if bytes.len() as u64 != len {
                bail!(Io, "the log of commits '{}' is shorter than it was", path.display());
            }
            Ok(bytes)
        };
        let before = read(HEAD as u64)?;
        let mut len = [0; 8];
        len.copy_from_slice(&before[..8]);
        let frame = read(u64::from_le_bytes(len))?;
        if blake3::hash(&frame).as_bytes()[..] != before[8..] {
            bail!(Io, "the log of commits '{}' is damaged", path.display());
        }
        Ok(Some(frame.into()))
    }
}

/// The frames in a log's bytes, and where the last whole one ends.
fn frames<'b>(bytes: &'b [u8], path: &Path) -> Result<(Vec<&'b [u8]>, usize)> {
    let mut frames = Vec::new();
    let mut at = MAGIC.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        let Some((len, after)) = rest.split_first_chunk::<8>() else { break };
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let Some((hash, after)) = after.split_first_chunk::<32>() else { break };
        let Some(frame) = after.get(..len) else { break };
        if blake3::hash(frame).as_bytes() != hash {
            // A torn frame can only be the last; anything else is damage, and acknowledged commits could be in it.
            if after.len() == len || rest.iter().all(|b| *b == 0) {
                break;
            }
            bail!(Io, "the log of commits '{}' is damaged at byte {at}", path.display());
        }
        frames.push(frame);
        at += HEAD + len;
    }
    Ok((frames, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(log: &Log) -> Vec<Vec<u8>> {
        let mut frames = log.read().unwrap();
        std::iter::from_fn(|| frames.next().unwrap()).map(|f| f.to_vec()).collect()
    }

    #[test]
    fn frames_come_back_and_torn_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("writeback.log");
        let mut log = Log::open(folder.path()).unwrap();
        log.append(b"one").unwrap();
        log.append(b"two").unwrap();
        drop(log);
        let whole = fs::read(&path).unwrap();
        for cut in 1..HEAD + 3 {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut log = Log::open(folder.path()).unwrap();
            assert_eq!(all(&log), [b"one"], "{cut} bytes missing");
            log.append(b"three").unwrap();
            drop(log);
            let log = Log::open(folder.path()).unwrap();
            assert_eq!(all(&log), [&b"one"[..], b"three"]);
        }
        let mut damaged = whole.clone();
        damaged[MAGIC.len() + HEAD] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(Log::open(folder.path()).is_err(), "damage before the last frame");
        fs::write(&path, b"something else").unwrap();
        assert!(Log::open(folder.path()).is_err());
    }
}
