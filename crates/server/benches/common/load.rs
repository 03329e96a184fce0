//! Many connections that ask as fast as they are answered: how many answers come a second.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A thread that drives connections; the server has threads of its own.
pub struct Load {
    runtime: tokio::runtime::Runtime,
}

impl Default for Load {
    fn default() -> Self {
        Load { runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }
}

impl Load {
    /// Answers a second over `time`, on one connection for each of `requests`, of which each sends its own over and over.
    pub fn rate(&self, address: SocketAddr, requests: &[Vec<u8>], time: Duration) -> f64 {
        self.runtime.block_on(async {
            let mut streams = Vec::new();
            for _ in requests {
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                streams.push(stream);
            }
            let started = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for (stream, request) in streams.into_iter().zip(requests.iter().cloned()) {
                tasks.spawn(ask(stream, request, started + time));
            }
            let answers: u64 = tasks.join_all().await.into_iter().sum();
            answers as f64 / started.elapsed().as_secs_f64()
        })
    }
}

/// Asks until `until`; how many answers came.
async fn ask(mut stream: TcpStream, request: Vec<u8>, until: Instant) -> u64 {
    let (mut answers, mut buffer) = (0, Vec::with_capacity(16 << 10));
    while Instant::now() < until {
        stream.write_all(&request).await.unwrap();
        buffer.clear();
        loop {
            let count = stream.read_buf(&mut buffer).await.unwrap();
            assert!(count > 0, "the server has closed the socket");
            if super::client::end_of(&buffer).flatten().is_some_and(|length| buffer.len() >= length) {
                break;
            }
        }
        if answers == 0 {
            assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer));
        }
        answers += 1;
    }
    answers
}
