//! A small blocking HTTP/1.1 client on one socket: requests and answers can be told apart in time, and the socket hung up.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes; a test that waits for one that never comes ends with an error.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request; the body's length is added.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A request to the XMLA endpoint.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), "text/xml".to_owned())];
        Request { method: "POST".to_owned(), path: "/xmla".to_owned(), headers, body: body.into() }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The socket closed before the end of the body.
    pub broken_off: bool,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A socket to the server.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    host: String,
    received: Vec<u8>,
}

impl Socket {
    pub fn connect(address: SocketAddr) -> io::Result<Socket> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Socket { stream, host: address.to_string(), received: Vec::new() })
    }

    /// The client's end.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    pub fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.path).into_bytes();
        if !request.has("Host") {
            bytes.extend_from_slice(format!("Host: {}\r\n", self.host).as_bytes());
        }
        for (name, value) in &request.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !request.has("Content-Length") && !request.has("Transfer-Encoding") {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", request.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&request.body);
        self.stream.write_all(&bytes)
    }

    pub fn ask(&mut self, request: &Request) -> io::Result<Response> {
        self.send(request)?;
        self.receive(request.method == "HEAD")
    }

    /// Reads an answer; one to HEAD has no body, whatever its headers say.
    pub fn receive(&mut self, headless: bool) -> io::Result<Response> {
        let head_end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            if self.more()? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the socket closed before an answer"));
            }
        };
        let head = String::from_utf8_lossy(&self.received[..head_end]).into_owned();
        self.received.drain(..head_end);
        let mut lines = head.lines();
        let mut status_line = lines.next().unwrap_or_default().splitn(3, ' ').skip(1);
        let status = status_line.next().and_then(|s| s.parse().ok()).unwrap_or(0);
        let reason = status_line.next().unwrap_or_default().to_owned();
        let headers =
            lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect();
        let mut response = Response { status, reason, headers, body: Vec::new(), broken_off: false };
        if headless {
            return Ok(response);
        }
        let chunked = response.header("Transfer-Encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        let length = response.header("Content-Length").and_then(|v| v.parse().ok()).unwrap_or(0);
        let body = if chunked { self.chunks()? } else { self.take(length)? };
        response.broken_off = body.1;
        response.body = body.0;
        Ok(response)
    }

    /// The rest of a body in chunks, and whether it broke off.
    fn chunks(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(at) = find(&self.received, b"\r\n") {
                    break at;
                }
                if self.more()? == 0 {
                    return Ok((body, true));
                }
            };
            let line = String::from_utf8_lossy(&self.received[..line_end]).into_owned();
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
            let size =
                size.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("chunk size '{line}': {e}")))?;
            self.received.drain(..line_end + 2);
            let (chunk, broken) = self.take(size + 2)?;
            if broken {
                return Ok((body, true));
            }
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok((body, false));
            }
        }
    }

    fn take(&mut self, length: usize) -> io::Result<(Vec<u8>, bool)> {
        while self.received.len() < length {
            if self.more()? == 0 {
                return Ok((std::mem::take(&mut self.received), true));
            }
        }
        Ok((self.received.drain(..length).collect(), false))
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let count = match self.stream.read(&mut buffer) {
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionReset) => 0,
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer came"));
            }
            other => other?,
        };
        self.received.extend_from_slice(&buffer[..count]);
        Ok(count)
    }

    /// Whether bytes of an answer, or the end of the socket, are there already.
    pub fn has_answer(&self) -> io::Result<bool> {
        self.stream.set_nonblocking(true)?;
        let peeked = self.stream.peek(&mut [0; 1]);
        self.stream.set_nonblocking(false)?;
        match peeked {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(!self.received.is_empty()),
            Err(_) => Ok(true),
        }
    }

    /// Waits at most `limit` for the server to close the socket; whether it did.
    pub fn wait_closed(&mut self, limit: Duration) -> io::Result<bool> {
        self.stream.set_read_timeout(Some(limit))?;
        let closed = loop {
            match self.more() {
                Ok(0) => break true,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::TimedOut => break false,
                Err(_) => break true,
            }
        };
        self.stream.set_read_timeout(Some(PATIENCE))?;
        Ok(closed)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|w| w == wanted)
}
