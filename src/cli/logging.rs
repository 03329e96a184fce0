//! The log: lines on standard error, for people or as JSON.

use super::Usage;
use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Args)]
pub(super) struct LogFlags {
    /// What the log holds: error, warn, info, debug or trace, also by module; info for `facetta serve`, else warn
    #[arg(long, global = true, env = "FACETTA_LOG", value_name = "FILTER", help_heading = "Log")]
    log: Option<String>,
    /// How a line of the log looks
    #[arg(long, global = true, env = "FACETTA_LOG_FORMAT", default_value = "text", help_heading = "Log")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Sends the log to standard error; standard output belongs to answers.
pub(super) fn init(flags: &LogFlags, default: &str) -> Result<()> {
    let filter = flags.log.as_deref().unwrap_or(default);
    let filter =
        EnvFilter::try_new(filter).map_err(|e| Usage::of(format_args!("--log '{filter}' is no filter: {e}")))?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour);
    // A line that cannot be written, as on a full disk, is lost: to say so where it failed would panic, and end a command.
    let log = log.log_internal_errors(false);
    let done = match flags.log_format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    done.map_err(|e| anyhow!("the log cannot be started: {e}"))
}
