//! Which addresses a verifier talks to.

use http::Uri;
use url::{Host, Url};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    Issuer,
    JwksUri,
}

pub(crate) fn fetchable(text: &str) -> Result<Uri, &'static str> {
    usable(text, Part::JwksUri)?.as_str().parse().map_err(|_| "not a URL that HTTP can carry")
}

pub(super) fn usable(text: &str, part: Part) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "not an absolute URL")?;
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => {}
        ("http", Some(host)) if is_loopback(&host) => {}
        ("http", _) => return Err("plain http is for loopback only"),
        _ => return Err("it must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not contain a user name or a password");
    }
    if url.fragment().is_some() {
        return Err("it must not have a fragment");
    }
    if part == Part::Issuer && url.query().is_some() {
        return Err("it must not have a query");
    }
    Ok(url)
}

/// By name or by address; `localhost` is loopback by RFC 6761 §6.3.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::BuildError;
    use crate::{Profile, Verifier};

    fn build(issuer: &str) -> Result<Verifier, BuildError> {
        Verifier::builder(issuer).audience("orders").build()
    }

    // KEY-07: https only, except loopback
    #[test]
    fn an_issuer_is_https_or_loopback() {
        for good in [
            "https://id.example",
            "https://id.example/",
            "https://id.example/tenant/a",
            "https://10.0.0.7:8443",
            "http://localhost:8080",
            "http://id.localhost",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert!(build(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.example",
            "http://id.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://10.0.0.7",
            "ftp://id.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://user:pw@id.example",
            "https://id.example?x=1",
            "https://id.example#x",
        ] {
            assert!(matches!(build(bad), Err(BuildError::Issuer { .. })), "{bad}");
        }
    }

    #[test]
    fn the_address_of_the_keys_follows_the_same_rules() {
        let with = |uri: &str| Verifier::builder("https://id.example").audience("orders").jwks_uri(uri).build();
        assert!(with("https://keys.example/set?tenant=1").is_ok());
        assert!(with("http://127.0.0.1:1/jwks").is_ok());
        assert!(matches!(with("http://keys.example/set"), Err(BuildError::JwksUri { .. })));
        let start = || Verifier::builder("https://id.example").audience("orders").profile(Profile::Strict);
        let metadata = start().metadata_uri("http://id.example/metadata").build();
        assert!(matches!(metadata, Err(BuildError::MetadataUri { .. })));
        assert!(matches!(start().revocation_feed("ftp://relay").build(), Err(BuildError::FeedUri { .. })));
        assert!(start().revocation_feed("https://relay.internal/revocations/0").build().is_ok());
    }
}
