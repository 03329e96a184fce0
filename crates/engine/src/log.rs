//! A log of frames: appended to, read at a start, and made short when most of it is history.
//!
//! Two things are kept so: the commits, each of which is synced before it is acknowledged, and the sessions, which are synced
//! every now and then.

use crate::files::{make_folder, read_error, sync_folder, write_error};
use facetta_model::{Result, bail};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard};

/// What a log is of.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What it is called in errors and in the server's log.
    pub what: &'static str,
    /// Its file's name, without `.log`.
    pub file: &'static str,
    /// Its first bytes.
    pub magic: &'static [u8; 8],
    /// Whether a frame is what a merge has written.
    pub is_merged: fn(&[u8]) -> bool,
    /// Whether each frame is synced before the next. Then only the last can be torn, and anything else is damage; without, a
    /// machine that lost its power may have kept a later frame and not an earlier one, and what follows the first torn one
    /// was not promised to be there.
    pub synced: bool,
}

/// Length and hash before each frame.
const HEAD: usize = 8 + 32;
/// Bytes of a frame's buffer that are kept for the next one.
const BUFFER: usize = 64 << 10;
/// A log up to this size is left as it is.
const SMALL: u64 = 1 << 20;
/// A log is merged when it is so many times as long as what the last merge left.
const GROWTH: u64 = 4;

/// Where frames are kept.
pub struct Log {
    kind: Kind,
    medium: Medium,
    /// Bytes of the frames in front that a merge has written.
    merged: u64,
    /// Up to this size it is left as it is.
    small: u64,
    /// Up to this size too, since a merge has failed.
    failed: u64,
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
    /// What is written next goes there without a seek.
    at_end: bool,
    /// A frame with its head, gathered for one write.
    buffer: Vec<u8>,
    /// What could not be taken off behind the end.
    torn: bool,
    /// The file took the place of another, and the folder could not be synced.
    renamed: bool,
}

/// A point in a log: what was appended before it.
#[derive(Clone, Copy)]
struct Mark(u64);

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
    pub(crate) const ALL: [Stage; 7] = {
        use Stage::*;
        [Merged, HalfWritten, Written, TailWritten, Synced, Renamed, Durable]
    };
}

/// Frames that are to take the place of others.
pub struct Fresh<'a> {
    to: To,
    at: &'a mut dyn FnMut(Stage),
}

enum To {
    File { path: PathBuf, out: BufWriter<File>, end: u64 },
    Memory(Vec<Arc<[u8]>>),
}

/// Merges a log if most of it is history: `write` reads its frames and writes those that are to take their place. The log is
/// locked at the beginning and at the end only: what is appended meanwhile stays behind what is merged. One merge of a log at a
/// time. True if there was something to do.
///
/// # Errors
/// Those of `write` and of the disk: then the log is as it was, and is left alone until it is twice as long.
pub fn merge<'l>(
    lock: impl Fn() -> MutexGuard<'l, Log>,
    write: impl FnOnce(Frames, &mut Fresh<'_>) -> Result<()>,
) -> Result<bool> {
    merge_at(lock, write, &mut |_| {})
}

/// As [`merge`], and tells of its stages.
pub(crate) fn merge_at<'l>(
    lock: impl Fn() -> MutexGuard<'l, Log>,
    write: impl FnOnce(Frames, &mut Fresh<'_>) -> Result<()>,
    at: &mut dyn FnMut(Stage),
) -> Result<bool> {
    let (frames, upto, before) = {
        let log = lock();
        if !log.is_overgrown() {
            return Ok(false);
        }
        (log.read()?, log.mark(), log.bytes())
    };
    let work = || {
        let mut fresh = lock().fresh(at)?;
        write(frames, &mut fresh)?;
        fresh.finish()?;
        lock().replace(fresh, upto)
    };
    let done = work();
    let mut log = lock();
    match &done {
        Ok(()) => {
            log.failed = 0;
            tracing::info!(before, after = log.bytes(), "the {} was merged", log.kind.what);
        }
        // Not again at once: the disk may be full.
        Err(_) => log.failed = 2 * log.bytes(),
    }
    done.map(|()| true)
}

impl Log {
    /// A log that is gone when it is dropped.
    pub(crate) fn in_memory(kind: Kind) -> Log {
        Log::with(kind, Medium::Memory(Vec::new()), 0)
    }

    fn with(kind: Kind, medium: Medium, merged: u64) -> Log {
        Log { kind, medium, merged, small: SMALL, failed: 0 }
    }

    /// Opens the log in a folder, or begins one; the folder is made if it is not there. A frame that was never finished is put
    /// aside, with what follows it: none of it was acknowledged as durable.
    ///
    /// # Errors
    /// The disk refuses; the file is no log of this kind, or is damaged.
    pub fn open(folder: &Path, kind: Kind) -> Result<Log> {
        make_folder(folder)?;
        let magic = kind.magic;
        let path = folder.join(format!("{}.log", kind.file));
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
        if bytes.len() < magic.len() && magic.starts_with(&bytes) {
            let mut begin = || {
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(magic)?;
                file.sync_all()
            };
            begin().map_err(|e| write_error(&path, e))?;
            sync_folder(folder)?;
            end = magic.len();
        } else if !bytes.starts_with(magic) {
            bail!(Io, "'{}' is not a {}", path.display(), kind.what);
        } else {
            let (found, whole) = frames(&bytes, &path, kind)?;
            merged = found.iter().take_while(|f| (kind.is_merged)(f)).map(|f| (HEAD + f.len()) as u64).sum();
            end = end.min(whole);
        }
        if end < bytes.len() {
            // Kept aside, so that even a damaged length loses nothing.
            let aside = folder.join(format!("{}.torn-at-{end}", kind.file));
            crate::files::write(&aside, &bytes[end..])?;
            let (bytes, aside) = (bytes.len() - end, aside.display());
            tracing::warn!(bytes, %aside, "the {} ends in an unfinished frame, which is put aside", kind.what);
            file.set_len(end as u64).and_then(|()| file.sync_all()).map_err(|e| write_error(&path, e))?;
        }
        let folder = folder.to_owned();
        let (end, buffer) = (end as u64, Vec::new());
        let file = LogFile { folder, path, file, end, at_end: false, buffer, torn: false, renamed: false };
        Ok(Log::with(kind, Medium::File(file), merged))
    }

    /// The frames so far, oldest first; what is appended later is not among them.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn read(&self) -> Result<Frames> {
        let kind = self.kind;
        let from = match &self.medium {
            Medium::Memory(frames) => Origin::Memory { frames: frames.clone(), next: 0 },
            Medium::File(LogFile { path, end, .. }) => {
                let file = File::open(path).map_err(|e| read_error(path, e))?;
                Origin::File { path: path.clone(), file: BufReader::new(file), at: 0, end: *end }
            }
        };
        let mut frames = Frames { kind, from };
        frames.rewind()?;
        Ok(frames)
    }

    /// The point that it has reached.
    fn mark(&self) -> Mark {
        match &self.medium {
            Medium::Memory(frames) => Mark(frames.len() as u64),
            Medium::File(file) => Mark(file.end),
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        match &self.medium {
            Medium::Memory(frames) => frames.iter().map(|f| f.len() as u64).sum(),
            Medium::File(file) => file.end,
        }
    }

    /// Whether most of it is history.
    fn is_overgrown(&self) -> bool {
        self.bytes() > self.small.max(GROWTH * self.merged).max(self.failed)
    }

    /// Leaves it as it is up to a size.
    #[cfg(test)]
    pub(crate) fn leave_up_to(&mut self, bytes: u64) {
        self.small = bytes;
    }

    /// Appends a frame; when this returns it is durable in a log that is [`Kind::synced`], and survives the process in others.
    ///
    /// # Errors
    /// The disk refuses; nothing of the frame stays.
    pub fn append(&mut self, frame: &[u8]) -> Result<()> {
        match &mut self.medium {
            Medium::Memory(frames) => frames.push(frame.into()),
            Medium::File(log) => log.append(frame, self.kind.synced)?,
        }
        Ok(())
    }

    /// The file, to be synced without holding up those who append. What a failure has left is made up for first.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn to_sync(&mut self) -> Result<Option<File>> {
        let Medium::File(log) = &mut self.medium else { return Ok(None) };
        log.settle()?;
        log.file.try_clone().map(Some).map_err(|e| write_error(&log.path, e))
    }

    /// Where frames can be put that are to take the place of others.
    fn fresh<'a>(&self, at: &'a mut dyn FnMut(Stage)) -> Result<Fresh<'a>> {
        let magic = self.kind.magic;
        let Medium::File(LogFile { path, .. }) = &self.medium else {
            return Ok(Fresh { to: To::Memory(Vec::new()), at });
        };
        let path = path.with_extension("new");
        let made = File::options().create(true).truncate(true).read(true).write(true).open(&path);
        match made.and_then(|mut file| file.write_all(magic).map(|()| file)) {
            Ok(file) => {
                let (out, end) = (BufWriter::with_capacity(1 << 16, file), magic.len() as u64);
                Ok(Fresh { to: To::File { path, out, end }, at })
            }
            Err(e) => Err(give_up(&path, write_error(&path, e))),
        }
    }

    /// Puts fresh frames in the place of those up to a mark; what was appended since stays behind them. If this fails, the log
    /// is as it was.
    fn replace(&mut self, fresh: Fresh<'_>, upto: Mark) -> Result<()> {
        let Fresh { to, at } = fresh;
        match (&mut self.medium, to) {
            (Medium::Memory(frames), To::Memory(fresh)) => {
                self.merged = fresh.iter().map(|f| f.len() as u64).sum();
                frames.splice(..upto.0 as usize, fresh);
            }
            (Medium::File(log), To::File { path, out, end }) => {
                let merged = end - self.kind.magic.len() as u64;
                let file = out.into_inner().map_err(|e| give_up(&path, write_error(&path, e.into_error())))?;
                log.replace(&path, file, end, upto, at).map_err(|e| give_up(&path, e))?;
                self.merged = merged;
            }
            _ => bail!(Internal, "frames for another kind of log"),
        }
        Ok(())
    }
}

impl LogFile {
    fn append(&mut self, frame: &[u8], synced: bool) -> Result<()> {
        self.settle()?;
        self.buffer.clear();
        self.buffer.extend_from_slice(&head(frame));
        self.buffer.extend_from_slice(frame);
        let mut write = || {
            if !self.at_end {
                self.file.seek(SeekFrom::Start(self.end))?;
            }
            self.file.write_all(&self.buffer)?;
            if synced { self.file.sync_data() } else { Ok(()) }
        };
        let written = write();
        self.at_end = written.is_ok();
        if let Err(e) = written {
            // What got there is taken off, lest a later frame stand behind a torn one.
            self.torn = true;
            let _ = self.settle();
            return Err(write_error(&self.path, e));
        }
        self.end += self.buffer.len() as u64;
        self.buffer.shrink_to(BUFFER);
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
        self.at_end = false;
        let tail = self.end - upto.0;
        let copied = self.file.seek(SeekFrom::Start(upto.0)).and_then(|_| {
            file.seek(SeekFrom::Start(end))?;
            std::io::copy(&mut Read::by_ref(&mut self.file).take(tail), &mut file)
        });
        if copied.map_err(|e| write_error(fresh, e))? != tail {
            bail!(Io, "'{}' is shorter than it was", self.path.display());
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

impl Fresh<'_> {
    /// Puts one more frame behind the others.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn push(&mut self, frame: &[u8]) -> Result<()> {
        match &mut self.to {
            To::Memory(frames) => frames.push(frame.into()),
            To::File { path, out, end } => {
                let mut write = || {
                    out.write_all(&head(frame))?;
                    let (first, second) = frame.split_at(frame.len() / 2);
                    out.write_all(first)?;
                    (self.at)(Stage::HalfWritten);
                    out.write_all(second)
                };
                write().map_err(|e| give_up(path, write_error(path, e)))?;
                *end += (HEAD + frame.len()) as u64;
            }
        }
        Ok(())
    }

    /// Tells of a stage.
    pub(crate) fn tell(&mut self, stage: Stage) {
        (self.at)(stage);
    }

    /// All of it is with the disk before the log is locked: what is left to do then is short.
    fn finish(&mut self) -> Result<()> {
        if let To::File { path, out, .. } = &mut self.to {
            let synced = out.flush().and_then(|()| out.get_ref().sync_data());
            synced.map_err(|e| give_up(path, write_error(path, e)))?;
        }
        self.tell(Stage::Written);
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
pub struct Frames {
    kind: Kind,
    from: Origin,
}

enum Origin {
    File { path: PathBuf, file: BufReader<File>, at: u64, end: u64 },
    Memory { frames: Vec<Arc<[u8]>>, next: usize },
}

impl Frames {
    /// Begins again with the first one.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn rewind(&mut self) -> Result<()> {
        let first = self.kind.magic.len() as u64;
        match &mut self.from {
            Origin::Memory { next, .. } => *next = 0,
            Origin::File { path, file, at, .. } => {
                file.seek(SeekFrom::Start(first)).map_err(|e| read_error(path, e))?;
                *at = first;
            }
        }
        Ok(())
    }

    /// The next one.
    ///
    /// # Errors
    /// The disk refuses, or has changed what was written.
    pub fn pull(&mut self) -> Result<Option<Arc<[u8]>>> {
        let (path, file, at, end) = match &mut self.from {
            Origin::Memory { frames, next } => {
                *next += 1;
                return Ok(frames.get(*next - 1).cloned());
            }
            Origin::File { at, end, .. } if *at >= *end => return Ok(None),
            Origin::File { path, file, at, end } => (path, file, at, end),
        };
        let mut read = |len: u64| -> Result<Vec<u8>> {
            let mut bytes = Vec::new();
            Read::by_ref(file).take(len.min(*end - *at)).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
            *at += bytes.len() as u64;
            if bytes.len() as u64 != len {
                bail!(Io, "the {} '{}' is shorter than it was", self.kind.what, path.display());
            }
            Ok(bytes)
        };
        let before = read(HEAD as u64)?;
        let mut len = [0; 8];
        len.copy_from_slice(&before[..8]);
        let frame = read(u64::from_le_bytes(len))?;
        if blake3::hash(&frame).as_bytes()[..] != before[8..] {
            bail!(Io, "the {} '{}' is damaged", self.kind.what, path.display());
        }
        Ok(Some(frame.into()))
    }
}

/// The frames in a log's bytes, and where the last whole one ends.
fn frames<'b>(bytes: &'b [u8], path: &Path, kind: Kind) -> Result<(Vec<&'b [u8]>, usize)> {
    let mut frames = Vec::new();
    let mut at = kind.magic.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        let Some((len, after)) = rest.split_first_chunk::<8>() else { break };
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let Some((hash, after)) = after.split_first_chunk::<32>() else { break };
        let Some(frame) = after.get(..len) else { break };
        if blake3::hash(frame).as_bytes() != hash {
            // A torn frame can only be the last; anything else is damage, and what was promised could be in it.
            if !kind.synced || after.len() == len || rest.iter().all(|b| *b == 0) {
                break;
            }
            bail!(Io, "the {} '{}' is damaged at byte {at}", kind.what, path.display());
        }
        frames.push(frame);
        at += HEAD + len;
    }
    Ok((frames, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind =
        Kind { what: "log of tests", file: "writeback", magic: b"FCTTEST1", is_merged: |_| false, synced: true };
    const UNSYNCED: Kind = Kind { synced: false, ..KIND };

    fn all(log: &Log) -> Vec<Vec<u8>> {
        let mut frames = log.read().unwrap();
        std::iter::from_fn(|| frames.pull().unwrap()).map(|f| f.to_vec()).collect()
    }

    #[test]
    fn frames_come_back_and_torn_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("writeback.log");
        let mut log = Log::open(folder.path(), KIND).unwrap();
        log.append(b"one").unwrap();
        log.append(b"two").unwrap();
        drop(log);
        let whole = fs::read(&path).unwrap();
        for cut in 1..HEAD + 3 {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut log = Log::open(folder.path(), KIND).unwrap();
            assert_eq!(all(&log), [b"one"], "{cut} bytes missing");
            log.append(b"three").unwrap();
            drop(log);
            let log = Log::open(folder.path(), KIND).unwrap();
            assert_eq!(all(&log), [&b"one"[..], b"three"]);
        }
        let mut damaged = whole.clone();
        damaged[KIND.magic.len() + HEAD] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(Log::open(folder.path(), KIND).is_err(), "damage before the last frame");
        // What was not synced may be lost in any order when the power goes: what is whole before it is kept.
        assert_eq!(all(&Log::open(folder.path(), UNSYNCED).unwrap()), Vec::<Vec<u8>>::new());
        assert!(folder.path().join(format!("writeback.torn-at-{}", KIND.magic.len())).exists());
        fs::write(&path, b"something else").unwrap();
        assert!(Log::open(folder.path(), KIND).is_err());
    }
}
