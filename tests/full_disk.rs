//! A disk that takes no more: faults that say so, nothing lost, a server that goes on, and all as before once there is room.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "common/process.rs"]
mod process;

use process::Server;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const SCHEMA: &str = "
catalog: Shop
dimensions:
  Town: {table: sales, key: town, hierarchies: {Town: {levels: {Town: town}}}}
cubes:
  Shop: {measure_groups: {Sales: {fact: sales, dimensions: {Town: town}, measures: {Units: {value: sum(units)}}}}}
";

/// How long anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(folder: &Path) -> Server {
    let catalog = format!("Shop={},{}", folder.join("shop.yaml").display(), folder.join("data").display());
    // What the limit of a file's size meets is an error like that of a full disk, and not the end of the process.
    let state = folder.join("state");
    let words = ["serve", "--catalog", &catalog, "--data-dir", state.to_str().unwrap()];
    Server::start_after("trap '' XFSZ", &words)
}

/// No file of the server can grow beyond so many bytes from now on.
fn limit(server: &Server, bytes: &str) {
    let process = server.child.id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={bytes}:unlimited")]).status();
    assert!(limited.unwrap().success());
}

const BEGIN: &str = "<BeginSession xmlns='urn:schemas-microsoft-com:xml-analysis'/>";
const UNITS: &str = "SELECT {[Measures].[Units]} ON 0 FROM [Shop]";

fn begin(server: &Server) -> Result<String, String> {
    let answer = server.execute(BEGIN, "");
    let id = answer.split_once("SessionId=\"").and_then(|(_, rest)| rest.split_once('"'));
    id.map(|(id, _)| id.to_owned()).ok_or(answer)
}

fn header(name: &str, id: &str) -> String {
    format!("<{name} xmlns='urn:schemas-microsoft-com:xml-analysis' SessionId='{id}'/>")
}

fn within(id: &str) -> String {
    header("Session", id)
}

fn assert_fault(answer: &str, part: &str) {
    assert!(answer.contains("faultstring") && answer.contains(part), "no fault with '{part}': {answer}");
}

fn assert_units(server: &Server, header: &str, units: u32) {
    let answer = server.execute(header, UNITS);
    assert!(answer.contains(&format!(">{units}<")), "not {units} units: {answer}");
}

#[test]
fn a_full_disk_is_a_fault_and_loses_nothing() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        assert!(std::env::var_os("FACETTA_NO_SKIP").is_none(), "prlimit is missing");
        println!("skipped: prlimit is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/sales.csv"), "town,units\nBern,1\nLyon,2\n").unwrap();
    std::fs::write(folder.path().join("shop.yaml"), SCHEMA).unwrap();
    let server = start(folder.path());
    let update = |value: u32| format!("UPDATE CUBE [Shop] SET ([Measures].[Units]) = {value}");
    let (kept, ended, open) = (begin(&server).unwrap(), begin(&server).unwrap(), begin(&server).unwrap());
    server.execute("", &update(10));
    server.execute(&within(&open), "BEGIN TRANSACTION");
    server.execute(&within(&open), &update(20));
    assert_units(&server, &within(&open), 20);

    limit(&server, "1");
    assert_fault(&server.execute("", &update(30)), "cannot be made durable and was rolled back");
    assert_fault(&server.execute(&within(&open), "COMMIT TRANSACTION"), "cannot be ");
    assert_fault(&begin(&server).unwrap_err(), "The journal of sessions");
    assert_fault(&server.execute(&within(&kept), "BEGIN TRANSACTION"), "The journal of sessions");
    server.execute(&header("EndSession", &ended), "");
    assert_fault(&server.execute(&within(&ended), ""), "cannot be found");
    for header in ["", &within(&kept), &within(&open)] {
        assert_units(&server, header, 10);
    }

    limit(&server, "unlimited");
    let since = Instant::now();
    let fresh = loop {
        match begin(&server) {
            Ok(id) => break id,
            Err(answer) => assert!(since.elapsed() < PATIENCE, "{answer}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    server.execute("", &update(40));
    assert_units(&server, &within(&open), 40);
    // Nothing was begun in it by the call that faulted.
    assert_fault(&server.execute(&within(&kept), "COMMIT TRANSACTION"), "no active transaction");
    // What the journal lacked is in it before anything else is acknowledged.
    server.execute(&within(&kept), "CREATE SESSION SET [Shop].[Towns] AS [Town].[Town].[Town].Members");

    drop(server);
    let server = start(folder.path());
    for id in [&kept, &fresh] {
        assert_units(&server, &within(id), 40);
    }
    assert_fault(&server.execute(&within(&ended), ""), "cannot be found");
    assert!(server.execute(&within(&kept), "SELECT [Towns] ON 0 FROM [Shop]").contains("Lyon"));
    // Its transaction was rolled back while it could be told, so that there is nothing to tell now.
    assert_units(&server, &within(&open), 40);
}
