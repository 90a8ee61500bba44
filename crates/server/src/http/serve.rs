//! Listeners: accept, bound, time out, drain. What answers is in `front.rs`.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::{
    context::{Cut, Peer},
    front::Front,
    metrics::Metrics,
    patience::Patience,
};
use crate::{config::Limits, tls};

/// Time for a request's head to arrive; also the longest an idle connection is kept (NET-03).
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of a request's head (NET-03).
const MAX_HEAD: usize = 16 * 1024;
/// Header lines of a request (NET-03).
const MAX_HEADERS: usize = 100;
/// Concurrent requests of one HTTP/2 connection (NET-04).
const MAX_STREAMS: u32 = 64;
/// Resets that an HTTP/2 peer may cause before the connection is closed (NET-04).
const MAX_RESETS: usize = 64;
/// Time that open requests get after the signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves connections until told to stop. Its clones share what answers.
#[derive(Debug, Clone)]
pub struct Server {
    front: Arc<ArcSwap<Front>>,
    /// TLS of our own, for connections over TCP.
    tls: Arc<ArcSwapOption<ServerConfig>>,
    metrics: Arc<Metrics>,
    slots: Arc<Slots>,
}

impl Server {
    pub fn new(front: impl Into<Front>, metrics: Arc<Metrics>, limits: &Limits) -> Self {
        let front = Arc::new(ArcSwap::from_pointee(front.into()));
        Self { front, tls: Arc::default(), metrics, slots: Arc::new(Slots::new(limits)) }
    }

    /// What answers from now on: each request, on open connections too.
    pub fn answer_with(&self, front: Front) {
        self.front.store(Arc::new(front));
    }

    /// TLS for each connection that comes from now on, or none.
    pub fn secure(&self, config: Option<Arc<ServerConfig>>) {
        self.tls.store(config);
    }

    /// Serves TCP connections until `stop` is ready, then drains.
    pub async fn tcp(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        // Small answers must not wait for the acknowledgement of the last one.
                        let _ = stream.set_nodelay(true);
                        let tls = self.tls.load_full().map(TlsAcceptor::from);
                        self.connection(&graceful, stream, Peer::Tcp(peer.ip().to_canonical()), tls);
                    }
                    Err(error) => refused(&error).await,
                },
                () = &mut stop => break,
            }
        }
        drain(graceful).await;
    }

    /// Serves the admin socket until `stop` is ready, then drains.
    pub async fn unix(self, listener: UnixListener, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.connection(&graceful, stream, Peer::Local, None),
                    Err(error) => refused(&error).await,
                },
                () = &mut stop => break,
            }
        }
        drain(graceful).await;
    }

    fn connection<S>(&self, graceful: &GracefulShutdown, stream: S, peer: Peer, tls: Option<TlsAcceptor>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(slot) = self.slots.take(peer) else {
            debug!(?peer, "too many connections");
            return;
        };
        let (front, cut, patience) = (Arc::clone(&self.front), Cut::default(), Patience::new(HEAD_TIMEOUT));
        let (cutting, waiting) = (cut.clone(), patience.clone());
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            waiting.heard();
            let (front, cut) = (front.load_full(), cutting.clone());
            async move { Ok::<_, Infallible>(front.answer(request, peer, Some(&cut)).await) }
        });
        let (builder, watcher) = (builder(patience.clone()), graceful.watcher());
        let served = async move {
            match tls {
                None => watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned()).await,
                // In a box: connections without TLS stay small. The handshake is a part of what `patience` waits for.
                Some(tls) => {
                    let secured = Box::pin(async move {
                        let stream = tls.accept(stream).await?;
                        // An ACME server has seen what it asked for, and nobody else comes with this word (RFC 8737 §3).
                        if stream.get_ref().1.alpn_protocol() == Some(tls::CHALLENGE) {
                            return Ok(());
                        }
                        let connection = builder.serve_connection(TokioIo::new(stream), service);
                        watcher.watch(connection.into_owned()).await
                    });
                    secured.await
                }
            }
        };
        let metrics = Arc::clone(&self.metrics);
        tokio::spawn(async move {
            metrics.connections.inc();
            tokio::select! {
                biased;
                ended = served => if let Err(error) = ended {
                    debug!(?peer, %error, "connection ended");
                },
                () = cut.0.notified() => debug!(?peer, "connection cut: it was not read"),
                () = patience.over() => debug!(?peer, "connection cut: no request came"),
            }
            metrics.connections.dec();
            drop(slot);
        });
    }
}

fn builder(patience: Patience) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // hyper waits for ever without a timer, whatever the time-out says (hyper issue 3178).
        .timer(patience)
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        // Answers are small: one buffer costs less than the list of two.
        .writev(false)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(HEAD_TIMEOUT)
        .keep_alive_timeout(HEAD_TIMEOUT);
    builder
}

/// Out of file descriptors, most likely: accepting at once would only spin.
async fn refused(error: &io::Error) {
    warn!(%error, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn drain(graceful: GracefulShutdown) {
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        warn!("connections were still open after {DRAIN_TIMEOUT:?}");
    }
}

/// Connections that may wait until they are accepted; the system may allow less. After an outage every verifier comes back
/// within the same second, and whoever finds the usual queue of 128 full tries again only a second later.
const WAITING: u32 = 4096;

/// Listens on a TCP address.
///
/// # Errors
/// The address is taken, or not this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // As the usual way does: a restart must not wait for what is left of earlier connections.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Binds the admin socket with mode 0600. A socket left by a killed server is replaced; the data folder's lock already
/// proves that no other server lives.
///
/// # Errors
/// The path cannot be bound or protected.
pub fn bind_admin_socket(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connections that may be open, altogether and from one address.
#[derive(Debug)]
struct Slots {
    all: Arc<Semaphore>,
    per_address: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

#[derive(Debug)]
struct Slot {
    address: Option<IpAddr>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Slots {
    fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections)),
            per_address: limits.connections_per_address,
            open: Arc::default(),
        }
    }

    fn take(&self, peer: Peer) -> Option<Slot> {
        let Peer::Tcp(address) = peer else {
            return Some(Slot { address: None, open: Arc::clone(&self.open), _permit: None });
        };
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Slot { address: Some(address), open: Arc::clone(&self.open), _permit: Some(permit) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody comes back after an outage, before the first of them is served.
    #[tokio::test]
    async fn a_crowd_may_wait_to_be_accepted() {
        let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
        let limit = limit.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(128);
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let mut crowd = Vec::new();
        for _ in 0..limit.min(400) {
            crowd.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        // Nobody needs to be asked to come again.
        for _ in &crowd {
            listener.accept().await.unwrap();
        }
    }
}
