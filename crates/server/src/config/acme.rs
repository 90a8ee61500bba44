//! A certificate that the server fetches itself (RFC 8555).

use std::{net::SocketAddr, path::PathBuf};

use rustls::pki_types::ServerName;
use url::Url;

use super::{ConfigError, Reader};

/// From whom a certificate is fetched, and for which names. That the operator agreed to the terms is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    pub directory: Url,
    /// In lower case; the issuer's host is one of them.
    pub domains: Vec<String>,
    /// `mailto:…`
    pub contact: Vec<String>,
    pub ca_file: Option<PathBuf>,
}

impl Reader<'_> {
    pub(super) fn acme(&self, listen: SocketAddr) -> Result<Option<Acme>, ConfigError> {
        const DOMAINS: &str = "tls.acme.domains";
        let domains: Vec<String> = self.list::<String>(DOMAINS, "names")?;
        let domains: Vec<String> = domains.iter().map(|name| name.to_ascii_lowercase()).collect();
        if domains.is_empty() {
            return Ok(None);
        }
        if !cfg!(feature = "acme") {
            return Err(self.refuse(DOMAINS, "this program was built without the feature acme"));
        }
        if !self.text("tls.certificate").is_empty() {
            return Err(self.refuse(DOMAINS, "cannot be used together with tls.certificate: leave one of them out"));
        }
        if let Some(name) =
            domains.iter().find(|name| !matches!(ServerName::try_from(name.as_str()), Ok(ServerName::DnsName(_))))
        {
            return Err(self.refuse(
                DOMAINS,
                format!("{name} is no name of a host (wildcards and addresses cannot be had in this way)"),
            ));
        }
        let issuer = self.issuer(listen)?;
        let host =
            Url::parse(issuer.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        if !issuer.is_https() || !domains.contains(&host) {
            return Err(
                self.refuse(DOMAINS, "needs an issuer that begins with https:// and whose host is one of the names")
            );
        }
        if self.choice("tls.acme.terms", &[("", false), ("agreed", true)])? {
            return Ok(Some(Acme {
                directory: self.acme_directory()?,
                domains,
                contact: self.acme_contact()?,
                ca_file: self.given("tls.acme.ca_file").map(PathBuf::from),
            }));
        }
        Err(self
            .refuse("tls.acme.terms", "read the terms of the ACME server's operator and, if you agree, say `agreed`"))
    }

    fn acme_directory(&self) -> Result<Url, ConfigError> {
        let url = Url::parse(self.text("tls.acme.directory")).ok();
        let url = url.filter(|url| url.scheme() == "https" && url.host().is_some() && url.username().is_empty());
        url.ok_or_else(|| self.refuse("tls.acme.directory", "is not an address that begins with https://"))
    }

    fn acme_contact(&self) -> Result<Vec<String>, ConfigError> {
        let addresses: Vec<String> = self.list("tls.acme.contact", "mail addresses")?;
        if let Some(address) = addresses.iter().find(|address| !address.contains('@') || address.contains(':')) {
            return Err(self.refuse("tls.acme.contact", format!("{address} is no mail address")));
        }
        Ok(addresses.iter().map(|address| format!("mailto:{address}")).collect())
    }
}

#[cfg(all(test, feature = "acme"))]
mod tests {
    use crate::config::{Config, Settings};

    fn acme(flags: &[(&str, &str)]) -> Result<Option<super::Acme>, String> {
        let flags: Vec<_> = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(Some(std::path::Path::new("/dev/null")), std::iter::empty(), &flags);
        let config = settings.and_then(|settings| Config::new(&settings)).map_err(|error| error.to_string())?;
        Ok(config.acme)
    }

    #[test]
    fn nothing_is_fetched_unless_the_operator_agreed_to_the_terms() {
        let issuer = ("issuer", "https://id.example.com:8443");
        let domains = ("tls.acme.domains", "www.example.com, ID.example.com");
        let terms = ("tls.acme.terms", "agreed");
        assert_eq!(acme(&[issuer, terms]), Ok(None));
        let one = acme(&[issuer, domains, terms, ("tls.acme.contact", "ada@example.com")]).unwrap().unwrap();
        assert_eq!(one.domains, ["www.example.com", "id.example.com"]);
        assert_eq!(one.contact, ["mailto:ada@example.com"]);
        for (flags, said) in [
            (vec![issuer, domains], "read the terms"),
            (vec![issuer, domains, ("tls.acme.terms", "yes")], "must be"),
            (vec![domains, terms], "needs an issuer"),
            (vec![issuer, terms, ("tls.acme.domains", "example.com")], "whose host is one of the names"),
            (vec![issuer, terms, ("tls.acme.domains", "*.example.com")], "is no name of a host"),
            (vec![issuer, terms, ("tls.acme.domains", "192.0.2.1")], "is no name of a host"),
            (vec![issuer, domains, terms, ("tls.certificate", "c"), ("tls.key", "k")], "leave one of them out"),
            (vec![issuer, domains, terms, ("tls.acme.directory", "http://ca.example/")], "begins with https://"),
            (vec![issuer, domains, terms, ("tls.acme.contact", "mailto:a@b.c")], "is no mail address"),
        ] {
            let refused = acme(&flags).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
    }
}
