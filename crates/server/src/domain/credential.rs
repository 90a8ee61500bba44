//! What a client proves itself with.

use countersign_jose::{Algorithm, Error, Jwk, JwkSet, KeySet, VerifyingKey};

use super::{client::SecretHash, logout_uri::LogoutUri, time::Timestamp};
use crate::secret::PlainSecret;

/// One way for each client, so that nobody chooses a weaker one for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: a public client.
    None,
    Secret(Secrets),
    /// Its private keys, of which only the public halves are known here (`private_key_jwt`).
    Keys(Keys),
}

/// Where the public keys of a client are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Here, as they were registered (`jwks`).
    Registered(ClientKeys),
    /// With the client, which changes them when it likes (`jwks_uri`).
    Published(KeysUri),
}

/// An address where a client publishes its keys: `https`, or `http` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysUri(LogoutUri);

/// A URI where no keys are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no address of keys: https://, or http:// on a loopback host, and neither fragment nor user name")]
pub struct BadKeysUri;

impl KeysUri {
    /// # Errors
    /// [`BadKeysUri`]
    pub fn parse(text: &str) -> Result<Self, BadKeysUri> {
        // What is called for logging out is what may be called at all.
        LogoutUri::parse(text).map(Self).map_err(|_| BadKeysUri)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Credential {
    /// Whether a client that has it can prove who it is.
    pub const fn is_confidential(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// The secret of a client, and the one before it for as long as both are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    pub current: SecretHash,
    pub previous: Option<PreviousSecret>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    pub hash: SecretHash,
    pub until: Timestamp,
}

impl Secrets {
    /// Whether this is a secret of the client at `now`.
    pub fn matches(&self, presented: &PlainSecret, now: Timestamp) -> bool {
        let previous = self.previous.as_ref().filter(|previous| now < previous.until);
        self.current.matches(presented) | previous.is_some_and(|previous| previous.hash.matches(presented))
    }
}

impl From<SecretHash> for Secrets {
    fn from(current: SecretHash) -> Self {
        Self { current, previous: None }
    }
}

/// The public keys of a client: a JWK set that was checked, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys(String);

/// No set of keys that a client could prove itself with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    #[error("not a JWK set: {0}")]
    Set(Error),
    #[error("a client has 1 to {max} keys", max = ClientKeys::MAX)]
    Count,
    #[error("key {index} of the set cannot be used: {error}")]
    Key { index: usize, error: Error },
}

impl ClientKeys {
    /// The most keys of one client: some to use, and some to change to.
    pub const MAX: usize = 16;

    /// Reads a JWK set of public keys, each of which verifies signatures of one algorithm. One that cannot be used is an
    /// error here: its owner would find out at the first request.
    ///
    /// # Errors
    /// [`BadKeys`]
    pub fn parse(json: &[u8]) -> Result<Self, BadKeys> {
        let set = JwkSet::parse(json).map_err(BadKeys::Set)?;
        if let Some((index, error)) = set.skipped.into_iter().next() {
            return Err(BadKeys::Key { index, error });
        }
        if !(1..=Self::MAX).contains(&set.keys.len()) {
            return Err(BadKeys::Count);
        }
        for (index, jwk) in set.keys.iter().enumerate() {
            VerifyingKey::from_jwk(jwk).map_err(|error| BadKeys::Key { index, error })?;
        }
        let text = serde_json::to_string(&JwkSet::from(set.keys));
        text.map(Self).map_err(|_| BadKeys::Set(Error::Json { at: 0 }))
    }

    /// What was stored: it was checked when it was registered, and is read again when it is used.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keys themselves, each bound to its algorithm; none of them is symmetric.
    ///
    /// # Errors
    /// What is stored is no JWK set.
    pub fn key_set(&self) -> Result<KeySet, Error> {
        Ok(JwkSet::parse(self.0.as_bytes())?.verifying_keys().collect())
    }
}

/// The keys of a set that a client publishes: those that verify signatures, each bound to one algorithm. Others may stand there,
/// too, for other purposes. An RSA key that does not say is for RS256, which OpenID Connect takes where nothing is said.
///
/// # Errors
/// [`BadKeys`]: no set, or without a key that could be used, or with too many.
pub fn published(json: &[u8]) -> Result<KeySet, BadKeys> {
    let set = JwkSet::parse(json).map_err(BadKeys::Set)?;
    let usable =
        |jwk: &Jwk| VerifyingKey::from_jwk(jwk).or_else(|_| VerifyingKey::from_jwk_as(jwk, Algorithm::RS256)).ok();
    let keys: Vec<VerifyingKey> = set.keys.iter().filter_map(usable).collect();
    if (1..=ClientKeys::MAX).contains(&keys.len()) { Ok(keys.into_iter().collect()) } else { Err(BadKeys::Count) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_jose::{Algorithm, SigningKey};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn public(alg: Algorithm, kid: &str) -> Value {
        serde_json::to_value(SigningKey::generate(alg, kid).unwrap().public_jwk()).unwrap()
    }

    fn parse(set: &Value) -> Result<ClientKeys, BadKeys> {
        ClientKeys::parse(set.to_string().as_bytes())
    }

    // OAU-08: the old secret is good for as long as was said, and not a moment longer.
    #[test]
    fn two_secrets_overlap() {
        let ((old, old_hash), (new, new_hash)) = (SecretHash::generate([1; 32]), SecretHash::generate([2; 32]));
        let until = NOW.plus(Duration::from_secs(60));
        let both = Secrets { current: new_hash.clone(), previous: Some(PreviousSecret { hash: old_hash, until }) };
        assert!(both.matches(&new, NOW) && both.matches(&old, NOW));
        assert!(both.matches(&new, until) && !both.matches(&old, until));
        let alone = Secrets::from(new_hash);
        assert!(alone.matches(&new, NOW) && !alone.matches(&old, NOW));
    }

    #[test]
    fn keys_are_a_set_of_usable_public_keys() {
        for alg in Algorithm::all().filter(|alg| !alg.is_symmetric() && alg.kty() != "RSA") {
            let keys = parse(&json!({ "keys": [public(alg, "k")] })).unwrap();
            assert_eq!(keys.key_set().unwrap().pick(Some("k"), alg).unwrap().alg(), alg);
            assert_eq!(ClientKeys::parse(keys.as_str().as_bytes()), Ok(keys));
        }
        let two = json!({ "keys": [public(Algorithm::ES256, "a"), public(Algorithm::Ed25519, "b")] });
        assert_eq!(parse(&two).unwrap().key_set().unwrap().iter().count(), 2);
    }

    // OAU-08, KEY-05: no shared secret, no private half, nothing for encryption, no two of one name.
    #[test]
    fn other_sets_are_refused_with_the_place() {
        let good = public(Algorithm::ES256, "k");
        let mut private = good.clone();
        private["d"] = json!("AAAA");
        let mut encrypts = good.clone();
        encrypts["use"] = json!("enc");
        for bad in [private, encrypts, json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }), good.clone(), json!(7)]
        {
            let error = parse(&json!({ "keys": [good, bad] })).unwrap_err();
            assert!(matches!(error, BadKeys::Key { index: 1, .. }), "{bad}: {error}");
        }
        assert_eq!(parse(&json!({ "keys": [] })), Err(BadKeys::Count));
        let many: Vec<Value> = (0..17).map(|n| public(Algorithm::ES256, &n.to_string())).collect();
        assert_eq!(parse(&json!({ "keys": many })), Err(BadKeys::Count));
        for bad in [json!({}), json!([]), json!({ "keys": 7 })] {
            assert!(matches!(parse(&bad), Err(BadKeys::Set(_))), "{bad}");
        }
    }

    // OAU-14
    #[test]
    fn published_keys_are_read_from_what_may_be_called() {
        for good in ["https://app.example/keys", "http://app.localhost:3000/keys"] {
            assert_eq!(KeysUri::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "http://app.example/keys", "http://10.0.0.1/keys", "file:///etc/passwd", "https://me@app.example/"]
        {
            assert_eq!(KeysUri::parse(bad), Err(BadKeysUri), "{bad}");
        }
    }

    #[test]
    fn of_what_a_client_publishes_only_what_verifies_is_taken() {
        let set = |keys: Value| published(json!({ "keys": keys }).to_string().as_bytes());
        let ec = public(Algorithm::ES256, "a");
        let mut encrypts = public(Algorithm::ES256, "b");
        encrypts["use"] = json!("enc");
        let secret = json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "c" });
        let unknown = json!({ "kty": "XX", "kid": "d" });
        let found = set(json!([unknown, encrypts, ec, secret])).unwrap();
        assert_eq!(found.iter().map(|key| key.kid().unwrap().to_owned()).collect::<Vec<_>>(), ["a"]);
        let mut open = ec;
        open.as_object_mut().unwrap().remove("alg");
        assert!(set(json!([open])).unwrap().pick(Some("a"), Algorithm::ES256).is_ok());
        assert_eq!(set(json!([encrypts])).unwrap_err(), BadKeys::Count);
        let many: Vec<Value> = (0..17).map(|n| public(Algorithm::ES256, &n.to_string())).collect();
        assert_eq!(set(json!(many)).unwrap_err(), BadKeys::Count);
        for bad in ["", "[]", "<html>", "{\"keys\":7}"] {
            assert!(matches!(published(bad.as_bytes()), Err(BadKeys::Set(_))), "{bad}");
        }
    }
}
