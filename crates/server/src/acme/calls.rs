//! Calls to an ACME server: HTTPS alone, to the host that the operator named and to what else may be called (`outbound.rs`),
//! little time, little to read.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{
    config::{Acme, Config},
    domain::time::Timestamp,
    outbound::{CallError, Judging},
};

/// For each call. Some servers sign while they are asked.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most of an answer that is read, bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Calls one ACME server; made for one attempt and dropped with it. Clones share what was heard.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    client: Client<HttpsConnector<Judging>, Full<Bytes>>,
    told: Arc<Mutex<Option<Duration>>>,
    now: Timestamp,
}

impl Calls {
    pub fn new(config: &Config, acme: &Acme, now: Timestamp) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(other)?
            .with_root_certificates(roots(acme)?)
            .with_no_client_auth();
        let host = acme.directory.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let judging = Judging::new(config.outbound_allow.as_slice().into()).and(host);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().wrap_connector(judging);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, told: Arc::default(), now })
    }

    /// How long the server wants to be left alone, if it has refused something and said so.
    pub fn told(&self) -> Option<Duration> {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(other)?.to_bytes();
        let asked = self.client.request(Request::from_parts(parts, Full::new(body)));
        let response = asked.await.map_err(|error| other(CallError::lost(&error)))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| other(CallError::lost(&*error)))?.to_bytes();
        if parts.status.is_client_error() || parts.status.is_server_error() {
            if let Some(told) = retry_after(&parts.headers, self.now) {
                *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
            }
            // A proxy's page, say: what it means is in its status.
            if serde_json::from_slice::<serde_json::Value>(&body).is_err() {
                return Err(other(CallError::Lost(format!("it answered {}", parts.status))));
            }
        }
        Ok(BytesResponse::from(Response::from_parts(parts, Full::new(body))))
    }
}

impl HttpClient for Calls {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let calls = self.clone();
        Box::pin(async move {
            let answered = tokio::time::timeout(TIMEOUT, calls.send(request)).await;
            answered.unwrap_or_else(|_| Err(other(CallError::Lost(format!("nothing came within {TIMEOUT:?}")))))
        })
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}

/// With a file, nobody else's certificates count.
fn roots(acme: &Acme) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let Some(file) = &acme.ca_file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let bad =
        |why: &dyn std::fmt::Display| other(CallError::Lost(format!("tls.acme.ca_file {}: {why}", file.display())));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))? {
        roots.add(certificate.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
    }
    if roots.is_empty() { Err(bad(&"there is no certificate in it")) } else { Ok(roots) }
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_secs(date.as_second()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_as_a_date() {
        let now = Timestamp::from_secs(784_111_777);
        for (said, heard) in
            [("120", Some(120)), ("Sun, 06 Nov 1994 08:59:37 GMT", Some(600)), ("soon", None), ("-1", None)]
        {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, said.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), heard.map(Duration::from_secs), "{said}");
        }
    }
}
