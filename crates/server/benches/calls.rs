//! What a short call costs beside what HTTP costs: a childless Cancel in a session, with Basic authentication, at 1, 16 and 256
//! connections, beside a bare hyper handler that reads the same bytes and answers as many.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod common;

use common::client::{Client, in_session, request};
use common::envelope::{cancel, execute, statement};
use common::figures::Limits;
use common::load::Load;
use common::{Bench, catalog, serve};
use facetta_server::auth::users::Users;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

const CONNECTIONS: [usize; 3] = [1, 16, 256];

/// Each is measured so often, by turns; the median of the ratios counts.
const ROUNDS: usize = 31;
const TIME: Duration = Duration::from_millis(300);

/// Ours at least this part of the bare handler's rate.
const LIMIT: f64 = 0.5;

/// `ann:secret`.
const BASIC: &str = "Authorization: Basic YW5uOnNlY3JldA==\r\n";

fn main() -> ExitCode {
    let bench = serve(&[], |folder| {
        let mut users = Users::default();
        users.add("ann", "secret", true, Vec::new()).unwrap();
        users.write(&folder.join("state/users.toml")).unwrap();
        Some(catalog::wide(folder, 1000))
    });
    let answer = Client::connect(bench.handle.address()).ask(&call(&bench)).text();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap();
    assert!(body.contains("ExecuteResponse"), "{answer}");
    let bare = Bare::start(body.into());
    let load = Load::default();
    let mut limits = Limits::default();
    println!("short calls a second, {} ms each, median of {ROUNDS} ratios", TIME.as_millis());
    println!("{:>11} {:>10} {:>10} {:>7}", "connections", "facetta", "bare", "ratio");
    for connections in CONNECTIONS {
        let requests: Vec<Vec<u8>> = (0..connections).map(|_| call(&bench)).collect();
        let mut rounds: Vec<(f64, f64)> = Vec::new();
        for _ in 0..ROUNDS {
            let ours = load.rate(bench.handle.address(), &requests, TIME);
            rounds.push((ours, load.rate(bare.address, &requests, TIME)));
        }
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (ours, theirs) = rounds[ROUNDS / 2];
        println!("{connections:>11} {ours:>10.0} {theirs:>10.0} {:>7.2}", ours / theirs);
        limits.at_least(&format!("{connections} connections, ratio"), ours / theirs, LIMIT);
    }
    limits.verdict()
}

/// A childless Cancel in a session of its own.
fn call(bench: &Bench) -> Vec<u8> {
    let id = Client::connect(bench.handle.address()).begin(BASIC, &statement("", &[]));
    request(BASIC, &in_session(&id), &execute(&cancel(None, None, None, None), &[]))
}

/// A server that does nothing but HTTP.
struct Bare {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Bare {
    fn start(answer: Bytes) -> Bare {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let answer = answer.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| echo(request, answer.clone()));
                    let http = hyper::server::conn::http1::Builder::new();
                    // The client hangs up when it has enough.
                    let _ = http.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await;
                });
            }
        });
        Bare { address, _runtime: runtime }
    }
}

async fn echo(request: Request<Incoming>, answer: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    // All of it is read, as every handler has to.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(answer));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    Ok(response)
}
