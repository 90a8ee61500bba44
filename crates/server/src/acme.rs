//! A certificate that the server fetches and renews itself (RFC 8555), by the challenge that needs nothing but its own port
//! (tls-alpn-01, RFC 8737). Nothing of this runs unless `tls.acme.domains` names somebody.

#[cfg(feature = "acme")]
mod calls;
#[cfg(feature = "acme")]
mod keep;
#[cfg(feature = "acme")]
mod order;
#[cfg(feature = "acme")]
mod shelf;

use std::{fs, path::PathBuf};
#[cfg(feature = "acme")]
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
};

#[cfg(feature = "acme")]
pub(crate) use keep::begin;

use crate::{
    config::{Acme, Config, Tls},
    domain::acme::Trouble,
    tls::{self, Shown, TlsError},
};

#[cfg(feature = "acme")]
const ACCOUNT: &str = "account.json";
const CERTIFICATE: &str = "certificate.pem";
const TROUBLE: &str = "trouble.json";
/// How the file of a certificate begins: from whom it is.
#[cfg(feature = "acme")]
const FROM: &str = "From: ";

/// What was fetched, in the data folder, for nobody to read but its owner.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn of(config: &Config) -> Self {
        Self(config.data.join("acme"))
    }

    /// Certificate and key are one file, so that they change together.
    pub fn certificate(&self) -> Tls {
        let path = self.0.join(CERTIFICATE);
        Tls { certificate: path.clone(), key: path }
    }

    /// What has gone wrong lately, with the same directory and names.
    pub fn trouble(&self, acme: &Acme) -> Option<Trouble> {
        let text = fs::read(self.0.join(TROUBLE)).ok()?;
        serde_json::from_slice(&text).ok().filter(|trouble: &Trouble| trouble.of == of(acme))
    }
}

#[cfg(feature = "acme")]
impl Folder {
    /// Whether the certificate is from this directory.
    pub(crate) fn is_from(&self, acme: &Acme) -> bool {
        let text = fs::read_to_string(self.0.join(CERTIFICATE)).unwrap_or_default();
        text.lines().next().and_then(|line| line.strip_prefix(FROM)) == Some(acme.directory.as_str())
    }

    pub(crate) fn keep_trouble(&self, trouble: &Trouble) -> io::Result<()> {
        self.write(TROUBLE, &serde_json::to_vec(trouble)?)
    }

    pub(crate) fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The whole of it or nothing, also if the machine loses its power.
    fn write(&self, name: &str, text: &[u8]) -> io::Result<()> {
        self.draft(name, text)?;
        self.publish(name)
    }

    fn draft(&self, name: &str, text: &[u8]) -> io::Result<PathBuf> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let draft = self.0.join(format!("{name}.new"));
        self.forget(&format!("{name}.new"))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text)?;
        file.sync_all()?;
        Ok(draft)
    }

    fn publish(&self, name: &str) -> io::Result<()> {
        fs::rename(self.0.join(format!("{name}.new")), self.0.join(name))?;
        File::open(&self.0)?.sync_all()
    }
}

/// What a failure is remembered for.
fn of(acme: &Acme) -> String {
    format!("{} {}", acme.directory, acme.domains.join(" "))
}

/// The certificate that lies there, if there is one.
///
/// # Errors
/// It cannot be used.
pub fn fetched(config: &Config) -> Result<Option<Shown>, TlsError> {
    let files = Folder::of(config).certificate();
    if !files.certificate.exists() {
        return Ok(None);
    }
    tls::certified(&files, &config.issuer).map(|(_, shown)| Some(shown))
}

/// Without the feature nobody can be configured to fetch anything.
#[cfg(not(feature = "acme"))]
pub(crate) fn begin(
    _: &crate::app::App,
    _: &crate::http::serve::Server,
    _: &std::sync::Arc<tokio::sync::Notify>,
) -> Result<Option<Nobody>, crate::app::StartError> {
    Ok(None)
}

#[cfg(not(feature = "acme"))]
pub(crate) enum Nobody {}

#[cfg(not(feature = "acme"))]
impl Nobody {
    #[expect(clippy::unused_async, reason = "in place of what waits")]
    pub async fn keep(self, _: impl Future<Output = ()>) {
        match self {}
    }
}
