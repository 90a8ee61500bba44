//! A relay: reads the revocation feed once and serves the same signed lines to many. Nobody needs to trust it for what a
//! line says; it can only be late, and a verifier sees that.

mod follow;
mod routes;
mod upstream;

use std::{future::Future, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use tokio::sync::Semaphore;
use tracing::info;

pub use upstream::{Credentials, UpstreamError};

use self::{follow::Follower, routes::Relay, upstream::Upstream};
use crate::{
    clock::Clock,
    config::Limits,
    feed::{self, Hub, Seats},
    http::{
        metrics::Metrics,
        serve::{Server, bind},
    },
};

/// The path of the feed, here and upstream.
const FEED: &str = "/revocations/0";
/// Questions for the time that may be under way upstream.
const ANCHORS: usize = 256;

/// What a relay needs to know.
#[derive(Debug)]
pub struct RelayConfig {
    /// Origin of the issuer, or of another relay.
    pub upstream: String,
    /// `iss` of the lines.
    pub issuer: String,
    pub listen: SocketAddr,
    /// Where its children reach it, for the metadata; none: the address that it listens on.
    pub url: Option<String>,
    pub credentials: Option<Credentials>,
    pub seats: Seats,
}

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("cannot listen on {on}: {reason}")]
    Listen { on: SocketAddr, reason: String },
    #[error("cannot reach upstream: {0}")]
    Upstream(String),
}

/// Relays until `stop` is ready, then ends every stream and returns. An upstream that is not there is waited for.
///
/// # Errors
/// [`RelayError`]
pub async fn relay(
    config: RelayConfig,
    stop: impl Future<Output = ()>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), RelayError> {
    let refuse = |error: std::io::Error| RelayError::Listen { on: config.listen, reason: error.to_string() };
    let listener = bind(config.listen).map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let upstream = Upstream::new(&config.upstream, config.credentials.as_ref()).map_err(RelayError::Upstream)?;
    let (upstream, hub) = (Arc::new(upstream), Arc::new(Hub::new(config.seats)));
    let (keys, metrics) = (Arc::new(ArcSwapOption::empty()), Arc::new(Metrics::default()));
    let follower = Follower::new(Arc::clone(&upstream), Arc::clone(&hub), &config.issuer, Arc::clone(&keys));
    let url = config.url.unwrap_or_else(|| format!("http://{address}"));
    let router = routes::router(Relay {
        hub: Arc::clone(&hub),
        upstream,
        keys,
        issuer: config.issuer,
        url,
        metrics: Arc::clone(&metrics),
        anchors: Arc::new(Semaphore::new(ANCHORS)),
        clock: Clock::System,
    });
    let limits = Limits {
        account_free: 1,
        address_per_minute: 1,
        global_per_second: 1,
        // Room for questions for the time and for keys beside the streams.
        connections: config.seats.all.saturating_mul(2),
        connections_per_address: config.seats.per_address.saturating_mul(2),
    };
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(Server::new(router, metrics, &limits).tcp(listener, async {
        // An error means that the sender is gone: then it is time to stop as well.
        let _ = stopped.await;
    }));
    info!(listen = %address, upstream = config.upstream, "relaying");
    ready(address);
    tokio::select! {
        () = stop => {}
        () = follower.run() => {}
    }
    let _ = stopping.send(());
    feed::close(&hub).await;
    let _ = served.await;
    Ok(())
}
