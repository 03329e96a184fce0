//! The log of commits: a frame for each, appended and synced before the commit is acknowledged.

use crate::files::{read_error, write_error};
use facetta_model::{Result, bail};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// First bytes of a log.
const MAGIC: &[u8; 8] = b"FCTWB\0\0\x01";
/// Length and hash before each frame.
const HEAD: usize = 8 + 32;

/// Where commits are kept.
pub(crate) enum Log {
    /// In a file.
    File { path: PathBuf, file: File, end: u64 },
    /// As long as the store lives.
    Memory(Vec<Vec<u8>>),
}

impl Log {
    /// Opens the log in a folder, or begins one. A frame that was never finished is taken off: its commit was not
    /// acknowledged.
    pub(crate) fn open(folder: &Path) -> Result<Log> {
        let path = folder.join("writeback.log");
        let opened = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = opened.map_err(|e| write_error(&path, e))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| read_error(&path, e))?;
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            let begin = || {
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(MAGIC)?;
                file.sync_all()
            };
            let mut begin = begin;
            begin().map_err(|e| write_error(&path, e))?;
            crate::files::sync_folder(folder)?;
            return Ok(Log::File { path, file, end: MAGIC.len() as u64 });
        }
        if !bytes.starts_with(MAGIC) {
            bail!(Io, "'{}' is not a log of commits", path.display());
        }
        let (_, end) = frames(&bytes, &path)?;
        if end < bytes.len() {
            // Kept aside, so that even a damaged length loses nothing.
            let aside = folder.join(format!("writeback.torn-at-{end}"));
            crate::files::write(&aside, &bytes[end..])?;
            let (bytes, aside) = (bytes.len() - end, aside.display());
            tracing::warn!(bytes, %aside, "the log of commits ends in an unfinished frame, which is put aside");
            file.set_len(end as u64).and_then(|()| file.sync_all()).map_err(|e| write_error(&path, e))?;
        }
        Ok(Log::File { path, file, end: end as u64 })
    }

    /// All frames, oldest first.
    pub(crate) fn frames(&mut self) -> Result<Vec<Vec<u8>>> {
        match self {
            Log::Memory(frames) => Ok(frames.clone()),
            Log::File { path, file, end } => {
                let mut bytes = Vec::new();
                let read =
                    file.seek(SeekFrom::Start(0)).and_then(|_| Read::by_ref(file).take(*end).read_to_end(&mut bytes));
                read.map_err(|e| read_error(path, e))?;
                Ok(frames(&bytes, path)?.0.into_iter().map(<[u8]>::to_vec).collect())
            }
        }
    }

    /// Appends a frame; when this returns it is durable. If it fails, nothing of it stays.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<()> {
        match self {
            Log::Memory(frames) => frames.push(frame.to_vec()),
            Log::File { path, file, end } => {
                let mut bytes = Vec::with_capacity(HEAD + frame.len());
                bytes.extend_from_slice(&(frame.len() as u64).to_le_bytes());
                bytes.extend_from_slice(blake3::hash(frame).as_bytes());
                bytes.extend_from_slice(frame);
                let written = file.seek(SeekFrom::Start(*end)).and_then(|_| {
                    file.write_all(&bytes)?;
                    file.sync_data()
                });
                if let Err(e) = written {
                    // What got there is taken off, lest a later frame stand behind a torn one.
                    let _ = file.set_len(*end).and_then(|()| file.sync_all());
                    return Err(write_error(path, e));
                }
                *end += bytes.len() as u64;
            }
        }
        Ok(())
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
    use std::fs;

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
            assert_eq!(log.frames().unwrap(), [b"one"], "{cut} bytes missing");
            log.append(b"three").unwrap();
            drop(log);
            let mut log = Log::open(folder.path()).unwrap();
            assert_eq!(log.frames().unwrap(), [&b"one"[..], b"three"]);
        }
        let mut damaged = whole.clone();
        damaged[MAGIC.len() + HEAD] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(Log::open(folder.path()).is_err(), "damage before the last frame");
        fs::write(&path, b"something else").unwrap();
        assert!(Log::open(folder.path()).is_err());
    }
}
