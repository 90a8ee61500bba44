//! A small HTTP client: one call, one answer in JSON, within a bounded time.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{Ipv4Addr, SocketAddr},
    task::{Context, Poll},
    time::Duration,
};

use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use serde_json::Value;
use tower::Service;

use crate::Failure;

/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// A client; cheap to clone, clones share connections.
#[derive(Debug, Clone)]
pub struct Http(Client<HttpConnector<Resolver>, Full<Bytes>>);

/// What is asked.
#[derive(Debug, Clone)]
pub struct Call {
    pub(crate) method: Method,
    pub(crate) url: String,
    headers: Vec<(header::HeaderName, String)>,
    body: String,
}

/// What came.
#[derive(Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// A text if it was no JSON.
    pub body: Value,
}

impl Call {
    /// A GET without anything.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::GET, url: url.into(), headers: Vec::new(), body: String::new() }
    }

    /// A POST without a body.
    pub fn post(url: impl Into<String>) -> Self {
        Self { method: Method::POST, ..Self::get(url) }
    }

    /// A PUT without a body.
    pub fn put(url: impl Into<String>) -> Self {
        Self { method: Method::PUT, ..Self::get(url) }
    }

    /// With an access token (RFC 6750).
    pub fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, format!("Bearer {token}"))
    }

    /// With an access token that is bound to a key, and a proof by that key (RFC 9449).
    pub fn bound(self, token: &str, proof: &str) -> Self {
        self.header(header::AUTHORIZATION, format!("DPoP {token}")).proof(proof)
    }

    /// With a proof that the caller holds a key.
    pub fn proof(self, proof: &str) -> Self {
        self.header(header::HeaderName::from_static("dpop"), proof.to_owned())
    }

    /// With this body.
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header(header::CONTENT_TYPE, "application/json".to_owned())
    }

    /// With a body of these pairs.
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())
    }

    fn header(mut self, name: header::HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn request(self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(self.method).uri(self.url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body.into()))
    }
}

impl Answer {
    /// A member of the answer, empty if it is missing.
    pub fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_default().to_owned()
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// A client without connections.
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(HttpConnector::new_with_resolver(Resolver)))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// No answer came, or not in time.
    pub async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let request = call.request()?;
        let exchange = async {
            let response = self.0.request(request).await?;
            let status = response.status().as_u16();
            let bytes = Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes();
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) })
        };
        tokio::time::timeout(TIMEOUT, exchange).await?
    }
}

/// Every name here is one of this machine: `bank.localhost` is not known to every resolver (RFC 6761, section 6.3).
#[derive(Debug, Clone, Copy)]
struct Resolver;

impl Service<Name> for Resolver {
    type Response = std::array::IntoIter<SocketAddr, 1>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        // The port is the URL's.
        ready(Ok([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))].into_iter()))
    }
}
