//! The accept loop: a task for each socket, with its record, its counters and its close.

use crate::connections::Connection;
use crate::server::Server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a connection that is to be closed may go on writing what it has begun.
const LINGER: Duration = Duration::from_secs(4);

/// Accepts sockets until `stop` says so; returns when all are closed.
pub(crate) async fn run(server: Arc<Server>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let server = server.clone();
                tasks.spawn(async move {
                    let Some(open) = server.connections.open(peer) else {
                        tracing::warn!(%peer, "connection refused: too many are open");
                        return;
                    };
                    serve(&server, stream, &open.connection).await;
                });
            }
            // Out of descriptors and the like: the listener still stands, but asking again at once would spin.
            Err(error) => {
                tracing::warn!(%error, "a socket could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    drop(listener);
    server.connections.close_all();
    while tasks.join_next().await.is_some() {}
}

async fn serve(server: &Arc<Server>, stream: TcpStream, connection: &Arc<Connection>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a socket refuses TCP_NODELAY");
    }
    connection.note_socket(Some(stream.as_raw_fd()));
    let io = TokioIo::new(Counted { stream, connection: connection.clone(), server: server.clone() });
    let service = service_fn(|request| crate::http::answer(server.clone(), connection.clone(), request));
    let mut http = std::pin::pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            // Idle time between requests would count as time for a head; heads are timed in `Server::sweep_connections`.
            .header_read_timeout(None)
            .max_buf_size(64 << 10)
            .serve_connection(io, service)
    );
    let result = tokio::select! {
        // A close waits for what is being answered, and so comes after it.
        biased;
        result = http.as_mut() => result,
        () = connection.closing() => {
            http.as_mut().graceful_shutdown();
            match tokio::time::timeout(LINGER, http.as_mut()).await {
                Ok(result) => result,
                Err(_) => Ok(()),
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(connection = connection.id, %error, "connection ended");
    }
}

/// A socket whose bytes are counted.
struct Counted {
    stream: TcpStream,
    connection: Arc<Connection>,
    server: Arc<Server>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // The stream, and with it the descriptor, is closed after this.
        self.connection.note_socket(None);
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let count = buf.filled().len() - before;
        if count > 0 {
            self.connection.bytes_received.fetch_add(count as u64, Relaxed);
            if self.connection.head_since.load(Relaxed) == 0 {
                self.connection.head_since.store(self.server.clock.now().0, Relaxed);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.connection.bytes_sent.fetch_add(count as u64, Relaxed);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.connection.bytes_sent.fetch_add(count as u64, Relaxed);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
