//! The issuer's administration, over the socket in its data folder. The `countersign` commands make the same calls.

use std::{path::PathBuf, time::Duration};

use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::Failure;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Whoever may open the socket is an administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Its path.
    pub socket: PathBuf,
}

impl Admin {
    /// One call of the admin API, and its answer in JSON.
    ///
    /// # Errors
    /// The issuer refused it, or did not answer.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))?;
        let exchange = async {
            let stream = UnixStream::connect(&self.socket).await?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let response = sender.send_request(request).await?;
            let status = response.status();
            Ok::<_, Failure>((status, response.into_body().collect().await?.to_bytes()))
        };
        let (status, bytes) = tokio::time::timeout(TIMEOUT, exchange).await??;
        if !status.is_success() {
            let words = String::from_utf8_lossy(&bytes);
            return Err(format!("the issuer refused {method} {path}: {status} {words}").into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }
}
