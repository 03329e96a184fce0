//! The users' file: names, password hashes, rights. `facetta user` writes it, the server reads it again when it changes.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use facetta_model::{Error, Result, bail, error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// A user as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// The argon2 hash of the password, as a PHC string.
    pub hash: String,
    /// Whether it is a server administrator.
    #[serde(default)]
    pub admin: bool,
    /// The catalogs that it administers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admin_of: Vec<String>,
}

/// The users' file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// By name.
    #[serde(default)]
    pub users: BTreeMap<String, UserEntry>,
}

impl Users {
    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, or says what it cannot mean; the error names file and line.
    pub fn read(path: &Path) -> Result<Option<Users>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => bail!(Io, "The users' file {} cannot be read: {e}", path.display()),
        };
        toml::from_str(&text).map(Some).map_err(|e| {
            let before = &text.as_bytes()[..e.span().map_or(0, |span| span.start.min(text.len()))];
            let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
            let why = e.message().trim_end().replace('\n', ", ");
            error!(Definition, "The users' file {}:{line}: {why}", path.display())
        })
    }

    /// Writes the file, whole or not at all, readable by its owner only.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let failed = |e: std::io::Error| error!(Io, "The users' file {} cannot be written: {e}", path.display());
        let text = toml::to_string(self).map_err(Error::internal)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let new = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&new, path).map_err(failed)
    }

    /// Adds a user, or gives one a new password and rights.
    ///
    /// # Errors
    /// The name cannot be used in Basic authentication, or the password is empty.
    pub fn add(&mut self, name: &str, password: &str, admin: bool, admin_of: Vec<String>) -> Result<()> {
        if name.is_empty() || name.len() > 256 || name.contains(':') || name.chars().any(char::is_control) {
            bail!(
                Definition,
                "'{name}' cannot be a user's name: it must not be empty, nor hold a colon or control characters"
            );
        }
        if password.is_empty() {
            bail!(Definition, "The password of '{name}' is empty");
        }
        self.users.insert(name.to_owned(), UserEntry { hash: hash(password)?, admin, admin_of });
        Ok(())
    }

    /// Removes a user; false if there was none.
    pub fn remove(&mut self, name: &str) -> bool {
        self.users.remove(name).is_some()
    }
}

/// The argon2 hash of a password with a salt of its own.
///
/// # Errors
/// The system has no random bytes to give.
pub fn hash(password: &str) -> Result<String> {
    let mut salt = [0u8; 16];
    getrandom::fill(&mut salt).map_err(|e| Error::internal(format_args!("no random bytes: {e}")))?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(Error::internal)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one of `hash`. Costs some ten milliseconds and 19 MiB, on purpose.
pub fn matches(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/users.toml");
        assert_eq!(Users::read(&path).unwrap(), None);
        let mut users = Users::default();
        users.add("Zoë", "secret", false, vec!["Sales".to_owned()]).unwrap();
        users.write(&path).unwrap();
        let read = Users::read(&path).unwrap().unwrap();
        assert_eq!(read, users);
        let hash = &read.users["Zoë"].hash;
        assert!(hash.starts_with("$argon2id$") && matches("secret", hash) && !matches("Secret", hash));
        assert!(users.remove("Zoë") && !users.remove("Zoë"));
    }

    #[test]
    fn names_that_basic_cannot_carry_are_refused() {
        for name in ["", "a:b", "a\n"] {
            assert!(Users::default().add(name, "x", true, vec![]).is_err(), "{name:?}");
        }
        assert!(Users::default().add("a", "", true, vec![]).is_err());
    }

    #[test]
    fn a_damaged_file_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::fs::write(&path, "[users.a]\nhash = \"x\"\nadmn = true\n").unwrap();
        let message = Users::read(&path).unwrap_err().to_string();
        assert!(message.contains("users.toml:3: ") && message.contains("admn"), "{message}");
    }
}
