//! The served server streams: a rowset of a million members and a cell set of ten million cells, each whole and cut in the
//! middle, while its resident memory stays near what it was.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "common/process.rs"]
mod process;

use process::Server;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

const MEMBERS: usize = 1_000_000;
const MEASURES: usize = 10;
/// Resident bytes above those of the idle server.
const MOST: u64 = 64 << 20;
/// Bytes of an answer after which it is cut.
const CUT: u64 = 20 << 20;
const CANCELLED: &str = "Server: The operation has been cancelled.";

/// A dimension of a million members, and a fact row for each.
fn write_catalog(folder: &Path) -> String {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let mut facts = "id,number\n".to_owned();
    (0..MEMBERS).for_each(|id| writeln!(facts, "{id},{}", id * 7 % 1000).unwrap());
    std::fs::write(data.join("facts.csv"), facts).unwrap();
    let measures: String = (0..MEASURES).map(|m| format!("N{m}: {{value: sum(number)}}, ")).collect();
    let schema = format!(
        "catalog: Large\n\
         dimensions:\n  Thing: {{table: facts, key: id, hierarchies: {{Thing: {{levels: {{Thing: id}}}}}}}}\n\
         cubes:\n  Large: {{measure_groups: {{Facts: {{fact: facts, dimensions: {{Thing: id}}, measures: {{{measures}}}}}}}}}\n"
    );
    std::fs::write(folder.join("large.yaml"), schema).unwrap();
    format!("Large={},{}", folder.join("large.yaml").display(), data.display())
}

const HEADER: &str = "<Session xmlns='urn:schemas-microsoft-com:xml-analysis' SessionId='SESSION'/>";

fn envelope(session: &str, body: &str) -> String {
    let header = if session.is_empty() { String::new() } else { HEADER.replace("SESSION", session) };
    format!(
        "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Header>{header}</Header><Body>{body}</Body></Envelope>"
    )
}

fn discover() -> String {
    "<Discover xmlns='urn:schemas-microsoft-com:xml-analysis'><RequestType>MDSCHEMA_MEMBERS</RequestType>\
     <Restrictions><RestrictionList><LEVEL_UNIQUE_NAME>[Thing].[Thing].[Thing]</LEVEL_UNIQUE_NAME></RestrictionList>\
     </Restrictions><Properties><PropertyList><Content>Data</Content></PropertyList></Properties></Discover>"
        .to_owned()
}

fn select(rows: &str) -> String {
    let columns: Vec<String> = (0..MEASURES).map(|m| format!("[Measures].[N{m}]")).collect();
    format!(
        "<Execute xmlns='urn:schemas-microsoft-com:xml-analysis'><Command><Statement>SELECT {{{}}} ON 0, {rows} ON 1 \
         FROM [Large] CELL PROPERTIES VALUE</Statement></Command><Properties><PropertyList><Content>Data</Content>\
         <Format>Multidimensional</Format></PropertyList></Properties></Execute>",
        columns.join(", ")
    )
}

/// An answer as it comes: its chunks one after the other.
struct Coming {
    stream: BufReader<TcpStream>,
}

impl Coming {
    fn ask(server: &Server, envelope: &str) -> Coming {
        let address = server.url.strip_prefix("http://").unwrap().strip_suffix("/xmla").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = envelope.len();
        let head = format!(
            "POST /xmla HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{envelope}").as_bytes()).unwrap();
        let mut coming = Coming { stream: BufReader::with_capacity(1 << 16, stream) };
        let mut chunked = false;
        let mut length = 0;
        loop {
            let line = coming.line().to_ascii_lowercase();
            chunked |= line == "transfer-encoding: chunked";
            length = line.strip_prefix("content-length: ").map_or(length, |n| n.parse().unwrap());
            if line.is_empty() {
                break;
            }
        }
        if !chunked {
            let mut body = vec![0; length];
            coming.stream.read_exact(&mut body).unwrap();
            panic!("the answer does not stream: {}", String::from_utf8_lossy(&body));
        }
        coming
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next chunk; empty at the end.
    fn next(&mut self) -> Vec<u8> {
        let size = self.line();
        let mut chunk = vec![0; usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("no chunk: {size}"))];
        self.stream.read_exact(&mut chunk).unwrap();
        assert_eq!(self.line(), "");
        chunk
    }
}

/// A figure of the process in bytes.
fn figure(server: &Server, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// Begins to note the largest resident size anew; answers the one of now.
fn idle(server: &Server) -> u64 {
    std::fs::write(format!("/proc/{}/clear_refs", server.child.id()), "5").unwrap();
    figure(server, "VmRSS")
}

/// How often a text begins in an answer, also where chunks part it; and the answer's last bytes.
struct Count {
    text: &'static [u8],
    count: usize,
    bytes: u64,
    tail: Vec<u8>,
}

impl Count {
    fn of(text: &'static str) -> Count {
        Count { text: text.as_bytes(), count: 0, bytes: 0, tail: Vec::new() }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let keep = self.tail.len().min(self.text.len() - 1);
        let mut all = self.tail.split_off(self.tail.len() - keep);
        all.extend_from_slice(chunk);
        let first = self.text[0];
        let starts = all.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(at, _)| at);
        self.count += starts.filter(|at| all[*at..].starts_with(self.text)).count();
        let keep = all.len().min(2000);
        self.tail = all.split_off(all.len() - keep);
    }

    fn end(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }
}

/// Takes an answer to its end.
fn whole(server: &Server, body: &str, text: &'static str) -> Count {
    let mut coming = Coming::ask(server, &envelope("", body));
    let mut count = Count::of(text);
    loop {
        let chunk = coming.next();
        if chunk.is_empty() {
            return count;
        }
        count.take(&chunk);
    }
}

/// Takes an answer in a session, and cancels it on another socket after some bytes.
fn cut(server: &Server, session: &str, body: &str) -> Count {
    let mut coming = Coming::ask(server, &envelope(session, body));
    let mut count = Count::of("<Exception");
    let mut cancelled = false;
    loop {
        let chunk = coming.next();
        if chunk.is_empty() {
            return count;
        }
        count.take(&chunk);
        if count.bytes > CUT && !cancelled {
            cancelled = true;
            let cancel = format!(
                "<Cancel xmlns=\"http://schemas.microsoft.com/analysisservices/2003/engine\"><SessionID>{session}</SessionID></Cancel>"
            );
            let answer = server.execute("", &cancel);
            assert!(!answer.contains("faultstring"), "{answer}");
        }
    }
}

#[test]
fn millions_stream_in_constant_memory_and_end_well_formed_when_cut() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = write_catalog(folder.path());
    let state = folder.path().join("state");
    let words = ["serve", "--catalog", &catalog, "--data-dir", state.to_str().unwrap()];
    // Loaded once; the server that is measured maps what that has stored.
    Server::start(&words).stop();
    let server = Server::start(&words);
    let begun = server.execute("<BeginSession xmlns='urn:schemas-microsoft-com:xml-analysis'/>", "");
    let session = begun.split_once("SessionId=\"").unwrap().1.split_once('"').unwrap().0;
    // All columns are read once, so that the pages of their files count as idle memory.
    let total = whole(&server, &select("Head([Thing].[Thing].[Thing].Members, 2000)"), "<Cell ");
    assert_eq!(total.count, 2000 * MEASURES);

    let before = idle(&server);
    let rows = whole(&server, &discover(), "<row>");
    assert_eq!(rows.count, MEMBERS);
    assert!(rows.bytes > 300 * MEMBERS as u64, "{} bytes", rows.bytes);
    let above = figure(&server, "VmHWM").saturating_sub(before);
    println!("rowset: {} bytes, {} MiB above {} MiB", rows.bytes, above >> 20, before >> 20);
    assert!(above < MOST, "a rowset took {} MiB above {}", above >> 20, before >> 20);

    let cells = whole(&server, &select("[Thing].[Thing].[Thing].Members"), "<Cell ");
    assert_eq!(cells.count, MEMBERS * MEASURES);
    let above = figure(&server, "VmHWM").saturating_sub(before);
    println!("cell set: {} bytes, {} MiB above {} MiB", cells.bytes, above >> 20, before >> 20);
    assert!(above < MOST, "a cell set took {} MiB above {}", above >> 20, before >> 20);

    for (body, end) in [
        (discover(), "</root></return></DiscoverResponse></soap:Body></soap:Envelope>"),
        (select("[Thing].[Thing].[Thing].Members"), "</root></return></ExecuteResponse></soap:Body></soap:Envelope>"),
    ] {
        let answer = cut(&server, session, &body);
        let tail = answer.end();
        assert_eq!(answer.count, 1, "{tail}");
        assert!(answer.bytes < CUT + (8 << 20), "{} bytes after a cancel at {CUT}", answer.bytes);
        let exception = tail.find("<Exception xmlns=\"urn:schemas-microsoft-com:xml-analysis:exception\"/>").unwrap();
        let messages = tail[exception..].find("<Messages xmlns=\"urn:schemas-microsoft-com:xml-analysis:exception\">");
        assert!(messages.is_some() && tail[exception..].contains(CANCELLED) && tail.ends_with(end), "{tail}");
    }
    assert!(figure(&server, "VmHWM").saturating_sub(before) < MOST, "cancelled answers took more");
    // The session goes on.
    let total = "SELECT {[Measures].[N0]} ON 0 FROM [Large]";
    assert!(server.execute(&HEADER.replace("SESSION", session), total).contains("499500000"));
    server.stop();
}
