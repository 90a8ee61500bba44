//! The test issuer's key set at a loopback address.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{
    HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use super::{TestIssuer, must};
use crate::builder::VerifierBuilder;

/// Serves a [`TestIssuer`]'s public keys until it is dropped.
///
/// ```
/// use countersign_verify::TestIssuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://id.test").audience("orders");
/// let server = issuer.serve().await?;
/// let verifier = server.verifier_builder().build()?;
/// verifier.ready().await?;
/// assert!(verifier.verify(&issuer.token().sign()).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestServer {
    issuer: TestIssuer,
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl TestServer {
    pub(super) async fn start(issuer: TestIssuer) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let requests = Arc::default();
        let task = tokio::spawn(accept(listener, issuer.clone(), Arc::clone(&requests))).abort_handle();
        Ok(Self { issuer, address, requests, task })
    }

    /// The address of the key set, for [`VerifierBuilder::jwks_uri`].
    pub fn jwks_uri(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.address)
    }

    /// A verifier, not yet built, of the issuer's tokens that fetches its keys here.
    pub fn verifier_builder(&self) -> VerifierBuilder {
        self.issuer.fetching_verifier_builder().jwks_uri(self.jwks_uri())
    }

    /// How many requests it has answered.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, issuer: TestIssuer, requests: Arc<AtomicUsize>) {
    // Ends its connections with itself.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (issuer, requests) = (issuer.clone(), Arc::clone(&requests));
        let service = service_fn(move |_| {
            requests.fetch_add(1, Ordering::SeqCst);
            let answer = key_set(&issuer);
            async move { Ok::<_, Infallible>(answer) }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn key_set(issuer: &TestIssuer) -> Response<Full<Bytes>> {
    let body = must(serde_json::to_vec(&issuer.jwks()));
    let mut response = Response::new(Full::new(Bytes::from(body)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}
