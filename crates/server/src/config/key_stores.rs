//! Key stores: which one guards the keys, and how each that is set up is reached.

use std::{path::PathBuf, time::Duration};

use url::{Host, Url};

use super::{ConfigError, DAY, Keys, Reader, SECOND, YEARS};
use crate::domain::{
    key_store::{KeyPlace, StoreName},
    network::is_localhost,
};

/// The key stores that are set up; each may be in use, whichever guards the key-encryption key.
#[derive(Debug, Clone)]
pub struct KeyStores {
    /// For each attempt.
    pub timeout: Duration,
    pub transit: Option<Transit>,
    pub pkcs11: Option<Pkcs11>,
    pub kms: Option<Kms>,
}

/// Where a secret is: never in the configuration itself (ADM-06).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    File(PathBuf),
    Env(String),
}

/// The transit engine of OpenBao or Vault.
#[derive(Debug, Clone)]
pub struct Transit {
    /// Without a slash at its end.
    pub address: String,
    pub mount: String,
    /// The key that wraps; keys that sign are named after it.
    pub key: String,
    pub namespace: Option<String>,
    pub token: SecretPlace,
    pub ca_file: Option<PathBuf>,
}

/// A PKCS#11 module and a token of it.
#[derive(Debug, Clone)]
pub struct Pkcs11 {
    pub module: PathBuf,
    pub token: String,
    /// The label of the key that wraps.
    pub key: String,
    pub pin: SecretPlace,
}

/// AWS Key Management Service.
#[derive(Debug, Clone)]
pub struct Kms {
    pub region: String,
    /// The id, ARN or alias of the key that wraps.
    pub key: String,
    /// Without a slash at its end.
    pub endpoint: String,
    /// A file as the AWS command line keeps it; none: the variables `AWS_ACCESS_KEY_ID` and so on.
    pub credentials_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

impl KeyStores {
    /// Whether this one is set up.
    pub const fn has(&self, store: StoreName) -> bool {
        match store {
            StoreName::Transit => self.transit.is_some(),
            StoreName::Pkcs11 => self.pkcs11.is_some(),
            StoreName::Kms => self.kms.is_some(),
        }
    }
}

impl Reader<'_> {
    pub(super) fn keys(&self) -> Result<Keys, ConfigError> {
        let stores = KeyStores {
            timeout: self.duration("keys.timeout", Duration::from_millis(100)..=Duration::from_secs(3))?,
            transit: self.transit()?,
            pkcs11: self.pkcs11()?,
            kms: self.kms()?,
        };
        let places = [StoreName::Transit, StoreName::Pkcs11, StoreName::Kms]
            .map(|store| (store.as_str(), KeyPlace::Store(store)));
        let place = self.choice("keys.store", &[&[("file", KeyPlace::File)], &places[..]].concat())?;
        if let Some(store) = place.store().filter(|store| !stores.has(*store)) {
            let first = match store {
                StoreName::Transit => "keys.transit.address",
                StoreName::Pkcs11 => "keys.pkcs11.module",
                StoreName::Kms => "keys.kms.region",
            };
            return Err(self.refuse("keys.store", format!("is not set up; set {first} (docs/keys.md)")));
        }
        let sign_there = self.choice("keys.sign", &[("here", false), ("there", true)])?;
        if sign_there && place == KeyPlace::File {
            return Err(self.refuse("keys.sign", "needs keys.store = transit, pkcs11 or kms: a file signs nothing"));
        }
        Ok(Keys {
            place,
            sign_there,
            stores,
            kek_file: self.path("keys.kek_file"),
            kek_env: self.given("keys.kek_env").map(str::to_owned),
            rotate_every: self.duration("keys.rotate_every", Duration::from_hours(1)..=YEARS)?,
            publish_for: self.duration("keys.publish_for", SECOND * 330..=DAY)?,
            wait_for_verifiers: self.duration("keys.wait_for_verifiers", Duration::ZERO..=DAY * 30)?,
        })
    }

    fn transit(&self) -> Result<Option<Transit>, ConfigError> {
        const NAME: &str = "keys.transit.address";
        if self.given(NAME).is_none() {
            return Ok(None);
        }
        Ok(Some(Transit {
            address: self.address(NAME)?,
            mount: self.path_name("keys.transit.mount", true)?,
            key: self.path_name("keys.transit.key", false)?,
            namespace: self.given("keys.transit.namespace").map(str::to_owned),
            token: self.secret("keys.transit.token_file", "keys.transit.token_env")?,
            ca_file: self.path("keys.ca_file"),
        }))
    }

    fn pkcs11(&self) -> Result<Option<Pkcs11>, ConfigError> {
        const NAME: &str = "keys.pkcs11.module";
        let Some(module) = self.path(NAME) else { return Ok(None) };
        if !cfg!(feature = "pkcs11") {
            return Err(self.refuse(NAME, "this program was built without the feature pkcs11"));
        }
        let token = self.given("keys.pkcs11.token");
        let token = token.ok_or_else(|| self.refuse("keys.pkcs11.token", "must be the label of the token"))?;
        Ok(Some(Pkcs11 {
            module,
            token: token.to_owned(),
            key: self.path_name("keys.pkcs11.key", false)?,
            pin: self.secret("keys.pkcs11.pin_file", "keys.pkcs11.pin_env")?,
        }))
    }

    fn kms(&self) -> Result<Option<Kms>, ConfigError> {
        const NAME: &str = "keys.kms.region";
        let Some(region) = self.given(NAME) else { return Ok(None) };
        if !cfg!(feature = "kms") {
            return Err(self.refuse(NAME, "this program was built without the feature kms"));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !region.bytes().all(plain) {
            return Err(self.refuse(NAME, "is not a region such as eu-central-1"));
        }
        let key = self.given("keys.kms.key");
        let endpoint = match self.given("keys.kms.endpoint") {
            Some(_) => self.address("keys.kms.endpoint")?,
            None => format!("https://kms.{region}.amazonaws.com"),
        };
        Ok(Some(Kms {
            region: region.to_owned(),
            key: key.ok_or_else(|| self.refuse("keys.kms.key", "must be a key's id, ARN or alias"))?.to_owned(),
            endpoint,
            credentials_file: self.path("keys.kms.credentials_file"),
            ca_file: self.path("keys.ca_file"),
        }))
    }

    pub(super) fn given(&self, name: &'static str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    fn path(&self, name: &'static str) -> Option<PathBuf> {
        self.given(name).map(PathBuf::from)
    }

    fn secret(&self, file: &'static str, variable: &'static str) -> Result<SecretPlace, ConfigError> {
        match (self.given(variable), self.path(file)) {
            (Some(variable), _) => Ok(SecretPlace::Env(variable.to_owned())),
            (None, Some(path)) => Ok(SecretPlace::File(path)),
            (None, None) => Err(self.refuse(file, format!("must be set, or {variable}"))),
        }
    }

    /// What stands in a path of a request, or in a label.
    fn path_name(&self, name: &'static str, slashes: bool) -> Result<String, ConfigError> {
        let text = self.text(name);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) || (slashes && byte == b'/');
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let whole = text.bytes().all(plain) && ends(text.bytes().next()) && ends(text.bytes().last());
        if whole && !text.contains("..") {
            return Ok(text.to_owned());
        }
        Err(self.refuse(name, "must be letters, digits, -, _ and ."))
    }

    /// Keys are never sent in the clear to another machine.
    fn address(&self, name: &'static str) -> Result<String, ConfigError> {
        let refuse = |reason: &str| self.refuse(name, reason);
        let url =
            Url::parse(self.text(name)).map_err(|_| refuse("is not a URL such as https://bao.example.com:8200"))?;
        let near = match url.host() {
            Some(Host::Domain(name)) => is_localhost(name),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => {}
            "http" if near => {}
            "http" => return Err(refuse("plain http is allowed on this machine only; use https")),
            _ => return Err(refuse("must begin with https://")),
        }
        let origin = url.origin().ascii_serialization();
        if self.text(name).trim_end_matches('/') != origin {
            return Err(refuse("must have no path, query or user"));
        }
        Ok(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Origin, Settings};

    fn keys(pairs: &[(&str, &str)]) -> Result<Keys, String> {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.set(name, (*value).to_owned(), Origin::Flag).unwrap();
        }
        Config::new(&settings).map(|config| config.keys).map_err(|error| error.to_string())
    }

    const TRANSIT: [(&str, &str); 2] =
        [("keys.transit.address", "https://bao.example:8200/"), ("keys.transit.token_file", "/run/token")];

    #[test]
    fn nothing_configured_is_a_file_and_no_store() {
        let keys = keys(&[]).unwrap();
        assert_eq!(keys.place, KeyPlace::File);
        assert!(!keys.sign_there && StoreName::ALL.iter().all(|store| !keys.stores.has(*store)));
    }

    #[test]
    fn a_store_must_be_set_up_before_it_is_chosen() {
        let error = keys(&[("keys.store", "transit")]).unwrap_err();
        assert!(error.contains("keys.transit.address"), "{error}");
        let chosen = keys(&[&[("keys.store", "transit"), ("keys.sign", "there")], &TRANSIT[..]].concat()).unwrap();
        assert_eq!(chosen.place, KeyPlace::Store(StoreName::Transit));
        let transit = chosen.stores.transit.unwrap();
        assert_eq!((transit.address.as_str(), transit.mount.as_str()), ("https://bao.example:8200", "transit"));
        assert_eq!(transit.token, SecretPlace::File("/run/token".into()));
        let error = keys(&[("keys.sign", "there")]).unwrap_err();
        assert!(error.contains("a file signs nothing"), "{error}");
        assert!(keys(&TRANSIT[..1]).unwrap_err().contains("keys.transit.token_env"));
    }

    // ADM-06
    #[test]
    fn a_store_elsewhere_is_never_spoken_to_in_the_clear() {
        for (address, fits) in [
            ("http://127.0.0.1:8200", true),
            ("http://localhost:8200", true),
            ("http://bao.example:8200", false),
            ("https://token@bao.example", false),
            ("https://bao.example/v1", false),
            ("ftp://bao.example", false),
        ] {
            let outcome = keys(&[("keys.transit.address", address), TRANSIT[1]]);
            assert_eq!(outcome.is_ok(), fits, "{address}: {outcome:?}");
        }
        for key in ["../sys", "a/b", "", "-a", "a?b"] {
            assert!(keys(&[TRANSIT[0], TRANSIT[1], ("keys.transit.key", key)]).is_err(), "{key}");
        }
    }
}
