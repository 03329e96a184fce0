//! Requests that are none, end to end: each gets the answer that names the cause, and the server goes on as before.

// What cannot be sent or read is a failed test.
#![allow(clippy::unwrap_used)]

mod common;

use common::envelope::{envelope, escape};
use common::http::{Request, Response, Socket};
use common::log::Log;
use common::world::{Result, World};
use facetta_model::Context;
use facetta_xmla::client::{Answer, AnswerResult};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Where a case's text stands in the message.
#[derive(Clone, Copy, Debug)]
enum In {
    /// It is the message.
    Message,
    /// Among the header blocks.
    Headers,
    /// In the SOAP body.
    Body,
    /// In Command.
    Command,
    /// A Statement's text.
    Statement,
    /// In PropertyList, beside an empty Statement.
    Properties,
    /// In RestrictionList of DISCOVER_SESSIONS.
    Restrictions,
}

const EXECUTE: &str =
    r#"<Execute xmlns="urn:schemas-microsoft-com:xml-analysis"><Command><Statement/></Command></Execute>"#;

fn message(place: In, text: &str) -> String {
    let execute = |command: &str, properties: &str| {
        let namespace = "urn:schemas-microsoft-com:xml-analysis";
        let properties = format!("<Properties><PropertyList>{properties}</PropertyList></Properties>");
        envelope("", &format!("<Execute xmlns=\"{namespace}\"><Command>{command}</Command>{properties}</Execute>"))
    };
    match place {
        In::Message => text.to_owned(),
        In::Headers => envelope(text, EXECUTE),
        In::Body => envelope("", text),
        In::Command => execute(text, ""),
        In::Statement => execute(&format!("<Statement>{}</Statement>", escape(text)), ""),
        In::Properties => execute("<Statement/>", text),
        In::Restrictions => envelope(
            "",
            &format!(
                "<Discover xmlns=\"urn:schemas-microsoft-com:xml-analysis\"><RequestType>DISCOVER_SESSIONS</RequestType>\
                 <Restrictions><RestrictionList>{text}</RestrictionList></Restrictions></Discover>"
            ),
        ),
    }
}

const XML: u32 = 0xC10C_0001;
const SOAP: u32 = 0xC10C_0002;
const HEADER: u32 = 0xC10C_0009;
const TYPE: u32 = 0xC10C_0037;
const PROPERTY: u32 = 0xC10C_0038;
const SYNTAX: u32 = 0xC10A_0004;
const NOT_FOUND: u32 = 0xC10A_0006;

/// What is wrong, the number of the fault, and a part of its text.
const CASES: &[(In, &str, u32, &str)] = &[
    // XML.
    (In::Message, "", XML, "no element"),
    (In::Message, "hello", XML, "outside the root element"),
    (In::Message, "<", XML, "line 1, column 1"),
    (In::Message, "<a><b></a>", XML, "line 1"),
    (In::Message, "<a/><b/>", XML, "second root"),
    (In::Message, "<a x='1' x='2'/>", XML, "the attribute 'x' is there twice"),
    (In::Message, "<a x=1/>", XML, "line 1"),
    (In::Message, "<!DOCTYPE a><a/>", XML, "DTD"),
    (In::Message, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", XML, "DTD"),
    (In::Message, "<a>&nothing;</a>", XML, "&nothing;"),
    (In::Message, "<a>&#0;</a>", XML, "&#0;"),
    (In::Message, "<a>&#xD800;</a>", XML, "&#xD800;"),
    (In::Message, "<a>&#99999999;</a>", XML, "&#99999999;"),
    (In::Message, "<a>\u{1}</a>", XML, "line 1"),
    (In::Message, "<a><![CDATA[open</a>", XML, "line 1"),
    (In::Message, "<a><!-- open</a>", XML, "line 1"),
    (In::Message, "<p:a/>", SOAP, "'p' is not declared"),
    (In::Message, "<?xml version='1.0' encoding='klingon'?><a/>", XML, "klingon"),
    // SOAP.
    (In::Message, "<Envelope/>", SOAP, "Envelope"),
    (In::Message, "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>", SOAP, "SOAP 1.2"),
    (In::Message, "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>", SOAP, "no Body"),
    (In::Message, "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Tail/></Envelope>", SOAP, "Tail"),
    (In::Headers, "<X xmlns='urn:x' soap:mustUnderstand='1'/>", 0xC10C_0003, "urn:x"),
    (In::Headers, "<X xmlns='urn:x' soap:mustUnderstand='perhaps'/>", SOAP, "perhaps"),
    (In::Headers, "<Session xmlns='urn:schemas-microsoft-com:xml-analysis'/>", 0xC10C_000A, "''"),
    (
        In::Headers,
        "<BeginSession xmlns='urn:schemas-microsoft-com:xml-analysis'/><BeginSession xmlns='urn:schemas-microsoft-com:xml-analysis'/>",
        HEADER,
        "twice",
    ),
    (In::Body, "", 0xC10F_000A, "empty"),
    (In::Body, "<Something/>", SOAP, "Something"),
    (In::Body, "<Discover xmlns='urn:schemas-microsoft-com:xml-analysis'/>", SOAP, "RequestType"),
    (In::Body, "<Execute xmlns='urn:schemas-microsoft-com:xml-analysis'/>", SOAP, "Command"),
    (In::Command, "", SOAP, "Command element is empty"),
    (In::Command, "<Statement/><Statement/>", SOAP, "Statement"),
    (In::Command, "<Statement><b/></Statement>", SOAP, "'b'"),
    (In::Command, "<Nonsense/>", SOAP, "Nonsense"),
    (In::Command, "<Process/>", 0xC10A_00F0, "Process"),
    (In::Command, "<Cancel><SPID>one</SPID></Cancel>", TYPE, "SPID"),
    (In::Command, "<Cancel><SPID>99999999999999999999</SPID></Cancel>", TYPE, "SPID"),
    (In::Command, "<Cancel><Nobody/></Cancel>", SOAP, "Nobody"),
    // Properties and restrictions.
    (In::Properties, "<Timeout>soon</Timeout>", PROPERTY, "Timeout"),
    (In::Properties, "<Timeout>-1</Timeout>", PROPERTY, "Timeout"),
    (In::Properties, "<Timeout>99999999999999999999</Timeout>", PROPERTY, "Timeout"),
    (In::Properties, "<Format>Round</Format>", PROPERTY, "Format"),
    (In::Properties, "<AxisFormat>Round</AxisFormat>", PROPERTY, "AxisFormat"),
    (In::Properties, "<Content>Most</Content>", PROPERTY, "Content"),
    (In::Properties, "<Catalog>Nowhere</Catalog>", 0xC10C_0011, "Nowhere"),
    (In::Properties, "<Timeout><b/></Timeout>", SOAP, "b"),
    (In::Restrictions, "<NOTHING/>", 0xC10C_0035, "NOTHING"),
    (In::Restrictions, "<SESSION_SPID>one</SESSION_SPID>", TYPE, "Type mismatch"),
    (In::Restrictions, "<SESSION_SPID>99999999999</SESSION_SPID>", TYPE, "range"),
    (In::Restrictions, "<SESSION_SPID><b/></SESSION_SPID>", SOAP, "b"),
    // Statements.
    (In::Statement, "nonsense", SYNTAX, "nonsense"),
    (In::Statement, "SELECT", SYNTAX, "end of the input"),
    (In::Statement, "SELECT FROM", SYNTAX, "Query (1, "),
    (In::Statement, "SELECT {} ON COLUMNS FROM [Nowhere]", 0xC10A_0007, "Nowhere"),
    (In::Statement, "SELECT [Nothing] ON COLUMNS FROM [Shop]", NOT_FOUND, "[Nothing]"),
    (In::Statement, "SELECT {[Measures].[Amount] ON COLUMNS FROM [Shop]", SYNTAX, "ON"),
    (In::Statement, "SELECT [Measures].[Amount ON COLUMNS FROM [Shop]", SYNTAX, "Query (1, "),
    (In::Statement, "SELECT 'open ON COLUMNS FROM [Shop]", SYNTAX, "Query (1, 8)"),
    (In::Statement, "SELECT /* open ON COLUMNS FROM [Shop]", SYNTAX, "Query (1, 8)"),
    (In::Statement, "SELECT \u{0} ON COLUMNS FROM [Shop]", XML, "line 1"),
    (In::Statement, "SELECT * FROM $SYSTEM.NOWHERE", 0xC10C_0034, "NOWHERE"),
    (In::Statement, "SELECT x FROM $SYSTEM.DISCOVER_SESSIONS", NOT_FOUND, "line 1, column 8"),
    (In::Statement, "<Cancel", XML, "line 1"),
    (In::Statement, "{\"refresh\": {}}", 0xC10A_00F0, "TMSL"),
    (In::Statement, "EVALUATE Sales", 0xC10A_00F0, "DAX"),
    (In::Statement, "REFRESH CUBE [Nowhere]", 0xC10A_0007, "Nowhere"),
    (
        In::Statement,
        "SELECT SchemaName FROM $SYSTEM.DISCOVER_SCHEMA_ROWSETS WHERE Restrictions = 'x'",
        0xC10A_0050,
        "Restrictions",
    ),
];

/// Messages that are too much of something, made here.
fn huge() -> Vec<(&'static str, String, u32, &'static str)> {
    let deep = |count: usize| format!("{}{}", "<a>".repeat(count), "</a>".repeat(count));
    let attributes: String = (0..5000).map(|n| format!(" a{n}='1'")).collect();
    let nested = |open: &str, close: &str| {
        format!("SELECT {{{}1{}}} ON COLUMNS FROM [Shop]", open.repeat(20_000), close.repeat(20_000))
    };
    let restrictions: String = (0..1000).map(|n| format!("<R{n}>1</R{n}>")).collect();
    vec![
        ("a hundred thousand elements deep", deep(100_000), XML, "deep"),
        ("five thousand attributes", format!("<a{attributes}/>"), XML, "attributes"),
        ("a thousand restrictions", message(In::Restrictions, &restrictions), SOAP, "restrictions"),
        ("parentheses without end", message(In::Statement, &nested("(", ")")), SYNTAX, "deep"),
        ("NOT without end", message(In::Statement, &nested("NOT ", "")), SYNTAX, "deep"),
        ("a function in a function in a function", message(In::Statement, &nested("Abs(", ")")), SYNTAX, "deep"),
        (
            "conditions of a DMV without end",
            message(
                In::Statement,
                &format!("SELECT * FROM $SYSTEM.DISCOVER_SESSIONS WHERE {}SESSION_SPID = 1", "NOT ".repeat(50_000)),
            ),
            SYNTAX,
            "deep",
        ),
        (
            "a name of a megabyte",
            message(In::Statement, &format!("SELECT [{}] ON 0 FROM [Shop]", "x".repeat(1 << 20))),
            NOT_FOUND,
            "x",
        ),
        (
            "an id of a megabyte",
            message(
                In::Headers,
                &format!(
                    "<Session xmlns='urn:schemas-microsoft-com:xml-analysis' SessionId='{}'/>",
                    "x".repeat(1 << 20)
                ),
            ),
            XML,
            "SessionId",
        ),
    ]
}

fn fault(response: &Response) -> Result<(u32, String)> {
    if response.status != 200 {
        return Err(format!("HTTP {}", response.status).into());
    }
    match Answer::read(&response.body, &Context::unlimited())?.result {
        AnswerResult::Fault(fault) => Ok((fault.code, fault.description)),
        other => Err(format!("no fault but {other:?}").into()),
    }
}

/// What the server has to be like after each case: it answers, and nothing is left of what came before.
fn check_health(world: &mut World) {
    let server = world.handle().unwrap().server().clone();
    assert!(server.sessions.filter(|_| true).is_empty(), "a session is left");
    let response =
        ask(world, message(In::Statement, "SELECT COUNT(*) AS N FROM $SYSTEM.DISCOVER_SESSIONS").into_bytes());
    let answer = Answer::read(&response.body, &Context::unlimited()).unwrap();
    assert!(matches!(answer.result, AnswerResult::Table(table) if table.get(0, 0) == Some("1")));
}

fn ask(world: &mut World, body: Vec<u8>) -> Response {
    world.send_bytes("a", body, false).unwrap();
    world.receive("a").unwrap()
}

#[test]
fn each_fault_names_its_cause() {
    let log = Log::begin();
    let mut world = World::new().unwrap();
    world.open_shop().unwrap();
    let mut wrong = Vec::new();
    let cases = CASES
        .iter()
        .map(|(place, text, code, part)| (format!("{place:?} {text:?}"), message(*place, text), *code, *part));
    let huge = huge().into_iter().map(|(name, text, code, part)| (name.to_owned(), text, code, part));
    for (name, text, code, part) in cases.chain(huge) {
        let response = ask(&mut world, text.into_bytes());
        match fault(&response) {
            Ok((got, said)) if got == code && said.contains(part) => {}
            Ok((got, said)) => {
                wrong.push(format!("{name}: 0x{got:08X} {}", said.chars().take(200).collect::<String>()))
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
        check_health(&mut world);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.end().unwrap();
    assert_eq!(log.defects(), Vec::<String>::new());
}

/// Bytes that are no text, or one in another encoding: what of them is a good request, the others fault.
#[test]
fn encodings() {
    let log = Log::begin();
    let mut world = World::new().unwrap();
    let good = message(In::Statement, "");
    let utf16 = |big: bool, mark: bool| {
        let units = mark.then_some(0xFEFF).into_iter().chain(good.encode_utf16());
        units.flat_map(|u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect::<Vec<u8>>()
    };
    for bytes in [utf16(false, true), utf16(true, true), [b"\xEF\xBB\xBF", good.as_bytes()].concat()] {
        let response = ask(&mut world, bytes);
        let answer = Answer::read(&response.body, &Context::unlimited()).unwrap();
        assert_eq!(answer.result, AnswerResult::Empty);
    }
    let broken = [
        b"\xFF\xFF\xFF\xFF".to_vec(),
        b"<a>\x80</a>".to_vec(),
        b"\x1F\x8B\x08\x00garbage".to_vec(),
        vec![0; 1000],
        [&utf16(false, true)[..], b"x"].concat(),
        b"\xFF\xFE\x00\xD8\x00\x00".to_vec(),
    ];
    for bytes in broken {
        let shown = format!("{:?}", &bytes[..bytes.len().min(20)]);
        let (code, said) = fault(&ask(&mut world, bytes)).unwrap_or_else(|e| panic!("{shown}: {e}"));
        assert_eq!(code, XML, "{shown}: {said}");
        check_health(&mut world);
    }
    world.end().unwrap();
    assert_eq!(log.defects(), Vec::<String>::new());
}

/// What is no HTTP: the socket gets a status of 4xx or is closed, and others go on.
#[test]
fn broken_http() {
    let log = Log::begin();
    let mut world = World::new().unwrap();
    let address = world.handle().unwrap().address();
    let host = format!("Host: {address}\r\n");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello TLS\r\n\r\n".to_vec()),
        ("no request line", b"hello\r\n\r\n".to_vec()),
        ("a length that is no number", format!("POST / HTTP/1.1\r\n{host}Content-Length: many\r\n\r\n").into_bytes()),
        (
            "two lengths",
            format!("POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx").into_bytes(),
        ),
        (
            "a chunk without a size",
            format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n").into_bytes(),
        ),
        ("a head of a megabyte", [format!("POST / HTTP/1.1\r\n{host}X: ").into_bytes(), vec![b'x'; 1 << 20]].concat()),
        (
            "ten thousand headers",
            [format!("POST / HTTP/1.1\r\n{host}").into_bytes(), b"X: y\r\n".repeat(10_000), b"\r\n".to_vec()].concat(),
        ),
        ("another version", b"POST / HTTP/9.9\r\n\r\n".to_vec()),
        ("no Host", b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("two Hosts", format!("POST / HTTP/1.1\r\n{host}{host}Content-Length: 0\r\n\r\n").into_bytes()),
        ("a Host that is none", b"POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ];
    for (name, bytes) in cases {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may close before all is written.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        assert!(refused || answer.contains("<soap:Fault"), "{name}: {answer}");
        assert!(!name.contains("Host") || answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
        check_health(&mut world);
    }
    // HTTP/1.0 knew no Host.
    let mut old = TcpStream::connect(address).unwrap();
    old.write_all(b"GET /health HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    old.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    // A body that never comes does not keep others waiting, and goes when the client does.
    let mut half = Socket::connect(address).unwrap();
    half.send(&Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![("Content-Length".to_owned(), "1000".to_owned())],
        body: b"<a>".to_vec(),
    })
    .unwrap();
    check_health(&mut world);
    drop(half);
    world.end().unwrap();
    assert_eq!(log.defects(), Vec::<String>::new());
}
