//! A certificate authority of the tests, and clients that trust it.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use countersign_jose::b64;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn base64(bytes: &[u8]) -> String {
    let text = b64::encode(bytes).replace('-', "+").replace('_', "/");
    let missing = (4 - text.len() % 4) % 4;
    text + &"=".repeat(missing)
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a new certificate for these names and its key over `cert.pem` and `key.pem`, as a renewal does.
    pub fn issue(&self, folder: &Path, names: &[&str]) -> CertificateDer<'static> {
        self.issue_until(folder, names, 2090)
    }

    /// The same, up to the beginning of this year.
    pub fn issue_until(&self, folder: &Path, names: &[&str], year: i32) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2010, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        write_private(&folder.join("key.pem"), &pem("PRIVATE KEY", &key.serialize_der()));
        write_private(&folder.join("cert.pem"), &pem("CERTIFICATE", certificate.der()));
        fs::write(folder.join("ca.pem"), pem("CERTIFICATE", self.0.der())).unwrap();
        certificate.der().clone()
    }

    /// A client that trusts this authority.
    pub fn client(&self, versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

pub fn write_private(path: &Path, text: &str) {
    // As a renewal does it: nobody ever sees half of it.
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, path).unwrap();
}

/// An open connection over TLS.
pub type Line = StreamOwned<ClientConnection, TcpStream>;

/// Connects to `localhost` there, up to the end of the handshake.
pub fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Line> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut line = StreamOwned::new(connection, stream);
    while line.conn.is_handshaking() {
        line.conn.complete_io(&mut line.sock)?;
    }
    Ok(line)
}

/// One request; the connection stays open. The head of the answer, and its body.
pub fn get(line: &mut Line, path: &str) -> io::Result<(String, String)> {
    write!(line, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    line.flush()?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        line.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().map_err(io::Error::other)?];
    line.read_exact(&mut body)?;
    Ok((head, String::from_utf8(body).map_err(io::Error::other)?))
}

/// The certificate that the server shows.
pub fn shown(line: &Line) -> CertificateDer<'static> {
    line.conn.peer_certificates().unwrap()[0].clone().into_owned()
}
