//! `facetta top`: a live view of what a server runs, with a key to cancel.

use super::Usage;
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
        if !(0.1..=3600.0).contains(&self.interval) {
            return Err(Usage::of("--interval must be from 0.1 to 3600 seconds"));
        }
        let client = self.endpoint.client(None)?;
        if self.json {
            let mut rows = look(&client)?;
            sort(&mut rows)?;
            println!("{:#}", to_json(AnswerResult::Table(rows)));
            return Ok(());
        }
        let typed = std::io::stdin().is_terminal().then(read_lines);
        let mut note = String::from("SPID + Enter cancels, q + Enter leaves");
        write!(std::io::stdout(), "\x1b[2J")?;
        loop {
            let screen = render(look(&client)?, self.lines, self.endpoint.url(), &note)?;
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

/// The sessions as the server shows them.
fn look(client: &Client) -> Result<Table> {
    match client.statement(STATEMENT)? {
        AnswerResult::Table(rows) => Ok(rows),
        _ => bail!("the server answered no rowset"),
    }
}

fn column(rows: &Table, name: &str) -> Result<usize> {
    rows.columns.iter().position(|c| c == name).with_context(|| format!("the server shows no {name}"))
}

/// Whether a command runs in the session of a row, whose status is in this column.
fn runs(row: &[Option<String>], status: usize) -> bool {
    row[status].as_deref() == Some("1")
}

/// Running sessions first, then by the time of their command. How many run.
fn sort(rows: &mut Table) -> Result<usize> {
    let status = column(rows, "SESSION_STATUS")?;
    let elapsed = column(rows, "SESSION_LAST_COMMAND_ELAPSED_TIME_MS")?;
    let time = |row: &[Option<String>]| row[elapsed].as_deref().and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    rows.rows.sort_by_key(|row| (!runs(row, status), std::cmp::Reverse(time(row))));
    Ok(rows.rows.iter().filter(|row| runs(row, status)).count())
}

/// The screen.
fn render(mut rows: Table, lines: usize, url: &str, note: &str) -> Result<String> {
    let running = sort(&mut rows)?;
    let status = column(&rows, "SESSION_STATUS")?;
    let columns = SHOWN.iter().map(|(name, ..)| column(&rows, name)).collect::<Result<Vec<_>>>()?;
    let mut screen = format!("{url}  {} sessions, {running} running\n{note}\n\n  ", rows.rows.len());
    for (_, title, width) in SHOWN {
        screen.push_str(&cut(title, width));
    }
    for row in rows.rows.iter().take(lines) {
        screen.push_str(if runs(row, status) { "\n* " } else { "\n  " });
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
        let mut sorted = rows.clone();
        assert_eq!(sort(&mut sorted).unwrap(), 2);
        let spids: Vec<&str> = sorted.rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
        assert_eq!(spids, ["3", "2", "1"], "as --json shows them");
        let screen = render(rows, 20, "URL", "note").unwrap();
        let spids: Vec<&str> = screen.lines().skip(4).map(|l| l[2..4].trim()).collect();
        assert_eq!(spids, ["3", "2", "1"], "{screen}");
        assert!(screen.starts_with("URL  3 sessions, 2 running\n") && !screen.contains('\x1b'));
    }
}
