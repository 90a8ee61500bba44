//! HTTP to the issuer: TLS by aws-lc-rs, no redirects, no proxies, no cookies, bounded bodies.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::GaiResolver, dns::Name},
    },
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tower::Service;

pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// A client that trusts Mozilla's roots and the given ones (DER).
///
/// # Errors
/// One of `extra_roots` is no X.509 certificate.
pub(crate) fn client(connect_timeout: Duration, extra_roots: &[Vec<u8>]) -> Result<HttpClient, rustls::Error> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_nodelay(true);
    // Plain HTTP passes here; the builder has already refused it for anything but loopback.
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls_config(extra_roots)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    // A request every few minutes gains nothing from an idle connection, and one kept from a runtime that is gone would
    // only fail.
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

/// The system's resolver, but for names of this machine: `id.localhost` is loopback to every browser, and unknown to many
/// systems (RFC 6761, section 6.3).
#[derive(Debug, Clone)]
pub(crate) struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if name.as_str() == "localhost" || name.as_str().ends_with(".localhost") {
            // The port is the URL's.
            let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let own = own.map(|address| SocketAddr::new(address, 0)).to_vec().into_iter();
            return Box::pin(std::future::ready(Ok(own)));
        }
        let found = self.0.call(name);
        Box::pin(async move { Ok(found.await?.collect::<Vec<_>>().into_iter()) })
    }
}

/// TLS 1.2 and 1.3.
fn tls_config(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for der in extra_roots {
        roots.add(CertificateDer::from(der.clone()))?;
    }
    let config = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLarge,
    Broken(String),
}

/// The whole body, of at most `limit` bytes.
pub(crate) async fn body(response: Response<Incoming>, limit: usize) -> Result<Bytes, BodyError> {
    match Limited::new(response.into_body(), limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(error) => Err(BodyError::Broken(in_words(&*error))),
    }
}

/// The error and its causes in one line: "connect: Connection refused" says more than either half.
pub(crate) fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    crate::text::shown(&text)
}
