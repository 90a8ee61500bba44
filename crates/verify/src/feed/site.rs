//! Where an issuer keeps what a verifier needs: discovered once from its metadata (RFC 8414), asked with the verifier's own
//! credentials.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use countersign_jose::b64;
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::Value;
use zeroize::Zeroizing;

use super::FeedError;
use crate::{
    builder::fetchable,
    net::{self, BodyError, HttpClient},
};

const MAX_METADATA: usize = 256 * 1024;
/// Unless the issuer says otherwise.
const HEARTBEAT: Duration = Duration::from_millis(200);
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(10);

/// A service's own client credentials, for what an issuer does not show to everybody.
#[derive(Clone)]
pub(crate) struct Credentials(Zeroizing<String>);

impl Credentials {
    /// RFC 6749 §2.3.1: both parts form-encoded, then Basic.
    pub(crate) fn new(client_id: &str, secret: &str) -> Self {
        let encoded = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
        let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret)));
        Self(Zeroizing::new(format!("Basic {}", standard_base64(pair.as_bytes()))))
    }

    fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// One issuer, as far as revocation goes.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) issuer: String,
    pub(crate) client: HttpClient,
    pub(crate) metadata: Uri,
    /// In place of the feed that the metadata names: a relay. Its keys stay those of the issuer.
    pub(crate) feed: Option<Uri>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) timeout: Duration,
    pub(crate) found: Mutex<Option<Arc<Endpoints>>>,
}

/// What the metadata names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) feed: Uri,
    pub(crate) feed_keys: Uri,
    pub(crate) introspection: Option<Uri>,
    pub(crate) heartbeat: Duration,
}

impl Site {
    /// What the issuer's metadata names; fetched once, and again after [`forget`](Self::forget).
    pub(crate) async fn endpoints(&self) -> Result<Arc<Endpoints>, FeedError> {
        if let Some(found) = self.known() {
            return Ok(found);
        }
        let request = self.request(Method::GET, &self.metadata, "application/json", Bytes::new())?;
        let body = self.read("the issuer's metadata", request, MAX_METADATA).await?;
        let found = Arc::new(self.parse(&body)?);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
        Ok(found)
    }

    pub(crate) fn known(&self) -> Option<Arc<Endpoints>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The addresses may have changed: look again.
    pub(crate) fn forget(&self) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sends a request and waits for the head of a good answer.
    pub(crate) async fn send(
        &self,
        what: &'static str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, FeedError> {
        let sent = tokio::time::timeout(self.timeout, self.client.request(request)).await;
        let response = sent.map_err(|_| FeedError::TimedOut)?;
        let response = response.map_err(|error| FeedError::Connection(net::in_words(&error)))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(FeedError::Status { what, status: status.as_u16() }),
        }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn read(
        &self,
        what: &'static str,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Bytes, FeedError> {
        let response = self.send(what, request).await?;
        let body = tokio::time::timeout(self.timeout, net::body(response, limit)).await;
        body.map_err(|_| FeedError::TimedOut)?.map_err(|error| match error {
            BodyError::TooLarge => FeedError::Unusable { what, reason: format!("it is longer than {limit} bytes") },
            BodyError::Broken(reason) => FeedError::Connection(reason),
        })
    }

    /// A request with the verifier's credentials, if it has any; a body makes it a form.
    pub(crate) fn request(
        &self,
        method: Method,
        uri: &Uri,
        accept: &'static str,
        form: Bytes,
    ) -> Result<Request<Full<Bytes>>, FeedError> {
        let is_form = !form.is_empty();
        let mut request = Request::new(Full::new(form));
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if is_form {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        if let Some(credentials) = &self.credentials {
            let value = credentials.header();
            let value = value.ok_or(FeedError::Unusable { what: "the client secret", reason: "characters".into() })?;
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn parse(&self, body: &[u8]) -> Result<Endpoints, FeedError> {
        let unusable = |reason: String| FeedError::Unusable { what: "the issuer's metadata", reason };
        let metadata = countersign_jose::json::Reader::map(body).map_err(|error| unusable(error.to_string()))?;
        // RFC 8414 §3.3: else another issuer could answer for this one.
        if metadata.get("issuer").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(unusable("it is another issuer's".into()));
        }
        let uri = |name: &'static str| match metadata.get(name).and_then(Value::as_str) {
            None => Ok(None),
            Some(text) => fetchable(text).map(Some).map_err(|reason| unusable(format!("{name}: {reason}"))),
        };
        let (Some(feed), Some(feed_keys)) = (uri("revocation_feed_uri")?, uri("revocation_feed_jwks_uri")?) else {
            return Err(FeedError::NotAdvertised);
        };
        let feed = self.feed.clone().unwrap_or(feed);
        let heartbeat = metadata.get("revocation_feed_heartbeat_ms").and_then(Value::as_u64);
        let heartbeat = heartbeat.map_or(HEARTBEAT, Duration::from_millis).min(LONGEST_HEARTBEAT);
        Ok(Endpoints { feed, feed_keys, introspection: uri("introspection_endpoint")?, heartbeat })
    }
}

/// Base64 with padding (RFC 4648 §4), which Basic wants.
fn standard_base64(bytes: &[u8]) -> String {
    let mut text = b64::encode(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            issuer: "https://id.example".into(),
            client: net::client(HEARTBEAT, &[]).expect("no extra roots"),
            metadata: Uri::from_static("https://id.example/.well-known/openid-configuration"),
            feed: None,
            credentials: None,
            timeout: HEARTBEAT,
            found: Mutex::default(),
        }
    }

    #[test]
    fn the_metadata_names_the_feed() {
        let body = br#"{"issuer":"https://id.example","revocation_feed_uri":"https://id.example/revocations/0",
            "revocation_feed_jwks_uri":"https://id.example/revocations/jwks.json","revocation_feed_heartbeat_ms":100,
            "introspection_endpoint":"https://id.example/introspect"}"#;
        let found = site().parse(body).expect("endpoints");
        assert_eq!(found.feed, "https://id.example/revocations/0");
        assert_eq!(found.heartbeat, Duration::from_millis(100));
        assert!(found.introspection.is_some());
        let relay = Uri::from_static("https://relay.internal/revocations/0");
        let relayed = Site { feed: Some(relay.clone()), ..site() }.parse(body).expect("endpoints");
        assert_eq!((relayed.feed, relayed.feed_keys), (relay, found.feed_keys), "a relay names no keys");
    }

    #[test]
    fn metadata_that_cannot_be_trusted_is_refused() {
        for (body, reason) in [
            (r#"{"issuer":"https://evil.example"}"#, "another issuer's"),
            (r#"{"issuer":"https://id.example/"}"#, "another issuer's"),
            (r#"{"issuer":"https://id.example","issuer":"https://id.example"}"#, "issuer"),
            (
                r#"{"issuer":"https://id.example","revocation_feed_uri":"http://id.example/x","revocation_feed_jwks_uri":"https://id.example/y"}"#,
                "plain http",
            ),
            ("[]", ""),
        ] {
            let error = site().parse(body.as_bytes()).expect_err(body).to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert_eq!(site().parse(br#"{"issuer":"https://id.example"}"#), Err(FeedError::NotAdvertised));
    }

    // RFC 6749 §2.3.1, RFC 7617 §2
    #[test]
    fn credentials_are_encoded_and_never_printed() {
        let credentials = Credentials::new("order service", "p&ss:w/rd");
        let expected = format!("Basic {}", "b3JkZXIrc2VydmljZTpwJTI2c3MlM0F3JTJGcmQ=");
        assert_eq!(credentials.header().expect("ASCII"), expected.as_str());
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
    }
}
