//! The SOAP envelope: header blocks, session headers, and the way to the one child of the body.

use crate::request::{Body, Request};
use crate::xml::decode::decode;
use crate::xml::namespace::Namespace;
use crate::xml::reader::{Element, Reader};
use facetta_model::{Context, Error, ErrorKind, Result, bail};

/// What the session headers of a request say (spec/decisions.md, Session headers).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionHeaders {
    /// There is none: the call has a session of its own.
    #[default]
    None,
    /// BeginSession: run in a new session and tell its id.
    Begin,
    /// Session: run in the session with this id.
    Use(String),
    /// EndSession, with or without Session of the same id: run in the session with this id, then end it.
    End(String),
}

impl SessionHeaders {
    /// The id that the request names.
    pub fn id(&self) -> Option<&str> {
        match self {
            SessionHeaders::Use(id) | SessionHeaders::End(id) => Some(id),
            SessionHeaders::None | SessionHeaders::Begin => None,
        }
    }
}

/// The fault for a session that is not there, or not the caller's.
pub fn session_not_found(id: &str) -> Error {
    let message =
        format!("The '{id}' session ID cannot be found. Either the session does not exist or it has already expired.");
    Error::new(ErrorKind::SessionNotFound, message)
}

/// Reads a whole request from the bytes of an HTTP body.
pub(crate) fn read(bytes: &[u8], context: &Context) -> Result<Request> {
    // A second text is made where encoding or references ask for one.
    let _charge = context.charge("Request", bytes.len())?;
    let text = decode(bytes, context)?;
    let mut reader = Reader::new(&text, context);
    let request = read_envelope(&mut reader);
    // What is not well formed is told as such, whatever else is wrong with it.
    match &request {
        Err(error) if error.kind() == ErrorKind::Xml || error.is_interrupt() => request,
        _ => reader.finish().and(request),
    }
}

fn read_envelope(reader: &mut Reader) -> Result<Request> {
    let envelope = reader.root()?;
    if envelope.name != "Envelope" || envelope.namespace != Namespace::Soap {
        return Err(wrong_envelope(reader, &envelope));
    }
    let mut headers = None;
    let mut body = None;
    while let Some(child) = reader.child()? {
        match child.name {
            "Header" if is_soap(&child) && headers.is_none() && body.is_none() => headers = Some(read_header(reader)?),
            "Body" if is_soap(&child) && body.is_none() => body = Some(read_body(reader)?),
            _ => return Err(reader.unexpected(&child)),
        }
    }
    match body {
        Some(body) => Ok(Request { headers: headers.unwrap_or_default(), body }),
        None => bail!(Soap, "XML for Analysis parser: The SOAP envelope has no Body."),
    }
}

fn is_soap(element: &Element) -> bool {
    element.namespace == Namespace::Soap
}

fn wrong_envelope(reader: &Reader, element: &Element) -> Error {
    match element.namespace {
        Namespace::Soap12 if element.name == "Envelope" => Error::new(
            ErrorKind::Soap,
            "XML for Analysis parser: The envelope is one of SOAP 1.2; XML for Analysis uses SOAP 1.1 (namespace http://schemas.xmlsoap.org/soap/envelope/).",
        ),
        _ => reader.unexpected(element),
    }
}

fn read_body(reader: &mut Reader) -> Result<Body> {
    let Some(method) = reader.child()? else {
        bail!(EmptyBody, "XML for Analysis parser: The SOAP body is empty; Discover or Execute is expected.");
    };
    let body = Body::read(reader, &method)?;
    match reader.child()? {
        Some(second) => Err(reader.unexpected(&second)),
        None => Ok(body),
    }
}

type Whose = fn(&Namespace) -> bool;

/// Header blocks that say nothing to us, even where they must be understood, and whose they are.
const IGNORED: &[(&str, Whose)] = &[
    // The newest version of the namespaces that the client understands: we write only the first.
    ("Version", Namespace::is_analysis_services),
    ("NamespaceCompatibility", Namespace::is_analysis_services),
    // Binary XML and compression: the answer has the format of the request.
    ("ProtocolCapabilities", Namespace::is_analysis_services),
    // MSOLAP sends it without a namespace, and takes the answer without a token.
    ("BeginGetSessionToken", |_| true),
    // Who is calling is told by HTTP.
    ("Security", |namespace| {
        ["http://docs.oasis-open.org/wss/", "http://schemas.xmlsoap.org/ws/"]
            .iter()
            .any(|p| namespace.uri().starts_with(p))
    }),
];

fn read_header(reader: &mut Reader) -> Result<SessionHeaders> {
    let mut blocks = SessionBlocks::default();
    while let Some(block) = reader.child()? {
        if !is_for_us(&block) {
            reader.skip()?;
            continue;
        }
        let must_understand = must_understand(&block)?;
        let session = (block.namespace == Namespace::Xmla).then_some(block.name);
        match session {
            Some("BeginSession") => blocks.begin(&block)?,
            Some("Session") => set_once(&mut blocks.session, &block)?,
            Some("EndSession") => set_once(&mut blocks.end, &block)?,
            _ if IGNORED.iter().any(|(name, whose)| block.name == *name && whose(&block.namespace)) => {}
            _ if must_understand => bail!(
                MustUnderstand,
                "The '{}' header (namespace '{}') must be understood, but is not known to the server.",
                block.name,
                block.namespace.uri()
            ),
            _ => {}
        }
        reader.skip()?;
    }
    blocks.meaning()
}

/// SOAP 1.1 section 4.2.2: a block with an actor that we are not is not for us.
fn is_for_us(block: &Element) -> bool {
    let actor = block.attributes.iter().find(|a| a.name == "actor" && a.namespace == Namespace::Soap);
    actor.is_none_or(|a| a.value.is_empty() || a.value == "http://schemas.xmlsoap.org/soap/actor/next")
}

/// The attribute with SOAP's namespace, or without one as the documentation of XMLA shows it.
fn must_understand(block: &Element) -> Result<bool> {
    let ours = |n: &Namespace| matches!(n, Namespace::Soap | Namespace::None);
    match block.attributes.iter().find(|a| a.name == "mustUnderstand" && ours(&a.namespace)) {
        None => Ok(false),
        Some(a) => match a.value.trim() {
            "1" | "true" => Ok(true),
            "0" | "false" | "" => Ok(false),
            other => {
                bail!(Soap, "XML for Analysis parser: '{other}' is no value of mustUnderstand in '{}'.", block.name)
            }
        },
    }
}

#[derive(Default)]
struct SessionBlocks {
    begin: bool,
    session: Option<String>,
    end: Option<String>,
}

impl SessionBlocks {
    fn begin(&mut self, block: &Element) -> Result<()> {
        if std::mem::replace(&mut self.begin, true) { Err(twice(block)) } else { Ok(()) }
    }

    fn meaning(self) -> Result<SessionHeaders> {
        let named = |id: String| if id.is_empty() { Err(session_not_found("")) } else { Ok(id) };
        match (self.begin, self.session, self.end) {
            (false, None, None) => Ok(SessionHeaders::None),
            (true, None, None) => Ok(SessionHeaders::Begin),
            (false, Some(id), None) => Ok(SessionHeaders::Use(named(id)?)),
            (false, None, Some(id)) => Ok(SessionHeaders::End(named(id)?)),
            (false, Some(used), Some(ended)) if used == ended => Ok(SessionHeaders::End(named(ended)?)),
            (false, Some(used), Some(ended)) => {
                bail!(SessionHeader, "The Session header names '{used}', but the EndSession header names '{ended}'.")
            }
            (true, ..) => {
                bail!(SessionHeader, "BeginSession cannot be combined with a Session or EndSession header.")
            }
        }
    }
}

fn twice(block: &Element) -> Error {
    Error::new(ErrorKind::SessionHeader, format!("The {} header is there twice.", block.name))
}

fn set_once(slot: &mut Option<String>, block: &Element) -> Result<()> {
    // One page of the documentation spells it SessionID.
    let exact = block.attribute("SessionId");
    let any_case = || block.attributes.iter().find(|a| a.name.eq_ignore_ascii_case("SessionId")).map(|a| &*a.value);
    let id = exact.or_else(any_case).unwrap_or_default().to_owned();
    if slot.replace(id).is_some() { Err(twice(block)) } else { Ok(()) }
}
