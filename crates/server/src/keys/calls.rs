//! HTTP to a key store: one client per store, made at its first call, whose connections are kept for the next.

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::remote::Fault;

/// The most of an answer that is read, bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// Connections that wait for the next call.
const IDLE: usize = 8;

type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Calls one key store.
#[derive(Debug)]
pub(super) struct Calls {
    ca_file: Option<PathBuf>,
    client: OnceLock<HttpsClient>,
}

impl Calls {
    pub fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, client: OnceLock::new() }
    }

    /// One request and its answer, whatever it says.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Fault> {
        let response = self.client()?.request(request).await.map_err(|error| lost(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        Ok((status, body.map_err(|error| lost(&*error))?.to_bytes()))
    }

    fn client(&self) -> Result<&HttpsClient, Fault> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let roots = roots(self.ca_file.as_deref())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| lost(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(IDLE).build(connector);
        Ok(self.client.get_or_init(|| client))
    }
}

/// With a file, nobody else's certificates count.
fn roots(file: Option<&Path>) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let bad = |error: &dyn std::fmt::Display| Fault::Refused(format!("keys.ca_file {}: {error}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))? {
        roots.add(certificate.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
    }
    if roots.is_empty() { Err(bad(&"there is no certificate in it")) } else { Ok(roots) }
}

/// With the causes: the outer error says only that a connection failed.
fn lost(error: &(dyn Error + 'static)) -> Fault {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    Fault::Down(words)
}
