//! Requests that are not ones: each gets an error that names the cause.

#![allow(clippy::unwrap_used)]

use facetta_model::{Context, ErrorKind, ErrorKind::*};
use facetta_xmla::Request;
use facetta_xmla::client::Answer;
use proptest::prelude::*;

/// Where a case's text stands in the request.
#[derive(Clone, Copy)]
enum In {
    /// It is the document.
    Document,
    /// Inside Envelope.
    Envelope,
    /// Inside Header, beside a good body.
    Header,
    /// Inside Body.
    Body,
    /// Inside Discover, after a good RequestType.
    Discover,
    /// Inside Execute.
    Execute,
    /// Inside Command.
    Command,
    /// Inside PropertyList.
    Properties,
}

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const XMLA: &str = "urn:schemas-microsoft-com:xml-analysis";

fn document(place: In, text: &str) -> String {
    let envelope = |inner: &str| format!("<s:Envelope xmlns:s='{SOAP}' xmlns='{XMLA}'>{inner}</s:Envelope>");
    let body = |inner: &str| envelope(&format!("<s:Body>{inner}</s:Body>"));
    let execute = |inner: &str| body(&format!("<Execute>{inner}</Execute>"));
    let empty = "<Execute><Command><Statement/></Command></Execute>";
    match place {
        In::Document => text.to_owned(),
        In::Envelope => envelope(text),
        In::Header => envelope(&format!("<s:Header>{text}</s:Header><s:Body>{empty}</s:Body>")),
        In::Body => body(text),
        In::Discover => body(&format!("<Discover><RequestType>X</RequestType>{text}</Discover>")),
        In::Execute => execute(text),
        In::Command => execute(&format!("<Command>{text}</Command>")),
        In::Properties => execute(&format!(
            "<Command><Statement/></Command><Properties><PropertyList>{text}</PropertyList></Properties>"
        )),
    }
}

/// What is wrong, the kind of error, and a piece of its message.
const CASES: &[(In, &str, ErrorKind, &str)] = &[
    // XML
    (In::Document, "", Xml, "line 1, column 1: the document has no element"),
    (In::Document, "  \n ", Xml, "the document has no element"),
    (In::Document, "hello", Xml, "line 1, column 6: text outside the root element"),
    (In::Document, "<a", Xml, "line 1, column 1: tag not closed"),
    (In::Document, "<a>", Xml, "line 1, column 4: the element 'a' is not closed"),
    (In::Document, "<a>\n<b></a>", Xml, "line 2, column 4: expected `</b>`, but `</a>` was found"),
    (In::Document, "</a>", Xml, "does not match any open tag"),
    (
        In::Document,
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        Xml,
        "line 1, column 1: a document type declaration (DTD)",
    ),
    (In::Document, "<?pi x?><a/>", Xml, "processing instructions are not allowed"),
    (In::Document, " <?xml version='1.0'?><a/>", Xml, "an XML declaration that is not at the start"),
    (In::Document, "<?xml version='1.0' encoding='EBCDIC'?><a/>", Xml, "the encoding 'EBCDIC' is not supported"),
    (In::Document, "\u{FEFF}\u{FEFF}<é/>", Xml, "line 1, column 1: a byte order mark where none may be"),
    (In::Document, "<1a/>", Xml, "'1a' is not a name"),
    (In::Document, "<a:b:c/>", Xml, "is not a name"),
    (In::Document, "<a b='1' b='2'/>", Xml, "the attribute 'b' is there twice"),
    (In::Document, "<a p:b='1' p:b='2'/>", Xml, "the attribute 'b' is there twice"),
    (In::Document, "<a xmlns='u' xmlns='v'/>", Xml, "the attribute 'xmlns' is there twice"),
    (In::Document, "<a xmlns:p='u' xmlns:p='u'/>", Xml, "the attribute 'xmlns:p' is there twice"),
    (In::Document, "<a xmlns:='u'/>", Xml, "'xmlns:' is not a name"),
    (In::Document, "<a xmlns:xmlns='u'/>", Xml, "the prefix 'xmlns' cannot be bound"),
    (In::Document, "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", Xml, "the attribute 'b' is there twice"),
    (In::Document, "<a b=1/>", Xml, "line 1, column 1"),
    (In::Document, "<a b='<'/>", Xml, "the attribute 'b' holds a forbidden character"),
    (In::Document, "<a b='&x;'/>", Xml, "the attribute 'b'"),
    (In::Document, "<a b='&#1;'/>", Xml, "the attribute 'b' holds a forbidden character"),
    (In::Document, "<!-- open", Xml, "comment not closed"),
    (In::Command, "<Statement><![CDATA[ SELECT</Statement>", Xml, "CDATA not closed"),
    (In::Command, "<Statement>&undefined;</Statement>", Xml, "the entity '&undefined;' is not known"),
    (In::Command, "<Statement>&#0;</Statement>", Xml, "the reference '&#0;' is no character"),
    (In::Command, "<Statement>&#xFFFF;</Statement>", Xml, "the reference '&#xFFFF;' is no character"),
    (In::Command, "<Statement>&#99999999999;</Statement>", Xml, "is no character"),
    (In::Command, "<Statement>a & b</Statement>", Xml, "reference"),
    (In::Command, "<Statement>a\u{0}b</Statement>", Xml, "the character U+0000 is not allowed"),
    (In::Command, "<Statement>a\u{1b}b</Statement>", Xml, "the character U+001B is not allowed"),
    (In::Command, "<Statement>a\u{fffe}b</Statement>", Xml, "the character U+FFFE is not allowed"),
    // SOAP
    (In::Document, "<a/>", Soap, "The a element at line 1, column 1 (no namespace) cannot appear as root"),
    (
        In::Document,
        "<Envelope/>",
        Soap,
        "The Envelope element at line 1, column 1 (no namespace) cannot appear as root",
    ),
    (In::Document, "<s:Envelope/>", Soap, "(prefix 's' is not declared)"),
    (
        In::Document,
        "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelopeFOO/'/>",
        Soap,
        "envelopeFOO/) cannot appear",
    ),
    (In::Document, "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>", Soap, "SOAP 1.2"),
    (In::Envelope, "", Soap, "has no Body"),
    (In::Envelope, "<s:Header/>", Soap, "has no Body"),
    (In::Envelope, "<Body/>", Soap, "The Body element"),
    (In::Envelope, "<s:Foo/>", Soap, "The Foo element"),
    (In::Envelope, "<s:Header/><s:Header/>", Soap, "The Header element"),
    (In::Envelope, "<s:Body/>", EmptyBody, "The SOAP body is empty"),
    (In::Envelope, "<s:Body/>tail", EmptyBody, "The SOAP body is empty"),
    (
        In::Body,
        "<Discover><RequestType>X</RequestType></Discover>text",
        Soap,
        "The text 'text' cannot appear under Envelope/Body",
    ),
    (In::Body, "SELECT", Soap, "The text 'SELECT' cannot appear under Envelope/Body"),
    (In::Body, "<FOODiscover/>", Soap, "The FOODiscover element"),
    (
        In::Body,
        "<Execute xmlns='urn:schemas-microsoft-com:xml-analysis-FOO'/>",
        Soap,
        "xml-analysis-FOO) cannot appear under Envelope/Body",
    ),
    (In::Body, "<Discover xmlns=''/>", Soap, "The Discover element"),
    // headers
    (In::Header, "<h:Foo xmlns:h='u' s:mustUnderstand='1'/>", MustUnderstand, "The 'Foo' header (namespace 'u')"),
    (In::Header, "<h:Foo xmlns:h='u' mustUnderstand='true'/>", MustUnderstand, "The 'Foo' header"),
    (
        In::Header,
        "<h:Foo xmlns:h='u' s:mustUnderstand='maybe'/>",
        Soap,
        "'maybe' is no value of mustUnderstand in 'Foo'",
    ),
    (In::Header, "text", Soap, "The text 'text' cannot appear under Envelope/Header"),
    // Discover
    (In::Body, "<Discover/>", Soap, "The RequestType element is missing under Envelope/Body/Discover"),
    (In::Discover, "<RequestType>Y</RequestType>", Soap, "The RequestType element"),
    (In::Discover, "<FOORestrictions/>", Soap, "The FOORestrictions element"),
    (In::Discover, "<Restrictions><CUBE_NAME>x</CUBE_NAME></Restrictions>", Soap, "The CUBE_NAME element"),
    (
        In::Discover,
        "<Restrictions><RestrictionList/><RestrictionList/></Restrictions>",
        Soap,
        "The RestrictionList element",
    ),
    (
        In::Discover,
        "<Restrictions><RestrictionList><A><B>x</B></A></RestrictionList></Restrictions>",
        Soap,
        "The B element at line 1, column 192 (namespace urn:schemas-microsoft-com:xml-analysis) cannot appear under \
         Envelope/Body/Discover/Restrictions/RestrictionList/A.",
    ),
    (
        In::Discover,
        "<Restrictions><RestrictionList><A>x<Value>y</Value></A></RestrictionList></Restrictions>",
        Soap,
        "The text 'x' cannot appear",
    ),
    (In::Discover, "<Properties/><Properties/>", Soap, "The Properties element"),
    (In::Discover, "<Properties><Catalog/></Properties>", Soap, "The Catalog element"),
    // Execute
    (In::Execute, "", Soap, "The Command element is missing under Envelope/Body/Execute"),
    (In::Execute, "<Command/>", Soap, "The Command element is empty"),
    (In::Execute, "<Statement>x</Statement>", Soap, "The Statement element"),
    (In::Command, "SELECT", Soap, "The text 'SELECT' cannot appear under Envelope/Body/Execute/Command"),
    (In::Command, "<Statement/><Statement/>", Soap, "The Statement element"),
    (In::Command, "<Frobnicate/>", Soap, "The 'Frobnicate' command was not recognized"),
    (In::Command, "<Statement>SELECT <b/></Statement>", Soap, "The b element"),
    (In::Command, "<Statement>&lt;Cancel></Statement>", Xml, "line 1, column 9: the element 'Cancel' is not closed"),
    (In::Command, "<Statement>&lt;Frobnicate/></Statement>", Soap, "The 'Frobnicate' command was not recognized"),
    (In::Command, "<Statement>&lt;Cancel/> tail</Statement>", Xml, "text outside the root element"),
    (In::Command, "<Cancel><SPID>12x</SPID></Cancel>", TypeMismatch, "'12x' is no integer in 'SPID'"),
    (In::Command, "<Cancel><SPID/></Cancel>", TypeMismatch, "'' is no integer in 'SPID'"),
    (
        In::Command,
        "<Cancel><SPID>1</SPID><SPID>2</SPID></Cancel>",
        Soap,
        "The 'SPID' element is there twice under Cancel",
    ),
    (In::Command, "<Cancel><CancelAssociated>yes</CancelAssociated></Cancel>", TypeMismatch, "'yes' is no boolean"),
    (In::Command, "<Cancel><Session>1</Session></Cancel>", Soap, "The Session element"),
    (In::Command, "<BeginTransaction><x/></BeginTransaction>", Soap, "The x element"),
    (
        In::Command,
        "<CommitTransaction><DurabilityGuarantee>Some</DurabilityGuarantee></CommitTransaction>",
        TypeMismatch,
        "'Some' is no value of 'DurabilityGuarantee'",
    ),
    (
        In::Execute,
        "<Command><Statement/></Command><Parameters><Parameter><Name>p</Name>\
         <Value xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='xsd:int'>x</Value></Parameter></Parameters>",
        TypeMismatch,
        "'x' is no value of the type 'int'",
    ),
    (
        In::Execute,
        "<Command><Statement/></Command><Parameters><Parameter><Value>1</Value></Parameter></Parameters>",
        Soap,
        "The Name element is missing",
    ),
    // properties
    (In::Properties, "<Timeout>soon</Timeout>", Property, "The value 'soon' of the property 'Timeout'"),
    (In::Properties, "<Timeout>-1</Timeout>", Property, "'Timeout' cannot have the value '-1'"),
    (In::Properties, "<Timeout>99999999999</Timeout>", Property, "'Timeout' is not of the type xsd:int"),
    (In::Properties, "<Content>Everything</Content>", Property, "'Content' cannot have the value 'Everything'"),
    (In::Properties, "<Format>PDF</Format>", Property, "only one of Tabular, Multidimensional, Native"),
    (
        In::Properties,
        "<ShowHiddenCubes>maybe</ShowHiddenCubes>",
        Property,
        "'ShowHiddenCubes' is not of the type xsd:boolean",
    ),
    (In::Properties, "<BeginRange>-2</BeginRange>", Property, "'BeginRange'"),
    (In::Properties, "<Roles>Manager</Roles>", Property, "The property 'Roles' is not supported yet"),
    (In::Properties, "<EffectiveUserName>x</EffectiveUserName>", Property, "'EffectiveUserName'"),
    (In::Properties, "<Catalog><x/></Catalog>", Soap, "The x element"),
    (In::Properties, "text", Soap, "The text 'text'"),
];

#[test]
fn every_malformed_request_is_refused_by_name() {
    let mut wrong = Vec::new();
    for (place, text, kind, message) in CASES {
        let document = document(*place, text);
        match Request::read(document.as_bytes(), &Context::unlimited()) {
            Err(error) if error.kind() == *kind && error.message().contains(message) => {}
            other => wrong.push(format!("{text}\n   expected {kind:?} {message}\n   got {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn refused(bytes: &[u8]) -> (ErrorKind, String) {
    let error = Request::read(bytes, &Context::unlimited()).unwrap_err();
    (error.kind(), error.message().to_owned())
}

#[test]
fn limits_end_hostile_documents() {
    let deep = "<a>".repeat(100_000);
    let wide = format!("<a {}/>", (0..1000).map(|n| format!("b{n}='' ")).collect::<String>());
    let declares = format!("<a {}>", (0..60).map(|n| format!("xmlns:b{n}='u' ")).collect::<String>());
    let declared = declares.repeat(5);
    let long_name = format!("<{}/>", "a".repeat(5000));
    let long_value = format!("<a b='{}'/>", "x".repeat(100_000));
    let cases = [
        (deep, "elements nested deeper than 256"),
        (wide, "more than 64 attributes"),
        (declared, "more than 256 declarations of namespaces"),
        (long_name, "a name longer than 1024 bytes"),
        (long_value, "the attribute 'b' is longer than 65536 bytes"),
    ];
    for (text, message) in cases {
        let (kind, said) = refused(text.as_bytes());
        assert_eq!(kind, Xml, "{said}");
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn broken_encodings_are_refused_with_their_place() {
    assert_eq!(
        refused(b"<a>\n \xFF</a>").1,
        "XML parsing failed at line 2, column 2: a byte sequence that is not UTF-8"
    );
    assert!(refused(&[0xFF, 0xFE, b'<', 0, 0, 0xD8, b'a', 0]).1.contains("not UTF-16"));
    assert!(refused(&[0xFE, 0xFF, 0, b'<', 0]).1.contains("not UTF-16"));
}

#[test]
fn reading_ends_when_the_command_does() {
    let statement = "&amp;".repeat(1 << 19);
    let text = document(In::Command, &format!("<Statement>{statement}</Statement>"));
    let context = Context::unlimited();
    Request::read(text.as_bytes(), &context).unwrap();
    let polls = context.counters().checks.load(std::sync::atomic::Ordering::Relaxed);
    assert!(polls > 500, "{polls} polls in 2 MB of references");
    context.token().cancel(facetta_model::CancelReason::Cancel);
    assert_eq!(Request::read(text.as_bytes(), &context).unwrap_err().kind(), Cancelled);
    let poor = Context::new(1 << 20, None);
    assert_eq!(Request::read(text.as_bytes(), &poor).unwrap_err().kind(), MemoryLimit);
    assert_eq!(poor.memory().held(), 0);
}

const GOOD: &str = "<?xml version='1.0'?><s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header>\
    <Session xmlns='urn:schemas-microsoft-com:xml-analysis' SessionId='1' s:mustUnderstand='1'/></s:Header><s:Body>\
    <Execute xmlns='urn:schemas-microsoft-com:xml-analysis'><Command><Statement>&lt;Cancel>&lt;SPID>1&lt;/SPID>\
    &lt;/Cancel></Statement></Command><Properties><PropertyList><Timeout>1</Timeout></PropertyList></Properties>\
    <Parameters><Parameter><Name>p</Name><Value xsi:type='xsd:decimal' \
    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>1.5</Value></Parameter></Parameters></Execute>\
    </s:Body></s:Envelope>";

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Request::read(&bytes, &Context::unlimited());
    }

    #[test]
    fn no_damage_makes_the_reader_panic(
        damage in prop::collection::vec((0..GOOD.len(), 0..12usize, "[ -~é\u{FEFF}]{0,3}|<|&|'|/>|-->|]]>|<!\\[CDATA\\[|&#x[0-9]{1,6};"), 1..4),
    ) {
        let mut text = GOOD.to_owned();
        for (at, cut, insert) in damage {
            let at = at.min(text.len());
            if let Some(end) = text.get(at..).map(|rest| at + cut.min(rest.len())).filter(|&e| text.is_char_boundary(e)) {
                text.replace_range(at..end, &insert);
            }
        }
        let _ = Request::read(text.as_bytes(), &Context::unlimited());
        let _ = Answer::read(text.as_bytes(), &Context::unlimited());
    }
}

#[test]
fn the_request_that_is_damaged_is_good() {
    Request::read(GOOD.as_bytes(), &Context::unlimited()).unwrap();
}
