//! The feed's upstream over HTTP: the issuer, or another relay of it.

use std::time::Duration;

use base64_simd::STANDARD;
use bytes::{Bytes, BytesMut};
use countersign_jose::limits::MAX_FEED_BATCH_BYTES;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};

use crate::{domain::rsn::Rsn, feed::KEYS_HEADER, secret::PlainSecret};

/// For an answer to begin.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest event: a line and what is around it.
const MAX_EVENT: usize = MAX_FEED_BATCH_BYTES + 1024;

/// Why the upstream did not say what was asked.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("no answer from upstream: {0}")]
    Connection(String),
    #[error("the upstream did not answer in time")]
    TimedOut,
    #[error("{path} answered {status}")]
    Status { path: String, status: StatusCode },
    #[error("the stream from upstream has ended: {0}")]
    Ended(String),
    #[error("the upstream sent what is no feed: {0}")]
    NoFeed(String),
}

/// A client's id and secret, for an upstream that asks for them.
#[derive(Debug)]
pub struct Credentials {
    pub client_id: String,
    pub secret: PlainSecret,
}

/// See the module.
#[derive(Debug)]
pub struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    /// An origin, without a slash at its end.
    base: String,
    authorization: Option<HeaderValue>,
}

impl Upstream {
    /// # Errors
    /// The credentials are not text that a header takes, or there is no usable TLS.
    pub fn new(base: &str, credentials: Option<&Credentials>) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(ANSWER_TIMEOUT));
        tcp.set_nodelay(true);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls()?).https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, base: base.to_owned(), authorization: credentials.map(basic).transpose()? })
    }

    /// A whole answer of at most `limit` bytes. `path` begins with a slash and may have a query.
    ///
    /// # Errors
    /// [`UpstreamError`]
    pub async fn whole(&self, path: &str, limit: usize) -> Result<Bytes, UpstreamError> {
        let response = self.get(path, "*/*", None).await?;
        let body = tokio::time::timeout(ANSWER_TIMEOUT * 12, Limited::new(response.into_body(), limit).collect()).await;
        let body = body.map_err(|_| UpstreamError::TimedOut)?;
        Ok(body.map_err(|error| UpstreamError::Connection(error.to_string()))?.to_bytes())
    }

    /// The stream of what is above a position. `keys`: which keys everybody has who reads here.
    ///
    /// # Errors
    /// [`UpstreamError`]
    pub async fn events(&self, after: Rsn, keys: Option<&str>) -> Result<Events, UpstreamError> {
        let path = format!("{}?after={after}", super::FEED);
        let response = self.get(&path, "text/event-stream", keys).await?;
        let kind = response.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
            return Err(UpstreamError::NoFeed(format!("{path} is no stream of events")));
        }
        Ok(Events { body: response.into_body(), buffer: BytesMut::new(), read: 0 })
    }

    async fn get(
        &self,
        path: &str,
        accept: &'static str,
        keys: Option<&str>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let mut request = Request::get(format!("{}{path}", self.base)).header(header::ACCEPT, accept);
        if let Some(keys) = keys {
            request = request.header(KEYS_HEADER, keys);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::new()).map_err(|error| UpstreamError::Connection(error.to_string()))?;
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, self.client.request(request)).await;
        let response = answered.map_err(|_| UpstreamError::TimedOut)?;
        let response = response.map_err(|error| UpstreamError::Connection(causes(&error)))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(UpstreamError::Status { path: path.to_owned(), status }),
        }
    }
}

/// A stream of events under way.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    buffer: BytesMut,
    /// So many bytes of the buffer hold no end of an event.
    read: usize,
}

impl Events {
    /// The data of the next message.
    ///
    /// # Errors
    /// `Ended` with the reason that the server gave, `Connection`, `NoFeed`
    pub async fn next(&mut self) -> Result<String, UpstreamError> {
        loop {
            while let Some(event) = self.buffered() {
                let text =
                    String::from_utf8(event.to_vec()).map_err(|error| UpstreamError::NoFeed(error.to_string()))?;
                let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                match (field("event:"), field("data:")) {
                    (None, Some(data)) => return Ok(data.to_owned()),
                    (Some("end"), why) => return Err(UpstreamError::Ended(why.unwrap_or_default().to_owned())),
                    _ => {}
                }
            }
            if self.buffer.len() > MAX_EVENT {
                return Err(UpstreamError::NoFeed("an event is too long".to_owned()));
            }
            let frame = self.body.frame().await.ok_or_else(|| UpstreamError::Ended("it was cut".to_owned()))?;
            let frame = frame.map_err(|error| UpstreamError::Connection(error.to_string()))?;
            self.buffer.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
    }

    fn buffered(&mut self) -> Option<BytesMut> {
        let end = self.buffer[self.read..].windows(2).position(|pair| pair == b"\n\n");
        match end {
            Some(end) => {
                let event = self.buffer.split_to(self.read + end + 2);
                self.read = 0;
                Some(event)
            }
            None => {
                self.read = self.buffer.len().saturating_sub(1);
                None
            }
        }
    }
}

/// RFC 6749, section 2.3.1.
fn basic(credentials: &Credentials) -> Result<HeaderValue, String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair =
        PlainSecret::new(format!("{}:{}", encoded(&credentials.client_id), encoded(credentials.secret.expose())));
    let value = PlainSecret::new(format!("Basic {}", STANDARD.encode_to_string(pair.expose())));
    let mut header = HeaderValue::from_str(value.expose()).map_err(|error| error.to_string())?;
    header.set_sensitive(true);
    Ok(header)
}

/// The roots of this machine.
fn tls() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    Ok(config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
