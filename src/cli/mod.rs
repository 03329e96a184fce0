//! The command line: a file a subcommand, one exit for errors.

mod cancel;
mod client;
mod commands;
mod compat;
mod connections;
mod demo;
mod endpoint;
mod folder;
mod init;
mod logging;
mod output;
mod query;
mod serve;
mod server_flags;
mod sessions;
mod top;
mod user;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// An open OLAP server: XML for Analysis and MDX over cubes made of Parquet and CSV files.
#[derive(Parser)]
#[command(name = "facetta", version, arg_required_else_help = true, max_term_width = 100, after_help = AFTER)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: logging::LogFlags,
}

const AFTER: &str = "\
Try it:        facetta demo
Your own data: facetta init FOLDER, then facetta serve --catalog Name=FOLDER/facetta.yaml,FOLDER

Exit status:   0 done, 1 failed, 2 wrong usage, 3 the server cannot be reached,
               4 the server answered with an error, 5 the server asks for a user and password";

/// Each is described where it is.
#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Query(query::Query),
    Init(init::Init),
    Sessions(sessions::Sessions),
    Connections(connections::Connections),
    Commands(commands::Commands),
    Cancel(cancel::Cancel),
    Top(top::Top),
    User(user::User),
    /// Print COMPAT.md: every rowset, property, command and function with its state
    #[command(hide = true)]
    Compat,
}

/// Parses the arguments, does what they say, and tells how it went.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    // A server's log is what it is for; elsewhere it would stand between the lines of the answer.
    let log = if matches!(cli.command, Command::Serve(_)) { "info" } else { "warn" };
    let done = logging::init(&cli.log, log).and_then(|()| match cli.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Query(query) => query.run(),
        Command::Init(init) => init.run(),
        Command::Sessions(sessions) => sessions.run(),
        Command::Connections(connections) => connections.run(),
        Command::Commands(commands) => commands.run(),
        Command::Cancel(cancel) => cancel.run(),
        Command::Top(top) => top.run(),
        Command::User(user) => user.run(),
        Command::Compat => compat::run(),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = error.chain().map(|cause| cause.to_string().replace('\n', " ")).collect();
            // There is nobody left to tell if this fails.
            let _ = writeln!(std::io::stderr(), "error: {}", causes.join(": "));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// As documented in `facetta --help`.
fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<client::Trouble>() {
        Some(trouble) => trouble.exit_code(),
        None if error.is::<Usage>() => 2,
        None => 1,
    }
}

/// A wrong value of a flag, or of the variable that stands for it, which is known only after all are read.
#[derive(Debug)]
struct Usage(String);

impl Usage {
    fn of(what: impl std::fmt::Display) -> anyhow::Error {
        Usage(what.to_string()).into()
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The reader of our output has seen enough (`facetta query … | head`).
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    error.chain().any(|cause| kind(cause) == Some(std::io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_says_what_it_is_for() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn no_option_takes_a_password() {
        for command in Cli::command().get_subcommands() {
            for argument in command.get_arguments() {
                assert!(!argument.get_id().as_str().contains("password"), "{}", command.get_name());
            }
        }
    }
}
