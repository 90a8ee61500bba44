//! One request for the key set: bounded in time and size, no redirects, no proxies, no cookies.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};

use super::freshness::fresh_for;

/// A key set larger than this is refused: a thousand P-256 keys fit.
pub(crate) const MAX_BODY: usize = 256 * 1024;
const MAX_ETAG: usize = 256;

/// Why the issuer's keys could not be fetched. The words are for a log; a remote caller hears only "not ready".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No answer: name resolution, connection, TLS or protocol failed.
    #[error("no answer from the issuer: {0}")]
    Connection(String),
    /// The whole answer did not arrive in time.
    #[error("the issuer did not answer within {0:?}")]
    TimedOut(Duration),
    /// Redirects are never followed: they would let another host name the keys (KEY-07).
    #[error("the issuer redirects its keys elsewhere ({0}); name the right address with jwks_uri()")]
    Redirected(u16),
    /// Any status but 200, and 304 where it was not asked for.
    #[error("the issuer answered with status {0}")]
    Status(u16),
    /// Not JSON by its own declaration.
    #[error("the key set has the content type {0}, expected application/json or application/jwk-set+json")]
    ContentType(String),
    /// Larger than 256 KiB.
    #[error("the key set is larger than 256 KiB")]
    TooLarge,
    /// Not a JWK set (RFC 7517 §5).
    #[error("not a key set: {0}")]
    NotAKeySet(countersign_jose::Error),
    /// A key set without one usable key never replaces good keys.
    #[error("the key set has no usable key ({skipped} skipped)")]
    NoUsableKey {
        /// How many keys it had.
        skipped: usize,
    },
    /// The task that fetched was stopped with its runtime.
    #[error("the fetch was stopped with its runtime")]
    Stopped,
}

/// What a successful request brought.
#[derive(Debug)]
pub(super) enum Fetched {
    /// 304: the set that has this ETag is still the current one.
    Unchanged {
        fresh_for: Duration,
    },
    Body {
        bytes: Bytes,
        etag: Option<HeaderValue>,
        fresh_for: Duration,
    },
}

/// Asks one address, again and again.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    uri: Uri,
    timeout: Duration,
}

impl Fetcher {
    /// # Errors
    /// One of `extra_roots` is no X.509 certificate.
    pub(super) fn new(uri: Uri, timeout: Duration, extra_roots: &[Vec<u8>]) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(timeout));
        tcp.set_nodelay(true);
        // Plain HTTP passes here; the builder has already refused it for anything but loopback.
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls_config(extra_roots)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        // A request every few minutes gains nothing from an idle connection, and one kept from a runtime that is
        // gone would only fail.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, uri, timeout })
    }

    pub(super) async fn fetch(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        tokio::time::timeout(self.timeout, self.exchange(etag)).await.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
    }

    async fn exchange(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        let response = self.client.request(self.request(etag)).await.map_err(|error| connection(&error))?;
        let fresh_for = fresh_for(response.headers());
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Fetched::Unchanged { fresh_for }),
            StatusCode::NOT_MODIFIED => return Err(FetchError::Status(304)),
            status if status.is_redirection() => return Err(FetchError::Redirected(status.as_u16())),
            status => return Err(FetchError::Status(status.as_u16())),
        }
        check_content_type(response.headers())?;
        let etag = response.headers().get(ETAG).filter(|tag| tag.len() <= MAX_ETAG).cloned();
        Ok(Fetched::Body { bytes: body(response).await?, etag, fresh_for })
    }

    fn request(&self, etag: Option<&HeaderValue>) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
        if let Some(etag) = etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        request
    }
}

/// TLS 1.2 and 1.3 by aws-lc-rs; Mozilla's roots and the given ones.
fn tls_config(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for der in extra_roots {
        roots.add(CertificateDer::from(der.clone()))?;
    }
    let config = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), FetchError> {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    if essence == b"application/json" || (essence.starts_with(b"application/") && essence.ends_with(b"+json")) {
        return Ok(());
    }
    Err(FetchError::ContentType(crate::text::shown(&String::from_utf8_lossy(value))))
}

async fn body(response: Response<Incoming>) -> Result<Bytes, FetchError> {
    match Limited::new(response.into_body(), MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLarge),
        Err(error) => Err(connection(&*error)),
    }
}

/// The error and its causes in one line: "connect: Connection refused" says more than either half.
fn connection(error: &(dyn std::error::Error + 'static)) -> FetchError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    FetchError::Connection(crate::text::shown(&text))
}
