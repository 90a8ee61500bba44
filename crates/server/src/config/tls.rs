//! TLS of our own: two files.

use std::{net::SocketAddr, path::PathBuf};

use super::{ConfigError, Reader};

/// What the server shows to whoever connects. The files are read at the start and at each reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Reader<'_> {
    pub(super) fn tls(&self, listen: SocketAddr) -> Result<Option<Tls>, ConfigError> {
        let (certificate, key) = (self.text("tls.certificate"), self.text("tls.key"));
        match (certificate, key) {
            ("", "") => Ok(None),
            (_, "") => Err(self.refuse("tls.certificate", "needs tls.key, the file with its private key")),
            ("", _) => Err(self.refuse("tls.key", "needs tls.certificate, the file with its certificate")),
            // Its cookies, links and tokens would name a plain-HTTP address that nobody answers.
            _ if !self.issuer(listen)?.is_https() => {
                Err(self.refuse("tls.certificate", "needs an issuer that begins with https://"))
            }
            _ => Ok(Some(Tls { certificate: certificate.into(), key: key.into() })),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Settings};

    fn tls(flags: &[(&str, &str)]) -> Result<bool, String> {
        let flags: Vec<_> = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(Some(std::path::Path::new("/dev/null")), std::iter::empty(), &flags);
        let config = settings.and_then(|settings| Config::new(&settings)).map_err(|error| error.to_string())?;
        Ok(config.tls.is_some())
    }

    #[test]
    fn certificate_and_key_come_together_and_with_an_https_issuer() {
        let (issuer, certificate, key) = (("issuer", "https://id.example"), ("tls.certificate", "c"), ("tls.key", "k"));
        assert_eq!(tls(&[issuer]), Ok(false));
        assert_eq!(tls(&[issuer, certificate, key]), Ok(true));
        assert!(tls(&[issuer, certificate]).unwrap_err().contains("needs tls.key"));
        assert!(tls(&[issuer, key]).unwrap_err().contains("needs tls.certificate"));
        assert!(tls(&[certificate, key]).unwrap_err().contains("needs an issuer that begins with https://"));
    }
}
