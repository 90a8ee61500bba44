//! The usable keys of one JWK set.

use std::fmt::Write;

use countersign_jose::{self as jose, Algorithm, Jwk, JwkSet, VerifyingKey};

use super::fetch::FetchError;
use crate::text::shown;

/// How many key ids an error names.
const MAX_NAMED: usize = 8;

/// Public keys, each bound to one algorithm, and why others were left out.
#[derive(Debug)]
pub(crate) struct Keys {
    set: jose::KeySet,
    skipped: Vec<String>,
}

impl Keys {
    /// # Errors
    /// Not a JWK set, or one without a usable key.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FetchError> {
        Self::public(&JwkSet::parse(bytes).map_err(FetchError::NotAKeySet)?)
    }

    /// Takes each key that can verify, skips and reports the others (KEY-07).
    ///
    /// # Errors
    /// No key is usable.
    pub(crate) fn public(jwks: &JwkSet) -> Result<Self, FetchError> {
        let mut skipped: Vec<_> = jwks.skipped.iter().map(|(at, error)| format!("key {at}: {error}")).collect();
        let mut keys = Vec::new();
        for jwk in &jwks.keys {
            match public_key(jwk) {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(reason),
            }
        }
        if keys.is_empty() {
            return Err(FetchError::NoUsableKey { skipped: skipped.len() });
        }
        Ok(Self { set: keys.into_iter().collect(), skipped })
    }

    pub(super) fn secrets(secrets: Vec<VerifyingKey>) -> Self {
        Self { set: secrets.into_iter().map(VerifyingKey::without_kid).collect(), skipped: Vec::new() }
    }

    /// Whether a key has this id, be it for this algorithm or for another: the latter is a contradiction that no
    /// fetch resolves.
    pub(super) fn knows(&self, kid: Option<&str>, alg: Algorithm) -> bool {
        !matches!(self.set.pick(kid, alg), Err(jose::Error::UnknownKey { .. }))
    }

    pub(crate) fn set(&self) -> &jose::KeySet {
        &self.set
    }

    pub(super) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.set.iter().map(|key| shown(key.kid().unwrap_or("the shared secret"))).collect()
    }

    /// The first few ids, for an error.
    pub(crate) fn names(&self) -> String {
        let ids = self.ids();
        let mut text = ids[..ids.len().min(MAX_NAMED)].join(", ");
        if ids.len() > MAX_NAMED {
            // Writing to a String cannot fail.
            let _ = write!(text, " and {} more", ids.len() - MAX_NAMED);
        }
        text
    }
}

fn public_key(jwk: &Jwk) -> Result<VerifyingKey, String> {
    let key = VerifyingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
    match key.kid() {
        None => Err("a key without an id".to_owned()),
        Some(_) => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_jose::SigningKey;
    use proptest::prelude::*;

    proptest! {
        // KEY-07: whatever the issuer's address answers
        #[test]
        fn any_body_is_a_set_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
            prop_assert!(Keys::parse(&bytes).is_err());
            prop_assert!(Keys::parse(text.as_bytes()).is_err());
            let set = format!(r#"{{"keys":[{text}]}}"#);
            prop_assert!(Keys::parse(set.as_bytes()).is_err());
        }
    }

    #[test]
    fn an_error_names_only_the_first_keys() {
        let keys = |count| {
            let jwk = SigningKey::generate(Algorithm::Ed25519, "k").ok().and_then(|key| key.public_jwk());
            let jwk = serde_json::to_value(jwk.expect("a public key")).expect("JSON");
            let renamed = |n| {
                let mut jwk = jwk.clone();
                jwk["kid"] = format!("k{n}").into();
                jwk
            };
            let set = serde_json::json!({"keys": (0..count).map(renamed).collect::<Vec<_>>()});
            Keys::parse(set.to_string().as_bytes()).expect("a key set")
        };
        assert_eq!(keys(3).names(), "k0, k1, k2");
        assert_eq!(keys(10).names(), "k0, k1, k2, k3, k4, k5, k6, k7 and 2 more");
    }
}
