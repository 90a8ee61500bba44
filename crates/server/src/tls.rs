//! TLS of our own (NET-01): rustls with aws-lc-rs, TLS 1.2 and 1.3, from two files that are read anew at each reload.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use der::Decode;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::{ParsedCertificate, ResolvesServerCert},
    sign::{CertifiedKey, SingleCertAndKey},
};
use url::{Host, Url};
use x509_cert::Certificate;
use zeroize::Zeroizing;

use crate::{
    config::{Config, Issuer, Tls},
    domain::time::Timestamp,
};

/// What an ACME server says that looks at a challenge (RFC 8737 §4).
pub const CHALLENGE: &[u8] = b"acme-tls/1";

/// Why there is no TLS. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {key} {}: {reason}", path.display())]
    File { key: &'static str, path: PathBuf, reason: String },
    #[error("{key} {} holds no {what} in PEM", path.display())]
    Empty { key: &'static str, path: PathBuf, what: &'static str },
    #[error(
        "tls.key {0} can be read by everybody (mode {mode:04o}); run: chmod o-rwx,g-w {0}",
        path.display()
    )]
    Wide { path: PathBuf, mode: u32 },
    #[error("tls.certificate {} and tls.key {} cannot be used: {reason}", tls.certificate.display(), tls.key.display())]
    Pair { tls: Tls, reason: String },
}

/// What a server needs that speaks TLS itself, and what is known of its certificate.
#[derive(Debug, Clone)]
pub struct Secured {
    pub config: Arc<ServerConfig>,
    pub certificate: Shown,
}

/// A certificate as its operator cares for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Whether browsers would take it for this issuer's host.
    pub names_issuer: bool,
}

/// Reads certificate and key, if the configuration names any.
///
/// # Errors
/// One cannot be read, is not what it should be, or does not fit the other.
pub fn load(config: &Config) -> Result<Option<Secured>, TlsError> {
    config.tls.as_ref().map(|tls| read(tls, &config.issuer)).transpose()
}

fn read(tls: &Tls, issuer: &Issuer) -> Result<Secured, TlsError> {
    let (certified, certificate) = certified(tls, issuer)?;
    let config = speaking(Arc::new(SingleCertAndKey::from(certified)), &[])
        .map_err(|error| TlsError::Pair { tls: tls.clone(), reason: error.to_string() })?;
    Ok(Secured { config, certificate })
}

/// Certificate and key, which fit each other.
pub(crate) fn certified(tls: &Tls, issuer: &Issuer) -> Result<(CertifiedKey, Shown), TlsError> {
    let chain = chain(&tls.certificate)?;
    let key = key(&tls.key)?;
    let unusable = |reason: String| TlsError::Pair { tls: tls.clone(), reason };
    let certificate = shown(&chain[0], issuer).map_err(unusable)?;
    // This also notices a key that is not the certificate's.
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
    Ok((certified.map_err(|error| unusable(error.to_string()))?, certificate))
}

/// TLS 1.2 and 1.3 with both versions of HTTP, and what else is understood.
pub(crate) fn speaking(shows: Arc<dyn ResolvesServerCert>, also: &[&[u8]]) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(shows);
    config.alpn_protocols = [b"h2".as_slice(), b"http/1.1"].iter().chain(also).map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let name = "tls.certificate";
    let refuse = |reason: String| TlsError::File { key: name, path: path.to_owned(), reason };
    let text = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| refuse(error.to_string()))?;
    if chain.is_empty() {
        return Err(TlsError::Empty { key: name, path: path.to_owned(), what: "certificate" });
    }
    Ok(chain)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let name = "tls.key";
    let refuse = |reason: String| TlsError::File { key: name, path: path.to_owned(), reason };
    let mode = fs::metadata(path).map_err(|error| refuse(error.to_string()))?.permissions().mode() & 0o777;
    // Its group may read it: that is how a service without a user of its own comes to it.
    if mode & 0o027 != 0 {
        return Err(TlsError::Wide { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read(path).map_err(|error| refuse(error.to_string()))?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::Empty {
        key: name,
        path: path.to_owned(),
        what: "private key",
    })
}

/// What a certificate says.
fn shown(der: &CertificateDer<'_>, issuer: &Issuer) -> Result<Shown, String> {
    let certificate = Certificate::from_der(der).map_err(|error| error.to_string())?;
    let validity = certificate.tbs_certificate.validity;
    let time = |time: x509_cert::time::Time| {
        Timestamp::from_secs(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
    };
    let parsed = ParsedCertificate::try_from(der).map_err(|error| error.to_string())?;
    let names_issuer = host(issuer).is_some_and(|name| rustls::client::verify_server_name(&parsed, &name).is_ok());
    Ok(Shown { not_before: time(validity.not_before), not_after: time(validity.not_after), names_issuer })
}

fn host(issuer: &Issuer) -> Option<ServerName<'static>> {
    let url = Url::parse(issuer.as_str()).ok()?;
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(address) => Some(std::net::IpAddr::V4(address).into()),
        Host::Ipv6(address) => Some(std::net::IpAddr::V6(address).into()),
    }
}
