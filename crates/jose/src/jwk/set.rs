//! A JWK set (RFC 7517 §5).

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

use super::Jwk;
use crate::{
    Error, KeyError, VerifyingKey,
    json::Reader,
    jwe::EncryptionKey,
    limits::{MAX_JWK_SET_BYTES, MAX_JWK_SET_KEYS},
};

/// Public keys of one issuer. A key that cannot be used is left out and reported, never fatal: an issuer may publish keys of
/// kinds that this library does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JwkSet {
    /// The keys, in their order.
    pub keys: Vec<Jwk>,
    /// The index in the text of each key that was left out, and why.
    pub skipped: Vec<(usize, Error)>,
}

impl JwkSet {
    /// Reads a set of at most [`MAX_JWK_SET_BYTES`] and [`MAX_JWK_SET_KEYS`].
    ///
    /// # Errors
    /// Those of the JSON text, duplicate members anywhere included; [`Error::TooLong`]; [`KeyError::Member`] if `keys` is
    /// missing, no list, or too long.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_JWK_SET_BYTES {
            return Err(Error::TooLong { bytes: json.len(), limit: MAX_JWK_SET_BYTES });
        }
        let members = Reader::map(json)?;
        let keys = members.get("keys").and_then(Value::as_array).ok_or(KeyError::Member("keys"))?;
        if keys.len() > MAX_JWK_SET_KEYS {
            return Err(KeyError::Member("keys").into());
        }
        let mut set = Self::default();
        for (index, key) in keys.iter().enumerate() {
            match set.admit(key) {
                Ok(jwk) => set.keys.push(jwk),
                Err(error) => set.skipped.push((index, error)),
            }
        }
        Ok(set)
    }

    /// The keys that verify signatures, each bound to its algorithm. Others (for encryption, or of an unknown algorithm) are
    /// passed over; [`VerifyingKey::from_jwk`] says why of each.
    pub fn verifying_keys(&self) -> impl Iterator<Item = VerifyingKey> {
        self.keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok())
    }

    /// The keys that encrypt, each bound to its algorithm. Others are passed over; [`EncryptionKey::from_jwk`] says why of each.
    pub fn encryption_keys(&self) -> impl Iterator<Item = EncryptionKey> {
        self.keys.iter().filter_map(|jwk| EncryptionKey::from_jwk(jwk).ok())
    }

    fn admit(&self, key: &Value) -> Result<Jwk, Error> {
        let jwk = Jwk::from_members(key.as_object().ok_or(KeyError::Member("keys"))?)?;
        let same = |other: &Jwk| jwk.kid().is_some() && (other.kid(), other.alg()) == (jwk.kid(), jwk.alg());
        if self.keys.iter().any(same) {
            return Err(KeyError::Duplicate.into());
        }
        Ok(jwk)
    }
}

impl From<Vec<Jwk>> for JwkSet {
    fn from(keys: Vec<Jwk>) -> Self {
        Self { keys, skipped: Vec::new() }
    }
}

impl Serialize for JwkSet {
    /// `{"keys":[…]}`, what was left out not included.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut set = serializer.serialize_struct("JwkSet", 1)?;
        set.serialize_field("keys", &self.keys)?;
        set.end()
    }
}
