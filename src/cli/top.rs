//! `facetta top`: a live view of what a server runs, with a key to cancel.

use super::cancel::send;
use super::client::Client;
use super::endpoint::Endpoint;
use super::output::to_json;
use anyhow::{Context, Result, bail};
use clap::Args;
use facetta_xmla::Cancel;
use facetta_xmla::client::{AnswerResult, Table};
use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Watch a server live, and cancel with a key.
///
/// Shows the sessions with a running command first, the longest running on top. Type a SPID and Enter to cancel what
/// that session runs, q and Enter to leave.
#[derive(Args)]
pub(super) struct Top {
    /// Seconds between two looks
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    interval: f64,
    /// How many sessions to show
    #[arg(long, default_value_t = 20, value_name = "N")]
    lines: usize,
    /// Look once and print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

const STATEMENT: &str = "SELECT SESSION_SPID, SESSION_USER_NAME, SESSION_CURRENT_DATABASE, SESSION_STATUS, \
                         SESSION_LAST_COMMAND_ELAPSED_TIME_MS, SESSION_CPU_TIME_MS, SESSION_USED_MEMORY, SESSION_LAST_COMMAND \
                         FROM $System.DISCOVER_SESSIONS";

/// What the screen shows of a session, in this order.
const SHOWN: [(&str, &str, usize); 7] = [
    ("SESSION_SPID", "SPID", 8),
    ("SESSION_USER_NAME", "USER", 14),
    ("SESSION_CURRENT_DATABASE", "CATALOG", 14),
    ("SESSION_LAST_COMMAND_ELAPSED_TIME_MS", "MS", 9),
    ("SESSION_CPU_TIME_MS", "CPU MS", 9),
    ("SESSION_USED_MEMORY", "KB", 9),
    ("SESSION_LAST_COMMAND", "COMMAND", 60),
];

impl Top {
    pub(super) fn run(self) -> Result<()> {
        let client = self.endpoint.client(None)?;
        if self.json {
            println!("{:#}", to_json(client.statement(STATEMENT)?));
            return Ok(());
        }
        if !(0.1..=3600.0).contains(&self.interval) {
            bail!("--interval must be from 0.1 to 3600 seconds");
        }
        let typed = std::io::stdin().is_terminal().then(read_lines);
        let mut note = String::from("SPID + Enter cancels, q + Enter leaves");
        write!(std::io::stdout(), "\x1b[2J")?;
        loop {
            let AnswerResult::Table(rows) = client.statement(STATEMENT)? else {
                bail!("the server answered no rowset")
            };
            let screen = render(&rows, self.lines, self.endpoint.url(), &note)?;
            let mut out = std::io::stdout().lock();
            // Home, the lines each cleared to their end, then clear what is below.
            write!(out, "\x1b[H{}\x1b[J", screen.replace('\n', "\x1b[K\n")).and_then(|()| out.flush())?;
            drop(out);
            let pause = Duration::from_secs_f64(self.interval);
            match wait(typed.as_ref(), pause).as_deref().map(str::trim) {
                Some("q" | "quit") => return Ok(()),
                Some("") | None => {}
                Some(text) => note = cancel(&client, text),
            }
        }
    }
}

/// Lines typed at the terminal.
fn read_lines() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What was typed within `pause`; the end of the input means to leave.
fn wait(typed: Option<&Receiver<String>>, pause: Duration) -> Option<String> {
    match typed.map(|lines| lines.recv_timeout(pause)) {
        Some(Ok(line)) => Some(line),
        Some(Err(RecvTimeoutError::Disconnected)) => Some("q".to_string()),
        Some(Err(RecvTimeoutError::Timeout)) => None,
        None => {
            std::thread::sleep(pause);
            None
        }
    }
}

fn cancel(client: &Client, text: &str) -> String {
    let Ok(spid) = text.parse() else { return format!("'{text}' is no SPID") };
    match send(client, Cancel { spid: Some(spid), ..Cancel::default() }) {
        Ok(_) => format!("cancelled what {spid} ran"),
        Err(error) => format!("{error:#}"),
    }
}

/// The screen: running sessions first, then by the time of their command.
fn render(rows: &Table, lines: usize, url: &str, note: &str) -> Result<String> {
    let column =
        |name: &str| rows.columns.iter().position(|c| c == name).with_context(|| format!("the server shows no {name}"));
    let status = column("SESSION_STATUS")?;
    let elapsed = column("SESSION_LAST_COMMAND_ELAPSED_TIME_MS")?;
    let columns = SHOWN.iter().map(|(name, ..)| column(name)).collect::<Result<Vec<_>>>()?;
    let runs = |row: &[Option<String>]| row[status].as_deref() == Some("1");
    let time = |row: &[Option<String>]| row[elapsed].as_deref().and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    let mut order: Vec<&Vec<Option<String>>> = rows.rows.iter().collect();
    order.sort_by_key(|row| (!runs(row), std::cmp::Reverse(time(row))));
    let running = order.iter().filter(|row| runs(row)).count();
    let mut screen = format!("{url}  {} sessions, {running} running\n{note}\n\n  ", rows.rows.len());
    for (_, title, width) in SHOWN {
        screen.push_str(&cut(title, width));
    }
    for row in order.into_iter().take(lines) {
        screen.push_str(if runs(row) { "\n* " } else { "\n  " });
        for (column, (_, _, width)) in columns.iter().zip(SHOWN) {
            screen.push_str(&cut(row[*column].as_deref().unwrap_or(""), width));
        }
    }
    screen.push('\n');
    Ok(screen)
}

/// Exactly `width` characters and a space; nothing in it moves the cursor.
fn cut(text: &str, width: usize) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    format!("{:<width$} ", plain.take(width).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_sessions_come_first_and_texts_cannot_move_the_cursor() {
        let columns: Vec<String> = STATEMENT
            .trim_start_matches("SELECT ")
            .split(" FROM")
            .next()
            .unwrap()
            .split(", ")
            .map(|c| c.trim().to_string())
            .collect();
        let row = |values: [&str; 8]| values.map(|v| Some(v.to_string())).to_vec();
        let rows = Table {
            columns,
            rows: vec![
                row(["1", "ann", "Demo", "0", "900", "1", "2", "idle one"]),
                row(["2", "bob", "Demo", "1", "5", "1", "2", "short"]),
                row(["3", "cid", "Demo", "1", "70", "1", "2", "lo\x1b[2Jng"]),
            ],
            ..Table::default()
        };
        let screen = render(&rows, 20, "URL", "note").unwrap();
        let spids: Vec<&str> = screen.lines().skip(4).map(|l| l[2..4].trim()).collect();
        assert_eq!(spids, ["3", "2", "1"], "{screen}");
        assert!(screen.starts_with("URL  3 sessions, 2 running\n") && !screen.contains('\x1b'));
    }
}
