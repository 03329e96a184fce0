//! The settings as meant: what the server does, whatever way it was told.

use facetta_engine::Answers;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A catalog to serve.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogSettings {
    /// Its name.
    pub name: String,
    /// The schema: Mondrian 3 XML or Facetta YAML.
    pub schema: PathBuf,
    /// A folder with one Parquet or CSV file for each table.
    pub source: PathBuf,
    /// Whether its cells may be written.
    pub writable: bool,
}

/// The time-outs of spec/protocol.md section 5 and two more. `None`: no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeouts {
    /// `MaxIdleSessionTimeout`: an idle session ends after this.
    pub max_idle_session: Option<Duration>,
    /// `MinIdleSessionTimeout`: an idle session of this age may end when memory or sessions are short.
    pub min_idle_session: Duration,
    /// `IdleOrphanSessionTimeout`: for transports that bind a session to a connection, which HTTP does not.
    pub idle_orphan_session: Option<Duration>,
    /// `IdleConnectionTimeout`: an idle socket is closed after this.
    pub idle_connection: Option<Duration>,
    /// A session that is idle with an open transaction ends after this.
    pub idle_transaction: Option<Duration>,
    /// A session ends this long after it began, idle or not.
    pub session_life: Option<Duration>,
    /// `ServerTimeout`: a command is cancelled after this, unless its property Timeout says otherwise.
    pub server: Option<Duration>,
    /// `AdminTimeout`: the same for administrative commands.
    pub admin: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            max_idle_session: None,
            min_idle_session: Duration::from_secs(2700),
            idle_orphan_session: Some(Duration::from_secs(120)),
            idle_connection: None,
            idle_transaction: None,
            session_life: None,
            server: Some(Duration::from_secs(3600)),
            admin: None,
        }
    }
}

/// What one request, command or client may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub request_bytes: u64,
    /// Bytes that a command may hold.
    pub command_memory: u64,
    /// Bytes that the changes of a transaction may hold until it ends.
    pub transaction_memory: u64,
    /// Bytes of the process; from there on idle sessions give way.
    pub total_memory: u64,
    /// Open sockets.
    pub connections: usize,
    /// Open sessions; at the limit the oldest idle past `MinIdleSessionTimeout` gives way, else the new one is refused.
    pub sessions: usize,
    /// Commands that stand in the queue of one session.
    pub session_queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 256 << 20,
            command_memory: (1 << 30).min(crate::memory::physical() / 4),
            transaction_memory: (1 << 30).min(crate::memory::physical() / 4),
            total_memory: crate::memory::physical() / 5 * 4,
            connections: 16_384,
            sessions: 2_000_000,
            session_queue: 256,
        }
    }
}

/// A server property that clients of Analysis Services know, which is kept and shown but has no effect yet
/// (spec/decisions.md, Sessions).
#[derive(Clone, Debug, PartialEq)]
pub struct Ineffective {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: i64,
}

/// What the server does.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where it keeps its state. `None`: in memory only, for tests.
    pub data_dir: Option<PathBuf>,
    /// The catalogs.
    pub catalogs: Vec<CatalogSettings>,
    /// Whether an address that is not loopback may be served without TLS.
    pub insecure: bool,
    /// The users' file; by default `users.toml` in the data folder.
    pub users_file: Option<PathBuf>,
    /// Threads that run statements.
    pub workers: usize,
    /// How the server names itself.
    pub server_name: String,
    /// What it tells as ProviderVersion and DBMSVersion.
    pub provider_version: String,
    /// Whether sessions are kept over a restart.
    pub keep_sessions: bool,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// Limits.
    pub limits: Limits,
    /// Which implementor of the seam answers; tests run on both.
    pub answers: Answers,
    /// Properties without effect.
    pub ineffective: Vec<Ineffective>,
    /// What was odd about the way it was told; logged at start.
    pub warnings: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            data_dir: None,
            catalogs: Vec::new(),
            insecure: false,
            users_file: None,
            // More than cores: one that is short does not wait until one that is long is over. Analysis Services has twice as many.
            workers: (2 * cores).max(4),
            server_name: "Facetta".to_owned(),
            provider_version: "13.0.4001.0".to_owned(),
            keep_sessions: true,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            answers: Answers::default(),
            ineffective: vec![
                Ineffective { name: "CommitTimeout", value: 0 },
                Ineffective { name: "ForceCommitTimeout", value: 30_000 },
                Ineffective { name: "DefaultLockTimeoutMS", value: -1 },
                Ineffective { name: "ExternalCommandTimeout", value: 3600 },
            ],
            warnings: Vec::new(),
        }
    }
}

impl Settings {
    /// The users' file, if there can be one.
    pub fn users_path(&self) -> Option<PathBuf> {
        self.users_file.clone().or_else(|| self.data_dir.as_ref().map(|d| d.join("users.toml")))
    }

    /// The value of a property without effect; 0 if there is none of the name.
    fn ineffective(&self, name: &str) -> i64 {
        self.ineffective.iter().find(|p| p.name == name).map_or(0, |p| p.value)
    }

    /// The value of a server property, if it is one of [`SERVER_PROPERTIES`].
    pub fn server_property(&self, name: &str) -> Option<i64> {
        SERVER_PROPERTIES.iter().find(|p| p.name == name).map(|p| (p.value)(self))
    }
}

/// A server property as clients of Analysis Services read it; whole numbers, in the unit of its key.
#[derive(Debug)]
pub struct ServerProperty {
    /// Its name, which is also its key.
    pub name: &'static str,
    /// Its value; 0 where there is no limit.
    pub value: fn(&Settings) -> i64,
}

/// The time-outs of spec/protocol.md section 5, in its order.
pub static SERVER_PROPERTIES: &[ServerProperty] = &[
    ServerProperty { name: "MaxIdleSessionTimeout", value: |s| limit(s.timeouts.max_idle_session) },
    ServerProperty { name: "MinIdleSessionTimeout", value: |s| limit(Some(s.timeouts.min_idle_session)) },
    ServerProperty { name: "IdleOrphanSessionTimeout", value: |s| limit(s.timeouts.idle_orphan_session) },
    ServerProperty { name: "IdleConnectionTimeout", value: |s| limit(s.timeouts.idle_connection) },
    ServerProperty { name: "ServerTimeout", value: |s| limit(s.timeouts.server) },
    ServerProperty { name: "AdminTimeout", value: |s| limit(s.timeouts.admin) },
    ServerProperty { name: "CommitTimeout", value: |s| s.ineffective("CommitTimeout") },
    ServerProperty { name: "ForceCommitTimeout", value: |s| s.ineffective("ForceCommitTimeout") },
    ServerProperty { name: "ExternalCommandTimeout", value: |s| s.ineffective("ExternalCommandTimeout") },
    ServerProperty { name: "DefaultLockTimeoutMS", value: |s| s.ineffective("DefaultLockTimeoutMS") },
];

fn limit(limit: Option<Duration>) -> i64 {
    limit.map_or(0, |l| i64::try_from(l.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_properties_are_what_their_keys_say() {
        for property in SERVER_PROPERTIES {
            let settings = Settings::load(None, [], [(property.name.to_owned(), "77".to_owned())]);
            assert_eq!((property.value)(&settings.unwrap()), 77, "{}", property.name);
        }
        let defaults: Vec<i64> = SERVER_PROPERTIES.iter().map(|p| (p.value)(&Settings::default())).collect();
        assert_eq!(defaults, [0, 2700, 120, 0, 3600, 0, 0, 30_000, 3600, -1]);
    }
}
