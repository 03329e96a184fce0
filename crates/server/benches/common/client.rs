//! A client that costs next to nothing: one socket, requests as bytes, answers drained and not kept.

use super::envelope::{envelope, session_header};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An HTTP request to the XMLA endpoint.
pub fn request(headers: &str, header_block: &str, body: &str) -> Vec<u8> {
    let body = envelope(header_block, body);
    let length = body.len();
    format!(
        "POST /xmla HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The header block of a session.
pub fn in_session(id: &str) -> String {
    session_header("Session", Some(id))
}

/// An answer, of which the end is kept.
#[derive(Debug)]
pub struct Drained {
    /// When the first byte was there.
    pub first: Instant,
    /// When the last byte was there.
    pub last: Instant,
    /// Bytes with the head.
    pub bytes: usize,
    /// The last bytes, at most [`TAIL`].
    tail: Vec<u8>,
}

/// Bytes of an answer that are kept.
const TAIL: usize = 64 << 10;

impl Drained {
    /// The end of the answer as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }

    /// Whether it says that the command was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.text().contains("The operation has been cancelled.")
    }
}

/// A socket.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        Client { stream }
    }

    /// The client's end.
    pub fn local(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    pub fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).unwrap();
    }

    /// Waits for the first byte of an answer, and takes some of it.
    pub fn first_byte(&mut self) -> Instant {
        let count = self.stream.read(&mut [0; 1024]).unwrap();
        assert!(count > 0, "the server has closed the socket");
        Instant::now()
    }

    /// Reads an answer to its end.
    pub fn drain(&mut self) -> Drained {
        let mut buffer = vec![0; 64 << 10];
        let mut answer = Drained { first: Instant::now(), last: Instant::now(), bytes: 0, tail: Vec::new() };
        let mut whole = None;
        loop {
            let count = self.stream.read(&mut buffer).unwrap();
            let now = Instant::now();
            if answer.bytes == 0 {
                answer.first = now;
            }
            answer.last = now;
            answer.bytes += count;
            let tail = &mut answer.tail;
            tail.extend_from_slice(&buffer[..count]);
            if whole.is_none() && answer.bytes == tail.len() {
                whole = end_of(tail);
            }
            let done = match whole {
                Some(Some(length)) => answer.bytes >= length,
                Some(None) => tail.ends_with(b"\r\n0\r\n\r\n"),
                None => false,
            };
            if done || count == 0 {
                return answer;
            }
            let surplus = tail.len().saturating_sub(TAIL);
            tail.drain(..surplus);
        }
    }

    pub fn ask(&mut self, request: &[u8]) -> Drained {
        self.send(request);
        self.drain()
    }

    /// Begins a session; its id.
    pub fn begin(&mut self, headers: &str, body: &str) -> String {
        let answer = self.ask(&request(headers, &session_header("BeginSession", None), body)).text();
        let id = answer.split("SessionId=\"").nth(1).and_then(|rest| rest.split('"').next());
        id.unwrap_or_else(|| panic!("no session was begun: {answer}")).to_owned()
    }
}

/// Where an answer ends, once its head is there: after so many bytes, or with its last chunk.
pub fn end_of(answer: &[u8]) -> Option<Option<usize>> {
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let length =
        text.lines().find_map(|l| l.strip_prefix("content-length:")).and_then(|l| l.trim().parse::<usize>().ok());
    Some(length.map(|length| head + 4 + length))
}
