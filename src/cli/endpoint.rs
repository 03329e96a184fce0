//! Which server a client command talks to, and as whom.

use super::client::Client;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::io::IsTerminal;

/// The server and the user.
#[derive(Args)]
pub(super) struct Endpoint {
    /// Address of the server
    #[arg(long, env = "FACETTA_URL", default_value = "http://127.0.0.1:8080/xmla", value_name = "URL")]
    url: String,
    /// Who asks; the password comes from FACETTA_PASSWORD or a prompt, never from an argument
    #[arg(long, env = "FACETTA_USER", value_name = "NAME")]
    user: Option<String>,
}

impl Endpoint {
    /// A client for it; asks for the password if there is a user and none is in the environment.
    pub(super) fn client(&self, catalog: Option<&str>) -> Result<Client> {
        let user = match &self.user {
            Some(user) => Some((user.as_str(), password(&format!("Password of {user}: "))?)),
            None => None,
        };
        Client::new(&self.url, user, catalog)
    }

    /// The address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// The password in `FACETTA_PASSWORD`, or what is typed after `prompt`.
pub(super) fn password(prompt: &str) -> Result<String> {
    if let Some(password) = std::env::var_os("FACETTA_PASSWORD") {
        return password.into_string().ok().context("FACETTA_PASSWORD is not UTF-8");
    }
    ensure!(std::io::stdin().is_terminal(), "there is no FACETTA_PASSWORD, and no terminal to ask for a password at");
    rpassword::prompt_password(prompt).context("reading the password")
}
