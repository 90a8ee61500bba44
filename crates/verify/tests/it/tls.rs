//! KEY-07: keys come over TLS that was verified.

use std::{net::Ipv4Addr, sync::Arc};

use countersign_verify::{FetchError, ReadyError, TestIssuer, Verifier, VerifierBuilder};
use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Serves an issuer's keys over TLS; returns the address, for the name `localhost`.
async fn serve(issuer: &TestIssuer, identity: &CertifiedKey<KeyPair>) -> String {
    let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    let (acceptor, jwks) = (TlsAcceptor::from(Arc::new(config)), serde_json::to_vec(&issuer.jwks()).unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, jwks) = (acceptor.clone(), jwks.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let answer = service_fn(move |_| {
                    let body = Full::<Bytes>::from(jwks.clone());
                    async { Response::builder().header("content-type", "application/json").body(body) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    format!("https://localhost:{port}/.well-known/jwks.json")
}

fn builder(uri: String) -> VerifierBuilder {
    Verifier::builder("https://id.test").audience("orders").jwks_uri(uri).without_revocation()
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted_and_no_other() {
    let issuer = TestIssuer::new("https://id.test").audience("orders");
    let identity = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let uri = serve(&issuer, &identity).await;

    let trusting = builder(uri.clone()).root_certificate(identity.cert.der().to_vec()).build().unwrap();
    trusting.ready().await.unwrap();
    assert!(trusting.verify(&issuer.token().sign()).is_ok());

    let stranger = builder(uri).build().unwrap();
    let error = stranger.ready().await.unwrap_err();
    assert!(
        matches!(&error, ReadyError::Keys(FetchError::Connection(text)) if text.contains("certificate")),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let issuer = TestIssuer::new("https://id.test").audience("orders");
    let identity = generate_simple_self_signed(["elsewhere.test".to_owned()]).unwrap();
    let uri = serve(&issuer, &identity).await;
    let verifier = builder(uri).root_certificate(identity.cert.der().to_vec()).build().unwrap();
    assert!(matches!(verifier.ready().await, Err(ReadyError::Keys(FetchError::Connection(_)))));
}
