//! A small HTTP client: one call, one answer in JSON, within a bounded time.

use std::time::Duration;

use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::Failure;

/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// A client; cheap to clone, clones share connections.
#[derive(Clone)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

/// What is asked.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    pub url: String,
    headers: Vec<(header::HeaderName, String)>,
    body: String,
}

/// What came.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// `Null` if it was empty or no JSON.
    pub body: Value,
}

impl Call {
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::GET, url: url.into(), headers: Vec::new(), body: String::new() }
    }

    pub fn post(url: impl Into<String>) -> Self {
        Self { method: Method::POST, ..Self::get(url) }
    }

    pub fn put(url: impl Into<String>) -> Self {
        Self { method: Method::PUT, ..Self::get(url) }
    }

    /// With an access token (RFC 6750).
    pub fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, format!("Bearer {token}"))
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header(header::CONTENT_TYPE, "application/json".to_owned())
    }

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

impl Http {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// # Errors
    /// No answer came, or not in time.
    pub async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let request = call.request()?;
        let exchange = async {
            let response = self.0.request(request).await?;
            let status = response.status().as_u16();
            let bytes = Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes();
            Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
        };
        tokio::time::timeout(TIMEOUT, exchange).await?
    }
}
