//! The server's settings as flags, made from the server's own table of keys: file, environment and flags say the same.

use super::Usage;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use facetta_server::Settings;
use facetta_server::config::KEYS;
use std::path::PathBuf;

/// What was given on the command line, as pairs of key and value, and the configuration file.
#[derive(Debug, Default)]
pub(super) struct ServerFlags {
    config: Option<PathBuf>,
    pairs: Vec<(String, String)>,
}

impl ServerFlags {
    /// The settings: the file, then the environment, then flags. A wrong value of the last two is a wrong usage.
    pub(super) fn settings(self) -> anyhow::Result<Settings> {
        // A variable that is not text cannot be one of ours.
        let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let mut settings = Settings::of_file(self.config.as_deref())?;
        settings.add_environment(environment).map_err(Usage::of)?;
        settings.add_flags(self.pairs).map_err(Usage::of)?;
        Ok(settings)
    }
}

fn is_switch(expects: &str) -> bool {
    expects == "true or false"
}

impl Args for ServerFlags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE.toml")
            .env("FACETTA_CONFIG")
            .value_parser(clap::value_parser!(PathBuf))
            .help("A configuration file with the same keys as these flags");
        KEYS.iter().fold(command.arg(config), |command, key| {
            let arg = Arg::new(key.name).long(key.flag()).help(format!("{} Expects {}", key.doc, key.expects));
            command.arg(if is_switch(key.expects) {
                // A bare flag says yes.
                arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
            } else if key.name == "catalog" {
                arg.action(ArgAction::Append).value_name("NAME=SCHEMA,SOURCE")
            } else {
                arg.value_name("VALUE")
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServerFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = ServerFlags { config: matches.get_one::<PathBuf>("config").cloned(), pairs: Vec::new() };
        for key in KEYS {
            let given = matches.value_source(key.name) == Some(ValueSource::CommandLine);
            let values = matches.get_many::<String>(key.name).into_iter().flatten().filter(|_| given);
            flags.pairs.extend(values.map(|value| (key.name.to_string(), value.clone())));
        }
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> ServerFlags {
        let command = ServerFlags::augment_args(Command::new("x"));
        let matches = command.try_get_matches_from([&["x"], words].concat()).unwrap();
        ServerFlags::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn flags_reach_the_settings() {
        let flags = parse(&[
            "--listen",
            "127.0.0.1:7",
            "--catalog",
            "A=a,b",
            "--catalog",
            "B=c,d",
            "--insecure",
            "--server-timeout=9",
        ]);
        let settings = Settings::load(None, [], flags.pairs).unwrap();
        assert_eq!(settings.listen.port(), 7);
        assert_eq!(settings.catalogs.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert!(settings.insecure);
        assert_eq!(settings.timeouts.server.unwrap().as_secs(), 9);
    }
}
