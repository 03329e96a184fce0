//! An XMLA client over HTTP: statements and commands in, answers or troubles out.

use super::answer::{Answer, Fault, read};
use anyhow::{Context, Result};
use facetta_mdx::{StatementClass, classify};
use facetta_xmla::xml::writer::escape;
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
            Trouble::Fault(fault) => write!(f, "{fault}"),
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
    pub(super) fn statement(&self, text: &str) -> Result<Answer> {
        let body = self.statement_body(text);
        read(&self.post(&body)?)
    }

    /// The answer to an MDX or DMV statement as the server wrote it, once it is known not to be an error.
    pub(super) fn statement_xml(&self, text: &str) -> Result<String> {
        let xml = self.post(&self.statement_body(text))?;
        read(&xml)?;
        Ok(xml)
    }

    /// The answer to another command, written as XML.
    pub(super) fn command(&self, xml: &str, properties: &[(&str, &str)]) -> Result<Answer> {
        read(&self.post(&self.execute(xml, properties))?)
    }

    fn statement_body(&self, text: &str) -> String {
        let format = match classify(text) {
            StatementClass::Query if !starts_with_word(text, "drillthrough") => "Multidimensional",
            _ => "Tabular",
        };
        let properties = [("Format", format), ("AxisFormat", "TupleFormat"), ("Content", "SchemaData")];
        self.execute(&format!("<Statement>{}</Statement>", escape(text)), &properties)
    }

    fn execute(&self, command: &str, properties: &[(&str, &str)]) -> String {
        let application = ("SspropInitAppName", "facetta");
        let catalog = self.catalog.as_deref().map(|c| ("Catalog", c));
        let all = properties.iter().copied().chain([application]).chain(catalog);
        let list: String = all.map(|(name, value)| format!("<{name}>{}</{name}>", escape(value))).collect();
        format!(
            "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
             <Execute xmlns=\"urn:schemas-microsoft-com:xml-analysis\"><Command>{command}</Command>\
             <Properties><PropertyList>{list}</PropertyList></Properties></Execute></Body></Envelope>"
        )
    }

    /// Posts a request and answers the body of the response.
    fn post(&self, body: &str) -> Result<String> {
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
        let text = response.body_mut().with_config().limit(u64::MAX).read_to_string();
        let text = text.with_context(|| format!("reading the answer of {}", self.url))?;
        if status != 200 {
            let start: String = text.chars().take(200).collect();
            let why = format!("HTTP status {status}: {}", start.trim());
            return Err(Trouble::Unreachable { url: self.url.clone(), why }.into());
        }
        Ok(text)
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
    fn a_statement_is_escaped_and_has_the_format_it_needs() {
        let client = Client::new("http://127.0.0.1:1/xmla", None, Some("A & B")).unwrap();
        let cases = [
            ("SELECT {} ON 0 FROM [a]", "<Format>Multidimensional</Format>"),
            ("SELECT * FROM $System.DISCOVER_SESSIONS", "<Format>Tabular</Format>"),
            ("DRILLTHROUGH SELECT {} ON 0 FROM [a]", "<Format>Tabular</Format>"),
        ];
        for (statement, expected) in cases {
            let body = client.statement_body(statement);
            assert!(body.contains(expected) && body.contains("<Catalog>A &amp; B</Catalog>"), "{body}");
        }
        assert!(client.statement_body("SELECT 1 < 2").contains("1 &lt; 2"));
    }

    #[test]
    fn nobody_there_is_told_apart() {
        let client = Client::new("http://127.0.0.1:1/xmla", None, None).unwrap();
        let error = client.statement("SELECT * FROM $System.DISCOVER_SESSIONS").unwrap_err();
        assert_eq!(error.downcast_ref::<Trouble>().map(Trouble::exit_code), Some(3), "{error:#}");
    }
}
