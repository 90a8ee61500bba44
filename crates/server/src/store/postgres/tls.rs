//! TLS to PostgreSQL: rustls with aws-lc-rs, the certificate and its name always verified.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::StoreError;

/// How the connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    Off,
    /// The server's certificate must be issued for its name, by an authority of this PEM file or else of the system.
    Verified {
        root: Option<PathBuf>,
    },
}

/// A connector that trusts the authorities of a PEM file, or the system's.
pub(super) fn connector(root: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let roots = match root {
        Some(file) => file_roots(file).map_err(|reason| format!("{}: {reason}", file.display())),
        None => system_roots(),
    };
    let roots = roots.map_err(|reason| StoreError::Broken(format!("TLS to the database: {reason}")))?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Broken(format!("TLS to the database: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn file_roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())? {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("no certificate in it".into()) } else { Ok(roots) }
}

fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this system has no certificate authorities; name a file with sslrootcert=".into());
    }
    Ok(roots)
}
