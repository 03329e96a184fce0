//! Golden scripts: several clients speak raw XMLA over HTTP with a real server, and every answer is in the script.
//!
//! A script is a file under `golden/<area>/`; the language is that of the `goldenscript` crate. `UPDATE_GOLDENFILES=1` writes
//! the answers anew: they are then to be read against the specification, line by line. `FACETTA_GOLDEN=part` runs only the
//! scripts whose path holds `part`.
//!
//! A line whose answer is a fault, an exception or no success of HTTP has a `!`; any other that fails ends the script.
//!
//! The clock stands at 2024-01-01T00:00:00 until `advance` turns it. Before a colon stands the client: each has a socket, and
//! after `begin` a session. `{id.a}`, `{spid.a}`, `{connection.a}` are what the server calls them.
//!
//! | line | what it does |
//! |---|---|
//! | `server KEY=VALUE …` | sets keys of the configuration, before anything else |
//! | `shop` | serves the catalog Shop too (see `common/catalogs.rs`), before anything else |
//! | `schema OLD NEW` | replaces a text in the schema of the shop, for the next `restart` |
//! | `user NAME PASSWORD [admin=true] [of=CATALOG]`, `remove-user NAME` | changes the users' file |
//! | `advance SECONDS`, `restart`, `log PART` | turns the clock; stops and starts the server; lines of its log that hold PART, since the same was asked |
//! | `a: begin`, `a: end` | the empty Statement with BeginSession, with EndSession |
//! | `a:> TEXT`, `a: statement TEXT` | a Statement |
//! | `a: discover ROWSET [RESTRICTION=VALUE …] [show=COLUMNS]` | a Discover; `one\|two` are several values |
//! | `a: cancel [connection=] [session=] [spid=] [associated=]` | a Cancel with these children |
//! | `a: command XML`, `a: body XML`, `a: raw XML` | the child of Command; of the SOAP body; the whole message |
//! | `a: headers BLOCKS [BODY]` | these header blocks with the empty Statement, or with a body |
//! | `a: http METHOD PATH [BODY] [Header=value …]` | any request |
//! | `a: properties [NAME=VALUE …]`, `a: http-headers [NAME=VALUE …]` | what goes with all requests from here on |
//! | `a: login NAME PASSWORD`, `a: logout` | credentials from here on |
//! | `a: forget` | the client has no session any more |
//! | `a: answer`, `a: until STAGE` | the answer of a request sent with `[later]`; waits until its command is at a stage (`Streams`: bytes of its answer are written; `Computes`: it has used some milliseconds of processor time) |
//! | `a: pipeline TEXT` | sends a Statement behind the request that is not answered yet, on the same socket |
//! | `a: socket open`, `a: socket closed`, `a: hang-up` | looks at the socket; closes it, in the middle of an answer too |
//!
//! Tags: `[later]` sends only; `[begin]`, `[end]`, `[implicit]`, `[of.b]` choose the session header; `[xml]`, `[count]` and
//! `[http]` show the body as it is, the number of rows, the headers of HTTP too.

// A script that cannot be read is a failed test.
#![allow(clippy::unwrap_used)]

mod common;

use common::envelope;
use common::http::Request;
use common::log::Log;
use common::show::{Failure, Form};
use common::world::{Header, Result, World};
use facetta_engine::Answers;
use goldenscript::{Argument, Command, Context, Runner};
use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs a script.
struct Player {
    world: World,
    log: Log,
    /// What went wrong that no answer says: no `!` expects it.
    broken: Vec<String>,
}

/// The arguments of a line, taken one by one; what is left is an error.
struct Arguments {
    positions: Vec<String>,
    keys: Vec<(String, String)>,
}

impl Arguments {
    fn of(command: &Command, world: &World) -> Result<Arguments> {
        let mut arguments = Arguments { positions: Vec::new(), keys: Vec::new() };
        for argument in &command.args {
            match argument {
                Argument::Positional(value) => arguments.positions.push(world.names.fill(value)?),
                Argument::KeyValue(key, value) => arguments.keys.push((key.clone(), world.names.fill(value)?)),
                other => return Err(format!("unknown argument {other}").into()),
            }
        }
        arguments.positions.reverse();
        Ok(arguments)
    }

    fn next(&mut self) -> Option<String> {
        self.positions.pop()
    }

    fn need(&mut self, what: &str) -> Result<String> {
        self.next().ok_or_else(|| format!("{what} is missing").into())
    }

    fn key(&mut self, name: &str) -> Option<String> {
        let at = self.keys.iter().position(|(key, _)| key == name)?;
        Some(self.keys.remove(at).1)
    }

    fn keys(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.keys)
    }

    fn end(&self) -> Result<()> {
        match (self.positions.last(), self.keys.first()) {
            (None, None) => Ok(()),
            (Some(value), _) => Err(format!("'{value}' is too much").into()),
            (_, Some((key, _))) => Err(format!("'{key}=' means nothing here").into()),
        }
    }
}

fn header(tags: &BTreeSet<String>) -> Header {
    let of = tags.iter().find_map(|t| t.strip_prefix("of."));
    match of {
        Some(other) => Header::Of(other.to_owned()),
        None if tags.contains("begin") => Header::Begin,
        None if tags.contains("end") => Header::End,
        None if tags.contains("implicit") => Header::Implicit,
        None => Header::Usual,
    }
}

const TAGS: [&str; 7] = ["later", "begin", "end", "implicit", "xml", "count", "http"];

impl Player {
    fn new(answers: Answers) -> Result<Player> {
        Ok(Player { log: Log::begin(), world: World::answering(answers)?, broken: Vec::new() })
    }

    fn of_world(&mut self, command: &Command) -> Result<String> {
        let mut arguments = Arguments::of(command, &self.world)?;
        let mut shown = String::new();
        match command.name.as_str() {
            "server" => {
                for (key, value) in arguments.keys() {
                    self.world.set(&key, &value)?;
                }
            }
            "shop" => self.world.open_shop()?,
            "schema" => self.world.edit_shop(&arguments.need("a text")?, &arguments.need("another text")?)?,
            "user" => {
                let (name, password) = (arguments.need("a name")?, arguments.need("a password")?);
                let admin = arguments.key("admin").is_some_and(|v| v == "true");
                self.world.add_user(&name, &password, admin, arguments.key("of").as_deref())?;
            }
            "remove-user" => self.world.remove_user(&arguments.need("a name")?)?,
            "advance" => {
                let seconds: f64 = arguments.need("a number of seconds")?.parse()?;
                self.world.advance(Duration::from_secs_f64(seconds))?;
            }
            "restart" => self.world.restart()?,
            "log" => {
                let part = arguments.need("a part of the lines")?;
                let lines = self.log.take(&part);
                shown = lines.iter().map(|line| self.world.names.hide(line) + "\n").collect();
                if lines.is_empty() {
                    shown.push_str("no lines\n");
                }
            }
            other => return Err(format!("unknown line '{other}'").into()),
        }
        arguments.end()?;
        Ok(shown)
    }

    fn of_client(&mut self, client: &str, command: &Command, tags: &BTreeSet<String>) -> Result<String> {
        if let Some(odd) = tags.iter().find(|t| !TAGS.contains(&t.as_str()) && !t.starts_with("of.")) {
            return Err(format!("unknown tag '{odd}'").into());
        }
        let mut arguments = Arguments::of(command, &self.world)?;
        let mut form = Form {
            xml: tags.contains("xml"),
            count: tags.contains("count"),
            headers: tags.contains("http"),
            columns: Vec::new(),
        };
        if let Some(shown) = self.of_socket(client, command, &mut arguments, &form)? {
            arguments.end()?;
            return Ok(shown);
        }
        let properties = self.world.properties(client);
        let mut header = header(tags);
        let literal =
            command.args.is_empty() && command.name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let body = match command.name.as_str() {
            _ if literal => envelope::statement(&self.world.names.fill(&command.name)?, &properties),
            "begin" => {
                header = Header::Begin;
                envelope::statement("", &properties)
            }
            "end" => {
                header = Header::End;
                envelope::statement("", &properties)
            }
            "statement" => envelope::statement(&arguments.need("a text")?, &properties),
            "discover" => {
                let rowset = arguments.need("a rowset")?;
                let columns = arguments.key("show").unwrap_or_default();
                form.columns = columns.split_whitespace().map(str::to_owned).collect();
                envelope::discover(&rowset, &arguments.keys(), &properties)
            }
            "cancel" => {
                let [connection, session, spid, associated] =
                    ["connection", "session", "spid", "associated"].map(|key| arguments.key(key));
                let (session, associated) = (session.as_deref(), associated.as_deref());
                envelope::execute(
                    &envelope::cancel(connection.as_deref(), session, spid.as_deref(), associated),
                    &properties,
                )
            }
            "command" => envelope::execute(&arguments.need("XML")?, &properties),
            "body" => arguments.need("XML")?,
            "headers" => {
                header = Header::Literal(arguments.need("header blocks")?);
                arguments.next().unwrap_or_else(|| envelope::statement("", &properties))
            }
            other => return Err(format!("unknown line '{other}'").into()),
        };
        arguments.end()?;
        self.world.send(client, &header, &body)?;
        self.answer(client, tags, &form)
    }

    fn answer(&mut self, client: &str, tags: &BTreeSet<String>, form: &Form) -> Result<String> {
        if tags.contains("later") {
            self.world.wait_sent(client)?;
            return Ok("sent".to_owned());
        }
        let shown = self.world.shown_answer(client, form);
        self.world.settle()?;
        shown
    }

    /// Lines that are no request of XMLA, or one written out whole.
    fn of_socket(
        &mut self,
        client: &str,
        command: &Command,
        arguments: &mut Arguments,
        form: &Form,
    ) -> Result<Option<String>> {
        let world = &mut self.world;
        let mut shown = String::new();
        match command.name.as_str() {
            "raw" => {
                let message = arguments.need("a message")?;
                world.send_bytes(client, message.into_bytes(), true)?;
                shown = world.shown_answer(client, form)?;
                world.settle()?;
            }
            "http" => {
                let (method, path) = (arguments.need("a method")?, arguments.need("a path")?);
                let body = arguments.next().unwrap_or_default().into_bytes();
                let headers = arguments.keys();
                world.send_request(client, Request { method, path, headers, body }, false)?;
                shown = world.shown_answer(client, &Form { xml: true, headers: true, ..Form::default() })?;
                world.settle()?;
            }
            "properties" => {
                let properties = arguments.keys();
                world.set_properties(client, properties);
            }
            "http-headers" => {
                let headers = arguments.keys();
                world.set_headers(client, headers);
            }
            "login" => {
                let (name, password) = (arguments.need("a name")?, arguments.need("a password")?);
                world.login(client, &name, &password);
            }
            "logout" => world.logout(client),
            "forget" => world.forget(client),
            "answer" => {
                let columns = arguments.key("show").unwrap_or_default();
                let columns = columns.split_whitespace().map(str::to_owned).collect();
                shown = world.shown_answer(client, &Form { columns, ..form.clone() })?;
                world.settle()?;
            }
            "until" => {
                let stage = arguments.need("a stage")?;
                world.wait_stage(client, &stage)?;
            }
            "pipeline" => {
                let body = envelope::statement(&arguments.need("a statement")?, &[]);
                world.pipeline(client, &body)?;
                shown = "sent".to_owned();
            }
            "socket" => {
                let expected = arguments.need("open or closed")? == "closed";
                let closed = world.socket_is_closed(client, expected)?;
                shown = if closed { "closed" } else { "open" }.to_owned();
            }
            "hang-up" => {
                world.hang_up(client)?;
                world.settle()?;
            }
            _ => return Ok(None),
        }
        Ok(Some(shown))
    }
}

impl Runner for Player {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
        let done = match &context.prefix {
            Some(client) => self.of_client(client, command, &context.tags),
            None => self.of_world(command),
        };
        if let Some(error) = done.as_ref().err().filter(|e| !e.is::<Failure>()) {
            self.broken.push(format!("{command}: {error}"));
        }
        done
    }

    fn end_script(&mut self) -> Result<(), Box<dyn Error>> {
        self.world.end()?;
        let defects = [std::mem::take(&mut self.broken), self.log.defects()].concat();
        if defects.is_empty() { Ok(()) } else { Err(defects.join("\n").into()) }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Runs every script of an area, and tells of all that went wrong.
fn play(area: &str, answers: Answers) {
    let only = std::env::var("FACETTA_GOLDEN").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder().join(area)).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{area} has no scripts");
    let mut wrong = Vec::new();
    for path in paths.iter().filter(|p| p.display().to_string().contains(&only)) {
        // Who waits for a slow script sees which one it is.
        println!("{}", path.display());
        let play = || {
            let mut player = Player::new(answers).map_err(|e| std::io::Error::other(e.to_string()))?;
            goldenscript::run(&mut player, path)
        };
        match std::panic::catch_unwind(play) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => wrong.push(format!("{}: {error}", path.display())),
            Err(_) => wrong.push(format!("{}: differs, see above", path.display())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two tests for each area: by the column store, and row by row. The answers are the same to the byte.
macro_rules! areas {
    ($($area:ident)+) => {
        const AREAS: &[&str] = &[$(stringify!($area)),+];
        $(#[test] fn $area() { play(stringify!($area), Answers::ByColumn); })+

        mod row_by_row {
            use super::{Answers, play};
            $(#[test] fn $area() { play(stringify!($area), Answers::RowByRow); })+
        }
    };
}

areas! { sessions cancel transactions connections dmv restrictions wire users source }

#[test]
fn every_area_is_played() {
    let mut folders: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut areas = AREAS.to_vec();
    areas.sort_unstable();
    assert_eq!(folders, areas);
}
