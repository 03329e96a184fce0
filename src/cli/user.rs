//! `facetta user`: who may call a server.

use super::endpoint::password;
use super::output::{Format, Table};
use super::server_flags::ServerFlags;
use super::{folder, output};
use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use facetta_server::auth::users::Users;
use std::path::PathBuf;

/// Add, remove or list the users who may call a server.
///
/// Without users only this machine can call, and everybody is the administrator. With the first user everybody has to
/// log in. A running server reads the file again when it has changed.
#[derive(Args)]
pub(super) struct User {
    /// The file of users (default: users.toml in the data folder)
    #[arg(long, global = true, env = "FACETTA_USERS_FILE", value_name = "FILE")]
    users_file: Option<PathBuf>,
    /// The server's data folder (default: the platform's folder for data of programs)
    #[arg(long, global = true, env = "FACETTA_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a user, or give one a new password and rights; the password comes from FACETTA_PASSWORD or a prompt
    Add {
        /// Name of the user
        name: String,
        /// May do everything, and sees every session
        #[arg(long)]
        admin: bool,
        /// Administers this catalog; may be given again
        #[arg(long, value_name = "CATALOG")]
        admin_of: Vec<String>,
    },
    /// Remove a user
    Remove {
        /// Name of the user
        name: String,
    },
    /// List the users and what each administers
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

impl User {
    pub(super) fn run(self) -> Result<()> {
        let path = match (self.users_file, self.data_dir) {
            (Some(file), _) => file,
            (None, Some(folder)) => folder.join("users.toml"),
            (None, None) => ServerFlags::default()
                .settings()?
                .users_path()
                .map_or_else(|| folder::data().map(|folder| folder.join("users.toml")), Ok)?,
        };
        let mut users = Users::read(&path)?.unwrap_or_default();
        match self.action {
            Action::Add { name, admin, admin_of } => {
                let known = users.users.contains_key(&name);
                users.add(&name, &new_password(&name)?, admin, admin_of)?;
                users.write(&path)?;
                println!("{} {name} in {}", if known { "changed" } else { "added" }, path.display());
            }
            Action::Remove { name } => {
                ensure!(users.users.remove(&name).is_some(), "there is no user '{name}' in {}", path.display());
                users.write(&path)?;
                println!("removed {name} from {}", path.display());
            }
            Action::List { json } => {
                let rows = users.users.iter().map(|(name, user)| {
                    let rights = if user.admin { "the server".to_string() } else { user.admin_of.join(", ") };
                    vec![Some(name.clone()), Some(rights)]
                });
                let table = Table::new(&["USER", "ADMINISTERS"], rows.collect());
                let format = if json { Format::Json } else { Format::Table };
                output::print(&table, format)?;
            }
        }
        Ok(())
    }
}

/// A password, typed twice if it is typed.
fn new_password(name: &str) -> Result<String> {
    let first = password(&format!("New password of {name}: "))?;
    if std::env::var_os("FACETTA_PASSWORD").is_none() {
        let second = rpassword::prompt_password("Once more: ").context("reading the password")?;
        ensure!(first == second, "the two passwords differ");
    }
    Ok(first)
}
