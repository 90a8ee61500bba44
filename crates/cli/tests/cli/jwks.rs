//! `countersign jwks show|lint` over HTTPS and HTTP, from a server with a certificate authority of its own.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::Arc,
};

use countersign_jose::b64;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, pki_types::PrivateKeyDer};

use crate::rig::Rig;

const SET: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"Ed25519","use":"sig","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A server on a free port that answers every path: `/jwks` with the set, others with what their name says.
struct Site {
    port: u16,
}

impl Site {
    /// `tls` is what it shows and its key; without it, it speaks plain HTTP.
    fn start(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = tls.map(Arc::new);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let done = match &tls {
                    None => answer(stream),
                    Some(tls) => answer(StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), stream)),
                };
                // A client that does not trust the certificate breaks off.
                drop(done);
            }
        });
        Self { port }
    }

    fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://localhost:{}{path}", self.port)
    }
}

fn answer(mut stream: impl Read + Write) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (status, more, body) = match head.split(' ').nth(1) {
        Some("/jwks") => ("200 OK", "", SET.to_owned()),
        Some("/moved") => ("302 Found", "location: /jwks\r\n", String::new()),
        Some("/endless") => ("200 OK", "", " ".repeat(8 * 1024 * 1024)),
        _ => ("404 Not Found", "", String::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}")?;
    stream.flush()
}

/// An authority, which is written into a PEM file, and a server's certificate of it.
fn authority(file: &Path, name: &str) -> ServerConfig {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(file, pem(certificate.der())).unwrap();
    let authority = Issuer::new(params, key);

    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap()
}

fn pem(der: &[u8]) -> String {
    let mut text = b64::encode(der).replace('-', "+").replace('_', "/");
    text.push_str(&"=".repeat((4 - text.len() % 4) % 4));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[test]
fn a_set_is_fetched_from_a_server_that_is_trusted() {
    let rig = Rig::new();
    let site = Site::start(Some(authority(&rig.folder.path().join("ca.pem"), "localhost")));
    let url = site.url("https", "/jwks");
    let (out, _) = rig.expect(0, &["jwks", "show", "--ca", "ca.pem", &url], "");
    assert!(out.contains("Ed25519"), "{out}");
    let (out, _) = rig.expect(0, &["jwks", "lint", "--ca", "ca.pem", &url], "");
    assert!(out.contains("no problem"), "{out}");

    // The system does not know this authority, and a certificate of another one does not help.
    let (_, err) = rig.expect(3, &["jwks", "show", &url], "");
    assert!(err.contains("certificate"), "{err}");
    authority(&rig.folder.path().join("other.pem"), "localhost");
    let (_, err) = rig.expect(3, &["jwks", "lint", "--ca", "other.pem", &url], "");
    assert!(err.contains("certificate"), "{err}");

    // Nor is one for another name accepted.
    let elsewhere = Site::start(Some(authority(&rig.folder.path().join("ca.pem"), "elsewhere.test")));
    let (_, err) = rig.expect(3, &["jwks", "show", "--ca", "ca.pem", &elsewhere.url("https", "/jwks")], "");
    assert!(err.contains("certificate"), "{err}");

    std::fs::write(rig.folder.path().join("empty.pem"), "").unwrap();
    for file in ["empty.pem", "missing.pem"] {
        rig.expect(2, &["jwks", "show", "--ca", file, &url], "");
    }
}

#[test]
fn a_set_is_where_it_is_said_to_be() {
    let rig = Rig::new();
    let site = Site::start(None);
    rig.expect(0, &["jwks", "lint", &site.url("http", "/jwks")], "");
    for (path, words) in [("/moved", "302"), ("/missing", "404"), ("/endless", "limit")] {
        let (_, err) = rig.expect(3, &["jwks", "show", &site.url("http", path)], "");
        assert!(err.contains(words), "{path}: {err}");
    }
    let (out, _) = rig.expect(3, &["--json", "jwks", "lint", &site.url("http", "/missing")], "");
    assert!(out.contains("\"error\""), "{out}");
    rig.expect(2, &["jwks", "show", "https://"], "");
}
