//! The issuer's calls to addresses that clients registered, and to upstreams (OAU-14): the name is resolved, each address is judged, and the
//! connection goes to the very address that was judged; no redirects, little time, little to read.

use std::{
    error::Error,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header, request, uri::Scheme};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower::Service;

use crate::domain::network::{Network, is_localhost, may_call};

/// For everything together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most of an answer that is read, bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Why a call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no answer: {0}")]
    Lost(String),
    #[error("no answer within {TIMEOUT:?}")]
    TimedOut,
}

impl CallError {
    /// With the causes: the outer error says only that a connection failed.
    pub(crate) fn lost(error: &(dyn Error + 'static)) -> Self {
        let mut words = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        Self::Lost(words)
    }
}

/// What came back.
#[derive(Debug)]
pub struct Called {
    pub status: StatusCode,
    /// Whether it says of itself that it is JSON, of whatever kind.
    pub is_json: bool,
    pub body: Bytes,
}

/// Calls others. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    allowed: Arc<[Network]>,
    /// Made at the first call: the certificates of the machine take a while to read.
    client: Arc<OnceLock<HttpsClient>>,
}

type HttpsClient = Client<HttpsConnector<Judging>, Full<Bytes>>;

impl Outbound {
    /// Calls the internet, and these networks.
    pub fn new(allowed: &[Network]) -> Self {
        Self { allowed: allowed.into(), client: Arc::default() }
    }

    /// Posts a form.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn post_form(&self, uri: &str, form: &[(&str, &str)]) -> Result<Called, CallError> {
        self.post_form_as(uri, form, None).await
    }

    /// Posts a form with this `Authorization`.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn post_form_as(
        &self,
        uri: &str,
        form: &[(&str, &str)],
        authorization: Option<&HeaderValue>,
    ) -> Result<Called, CallError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(uri).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, authorization, body.into()).await
    }

    /// Gets what is there, with this `Authorization`.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn get(&self, uri: &str, authorization: Option<&HeaderValue>) -> Result<Called, CallError> {
        self.send(Request::get(uri), authorization, Bytes::new()).await
    }

    async fn send(
        &self,
        request: request::Builder,
        authorization: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Called, CallError> {
        let request = request.header(header::ACCEPT, "application/json");
        let request = match authorization {
            Some(authorization) => request.header(header::AUTHORIZATION, authorization),
            None => request,
        };
        let request = request.body(Full::new(body)).map_err(|error| CallError::lost(&error))?;
        let called = async {
            let response = self.client()?.request(request).await.map_err(|error| CallError::lost(&error))?;
            let (status, is_json) = (response.status(), is_json(response.headers()));
            let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
            let body = body.map_err(|error| CallError::lost(&*error))?.to_bytes();
            Ok(Called { status, is_json, body })
        };
        tokio::time::timeout(TIMEOUT, called).await.map_err(|_| CallError::TimedOut)?
    }

    fn client(&self) -> Result<&HttpsClient, CallError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| CallError::lost(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(Judging::new(Arc::clone(&self.allowed)));
        // No connection outlives its call: the next one resolves and judges anew.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(self.client.get_or_init(|| client))
    }
}

/// `application/json`, `application/jwk-set+json` and the like.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Connects to addresses that may be called, and to no others.
#[derive(Debug, Clone)]
pub(crate) struct Judging {
    allowed: Arc<[Network]>,
    /// A host that the operator has named, wherever it is.
    named: Option<Arc<str>>,
}

impl Judging {
    pub fn new(allowed: Arc<[Network]>) -> Self {
        Self { allowed, named: None }
    }

    /// The same, and this host.
    #[cfg(feature = "acme")]
    pub fn and(self, named: &str) -> Self {
        Self { named: Some(named.into()), ..self }
    }
}

impl Service<Uri> for Judging {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let judging = self.clone();
        Box::pin(async move { connect(&uri, &judging).await })
    }
}

/// To the first address that may be called and answers.
async fn connect(uri: &Uri, judging: &Judging) -> io::Result<TokioIo<TcpStream>> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
    let named = judging.named.as_deref() == Some(host);
    let mut last = io::Error::other(format!("{host} has no address"));
    for address in resolve(host, port).await? {
        if !named && !may_call(address.ip(), &judging.allowed) {
            let why =
                format!("{host} is {}, which is not of the internet, and outbound.allow has it not", address.ip());
            last = io::Error::other(why);
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(TokioIo::new(stream)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if is_localhost(host) {
        // RFC 6761 §6.3: whatever a resolver would say.
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(own.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}
