//! Where the keys come from.

use std::time::Duration;

use countersign_jose::{self as jose, Algorithm, JwkSet, VerifyingKey};
use zeroize::Zeroizing;

use super::{BuildError, VerifierBuilder, fetchable};
use crate::keys::{Address, KeySource, Teller};

const SHORTEST_COOLDOWN: Duration = Duration::from_secs(1);

/// Where the keys come from: by default `{issuer}/.well-known/jwks.json`, kept fresh in the background.
impl VerifierBuilder {
    /// Another address of the issuer's JWK set; `https`, or plain `http` on loopback.
    pub fn jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.jwks_uri = Some(uri.into());
        self
    }

    /// Fixed public keys; they are not fetched, and a rotation needs a new verifier.
    pub fn keys(mut self, keys: JwkSet) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The secret that the issuer shares with this audience alone (HS256): the text that `countersign audience add`
    /// showed once, base64url of at least 32 bytes. Call it twice while one secret replaces another. Nothing is fetched.
    pub fn shared_secret(mut self, secret: impl AsRef<str>) -> Self {
        let key = jose::b64::decode(secret.as_ref()).map(Zeroizing::new);
        self.secrets.push(key.and_then(|bytes| VerifyingKey::hmac(Algorithm::HS256, "shared", &bytes)));
        self
    }

    /// A certificate authority (X.509, DER) to trust beside Mozilla's: a company's own, for example.
    pub fn root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// How long one fetch may take, from name resolution to the last byte: 5 s by default.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// The pause between two fetches that unknown key ids may cause: 30 s by default, 1 s at least.
    pub fn refetch_cooldown(mut self, cooldown: Duration) -> Self {
        self.limits.cooldown = cooldown.max(SHORTEST_COOLDOWN);
        self
    }

    /// How long keys are used while the issuer cannot be reached, before the verifier answers
    /// [`NotReady`](crate::Rejection::NotReady): 24 h by default. A key that the issuer removes is refused within the
    /// `max-age` of its key set (5 min by default) while it can be reached, and within this time if it cannot.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.limits.max_stale = max_stale;
        self
    }

    /// How long [`verify_online`](crate::Verifier::verify_online) waits for a fetch: 2 s by default.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.limits.max_wait = max_wait;
        self
    }

    pub(super) fn key_source(self, teller: Teller) -> Result<KeySource, BuildError> {
        match (self.keys, self.jwks_uri, self.secrets.is_empty()) {
            (Some(keys), None, true) => KeySource::given(&keys).map_err(BuildError::Keys),
            (None, None, false) => {
                let secrets: Result<_, _> = self.secrets.into_iter().collect();
                Ok(KeySource::shared(secrets.map_err(BuildError::Secret)?))
            }
            (None, given, true) => {
                let text =
                    given.unwrap_or_else(|| format!("{}/.well-known/jwks.json", self.issuer.trim_end_matches('/')));
                let uri = fetchable(&text).map_err(|reason| BuildError::JwksUri { url: text, reason })?;
                let address = Address { uri, timeout: self.fetch_timeout, extra_roots: self.extra_roots };
                KeySource::remote(address, self.clock, self.limits, teller)
                    .map_err(|error| BuildError::RootCertificate(error.to_string()))
            }
            _ => Err(BuildError::TwoKeySources),
        }
    }
}
