//! The settings as written: a TOML file, then the environment, then flags; one table of keys for all three.

use crate::settings::{CatalogSettings, Settings};
use facetta_model::{Error, Result, bail, error};
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key that can be set. Case and underscores do not matter: `MaxIdleSessionTimeout` and `max_idle_session_timeout`
/// are one; in the environment it is `FACETTA_MAX_IDLE_SESSION_TIMEOUT`.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub expects: &'static str,
    /// A sentence for people.
    pub doc: &'static str,
    set: fn(&mut Settings, &str) -> Option<()>,
}

const fn key(
    name: &'static str,
    expects: &'static str,
    doc: &'static str,
    set: fn(&mut Settings, &str) -> Option<()>,
) -> Key {
    Key { name, expects, doc, set }
}

impl Key {
    /// Its name as this documentation and messages spell it in a configuration file: `max_idle_session_timeout`.
    pub fn in_file(&self) -> String {
        self.spelled('_')
    }

    /// Its name as a flag, without the dashes before it: `max-idle-session-timeout`.
    pub fn flag(&self) -> String {
        self.spelled('-')
    }

    fn spelled(&self, separator: char) -> String {
        let mut spelled = String::new();
        let mut after_lower = false;
        for c in self.name.chars() {
            if after_lower && c.is_ascii_uppercase() {
                spelled.push(separator);
            }
            after_lower = c.is_ascii_lowercase();
            spelled.push(if c == '_' { separator } else { c.to_ascii_lowercase() });
        }
        spelled
    }
}

const SECONDS: &str = "a whole number of seconds, 0 for no limit";

/// Every key.
pub static KEYS: &[Key] = &[
    key("listen", "an address and port, such as 127.0.0.1:8080", "Where to listen.", |s, v| put(&mut s.listen, v)),
    key("data_dir", "a folder", "Where the server keeps its state.", |s, v| {
        s.data_dir = Some(PathBuf::from(filled(v)?));
        Some(())
    }),
    key("catalog", "NAME=SCHEMA,SOURCE", "A catalog to serve; may be given again.", |s, v| {
        let (name, rest) = v.split_once('=')?;
        let (schema, source) = rest.split_once(',')?;
        add_catalog(s, filled(name)?, filled(schema)?, filled(source)?)
    }),
    key("insecure", "true or false", "Serve an address that is not loopback without TLS.", |s, v| {
        put(&mut s.insecure, v)
    }),
    key("users_file", "a file", "Who may call; made by `facetta user add`.", |s, v| {
        s.users_file = Some(PathBuf::from(filled(v)?));
        Some(())
    }),
    key(
        "workers",
        "a whole number from 1 to 1024",
        "Statements that run at a time; two for each core, and at least 4, unless set.",
        |s, v| {
            s.workers = v.parse().ok().filter(|n| (1..=1024).contains(n))?;
            Some(())
        },
    ),
    key("server_name", "a name", "How the server names itself.", |s, v| {
        s.server_name = filled(v)?.to_owned();
        Some(())
    }),
    key(
        "provider_version",
        "four numbers with dots",
        "What clients are told as ProviderVersion and DBMSVersion.",
        |s, v| {
            let numbers = v.split('.').filter(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())).count();
            s.provider_version = (numbers == 4 && v.split('.').count() == 4).then(|| v.to_owned())?;
            Some(())
        },
    ),
    key("keep_sessions", "true or false", "Keep sessions over a restart.", |s, v| put(&mut s.keep_sessions, v)),
    key("max_request_bytes", "a whole number", "Largest body of a request.", |s, v| {
        put(&mut s.limits.request_bytes, v)
    }),
    key("max_command_memory", "a whole number of bytes", "Memory that one command may hold.", |s, v| {
        put(&mut s.limits.command_memory, v)
    }),
    key(
        "max_transaction_memory",
        "a whole number of bytes",
        "Memory that the changes of a transaction may hold.",
        |s, v| put(&mut s.limits.transaction_memory, v),
    ),
    key("max_total_memory", "a whole number of bytes", "From here on idle sessions give way.", |s, v| {
        put(&mut s.limits.total_memory, v)
    }),
    key("max_connections", "a whole number", "Open sockets.", |s, v| put(&mut s.limits.connections, v)),
    key("max_sessions", "a whole number", "Open sessions.", |s, v| put(&mut s.limits.sessions, v)),
    key("max_session_queue", "a whole number", "Commands that wait in one session.", |s, v| {
        put(&mut s.limits.session_queue, v)
    }),
    key("MaxIdleSessionTimeout", SECONDS, "An idle session ends after this.", |s, v| {
        put_limit(&mut s.timeouts.max_idle_session, v)
    }),
    key(
        "MinIdleSessionTimeout",
        "a whole number of seconds",
        "From this idle age on a session may end under pressure.",
        |s, v| {
            s.timeouts.min_idle_session = Duration::from_secs(v.parse().ok()?);
            Some(())
        },
    ),
    key(
        "IdleOrphanSessionTimeout",
        SECONDS,
        "For transports that bind sessions to connections; not for HTTP.",
        |s, v| put_limit(&mut s.timeouts.idle_orphan_session, v),
    ),
    key("IdleConnectionTimeout", SECONDS, "An idle socket is closed after this.", |s, v| {
        put_limit(&mut s.timeouts.idle_connection, v)
    }),
    key("IdleTransactionTimeout", SECONDS, "A session idle in a transaction ends after this.", |s, v| {
        put_limit(&mut s.timeouts.idle_transaction, v)
    }),
    key("SessionLifeTimeout", SECONDS, "A session ends this long after it began.", |s, v| {
        put_limit(&mut s.timeouts.session_life, v)
    }),
    key("ServerTimeout", SECONDS, "A command is cancelled after this.", |s, v| put_limit(&mut s.timeouts.server, v)),
    key("AdminTimeout", SECONDS, "An administrative command is cancelled after this.", |s, v| {
        put_limit(&mut s.timeouts.admin, v)
    }),
    key("CommitTimeout", "a whole number of milliseconds", "Has no effect yet.", |s, v| idle(s, "CommitTimeout", v)),
    key("ForceCommitTimeout", "a whole number of milliseconds", "Has no effect yet.", |s, v| {
        idle(s, "ForceCommitTimeout", v)
    }),
    key("DefaultLockTimeoutMS", "a whole number of milliseconds", "Has no effect yet.", |s, v| {
        idle(s, "DefaultLockTimeoutMS", v)
    }),
    key("ExternalCommandTimeout", "a whole number of seconds", "Has no effect yet.", |s, v| {
        idle(s, "ExternalCommandTimeout", v)
    }),
];

fn put<T: std::str::FromStr>(place: &mut T, value: &str) -> Option<()> {
    *place = value.parse().ok()?;
    Some(())
}

fn put_limit(place: &mut Option<Duration>, value: &str) -> Option<()> {
    let seconds: u64 = value.parse().ok()?;
    *place = (seconds > 0).then(|| Duration::from_secs(seconds));
    Some(())
}

fn filled(value: &str) -> Option<&str> {
    Some(value.trim()).filter(|v| !v.is_empty())
}

fn idle(settings: &mut Settings, name: &'static str, value: &str) -> Option<()> {
    let value = value.parse().ok()?;
    let property = settings.ineffective.iter_mut().find(|p| p.name == name)?;
    property.value = value;
    settings.warnings.push(format!("{name} is kept but has no effect yet"));
    Some(())
}

fn add_catalog(settings: &mut Settings, name: &str, schema: &str, source: &str) -> Option<()> {
    settings.catalogs.retain(|c| !facetta_model::name::same(&c.name, name));
    settings.catalogs.push(CatalogSettings {
        name: name.to_owned(),
        schema: schema.into(),
        source: source.into(),
        writable: true,
    });
    Some(())
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_' && *c != '-').flat_map(char::to_lowercase).collect()
}

fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| plain(k.name) == plain(name))
}

/// Environment variables that other parts of Facetta read.
const NOT_OURS: &[&str] = &["PASSWORD", "USER", "URL", "CONFIG", "LOG", "LOG_FORMAT", "SHARED", "NO_SKIP", "UPDATE"];

impl Settings {
    /// The settings of a file, an environment and flags; later ones win.
    ///
    /// # Errors
    /// Those of [`Settings::of_file`], [`Settings::add_environment`] and [`Settings::add_flags`].
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings> {
        let mut settings = Settings::of_file(file)?;
        settings.add_environment(environment)?;
        settings.add_flags(flags)?;
        Ok(settings)
    }

    /// The settings of a configuration file; without one, the defaults.
    ///
    /// # Errors
    /// It cannot be read, or has a wrong key or value: file, line, key, and what was expected.
    pub fn of_file(file: Option<&Path>) -> Result<Settings> {
        let mut settings = Settings::default();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|e| error!(Io, "The configuration {} cannot be read: {e}", path.display()))?;
            settings.read_file(&text, path)?;
        }
        Ok(settings)
    }

    /// Adds what the environment says: variables that begin with `FACETTA_`.
    ///
    /// # Errors
    /// A wrong value: the variable, and what was expected.
    pub fn add_environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) -> Result<()> {
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("FACETTA_") else { continue };
            match find(rest) {
                Some(key) if plain(key.name) == "catalog" => {
                    for one in value.split(';').filter(|v| !v.trim().is_empty()) {
                        self.put(key, one, &name)?;
                    }
                }
                Some(key) => self.put(key, &value, &name)?,
                None if NOT_OURS.contains(&rest) => {}
                None => self.warnings.push(format!("The environment variable {name} means nothing")),
            }
        }
        Ok(())
    }

    /// Adds what flags say: keys, in any spelling, with values.
    ///
    /// # Errors
    /// A wrong key or value: the flag, and what was expected.
    pub fn add_flags(&mut self, flags: impl IntoIterator<Item = (String, String)>) -> Result<()> {
        for (name, value) in flags {
            let Some(key) = find(&name) else {
                let known: Vec<String> = KEYS.iter().map(|k| format!("--{}", k.flag())).collect();
                bail!(Definition, "unknown flag '{name}'; expected one of {}", known.join(", "));
            };
            self.put(key, &value, &format!("--{}", key.flag()))?;
        }
        Ok(())
    }

    fn put(&mut self, key: &Key, value: &str, place: &str) -> Result<()> {
        (key.set)(self, value).ok_or_else(|| error!(Definition, "{place}: '{value}' is not {}", key.expects))
    }

    fn read_file(&mut self, text: &str, path: &Path) -> Result<()> {
        let place = |offset: usize| format!("{}:{}", path.display(), 1 + count_lines(text, offset));
        let table = DeTable::parse(text).map_err(|e| {
            let offset = e.span().map_or(0, |s| s.start);
            error!(Definition, "{}: {}", place(offset), e.message().replace('\n', ", "))
        })?;
        for (name, value) in table.get_ref() {
            let at = place(name.span().start);
            if plain(name.get_ref()) == "catalogs" {
                self.read_catalogs(value, path, &place)?;
                continue;
            }
            let name = name.get_ref();
            let key = find(name).ok_or_else(|| unknown(name, &at))?;
            // The key as it is written there, so that it can be looked for.
            let within = |value: &Spanned<DeValue<'_>>| format!("{}: {name}", place(value.span().start));
            if let DeValue::Array(values) = value.get_ref() {
                for one in values.iter() {
                    self.put(key, &scalar(one, &within(one), key.expects)?, &within(one))?;
                }
            } else {
                self.put(key, &scalar(value, &within(value), key.expects)?, &within(value))?;
            }
        }
        Ok(())
    }

    /// `[catalogs.NAME]` with `schema`, `source` and `writable`; paths are relative to the file.
    fn read_catalogs(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        path: &Path,
        place: &dyn Fn(usize) -> String,
    ) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let DeValue::Table(catalogs) = value.get_ref() else {
            bail!(Definition, "{}: catalogs must be tables, such as [catalogs.Sales]", place(value.span().start))
        };
        for (name, body) in catalogs {
            let at = place(name.span().start);
            let DeValue::Table(body) = body.get_ref() else {
                bail!(Definition, "{at}: catalog '{}' must be a table with schema and source", name.get_ref())
            };
            let (mut schema, mut source, mut writable) = (None, None, true);
            for (key, value) in body {
                let at = place(key.span().start);
                let within = format!("{}: {}", place(value.span().start), key.get_ref());
                match key.get_ref().as_ref() {
                    "schema" => schema = Some(scalar(value, &within, "a file")?),
                    "source" => source = Some(scalar(value, &within, "a folder")?),
                    "writable" => match value.get_ref() {
                        DeValue::Boolean(b) => writable = *b,
                        _ => bail!(Definition, "{at}: writable must be true or false"),
                    },
                    other => bail!(Definition, "{at}: unknown key '{other}'; expected schema, source or writable"),
                }
            }
            let (Some(schema), Some(source)) = (schema, source) else {
                bail!(Definition, "{at}: catalog '{}' needs both schema and source", name.get_ref())
            };
            self.catalogs.retain(|c| !facetta_model::name::same(&c.name, name.get_ref()));
            self.catalogs.push(CatalogSettings {
                name: name.get_ref().to_string(),
                schema: folder.join(schema),
                source: folder.join(source),
                writable,
            });
        }
        Ok(())
    }
}

fn scalar(value: &Spanned<DeValue<'_>>, within: &str, expects: &str) -> Result<String> {
    Ok(match value.get_ref() {
        DeValue::String(s) => s.to_string(),
        DeValue::Integer(i) if i.radix() == 10 => i.as_str().replace('_', ""),
        DeValue::Boolean(b) => b.to_string(),
        other => bail!(Definition, "{within}: a value of type {} where {expects} is expected", other.type_str()),
    })
}

fn unknown(name: &str, place: &str) -> Error {
    let known: Vec<String> = KEYS.iter().map(Key::in_file).collect();
    error!(Definition, "{place}: unknown key '{name}'; expected one of {}, catalogs", known.join(", "))
}

fn count_lines(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&b| b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings> {
        let mut settings = Settings::default();
        settings.read_file(text, Path::new("dir/facetta.toml")).map(|()| settings)
    }

    #[test]
    fn a_file_says_what_the_flags_say() {
        let file = read(
            "listen = \"127.0.0.1:9\"\nMaxIdleSessionTimeout = 5\n[catalogs.A]\nschema = \"a.xml\"\nsource = \"/d\"\n",
        );
        let file = file.unwrap();
        let flags = [("listen", "127.0.0.1:9"), ("max-idle-session-timeout", "5"), ("catalog", "A=dir/a.xml,/d")];
        let flags = Settings::load(None, [], flags.map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();
        assert_eq!(file, flags);
    }

    #[test]
    fn later_ones_win() {
        let environment =
            [("FACETTA_WORKERS".to_owned(), "3".to_owned()), ("FACETTA_LISTEN".to_owned(), "[::1]:1".to_owned())];
        let settings = Settings::load(None, environment, [("workers".to_owned(), "4".to_owned())]).unwrap();
        assert_eq!((settings.workers, settings.listen.port()), (4, 1));
    }

    #[test]
    fn mistakes_name_file_line_and_what_was_expected() {
        let cases = [
            ("\nlistn = 1\n", "dir/facetta.toml:2: unknown key 'listn'; expected one of listen, data_dir, "),
            ("listn = 1", "max_session_queue, max_idle_session_timeout, "),
            ("listn = 1", "default_lock_timeout_ms, external_command_timeout, catalogs"),
            ("workers = 0", "dir/facetta.toml:1: workers: '0' is not a whole number from 1 to 1024"),
            (
                "\nMaxIdleSessionTimeout = 'abc'",
                "dir/facetta.toml:2: MaxIdleSessionTimeout: 'abc' is not a whole number of seconds, 0 for no limit",
            ),
            ("workers = [[1]]", "dir/facetta.toml:1: workers: a value of type array where a whole number"),
            ("catalog = [\n'A=a,b',\n'B']", "dir/facetta.toml:3: catalog: 'B' is not NAME=SCHEMA,SOURCE"),
            ("[catalogs.X]\nschema = 1.5", "dir/facetta.toml:2: schema: a value of type float where a file"),
            ("a = \n", "dir/facetta.toml:1: "),
            ("[catalogs.X]\nschema = \"a\"", "dir/facetta.toml:1: catalog 'X' needs both schema and source"),
            (
                "[catalogs.X]\nscheme = \"a\"",
                "dir/facetta.toml:2: unknown key 'scheme'; expected schema, source or writable",
            ),
            ("catalogs = 1", "catalogs must be tables"),
            ("provider_version = \"1.2\"", "is not four numbers with dots"),
        ];
        for (text, expected) in cases {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn mistakes_name_the_flag_or_variable() {
        let load = |variable: Option<&str>, flag: Option<&str>| {
            let variable = variable.map(|name| (name.to_owned(), "abc".to_owned()));
            let flag = flag.map(|name| (name.to_owned(), "abc".to_owned()));
            Settings::load(None, variable, flag).unwrap_err().to_string()
        };
        for key in KEYS.iter().filter(|key| takes(key, "abc").is_none()) {
            let expects = key.expects;
            let flag = key.flag();
            assert_eq!(load(None, Some(key.name)), format!("--{flag}: 'abc' is not {expects}"));
            let variable = format!("FACETTA_{}", key.in_file().to_uppercase());
            assert_eq!(load(Some(&variable), None), format!("{variable}: 'abc' is not {expects}"));
        }
        let unknown = load(None, Some("listn"));
        assert!(unknown.starts_with("unknown flag 'listn'; expected one of --listen, --data-dir, "), "{unknown}");
    }

    fn takes(key: &Key, value: &str) -> Option<()> {
        (key.set)(&mut Settings::default(), value)
    }

    #[test]
    fn keys_are_spelled_in_one_way() {
        let cases = [
            ("data_dir", "data-dir", "data_dir"),
            ("MaxIdleSessionTimeout", "max-idle-session-timeout", "max_idle_session_timeout"),
            ("DefaultLockTimeoutMS", "default-lock-timeout-ms", "default_lock_timeout_ms"),
        ];
        for (name, flag, in_file) in cases {
            let key = find(name).unwrap();
            assert_eq!((key.flag(), key.in_file()), (flag.to_owned(), in_file.to_owned()));
        }
    }

    #[test]
    fn keys_are_unique() {
        let mut names: Vec<String> = KEYS.iter().map(|k| plain(k.name)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
    }
}
