//! HTTP: which requests reach the SOAP layer, and how answers leave.

use crate::auth::Verdict;
use crate::body::{Answer, Stream};
use crate::connections::Connection;
use crate::handler::{self, Call};
use crate::server::Server;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Version};
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use tower_http::CompressionLevel;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{CompressionBody, CompressionLayer};

/// The body of a response before compression.
pub struct Body {
    content: Content,
    /// The connection answers a request for as long as there is a body of it.
    busy: Option<Busy>,
}

enum Content {
    Full(Full<Bytes>),
    Stream(Stream),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let polled = match &mut this.content {
            Content::Full(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
            Content::Stream(stream) => Pin::new(stream).poll_frame(cx),
        };
        if let (Poll::Ready(Some(Ok(frame))), Some(busy)) = (&polled, &this.busy) {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            busy.connection.data_sent.fetch_add(bytes as u64, Relaxed);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(full) => full.size_hint(),
            Content::Stream(stream) => stream.size_hint(),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Full(full) if full.is_end_stream())
    }
}

/// The body of a response.
pub type ResponseBody = CompressionBody<Body>;

/// Bytes from which on an answer is packed: smaller ones cost more to pack than to send.
const PACKED: u64 = 1024;

/// Answers one HTTP request.
///
/// # Errors
/// None; what goes wrong is an answer.
pub async fn answer(
    server: Arc<Server>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    use tower::{Layer, Service};
    let worthwhile = SizeAbove::new(PACKED);
    let layer = CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(worthwhile);
    layer.layer(Routes { server, connection }).call(request).await
}

#[derive(Clone)]
struct Routes {
    server: Arc<Server>,
    connection: Arc<Connection>,
}

impl tower::Service<Request<Incoming>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let Routes { server, connection } = self.clone();
        Box::pin(async move {
            let busy = Busy::new(&server, &connection);
            let mut response = route(&server, &busy.connection, request).await;
            if busy.connection.is_closing() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response.body_mut().busy = Some(busy);
            Ok(response)
        })
    }
}

/// Notes on a connection that a request is being answered.
struct Busy {
    server: Arc<Server>,
    connection: Arc<Connection>,
}

impl Busy {
    fn new(server: &Arc<Server>, connection: &Arc<Connection>) -> Self {
        connection.request_begins(server.clock.now());
        Self { server: server.clone(), connection: connection.clone() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.connection.request_ends(self.server.clock.now());
    }
}

async fn route(server: &Arc<Server>, connection: &Arc<Connection>, request: Request<Incoming>) -> Response<Body> {
    if !names_its_host(request.version(), request.headers()) {
        return plain(StatusCode::BAD_REQUEST, "A request has one Host header with the name of a host (RFC 9112)\n");
    }
    if let Err(why) = check_host(server, request.headers()) {
        tracing::warn!(connection = connection.id, peer = %connection.peer, why, "request refused");
        return plain(StatusCode::FORBIDDEN, why);
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/health") => match server.is_ready() {
            true => plain(StatusCode::OK, "ok\n"),
            false => plain(StatusCode::SERVICE_UNAVAILABLE, "loading\n"),
        },
        (&Method::POST, _) => xmla(server, connection, request).await,
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "XML for Analysis is asked by POST\n");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            response
        }
    }
}

/// Whether there is one Host header that can be one; HTTP/1.0 may do without (RFC 9112 section 3.2).
fn names_its_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(|h| h.is_empty() || h.parse::<Authority>().is_ok()),
        (Some(_), Some(_)) => false,
    }
}

/// A browser can be made to send requests to a loopback address by any page (DNS rebinding, forms): where nobody has to
/// name himself, only requests that know where they go are answered.
fn check_host(server: &Server, headers: &HeaderMap) -> Result<(), &'static str> {
    if !server.is_open_loopback() {
        return Ok(());
    }
    let text = |name| headers.get(name).map(|v: &HeaderValue| v.to_str().unwrap_or("?"));
    if text(header::HOST).is_some_and(|host| !is_loopback(host)) {
        return Err("The Host header is not a loopback name; a server without users answers to those only\n");
    }
    let foreign = |origin: &str| !origin.split_once("://").is_some_and(|(_, host)| is_loopback(host));
    if text(header::ORIGIN).is_some_and(foreign) {
        return Err("The Origin header is not a loopback one; a server without users answers to those only\n");
    }
    Ok(())
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn xmla(server: &Arc<Server>, connection: &Arc<Connection>, request: Request<Incoming>) -> Response<Body> {
    let user = match server.auth.verify(request.headers().get(header::AUTHORIZATION), connection.peer.ip()).await {
        Verdict::Known(user) => user,
        Verdict::Unknown => return unauthorized(),
        Verdict::Slow => return plain(StatusCode::TOO_MANY_REQUESTS, "Too many failed logins; wait a little\n"),
    };
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "A request with a Content-Encoding is not taken; send it plain\n",
        );
    }
    let limit = usize::try_from(server.settings.limits.request_bytes).unwrap_or(usize::MAX);
    let too_large = || plain(StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than the server takes\n");
    if request.body().size_hint().lower() > limit as u64 {
        return too_large();
    }
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return too_large(),
        Err(error) => {
            tracing::debug!(connection = connection.id, error, "a request broke off");
            return plain(StatusCode::BAD_REQUEST, "The request broke off\n");
        }
    };
    connection.data_received.fetch_add(body.len() as u64, Relaxed);
    let call = Call { server: server.clone(), connection: connection.clone(), user };
    let agent = parts.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    handler::note_caller(&call, agent.as_deref());
    match handler::handle(call, body).await {
        Some(answer) => soap(answer),
        None => plain(StatusCode::INTERNAL_SERVER_ERROR, "The answer was lost\n"),
    }
}

const TRANSPORT_CAPS: HeaderName = HeaderName::from_static("x-transport-caps-negotiation-flags");

/// Faults answer 200 too: what clients of Analysis Services expect (spec/decisions.md).
fn soap(answer: Answer) -> Response<Body> {
    let content = match answer {
        Answer::Whole(bytes) => Content::Full(Full::new(bytes.into())),
        Answer::Stream(stream) => Content::Stream(stream),
    };
    let body = Body { content, busy: None };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    headers.insert(TRANSPORT_CAPS, HeaderValue::from_static("0,0,0,0,0"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response =
        Response::new(Body { content: Content::Full(Full::new(Bytes::from_static(text.as_bytes()))), busy: None });
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn unauthorized() -> Response<Body> {
    let mut response = plain(StatusCode::UNAUTHORIZED, "A user and password are needed\n");
    let challenge = HeaderValue::from_static("Basic realm=\"Facetta\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_host_once() {
        let cases: &[(&[&str], bool)] = &[
            (&[], false),
            (&[""], true),
            (&["localhost"], true),
            (&["example.org:80"], true),
            (&["[::1]:8080"], true),
            (&["a b"], false),
            (&["http://a/"], false),
            (&["a", "a"], false),
        ];
        for (hosts, expected) in cases {
            let values = hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host)));
            let headers: HeaderMap = {
                let mut headers = HeaderMap::new();
                values.for_each(|(name, value)| {
                    headers.append(name, value);
                });
                headers
            };
            assert_eq!(names_its_host(Version::HTTP_11, &headers), *expected, "{hosts:?}");
            let old = *expected || hosts.is_empty();
            assert_eq!(names_its_host(Version::HTTP_10, &headers), old, "{hosts:?} in HTTP/1.0");
        }
    }

    #[test]
    fn only_loopback_names_are_loopback() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.org", "127.0.0.1.example.org:80", "localhost.example.org", "10.0.0.1", "[::2]:1", "?"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
