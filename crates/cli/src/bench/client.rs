//! The issuer's endpoints, as its metadata names them, asked with a client's credentials.

use std::time::Duration;

use countersign_jose::b64;
use countersign_server::secret::PlainSecret;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::output::{Failure, text};

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest answer.
const LONGEST: usize = 256 * 1024;

pub struct Site {
    pub issuer: String,
    pub client_id: String,
    pub secret: Zeroizing<String>,
    basic: HeaderValue,
    token: Uri,
    revocation: Uri,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Site {
    /// Looks up where the issuer gives tokens and takes them back.
    pub async fn find(issuer: &str, client_id: &str, secret: &PlainSecret) -> Result<Self, Failure> {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let http = Client::builder(TokioExecutor::new()).build(connector);
        let issuer = issuer.trim_end_matches('/').to_owned();
        let secret = Zeroizing::new(secret.expose().to_owned());
        let basic = basic(client_id, &secret)?;
        let unknown = Uri::default();
        let mut site = Self {
            issuer,
            client_id: client_id.to_owned(),
            secret,
            basic,
            token: unknown.clone(),
            revocation: unknown,
            http,
        };
        let metadata = format!("{}/.well-known/oauth-authorization-server", site.issuer);
        let metadata = site.send(Method::GET, &address(&metadata)?, String::new()).await?;
        if metadata["issuer"] != site.issuer.as_str() {
            return Err(Failure::undecided(format!("{} calls itself {}", site.issuer, metadata["issuer"])));
        }
        let endpoint = |name: &str| match metadata[name].as_str() {
            Some(uri) => address(uri),
            None => Err(Failure::undecided(format!("the issuer's metadata has no {name}"))),
        };
        (site.token, site.revocation) = (endpoint("token_endpoint")?, endpoint("revocation_endpoint")?);
        if metadata["revocation_feed_uri"].is_null() {
            return Err(Failure::undecided("the issuer's metadata names no revocation feed"));
        }
        Ok(site)
    }

    /// A new access token of the client's own.
    pub async fn access_token(&self) -> Result<String, Failure> {
        let form = "grant_type=client_credentials".to_owned();
        let answer = self.send(Method::POST, &self.token, form).await?;
        match text(&answer, "access_token") {
            empty if empty.is_empty() => Err(Failure::undecided("the answer has no access token")),
            token => Ok(token),
        }
    }

    /// Hands a token back (RFC 7009); it is over when this returns.
    pub async fn revoke(&self, token: &str) -> Result<(), Failure> {
        self.send(Method::POST, &self.revocation, format!("token={token}")).await.map(drop)
    }

    async fn send(&self, method: Method, uri: &Uri, form: String) -> Result<Value, Failure> {
        let mut request = Request::new(Full::from(form));
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        // The metadata is for everybody.
        if request.method() == Method::POST {
            request.headers_mut().insert(header::AUTHORIZATION, self.basic.clone());
        }
        let lost = |error: String| Failure::undecided(format!("{uri}: {error}"));
        let exchange = async {
            let response = self.http.request(request).await.map_err(|error| with_source(&error))?;
            let status = response.status();
            let body =
                Limited::new(response.into_body(), LONGEST).collect().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(DEADLINE, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())))
            .map_err(lost)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if !status.is_success() {
            let words = [text(&body, "error"), text(&body, "error_description")].join(" ");
            return Err(Failure::refused(format!("{uri}: {status} {}", words.trim())));
        }
        Ok(body)
    }
}

fn address(uri: &str) -> Result<Uri, Failure> {
    uri.parse().map_err(|error| Failure::usage(format!("{uri}: {error}")))
}

fn with_source(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// RFC 6749, section 2.3.1: both parts form-encoded, then Basic (RFC 7617).
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, Failure> {
    let encoded = |text: &str| crate::admin::segment(text);
    let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret)));
    let mut text = Zeroizing::new(b64::encode(pair.as_bytes()).replace('-', "+").replace('_', "/"));
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    let value = HeaderValue::from_str(&format!("Basic {}", *text));
    let mut value = value.map_err(|error| Failure::usage(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7617, section 2; RFC 6749, section 2.3.1
    #[test]
    fn credentials_are_encoded() {
        let value = basic("order service", "p&ss:w/rd").unwrap();
        assert_eq!(value, "Basic b3JkZXIlMjBzZXJ2aWNlOnAlMjZzcyUzQXclMkZyZA==");
        assert!(!format!("{value:?}").contains("b3Jk"));
    }
}
