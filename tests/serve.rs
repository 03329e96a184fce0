//! The program as people run it: demo, query, init and serve as processes, asked over HTTP.

#![allow(clippy::unwrap_used)]

#[path = "common/process.rs"]
mod process;

use process::{Server, facetta};
use std::path::Path;
use std::process::{Output, Stdio};

impl Server {
    fn query(&self, words: &[&str]) -> Output {
        facetta().args(["query", "--url", &self.url]).args(words).output().unwrap()
    }

    /// The status and body of a GET.
    fn get(&self, path: &str) -> (u16, String) {
        let base = self.url.strip_suffix("/xmla").unwrap();
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let mut response = agent.get(format!("{base}{path}")).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn demo(folder: &Path) -> Server {
    Server::start(&["demo", "--rows", "5000", "--data-dir", folder.to_str().unwrap()])
}

#[test]
fn the_demo_answers_and_says_how_to_connect() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let (status, body) = server.get("/health");
    assert_eq!((status, body.trim()), (200, "ok"));

    let count = "SELECT {[Measures].[Sales Count]} ON 0 FROM [Retail]";
    let csv = text(&server.query(&["--catalog", "Demo", "--format", "csv", count]));
    assert_eq!(csv.replace("\r\n", "\n"), "Sales Count\n\"5,000\"\n");

    let json = text(&server.query(&["--catalog", "Demo", "--format", "json", count]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["cells"][0]["value"], 5000);

    let years = "SELECT {[Measures].[Sales Count]} ON 0, [Date].[Calendar].[Year].Members ON 1 FROM [Retail]";
    let table = text(&server.query(&["--catalog", "Demo", years]));
    assert!(["2023", "2024", "2025"].iter().all(|year| table.contains(year)), "{table}");

    let xml = text(&server.query(&["--catalog", "Demo", "--format", "xml", count]));
    assert!(xml.contains("<Envelope") || xml.contains(":Envelope"), "{xml}");

    #[cfg(unix)]
    {
        let printed = server.stop();
        for word in ["FROM [Retail]", "Germany", "Excel", "ADOMD.NET", "olap4j", "Python"] {
            assert!(printed.contains(word), "no {word} in:\n{printed}");
        }
    }
}

#[test]
fn errors_are_one_line_and_have_their_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--catalog", "Demo", "SELECT {[Measures].[No Such]} ON 0 FROM [Retail]"], 4, "No Such"),
        (&["--catalog", "Demo", "SELECT {} ON FROM [Retail]"], 4, "Query (1, "),
        (&["--catalog", "Nowhere", "SELECT {} ON 0 FROM [Retail]"], 4, "Nowhere"),
        (&["SELECT * FROM $System.NO_SUCH_ROWSET"], 4, "NO_SUCH_ROWSET"),
        (&["  "], 1, "empty"),
        (&["--url", "http://127.0.0.1:1/xmla", "SELECT"], 2, "--url"),
    ];
    for (words, status, expected) in cases {
        let output = server.query(words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(*status), "{words:?}: {error}");
        assert!(error.contains(expected), "{words:?}: {error}");
        assert!(*status == 2 || error.lines().count() == 1, "{words:?}: {error}");
    }
    let gone = facetta().args(["query", "--url", "http://127.0.0.1:1/xmla", "SELECT"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(3));
    assert_eq!(server.get("/health").0, 200, "the server lives on");
}

#[test]
fn a_wrong_value_is_a_wrong_usage_and_named() {
    let expected = "'abc' is not a whole number of seconds, 0 for no limit";
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("facetta.toml");
    std::fs::write(&config, "\nserver_timeout = 'abc'\n").unwrap();
    let told = |words: &[&str], variable: Option<&str>, status: i32, expected: &str| {
        let mut command = facetta();
        command.args(words).envs(variable.map(|name| (name, "abc")));
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((error.trim_end(), output.status.code()), (expected, Some(status)), "{words:?}");
    };
    let flag = "--max-idle-session-timeout";
    told(&["serve", flag, "abc"], None, 2, &format!("error: {flag}: {expected}"));
    told(&["serve"], Some("FACETTA_SERVER_TIMEOUT"), 2, &format!("error: FACETTA_SERVER_TIMEOUT: {expected}"));
    let file = config.to_str().unwrap();
    told(&["serve", "--config", file], None, 1, &format!("error: {file}:2: server_timeout: {expected}"));
    told(&["demo", "--rows", "0"], None, 2, "error: --rows must be from 1 to 1000000000");
    told(&["top", "--interval", "0"], None, 2, "error: --interval must be from 0.1 to 3600 seconds");
    let unfit = facetta().args(["serve", "--log", "a=b=c"]).output().unwrap();
    assert_eq!(unfit.status.code(), Some(2), "{}", String::from_utf8_lossy(&unfit.stderr));
}

#[test]
fn administrators_see_and_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    for command in ["sessions", "connections", "commands"] {
        let json = text(&facetta().args([command, "--json", "--url", &server.url]).output().unwrap());
        let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{command}: {json}");
    }
    let unknown = facetta().args(["cancel", "999999", "--url", &server.url]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(4), "{}", String::from_utf8_lossy(&unknown.stderr));
}

#[test]
fn users_log_in_once_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.toml");
    let user = |words: &[&str]| {
        let mut command = facetta();
        command.arg("user").args(words).args(["--users-file", users.to_str().unwrap()]);
        text(&command.env("FACETTA_PASSWORD", "a secret").output().unwrap())
    };
    assert!(user(&["add", "ann", "--admin"]).starts_with("added ann"));
    assert!(user(&["add", "bob", "--admin-of", "Demo"]).starts_with("added bob"));
    assert!(user(&["list", "--json"]).contains("\"ADMINISTERS\": \"Demo\""));
    assert!(!std::fs::read_to_string(&users).unwrap().contains("a secret"));

    let state = folder.path().join("state");
    let demo = ["demo", "--rows", "100", "--data-dir", state.to_str().unwrap()];
    // The demo is for everyone on this machine; a server is for its users.
    let made = Server::start(&demo);
    drop(made);
    let source = state.join("demo/sales-100");
    let catalog = format!("Demo={},{}", source.join("demo.yaml").display(), source.join("data").display());
    let data = folder.path().join("other");
    let (users, data) = (users.to_str().unwrap(), data.to_str().unwrap());
    let server = Server::start(&["serve", "--catalog", &catalog, "--users-file", users, "--data-dir", data]);
    let ask = |user: &[&str], password: &str| {
        let mut command = facetta();
        command.args(["query", "--url", &server.url, "SELECT {[Measures].[Sales Count]} ON 0 FROM [Retail]"]);
        command.args(user).env("FACETTA_PASSWORD", password).output().unwrap()
    };
    assert_eq!(ask(&[], "").status.code(), Some(5), "nobody");
    assert_eq!(ask(&["--user", "ann"], "another").status.code(), Some(5), "a wrong password");
    assert!(text(&ask(&["--user", "ann"], "a secret")).contains("100"));
    let unasked =
        facetta().args(["query", "--url", &server.url, "--user", "ann", "SELECT"]).stdin(Stdio::null()).output();
    assert_eq!(unasked.unwrap().status.code(), Some(1), "no password and no terminal to ask at");
}

#[test]
fn a_broken_users_file_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.toml");
    let mut add = facetta();
    add.args(["user", "add", "ann", "--admin", "--users-file", users.to_str().unwrap()]);
    text(&add.env("FACETTA_PASSWORD", "secret").output().unwrap());
    let whole = std::fs::read_to_string(&users).unwrap();
    drop(demo(&folder.path().join("state")));
    let source = folder.path().join("state/demo/sales-5000");
    let catalog = format!("Demo={},{}", source.join("demo.yaml").display(), source.join("data").display());
    let data = folder.path().join("other");
    let words = ["serve", "--catalog", &catalog, "--users-file", users.to_str().unwrap(), "--data-dir"];
    let words = [&words[..], &[data.to_str().unwrap()]].concat();
    let server = Server::start(&words);
    let ask = || {
        let mut command = facetta();
        command.args(["query", "--url", &server.url, "--user", "ann", "SELECT * FROM $System.DISCOVER_INSTANCES"]);
        text(&command.env("FACETTA_PASSWORD", "secret").output().unwrap());
    };
    let told = |line: usize| {
        let place = format!("users.toml:{line}: ");
        server.log().lines().filter(|l| l.contains(&place) && l.contains("stays in force")).count()
    };
    ask();
    std::fs::write(&users, format!("{whole}admn = true\n")).unwrap();
    let line = whole.lines().count() + 1;
    // The file is looked at some times in a second, and only where somebody calls.
    let ask_until_told = |line: usize| {
        for _ in 0..200 {
            ask();
            if told(line) > 0 {
                return;
            }
        }
    };
    ask_until_told(line);
    ask();
    assert_eq!(told(line), 1, "{}", server.log());
    std::fs::write(&users, format!("\n{whole}admn = true\n")).unwrap();
    ask_until_told(line + 1);
    assert_eq!((told(line), told(line + 1)), (1, 1), "{}", server.log());
    drop(server);

    let refused = facetta().args(&words).output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains(&format!("users.toml:{}: ", line + 1)) && refused.stdout.is_empty(), "{error}");
}

#[test]
fn an_acknowledged_commit_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let update = "UPDATE CUBE [Retail] SET ([Measures].[Quantity], [Date].[Calendar].[Year].&[2024]) = 123456";
    text(&server.query(&["--catalog", "Demo", update]));
    drop(server);
    let server = demo(folder.path());
    let quantity = "SELECT {[Measures].[Quantity]} ON 0 FROM [Retail] WHERE [Date].[Calendar].[Year].&[2024]";
    let csv = text(&server.query(&["--catalog", "Demo", "--format", "csv", quantity]));
    assert_eq!(csv.replace("\r\n", "\n"), "Quantity\n\"123,456\"\n");
}

#[test]
fn a_folder_becomes_a_catalog_by_init() {
    let folder = tempfile::tempdir().unwrap();
    drop(demo(&folder.path().join("state")));
    let made = folder.path().join("state/demo/sales-5000/data");
    let shop = folder.path().join("shop");
    std::fs::create_dir(&shop).unwrap();
    for entry in std::fs::read_dir(made).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, shop.join(path.file_name().unwrap())).unwrap();
    }
    let shop = shop.to_str().unwrap();
    let said = text(&facetta().args(["init", shop]).output().unwrap());
    assert!(said.contains("facetta serve --catalog"), "{said}");
    let again = facetta().args(["init", shop]).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "a schema that is there is not replaced");

    let state = folder.path().join("other");
    let catalog = format!("Shop={shop}/facetta.yaml,{shop}");
    let server = Server::start(&["serve", "--catalog", &catalog, "--data-dir", state.to_str().unwrap()]);
    let cubes = text(&server.query(&["--format", "csv", "SELECT CUBE_NAME FROM $System.MDSCHEMA_CUBES"]));
    assert!(cubes.lines().count() > 1, "{cubes}");
}

#[test]
fn a_wrong_catalog_is_an_error_before_the_port_opens() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("bad.yaml");
    std::fs::write(&schema, "catalogue: x\n").unwrap();
    let catalog = format!("Bad={},{}", schema.display(), folder.path().display());
    let data = folder.path().join("state");
    let serve = |catalog: &str, listen: &str| {
        facetta()
            .args(["serve", "--catalog", catalog, "--listen", listen, "--data-dir", data.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let bad = serve(&catalog, "127.0.0.1:0");
    let error = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert_eq!(bad.status.code(), Some(1));
    assert!(error.contains("bad.yaml") && error.contains("catalogue"), "{error}");
    assert!(bad.stdout.is_empty(), "it must not say that it listens");

    let exposed = serve(&catalog, "0.0.0.0:0");
    assert_eq!(exposed.status.code(), Some(1));
}
