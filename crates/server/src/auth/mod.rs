//! Who is calling: Basic authentication against the users' file, or everyone when there is none.

pub mod users;

use crate::clock::{Clock, Moment};
use crate::sync::lock;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use facetta_model::{Result, name};
use hyper::header::HeaderValue;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use users::Users;

/// Who calls, and what he may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// His name, in every rowset and log line.
    pub name: Arc<str>,
    /// Whether he is a server administrator.
    pub admin: bool,
    /// The catalogs that he administers.
    pub admin_of: Vec<String>,
}

impl User {
    /// Whether he administers `catalog`, or the server.
    pub fn administers(&self, catalog: Option<&str>) -> bool {
        self.admin || catalog.is_some_and(|c| self.admin_of.iter().any(|own| name::same(own, c)))
    }
}

/// The name of everyone while there is no users' file.
pub const ANONYMOUS: &str = "anonymous";

/// What credentials came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this user.
    Known(Arc<User>),
    /// None, or wrong ones.
    Unknown,
    /// Wrong ones too often; they were not looked at.
    Slow,
}

/// How long verified credentials are believed without the cost of argon2.
const BELIEVED: Duration = Duration::from_secs(60);
/// How often the file is looked at at most, unless somebody is about to be turned away.
const LOOK: Duration = Duration::from_millis(20);
/// Verified credentials that are kept.
const KEPT: usize = 10_000;
/// Failures from one address, or for one user, after which more are refused for a while.
const PATIENCE: u32 = 20;

/// Verifies credentials.
#[derive(Debug)]
pub struct Auth {
    clock: Clock,
    path: Option<PathBuf>,
    /// Of the digests under which credentials are believed.
    key: [u8; 32],
    state: Mutex<State>,
    /// Argon2 takes a core and 19 MiB each time: a flood of logins must not take the machine.
    hashing: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    users: Option<Arc<Users>>,
    stamp: Option<Stamp>,
    looked: Moment,
    believed: FxHashMap<[u8; 32], (Arc<User>, Moment)>,
    failures: FxHashMap<IpAddr, (u32, Moment)>,
    failed: u64,
    anyone: Arc<User>,
}

impl State {
    fn believed(&self, digest: &[u8; 32], now: Moment) -> Option<Arc<User>> {
        self.believed.get(digest).filter(|(_, until)| now < *until).map(|(user, _)| user.clone())
    }
}

impl Auth {
    /// Authentication by the file at `path`, if there is or comes to be one.
    ///
    /// # Errors
    /// The file is there but cannot be read.
    pub fn open(clock: Clock, path: Option<PathBuf>) -> Result<Auth> {
        let users = path.as_deref().map(Users::read).transpose()?.flatten().map(Arc::new);
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(facetta_model::Error::internal)?;
        let state = State {
            stamp: path.as_deref().and_then(stamp),
            users,
            looked: clock.now(),
            believed: FxHashMap::default(),
            failures: FxHashMap::default(),
            failed: 0,
            anyone: Arc::new(User { name: ANONYMOUS.into(), admin: true, admin_of: Vec::new() }),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Auth { clock, path, key, state: Mutex::new(state), hashing: Arc::new(Semaphore::new(cores)) })
    }

    /// Whether everyone may call, since there is no users' file.
    pub fn is_open(&self) -> bool {
        lock(&self.state).users.is_none()
    }

    /// Failed logins since the start.
    pub fn failed(&self) -> u64 {
        lock(&self.state).failed
    }

    /// Verifies the Authorization header of a request from `peer`.
    pub async fn verify(&self, header: Option<&HeaderValue>, peer: IpAddr) -> Verdict {
        // As it was sent: who is believed is not decoded.
        let digest = header.map(|header| *blake3::keyed_hash(&self.key, header.as_bytes()).as_bytes());
        let users = {
            let (mut state, now) = (lock(&self.state), self.clock.now());
            self.look_again(&mut state, now, LOOK);
            let Some(users) = &state.users else { return Verdict::Known(state.anyone.clone()) };
            if let Some(user) = digest.and_then(|digest| state.believed(&digest, now)) {
                return Verdict::Known(user);
            }
            users.clone()
        };
        let (Some(digest), Some((name, password))) = (digest, header.and_then(basic)) else { return Verdict::Unknown };
        if self.is_out_of_patience(peer) {
            tracing::warn!(%peer, user = name, "login refused: too many failures");
            return Verdict::Slow;
        }
        // Who was added, or got a new password, a moment ago is not sent away.
        let users = {
            let mut state = lock(&self.state);
            self.look_again(&mut state, self.clock.now(), Duration::ZERO);
            state.users.clone().unwrap_or(users)
        };
        let entry = users.users.get(&name).cloned();
        let hash = entry.as_ref().map(|e| e.hash.clone());
        let Ok(_turn) = self.hashing.clone().acquire_owned().await else { return Verdict::Unknown };
        let hashed = move || users::matches(&password, &hash.unwrap_or_else(nobody_hash));
        let right = tokio::task::spawn_blocking(hashed).await.unwrap_or(false);
        match entry.filter(|_| right) {
            Some(entry) => {
                let user = Arc::new(User { name: name.into(), admin: entry.admin, admin_of: entry.admin_of });
                self.believe(digest, user.clone());
                Verdict::Known(user)
            }
            None => {
                let delay = self.note_failure(peer);
                tracing::warn!(%peer, user = name, "login failed");
                tokio::time::sleep(delay).await;
                Verdict::Unknown
            }
        }
    }

    /// Reads the file again if it has changed, unless it was looked at less than `since` ago. One that cannot be read leaves in force
    /// what was read before, so that a typing mistake locks nobody out. Once there were users there will always be some: a file that
    /// is taken away or emptied lets nobody in, rather than everyone, and so does one that cannot be read where there was none.
    fn look_again(&self, state: &mut State, now: Moment, since: Duration) {
        let Some(path) = &self.path else { return };
        if now - state.looked < since {
            return;
        }
        state.looked = now;
        let stamp = stamp(path);
        if stamp == state.stamp {
            return;
        }
        state.stamp = stamp;
        match Users::read(path) {
            Ok(Some(users)) => {
                tracing::info!(users = users.users.len(), "users' file read again");
                state.users = Some(Arc::new(users));
            }
            Ok(None) if state.users.is_none() => return,
            Ok(None) => {
                tracing::error!("the users' file is gone; nobody can log in");
                state.users = Some(Arc::default());
            }
            Err(error) if state.users.is_some() => {
                tracing::error!(%error, "the users' file cannot be read; what it said before stays in force");
                return;
            }
            Err(error) => {
                tracing::error!(%error, "the users' file cannot be read, and there was none before; nobody can log in");
                state.users = Some(Arc::default());
            }
        }
        state.believed.clear();
    }

    fn believe(&self, digest: [u8; 32], user: Arc<User>) {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        if state.believed.len() >= KEPT {
            state.believed.retain(|_, (_, until)| now < *until);
        }
        if state.believed.len() < KEPT {
            state.believed.insert(digest, (user, now + BELIEVED));
        }
    }

    fn is_out_of_patience(&self, peer: IpAddr) -> bool {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.failures.retain(|_, (_, until)| now < *until);
        state.failures.get(&peer).is_some_and(|(count, _)| *count >= PATIENCE)
    }

    /// Counts a failure; how long the answer is held back.
    fn note_failure(&self, peer: IpAddr) -> Duration {
        let until = self.clock.now() + BELIEVED;
        let mut state = lock(&self.state);
        state.failed += 1;
        let failures = state.failures.entry(peer).or_insert((0, until));
        *failures = (failures.0.saturating_add(1), until);
        Duration::from_millis(100 << failures.0.min(5))
    }
}

/// What the password of an unknown name is held against, in vain: it costs what a wrong password costs. Made when it is first
/// needed, so that a start does not pay for it.
fn nobody_hash() -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| users::hash("nobody").unwrap_or_default());
    HASH.clone()
}

/// What tells one state of a file from another: when it was changed, its length, and its number on disk, since a time is coarse
/// and all hashes are of one length.
type Stamp = (SystemTime, u64, u64);

fn stamp(path: &std::path::Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some((metadata.modified().ok()?, metadata.len(), number))
}

/// Name and password of a Basic header.
fn basic(header: &HeaderValue) -> Option<(String, String)> {
    let (scheme, rest) = header.to_str().ok()?.split_once(' ')?;
    let bytes = BASE64_STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    // Clients that know no charset send Latin-1.
    let text = String::from_utf8(bytes).unwrap_or_else(|e| e.into_bytes().into_iter().map(char::from).collect());
    text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, password: &str) -> HeaderValue {
        HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))).unwrap()
    }

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn without_a_file_everyone_is_anonymous() {
        let auth = Auth::open(Clock::machine(), None).unwrap();
        let Verdict::Known(user) = auth.verify(Some(&header("a", "b")), PEER).await else { panic!() };
        assert!(user.admin && &*user.name == "anonymous" && auth.is_open());
    }

    #[tokio::test]
    async fn the_file_is_read_again_and_never_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let clock = Clock::virtual_from(Moment(0));
        let auth = Auth::open(clock.clone(), Some(path.clone())).unwrap();
        assert!(auth.is_open());
        let mut users = Users::default();
        users.add("ann", "pass:word", false, vec!["Sales".to_owned()]).unwrap();
        users.write(&path).unwrap();
        clock.advance(LOOK);
        assert_eq!(auth.verify(None, PEER).await, Verdict::Unknown);
        let Verdict::Known(ann) = auth.verify(Some(&header("ann", "pass:word")), PEER).await else { panic!() };
        assert!(ann.administers(Some("SALES")) && !ann.administers(Some("HR")) && !ann.administers(None));
        assert_eq!(auth.verify(Some(&header("ann", "wrong")), PEER).await, Verdict::Unknown);
        assert_eq!(auth.failed(), 1);
        // No time needs to pass before somebody new is let in.
        users.add("ben", "secret", false, Vec::new()).unwrap();
        users.write(&path).unwrap();
        assert!(matches!(auth.verify(Some(&header("ben", "secret")), PEER).await, Verdict::Known(_)));
        users.add("ben", "other!", false, Vec::new()).unwrap();
        users.write(&path).unwrap();
        assert!(matches!(auth.verify(Some(&header("ben", "other!")), PEER).await, Verdict::Known(_)));
        std::fs::remove_file(&path).unwrap();
        clock.advance(LOOK);
        assert_eq!(auth.verify(Some(&header("ann", "pass:word")), PEER).await, Verdict::Unknown);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let clock = Clock::virtual_from(Moment(0));
        let mut users = Users::default();
        users.add("ann", "secret", true, Vec::new()).unwrap();
        users.write(&path).unwrap();
        let auth = Auth::open(clock.clone(), Some(path.clone())).unwrap();
        let ann = header("ann", "secret");
        let broken = ["[users.ann", "[users.ben]\nhash = 5\n", "users = 1"];
        for text in broken {
            std::fs::write(&path, text).unwrap();
            clock.advance(LOOK);
            assert!(matches!(auth.verify(Some(&ann), PEER).await, Verdict::Known(_)), "{text}");
            // Not only who is believed for a while.
            clock.advance(BELIEVED);
            assert!(matches!(auth.verify(Some(&ann), PEER).await, Verdict::Known(_)), "{text}");
            assert_eq!(auth.verify(Some(&header("ben", "secret")), PEER).await, Verdict::Unknown, "{text}");
            assert_eq!(auth.verify(None, PEER).await, Verdict::Unknown, "{text}");
        }
        // Who is gone from the first file that can be read is gone.
        let mut others = Users::default();
        others.add("ben", "secret", false, Vec::new()).unwrap();
        others.write(&path).unwrap();
        clock.advance(LOOK);
        assert_eq!(auth.verify(Some(&ann), PEER).await, Verdict::Unknown);
        assert!(matches!(auth.verify(Some(&header("ben", "secret")), PEER).await, Verdict::Known(_)));
        // An empty file can be read: it has nobody in it.
        std::fs::write(&path, "").unwrap();
        clock.advance(LOOK);
        assert_eq!(auth.verify(Some(&header("ben", "secret")), PEER).await, Verdict::Unknown);
        assert_eq!(auth.verify(None, PEER).await, Verdict::Unknown);
        std::fs::write(&path, broken[0]).unwrap();
        clock.advance(LOOK);
        assert_eq!(auth.verify(None, PEER).await, Verdict::Unknown);
    }

    #[tokio::test]
    async fn a_first_file_that_cannot_be_read_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let clock = Clock::virtual_from(Moment(0));
        let auth = Auth::open(clock.clone(), Some(path.clone())).unwrap();
        assert!(auth.is_open());
        std::fs::write(&path, "[users.ann").unwrap();
        clock.advance(LOOK);
        assert_eq!(auth.verify(None, PEER).await, Verdict::Unknown);
        assert!(!auth.is_open());
        let again = Auth::open(clock, Some(path.clone())).unwrap_err().to_string();
        assert!(again.contains(&format!("{}:1: ", path.display())), "{again}");
    }
}
