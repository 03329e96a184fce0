//! An XMLA client over HTTP: statements and commands in, answers or troubles out.

use anyhow::{Context as _, Result};
use facetta_mdx::{StatementClass, classify};
use facetta_model::Context;
use facetta_xmla::client::{Answer, AnswerResult, Fault, request_bytes};
use facetta_xmla::{Body, Command, Execute, Properties, Request, SessionHeaders};
use std::fmt;
use std::time::Duration;
use ureq::Agent;

/// Why a server did not do what it was asked; the exit status tells them apart.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody answered.
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        why: String,
    },
    /// The server wants a user and password, or other ones.
    Login(String),
    /// The server answered with an error.
    Fault(Fault),
}

impl Trouble {
    /// As documented in `facetta --help`.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Trouble::Unreachable { .. } => 3,
            Trouble::Fault(_) => 4,
            Trouble::Login(_) => 5,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Unreachable { url, why } => write!(f, "no answer from {url}: {why}"),
            Trouble::Login(url) => write!(f, "{url} asks for a user and password, or refuses these; give --user"),
            Trouble::Fault(fault) if fault.code == 0 => f.write_str(&fault.description),
            Trouble::Fault(fault) => write!(f, "{} (0x{:08X})", fault.description, fault.code),
        }
    }
}

impl std::error::Error for Trouble {}

/// A client of one server; connections are kept open between calls.
pub(super) struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
    catalog: Option<String>,
}

impl Client {
    /// A client for `url`, as a user with a password, with `catalog` as the current one.
    pub(super) fn new(url: &str, user: Option<(&str, String)>, catalog: Option<&str>) -> Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .user_agent(concat!("facetta/", env!("CARGO_PKG_VERSION")));
        Ok(Client {
            agent: Agent::new_with_config(config.build()),
            url: url.to_string(),
            authorization: user.map(|(name, password)| basic(name, &password)),
            catalog: catalog.map(str::to_string),
        })
    }

    /// The answer to an MDX or DMV statement.
    pub(super) fn statement(&self, text: &str) -> Result<AnswerResult> {
        read(&self.statement_bytes(text)?)
    }

    /// The answer to an MDX or DMV statement as the server wrote it, once it is known not to be an error.
    pub(super) fn statement_bytes(&self, text: &str) -> Result<Vec<u8>> {
        let bytes = self.post(&self.statement_request(text)?)?;
        read(&bytes)?;
        Ok(bytes)
    }

    /// The answer to another command.
    pub(super) fn command(&self, command: Command, properties: &[(&str, &str)]) -> Result<AnswerResult> {
        read(&self.post(&self.request(command, properties)?)?)
    }

    fn statement_request(&self, text: &str) -> Result<Vec<u8>> {
        let format = match classify(text) {
            StatementClass::Query if !starts_with_word(text, "drillthrough") => "Multidimensional",
            _ => "Tabular",
        };
        let properties = [("Format", format), ("AxisFormat", "TupleFormat"), ("Content", "SchemaData")];
        self.request(Command::Statement(text.to_string()), &properties)
    }

    fn request(&self, command: Command, given: &[(&str, &str)]) -> Result<Vec<u8>> {
        let mut properties = Properties::default();
        properties.set("SspropInitAppName", "facetta")?;
        for (name, value) in given {
            properties.set(name, value)?;
        }
        if let Some(catalog) = &self.catalog {
            properties.set("Catalog", catalog)?;
        }
        let execute = Execute { command, properties, parameters: Vec::new() };
        Ok(request_bytes(&Request { headers: SessionHeaders::None, body: Body::Execute(execute) }))
    }

    /// Posts a request and answers the body of the response.
    fn post(&self, body: &[u8]) -> Result<Vec<u8>> {
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "text/xml; charset=utf-8")
            .header("SOAPAction", "\"urn:schemas-microsoft-com:xml-analysis:Execute\"");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let unreachable = |e: ureq::Error| Trouble::Unreachable { url: self.url.clone(), why: e.to_string() };
        let mut response = request.send(body).map_err(unreachable)?;
        let status = response.status().as_u16();
        if status == 401 || status == 403 {
            return Err(Trouble::Login(self.url.clone()).into());
        }
        let bytes = response.body_mut().with_config().limit(u64::MAX).read_to_vec();
        let bytes = bytes.with_context(|| format!("reading the answer of {}", self.url))?;
        if status != 200 {
            let start: String = String::from_utf8_lossy(&bytes).chars().take(200).collect();
            let why = format!("HTTP status {status}: {}", start.trim());
            return Err(Trouble::Unreachable { url: self.url.clone(), why }.into());
        }
        Ok(bytes)
    }
}

/// Reads the body of a response: warnings go to the log, a fault, in the envelope or in the body, is a [`Trouble`].
fn read(bytes: &[u8]) -> Result<AnswerResult> {
    let answer = Answer::read(bytes, &Context::unlimited()).context("the answer is not one of XML for Analysis")?;
    for warning in &answer.warnings {
        tracing::warn!(code = warning.code, "{}", warning.description);
    }
    match (answer.exception, answer.result) {
        (Some(fault), _) | (None, AnswerResult::Fault(fault)) => Err(Trouble::Fault(fault).into()),
        (None, result) => Ok(result),
    }
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// The header of Basic authentication.
fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut header = String::from("Basic ");
    for chunk in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            header.push(if digit <= chunk.len() { DIGITS[index as usize] as char } else { '=' });
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded_as_rfc_7617_says() {
        let cases = [
            (("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            (("test", "123\u{a3}"), "Basic dGVzdDoxMjPCow=="),
            (("a", "b"), "Basic YTpi"),
        ];
        for ((user, password), expected) in cases {
            assert_eq!(basic(user, password), expected);
        }
    }

    #[test]
    fn a_statement_has_the_format_it_needs() {
        let client = Client::new("http://127.0.0.1:1/xmla", None, Some("A & B")).unwrap();
        let cases = [
            ("SELECT {} ON 0 FROM [a]", "<Format>Multidimensional</Format>"),
            ("SELECT * FROM $System.DISCOVER_SESSIONS", "<Format>Tabular</Format>"),
            ("DRILLTHROUGH SELECT {} ON 0 FROM [a]", "<Format>Tabular</Format>"),
        ];
        for (statement, expected) in cases {
            let body = String::from_utf8(client.statement_request(statement).unwrap()).unwrap();
            assert!(body.contains(expected) && body.contains("<Catalog>A &amp; B</Catalog>"), "{body}");
        }
    }

    #[test]
    fn errors_are_found_wherever_they_stand() {
        let soap = |body: &str| {
            format!(
                "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{body}</e:Body></e:Envelope>"
            )
        };
        let error = "<Error ErrorCode=\"3238658121\" Description=\"long\"/>";
        let root = "<ExecuteResponse><return><root xmlns=\"urn:schemas-microsoft-com:xml-analysis:rowset\">";
        let cases = [
            (
                soap(&format!(
                    "<e:Fault><faultcode>x</faultcode><faultstring>short</faultstring><detail>{error}</detail></e:Fault>"
                )),
                "long (0xC10A0049)",
            ),
            (soap("<e:Fault><faultcode>x</faultcode><faultstring>short</faultstring></e:Fault>"), "short"),
            (
                soap(&format!(
                    "{root}<row><A>1</A></row><Exception/><Messages>{error}</Messages></root></return></ExecuteResponse>"
                )),
                "long (0xC10A0049)",
            ),
        ];
        for (xml, expected) in cases {
            let trouble = read(xml.as_bytes()).unwrap_err().downcast::<Trouble>().unwrap();
            assert_eq!((trouble.to_string().as_str(), trouble.exit_code()), (expected, 4), "{xml}");
        }
        for xml in ["", "<html>", "<a/><b/>", "Not found"] {
            assert!(read(xml.as_bytes()).is_err(), "{xml}");
        }
    }

    #[test]
    fn nobody_there_is_told_apart() {
        let client = Client::new("http://127.0.0.1:1/xmla", None, None).unwrap();
        let error = client.statement("SELECT * FROM $System.DISCOVER_SESSIONS").unwrap_err();
        assert_eq!(error.downcast_ref::<Trouble>().map(Trouble::exit_code), Some(3), "{error:#}");
    }
}
