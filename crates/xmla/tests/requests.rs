//! Requests as clients send them: session headers, restrictions, properties, commands, encodings.

#![allow(clippy::unwrap_used)]

use facetta_model::{Context, ErrorKind, Value};
use facetta_xmla::*;
use std::time::Duration;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const XMLA: &str = "urn:schemas-microsoft-com:xml-analysis";

fn read(text: &str) -> facetta_model::Result<Request> {
    Request::read(text.as_bytes(), &Context::unlimited())
}

fn with_header(header: &str) -> facetta_model::Result<SessionHeaders> {
    let text = format!(
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV='{SOAP}' SOAP-ENV:encodingStyle='http://schemas.xmlsoap.org/soap/encoding/'>\
         <SOAP-ENV:Header>{header}</SOAP-ENV:Header><SOAP-ENV:Body><Execute xmlns='{XMLA}'><Command><Statement/></Command>\
         <Properties/></Execute></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
    read(&text).map(|r| r.headers)
}

#[test]
fn session_headers_mean_what_the_decisions_say() {
    use SessionHeaders::*;
    let uses = |id: &str| Use(id.to_owned());
    let ends = |id: &str| End(id.to_owned());
    let x = format!("xmlns='{XMLA}'");
    let good = [
        (String::new(), None),
        (format!("<BeginSession {x}/>"), Begin),
        (format!("<BeginSession {x} SOAP-ENV:mustUnderstand='1'/>"), Begin),
        (format!("<Session {x} SessionId='581' mustUnderstand='1'/>"), uses("581")),
        (format!("<Session {x} SessionID='A'/>"), uses("A")),
        (format!("<Session {x} sessionid='b' SessionId='A'/>"), uses("A")),
        (format!("<EndSession {x} SessionId='A'/>"), ends("A")),
        (format!("<Session {x} SessionId='A'/><EndSession {x} SessionId='A'/>"), ends("A")),
        (format!("<EndSession {x} SessionId='A'/><Session {x} SessionId='A'/>"), ends("A")),
        // The legacy sample, taken literally: prefixes that nobody declares, an unqualified mustUnderstand.
        (format!("<XA:BeginSession xmlns:XA='{XMLA}' xsi:type='xsd:int' mustUnderstand='1'/>"), Begin),
        (format!("<XA:EndSession xmlns:XA='{XMLA}' xsi:type='xsd:int' mustUnderstand='1' SessionId='581'/>"), ends("581")),
        // Blocks that say nothing to us.
        ("<Version xmlns='http://schemas.microsoft.com/analysisservices/2003/engine/2' Sequence='922'/>".into(), None),
        ("<NamespaceCompatibility xmlns='http://schemas.microsoft.com/analysisservices/2003/xmla' mustUnderstand='0'/>".into(), None),
        (
            "<ProtocolCapabilities xmlns='http://schemas.microsoft.com/analysisservices/2003/engine'>\
             <Capability>sx</Capability></ProtocolCapabilities>"
                .into(),
            None,
        ),
        ("<BeginGetSessionToken xmlns:msxmla='http://schemas.microsoft.com/analysisservices/2003/xmla'/>".into(), None),
        (
            "<Security SOAP-ENV:mustUnderstand='1' xmlns='http://schemas.xmlsoap.org/ws/2002/04/secext'>\
             <UsernameToken><Username>u</Username></UsernameToken></Security>"
                .into(),
            None,
        ),
        ("<Foo>Have a nice day</Foo>".into(), None),
        ("<Foo SOAP-ENV:mustUnderstand='0'/>".into(), None),
        ("<Foo SOAP-ENV:actor='http://other' SOAP-ENV:mustUnderstand='1'/>".into(), None),
        // The wrong namespace makes it an unknown header.
        ("<BeginSession xmlns='http://schemas.microsoft.com/analysisservices/2003/engine'/>".into(), None),
        ("<Session SessionId='A'/>".into(), None),
    ];
    for (header, expected) in good {
        assert_eq!(with_header(&header).unwrap(), expected, "{header}");
    }
    let not_found = "The '' session ID cannot be found. Either the session does not exist or it has already expired.";
    let bad = [
        (format!("<Session {x}/>"), ErrorKind::SessionNotFound, not_found),
        (format!("<Session {x} SessionId=''/>"), ErrorKind::SessionNotFound, not_found),
        (format!("<Session {x}>581</Session>"), ErrorKind::SessionNotFound, not_found),
        (format!("<Session {x}><SessionId>581</SessionId></Session>"), ErrorKind::SessionNotFound, not_found),
        (format!("<EndSession {x}/>"), ErrorKind::SessionNotFound, not_found),
        (format!("<Session {x}/><EndSession {x}/>"), ErrorKind::SessionNotFound, not_found),
        (
            format!("<BeginSession {x}/><BeginSession {x}/>"),
            ErrorKind::SessionHeader,
            "The BeginSession header is there twice.",
        ),
        (
            format!("<Session {x} SessionId='A'/><Session {x} SessionId='A'/>"),
            ErrorKind::SessionHeader,
            "The Session header is there twice.",
        ),
        (
            format!("<EndSession {x} SessionId='A'/><EndSession {x} SessionId='A'/>"),
            ErrorKind::SessionHeader,
            "The EndSession header is there twice.",
        ),
        (
            format!("<BeginSession {x}/><Session {x} SessionId='A'/>"),
            ErrorKind::SessionHeader,
            "BeginSession cannot be combined with a Session or EndSession header.",
        ),
        (
            format!("<EndSession {x} SessionId='A'/><BeginSession {x}/>"),
            ErrorKind::SessionHeader,
            "BeginSession cannot be combined with a Session or EndSession header.",
        ),
        (
            format!("<Session {x} SessionId='A'/><EndSession {x} SessionId='B'/>"),
            ErrorKind::SessionHeader,
            "The Session header names 'A', but the EndSession header names 'B'.",
        ),
        (
            "<BeginSession xmlns='http://schemas.microsoft.com/analysisservices/2003/engine' mustUnderstand='1'/>"
                .into(),
            ErrorKind::MustUnderstand,
            "The 'BeginSession' header (namespace 'http://schemas.microsoft.com/analysisservices/2003/engine') must be \
             understood, but is not known to the server.",
        ),
    ];
    for (header, kind, message) in bad {
        let error = with_header(&header).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message), "{header}");
    }
}

fn discover(restrictions: &str) -> Discover {
    let text = format!(
        "<Envelope xmlns='{SOAP}'><Body><Discover xmlns='{XMLA}'><RequestType> MDSCHEMA_CUBES </RequestType>\
         <Restrictions><RestrictionList>{restrictions}</RestrictionList></Restrictions></Discover></Body></Envelope>"
    );
    match read(&text).unwrap().body {
        Body::Discover(discover) => discover,
        Body::Execute(_) => panic!("{text}"),
    }
}

#[test]
fn restrictions_are_lists_of_values() {
    let one = |name: &str, values: &[&str]| {
        vec![Restriction { name: name.into(), values: values.iter().map(|v| v.to_string()).collect() }]
    };
    let cases = [
        ("", vec![]),
        ("<CUBE_NAME>Sales</CUBE_NAME>", one("CUBE_NAME", &["Sales"])),
        ("<CUBE_NAME></CUBE_NAME>", one("CUBE_NAME", &[""])),
        ("<CUBE_NAME/>", one("CUBE_NAME", &[""])),
        ("<CUBE_NAME>A</CUBE_NAME><CUBE_NAME>B &amp; C</CUBE_NAME>", one("CUBE_NAME", &["B & C"])),
        ("<P>\n <Value>a</Value><Value xsi:type='xsd:string'>b</Value> </P>", one("P", &["a", "b"])),
        ("<P><Value/></P>", one("P", &[""])),
    ];
    for (text, expected) in cases {
        let discover = discover(text);
        assert_eq!(discover.request_type, "MDSCHEMA_CUBES");
        assert_eq!(discover.restrictions, Restrictions::new(expected), "{text}");
    }
    assert_eq!(discover("<cube_name>x</cube_name>").restrictions.get("CUBE_NAME"), Some(&["x".to_owned()][..]));
}

fn execute(inner: &str) -> Execute {
    let text = format!("<Envelope xmlns='{SOAP}'><Body><Execute xmlns='{XMLA}'>{inner}</Execute></Body></Envelope>");
    match read(&text).unwrap().body {
        Body::Execute(execute) => execute,
        Body::Discover(_) => panic!("{text}"),
    }
}

#[test]
fn commands() {
    let cancel = |connection_id, session_id: Option<&str>, spid, cancel_associated| {
        Command::Cancel(Cancel { connection_id, session_id: session_id.map(Into::into), spid, cancel_associated })
    };
    let sample = "<Cancel xmlns='http://schemas.microsoft.com/analysisservices/2003/engine'>\
         <ConnectionID>111</ConnectionID><SessionID>222</SessionID><SPID>333</SPID>\
         <CancelAssociated>1</CancelAssociated></Cancel>";
    let pasted = format!("<Statement> {} </Statement>", sample.replace('<', "&lt;"));
    let in_cdata = format!("<Statement><![CDATA[{sample}]]></Statement>");
    let unescaped = format!("<Statement>{sample}</Statement>");
    let statement = |text: &str| Command::Statement(text.into());
    let all = cancel(Some(111), Some("222"), Some(333), true);
    let cases = [
        ("<Statement/>", statement("")),
        ("<Statement></Statement>", statement("")),
        ("<Statement>a &lt; <![CDATA[b & ]]>c&#x21;</Statement>", statement("a < b & c!")),
        ("<Statement>a\r\nb</Statement>", statement("a\nb")),
        ("<!-- first --><Statement>SELECT</Statement>", statement("SELECT")),
        ("<Cancel/>", cancel(None, None, None, false)),
        ("<Cancel><CancelAssociated>false</CancelAssociated></Cancel>", cancel(None, None, None, false)),
        (sample, all.clone()),
        (&pasted, all.clone()),
        (&in_cdata, all.clone()),
        (&unescaped, all),
        ("<Statement>&lt;BeginTransaction/></Statement>", Command::BeginTransaction),
        (
            "<BeginTransaction xmlns='http://schemas.microsoft.com/analysisservices/2003/engine'/>",
            Command::BeginTransaction,
        ),
        ("<CommitTransaction/>", Command::CommitTransaction(Durability::LocalDisk)),
        (
            "<CommitTransaction><DurabilityGuarantee>Full</DurabilityGuarantee></CommitTransaction>",
            Command::CommitTransaction(Durability::Full),
        ),
        ("<RollbackTransaction/>", Command::RollbackTransaction),
        ("<Process><Object><DatabaseID>x</DatabaseID></Object></Process>", Command::NotSupported("Process")),
        ("<Batch Transaction='true'><Cancel/></Batch>", Command::NotSupported("Batch")),
        ("<Statement>{\"refresh\":{}}</Statement>", Command::NotSupported("TMSL script")),
        ("<Statement> evaluate Sales</Statement>", Command::NotSupported("DAX query")),
        ("<Statement>DEFINE MEASURE Sales[x] = 1</Statement>", Command::NotSupported("DAX query")),
        ("<Statement>defined</Statement>", Command::Statement("defined".into())),
    ];
    for (text, expected) in cases {
        assert_eq!(execute(&format!("<Command>{text}</Command>")).command, expected, "{text}");
    }
    for name in NOT_SUPPORTED {
        let command = execute(&format!("<Command><{name}/></Command>")).command;
        assert_eq!(command, Command::NotSupported(name));
    }
}

#[test]
fn a_cancel_shown_as_text_is_the_same_cancel() {
    let cancel =
        Cancel { connection_id: Some(1), session_id: Some("<&>".into()), spid: Some(3), cancel_associated: true };
    let text = Command::Cancel(cancel.clone()).text();
    assert_eq!(execute(&format!("<Command>{text}</Command>")).command, Command::Cancel(cancel));
}

#[test]
fn parameters_have_the_type_that_the_request_says() {
    let cases = [
        ("<Value>x</Value>", Value::str("x")),
        ("<Value xsi:type='xsd:string'> 7 </Value>", Value::str(" 7 ")),
        ("<Value xsi:type='xsd:int'> 7 </Value>", Value::Int(7)),
        ("<Value xsi:type='xsd:double'>1.5E1</Value>", Value::Double(15.0)),
        ("<Value xsi:type='xsd:double'>-INF</Value>", Value::Double(f64::NEG_INFINITY)),
        ("<Value xsi:type='xsd:decimal'>-1.1</Value>", Value::Currency(facetta_model::Currency(-11_000))),
        ("<Value xsi:type='xsd:decimal'>0.12345</Value>", Value::Double(0.12345)),
        ("<Value xsi:type='xsd:boolean'>true</Value>", Value::Boolean(true)),
        (
            "<Value xsi:type='xsd:dateTime'>2020-01-02T03:04:05</Value>",
            Value::Date("2020-01-02T03:04:05".parse().unwrap()),
        ),
        ("<Value xsi:nil='true'/>", Value::Empty),
        ("", Value::Empty),
    ];
    for (text, value) in cases {
        let inner = format!(
            "<Command><Statement/></Command><Parameters><Parameter><Name>@p</Name>{text}</Parameter></Parameters>"
        );
        assert_eq!(execute(&inner).parameters, [Parameter { name: "p".into(), value }], "{text}");
    }
}

fn properties(list: &str) -> Properties {
    let list = format!("<Properties><PropertyList>{list}</PropertyList></Properties>");
    execute(&format!("<Command><Statement/></Command>{list}")).properties
}

#[test]
fn properties_are_typed() {
    let p = properties(
        "<Catalog>FoodMart</Catalog><Timeout>5</Timeout><content>data</content><Format>Multidimension</Format>\
         <AxisFormat>ClusterFormat</AxisFormat><BeginRange>15</BeginRange><EndRange>50</EndRange><LocaleIdentifier>127\
         </LocaleIdentifier><DataSourceInfo>x</DataSourceInfo><Unheard>1</Unheard><ProviderName>y</ProviderName>\
         <FacettaCancelReceipt>1</FacettaCancelReceipt><Cube/><Roles></Roles>",
    );
    assert_eq!(p.catalog(), Some("FoodMart"));
    assert_eq!(p.timeout(), Some(Duration::from_secs(5)));
    assert_eq!(
        (p.content(), p.format(), p.axis_format()),
        (Content::Data, Format::Multidimensional, AxisFormat::Cluster)
    );
    assert_eq!(p.cell_range(), 15..51);
    assert_eq!(p.locale(), Some(127));
    assert!(p.cancel_receipt());
    assert_eq!((p.cube(), p.text("Unheard"), p.text("ProviderName")), (None, None, None));
    let session = p.of_session();
    assert_eq!(
        session.iter().map(|(p, _)| p.name).collect::<Vec<_>>(),
        ["Catalog", "Timeout", "LocaleIdentifier", "DataSourceInfo"]
    );
    let later = properties("<Catalog>Other</Catalog>").over(&session);
    assert_eq!((later.catalog(), later.locale(), later.content()), (Some("Other"), Some(127), Content::SchemaData));
}

#[test]
fn cell_ranges_are_those_of_the_table() {
    let cases = [
        (-1, -1, 0..u64::MAX),
        (0, -1, 0..u64::MAX),
        (15, -1, 15..u64::MAX),
        (-1, 0, 0..1),
        (15, 50, 15..51),
        (2, 1, 2..2),
    ];
    for (begin, end, range) in cases {
        let p = properties(&format!("<BeginRange>{begin}</BeginRange><EndRange>{end}</EndRange>"));
        assert_eq!(p.cell_range(), range);
    }
}

#[test]
fn the_table_of_properties_is_sound() {
    for (i, property) in PROPERTIES.iter().enumerate() {
        assert!(PROPERTIES[..i].iter().all(|p| !p.name.eq_ignore_ascii_case(property.name)), "{} twice", property.name);
        assert!(!property.meaning.is_empty(), "{}", property.name);
        assert_eq!(property.access == Access::Read, property.effect == Effect::Fact, "{}", property.name);
        let mut given = Properties::default();
        if property.effect == Effect::Refused {
            assert!(given.set(property.name, "x").is_err(), "{}", property.name);
            continue;
        }
        // Defaults are values that the property can have.
        given.set(property.name, property.default).unwrap();
        if property.access != Access::Read && !property.default.is_empty() {
            assert_eq!(given.text(property.name), Some(property.default), "{}", property.name);
        }
    }
}

#[test]
fn encodings() {
    let text = |declared: &str| {
        format!(
            "<?xml version=\"1.0\"{declared}?>\n<Envelope xmlns='{SOAP}'><Body><Execute xmlns='{XMLA}'><Command>\
             <Statement>Größe 𝄞</Statement></Command></Execute></Body></Envelope>\n"
        )
    };
    let plain = text("");
    let utf16 = |mark: bool, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(plain[plain.find("<Env").unwrap()..].encode_utf16());
        units.flat_map(bytes).collect()
    };
    let bodies = [
        plain.clone().into_bytes(),
        [b"\xEF\xBB\xBF", plain.as_bytes()].concat(),
        text(" encoding='UTF-8'").into_bytes(),
        // Serialisers of .NET declare this of text that is then sent as UTF-8.
        text(" encoding=\"utf-16\"").into_bytes(),
        utf16(true, u16::to_le_bytes),
        utf16(true, u16::to_be_bytes),
        utf16(false, u16::to_le_bytes),
        utf16(false, u16::to_be_bytes),
    ];
    for body in bodies {
        match Request::read(&body, &Context::unlimited()).unwrap().body {
            Body::Execute(e) => assert_eq!(e.command, Command::Statement("Größe 𝄞".into())),
            Body::Discover(_) => panic!(),
        }
    }
    let latin: Vec<u8> = text(" encoding='ISO-8859-1'").chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    match Request::read(&latin, &Context::unlimited()).unwrap().body {
        Body::Execute(e) => assert_eq!(e.command, Command::Statement("Größe ?".into())),
        Body::Discover(_) => panic!(),
    }
}
