//! One document from an address.

use std::{path::Path, sync::Arc, time::Duration};

use countersign_jose::limits::MAX_JWK_SET_BYTES;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::output::Failure;

/// How long the whole may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Fetches a document. Redirects are not followed: the set must be where it is said to be. `ca` is a PEM file with the authorities
/// that are trusted in place of the system's.
///
/// # Errors
/// Exit code 2 for an address that is none or a file without certificates, 3 if it does not answer with a document.
pub async fn get(address: &str, ca: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let uri: Uri = address.parse().map_err(|error| Failure::usage(format!("{address}: {error}")))?;
    let roots = match ca {
        Some(file) => file_roots(file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?,
        None => system_roots(),
    };
    tokio::time::timeout(DEADLINE, fetch(uri, roots))
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())))
        .map_err(|error| Failure::undecided(format!("{address}: {error}")))
}

fn file_roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())? {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("no certificate in it".into()) } else { Ok(roots) }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

async fn fetch(uri: Uri, roots: RootCertStore) -> Result<Vec<u8>, String> {
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| causes(&error))?;
    if response.status() != StatusCode::OK {
        return Err(format!("answered {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_JWK_SET_BYTES).collect().await.map_err(|e| e.to_string())?;
    Ok(body.to_bytes().to_vec())
}

/// An error with all that caused it: what is wrong with a certificate stands in the last one.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
