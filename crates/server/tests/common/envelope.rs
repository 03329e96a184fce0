//! XMLA requests as text, written by hand here: what the server reads must not come from its own writer.

/// The SOAP envelope around header blocks and a body.
pub fn envelope(headers: &str, body: &str) -> String {
    let header = if headers.is_empty() { String::new() } else { format!("<soap:Header>{headers}</soap:Header>") };
    format!(
        r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">{header}<soap:Body>{body}</soap:Body></soap:Envelope>"#
    )
}

/// A session header block: `BeginSession` without an id, `Session` or `EndSession` with one.
pub fn session_header(name: &str, id: Option<&str>) -> String {
    let id = id.map(|id| format!(r#" SessionId="{}""#, escape(id))).unwrap_or_default();
    format!(r#"<{name} xmlns="urn:schemas-microsoft-com:xml-analysis" soap:mustUnderstand="1"{id}/>"#)
}

/// An Execute of a command that is written as XML.
pub fn execute(command: &str, properties: &[(String, String)]) -> String {
    format!(
        r#"<Execute xmlns="urn:schemas-microsoft-com:xml-analysis"><Command>{command}</Command>{}</Execute>"#,
        property_list(properties)
    )
}

/// An Execute of a statement.
pub fn statement(text: &str, properties: &[(String, String)]) -> String {
    execute(&format!("<Statement>{}</Statement>", escape(text)), properties)
}

/// A Discover.
pub fn discover(rowset: &str, restrictions: &[(String, String)], properties: &[(String, String)]) -> String {
    let each = restrictions.iter().map(|(n, v)| format!("<{n}>{}</{n}>", restriction(v)));
    format!(
        r#"<Discover xmlns="urn:schemas-microsoft-com:xml-analysis"><RequestType>{rowset}</RequestType><Restrictions><RestrictionList>{}</RestrictionList></Restrictions>{}</Discover>"#,
        each.collect::<String>(),
        property_list(properties)
    )
}

/// Values of a restriction; several are divided by `|`.
fn restriction(value: &str) -> String {
    if !value.contains('|') {
        return escape(value);
    }
    value.split('|').map(|v| format!("<Value>{}</Value>", escape(v))).collect()
}

fn property_list(properties: &[(String, String)]) -> String {
    let each = properties.iter().map(|(n, v)| format!("<{n}>{}</{n}>", escape(v)));
    format!("<Properties><PropertyList>{}</PropertyList></Properties>", each.collect::<String>())
}

/// A Cancel element; what is not given is not written.
pub fn cancel(connection: Option<&str>, session: Option<&str>, spid: Option<&str>, associated: Option<&str>) -> String {
    let parts =
        [("ConnectionID", connection), ("SessionID", session), ("SPID", spid), ("CancelAssociated", associated)];
    let each = parts.iter().filter_map(|(n, v)| v.map(|v| format!("<{n}>{}</{n}>", escape(v))));
    format!(
        r#"<Cancel xmlns="http://schemas.microsoft.com/analysisservices/2003/engine">{}</Cancel>"#,
        each.collect::<String>()
    )
}

/// Text for XML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
