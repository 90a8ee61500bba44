//! How the exporters reach their receiver. They run on threads of their own, and hyper on the server's runtime.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry_http::{HttpClient, HttpError};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use tracing::{info, warn};

/// For one request and its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most of an answer that is read, bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Calls the receiver.
#[derive(Debug)]
pub struct Receiver {
    runtime: Handle,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    away: Arc<Away>,
}

/// Whether the last call was in vain. That is said once, and once when it is over.
#[derive(Debug, Default)]
struct Away(AtomicBool);

impl Away {
    fn note(&self, answered: &Result<Response<Bytes>, HttpError>) {
        let problem = match answered {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        match (self.0.swap(problem.is_some(), Ordering::Relaxed), problem) {
            (false, Some(problem)) => warn!(problem, "the receiver of otel.endpoint takes nothing; serving goes on"),
            (true, None) => info!("the receiver of otel.endpoint takes traces and metrics again"),
            _ => {}
        }
    }
}

impl Receiver {
    /// Called on the runtime that is to carry the calls.
    ///
    /// # Errors
    /// rustls knows no protocol version that the provider can do.
    pub fn new() -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(1).build(connector);
        Ok(Self { runtime: Handle::current(), client, away: Arc::default() })
    }
}

impl HttpClient for Receiver {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let (client, away) = (self.client.clone(), Arc::clone(&self.away));
        let call = self.runtime.spawn(async move {
            let answer = async {
                let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
                Ok::<_, HttpError>(Response::from_parts(head, body))
            };
            let answered = match tokio::time::timeout(TIMEOUT, answer).await {
                Ok(answered) => answered,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            };
            away.note(&answered);
            answered
        });
        Box::pin(async move { call.await? })
    }
}
