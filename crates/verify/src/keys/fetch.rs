//! One request for the key set: bounded in time and size, no redirects, no proxies, no cookies.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use http_body_util::Full;
use hyper::body::Incoming;

use super::freshness::fresh_for;
use crate::net::{self, BodyError, HttpClient};

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
    client: HttpClient,
    uri: Uri,
    timeout: Duration,
}

impl Fetcher {
    /// # Errors
    /// One of `extra_roots` is no X.509 certificate.
    pub(super) fn new(uri: Uri, timeout: Duration, extra_roots: &[Vec<u8>]) -> Result<Self, rustls::Error> {
        let client = net::client(timeout, extra_roots)?;
        Ok(Self { client, uri, timeout })
    }

    pub(super) async fn fetch(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        tokio::time::timeout(self.timeout, self.exchange(etag)).await.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
    }

    async fn exchange(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        let response = self
            .client
            .request(self.request(etag))
            .await
            .map_err(|error| FetchError::Connection(net::in_words(&error)))?;
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

    fn request(&self, etag: Option<&HeaderValue>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
        if let Some(etag) = etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        request
    }
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
    net::body(response, MAX_BODY).await.map_err(|error| match error {
        BodyError::TooLarge => FetchError::TooLarge,
        BodyError::Broken(reason) => FetchError::Connection(reason),
    })
}
