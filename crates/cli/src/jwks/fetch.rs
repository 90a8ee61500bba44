//! One document from an address.

use std::time::Duration;

use countersign_jose::limits::MAX_JWK_SET_BYTES;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::output::Failure;

/// How long the whole may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Fetches a document. Redirects are not followed: the set must be where it is said to be.
///
/// # Errors
/// Exit code 2 for an address that is none, 3 if it does not answer with a document.
pub async fn get(address: &str) -> Result<Vec<u8>, Failure> {
    let uri: Uri = address.parse().map_err(|error| Failure::usage(format!("{address}: {error}")))?;
    tokio::time::timeout(DEADLINE, fetch(uri))
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())))
        .map_err(|error| Failure::undecided(format!("{address}: {error}")))
}

async fn fetch(uri: Uri) -> Result<Vec<u8>, String> {
    let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })?;
    if response.status() != StatusCode::OK {
        return Err(format!("answered {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_JWK_SET_BYTES).collect().await.map_err(|e| e.to_string())?;
    Ok(body.to_bytes().to_vec())
}
