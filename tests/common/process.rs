//! The program as a process: started on a free port, asked, killed.

// Each test binary uses its own part.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program, untouched by the settings of who runs the tests.
pub fn facetta() -> Command {
    untouched(Command::new(env!("CARGO_BIN_EXE_facetta")))
}

fn untouched(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FACETTA_")) {
        command.env_remove(name);
    }
    command.env("FACETTA_LOG", "warn");
    command
}

/// A server process; dropped, it is killed.
pub struct Server {
    pub child: Child,
    /// Its XMLA address.
    pub url: String,
    log: tempfile::TempPath,
    /// All that it printed before and after the address, once it has ended.
    printed: Option<std::thread::JoinHandle<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server on a free port and waits until it says where it listens.
    pub fn start(words: &[&str]) -> Server {
        Server::start_as(facetta(), words)
    }

    /// The same, run by a shell after other lines.
    #[cfg(unix)]
    pub fn start_after(lines: &str, words: &[&str]) -> Server {
        let mut command = untouched(Command::new("sh"));
        command.arg("-c").arg(format!("{lines}\nexec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_facetta"));
        Server::start_as(command, words)
    }

    fn start_as(mut command: Command, words: &[&str]) -> Server {
        let log = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut child = command
            .args(words)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let printed = std::thread::spawn(move || {
            let mut text = String::new();
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    let _ = sender.send(url.to_string());
                }
                text.push_str(&line);
                text.push('\n');
            }
            text
        });
        let mut server = Server { child, url: String::new(), log, printed: Some(printed) };
        match receiver.recv_timeout(Duration::from_secs(120)) {
            Ok(url) => server.url = url,
            Err(_) => {
                let _ = server.child.kill();
                panic!("facetta {words:?} did not start: {}", server.log());
            }
        }
        server
    }

    /// The answer to a statement, with this header block.
    pub fn execute(&self, header: &str, statement: &str) -> String {
        let text = statement.replace('&', "&amp;").replace('<', "&lt;");
        let envelope = format!(
            "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Header>{header}</Header><Body>\
             <Execute xmlns='urn:schemas-microsoft-com:xml-analysis'><Command><Statement>{text}</Statement></Command>\
             <Properties><PropertyList><Format>Tabular</Format></PropertyList></Properties></Execute></Body></Envelope>"
        );
        let mut response = ureq::post(&self.url).header("Content-Type", "text/xml").send(envelope).unwrap();
        response.body_mut().read_to_string().unwrap()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Stops it as an operator would, and answers what it printed.
    #[cfg(unix)]
    pub fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.printed.take().unwrap().join().unwrap()
    }
}
