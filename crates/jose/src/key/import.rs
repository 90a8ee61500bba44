//! Keys from whatever text or file holds them.

use serde_json::{Map, Value};

use super::{der, pem};
use crate::{
    Algorithm, Error, Jwk, KeyError, PrivateJwk, SigningKey, VerifyingKey,
    json::Reader,
    jwk::{PRIVATE, Wiped},
    limits::{MAX_JWK_SET_BYTES, MAX_JWK_SET_KEYS},
};

/// A key of any kind, not bound to an algorithm yet.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyKey {
    /// A public key.
    Public(Jwk),
    /// A private key, with its public half, or a shared secret.
    Private(PrivateJwk),
}

/// What [`import`] found.
#[derive(Debug)]
pub struct Imported {
    /// The keys, in their order.
    pub keys: Vec<AnyKey>,
    /// The index in the text of each key that was left out, and why. One bad key never spoils the others.
    pub skipped: Vec<(usize, Error)>,
}

/// Reads the keys of a text or a file of at most [`MAX_JWK_SET_BYTES`], by its content: a JWK, a JWK set (public and private keys), PEM
/// (SubjectPublicKeyInfo, PKCS#8, PKCS#1, SEC 1, certificates; several of them), or one of these in DER.
///
/// A shared secret is a JWK of the type `oct`; bytes that are no key in any form are refused, never taken for a secret.
///
/// ```
/// use countersign_jose::{Algorithm, PrivateJwk, key};
///
/// let pem = PrivateJwk::generate(Algorithm::Ed25519)?.to_pem()?;
/// let imported = key::import(pem.as_bytes())?;
/// let signing = imported.keys[0].signing_key(None)?; // Ed25519 is all that its curve is for
/// assert_eq!(signing.alg(), Algorithm::Ed25519);
/// # Ok::<(), countersign_jose::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooLong`]; [`KeyError::Form`] for a text that holds no key; those of the JSON text; and where the text holds a
/// single key, why that one was refused.
pub fn import(bytes: &[u8]) -> Result<Imported, Error> {
    if bytes.len() > MAX_JWK_SET_BYTES {
        return Err(Error::TooLong { bytes: bytes.len(), limit: MAX_JWK_SET_BYTES });
    }
    if der::form(bytes).is_some() {
        return Imported::collect([from_der(bytes)]);
    }
    let text = str::from_utf8(bytes).map_err(|_| KeyError::Form)?;
    if text.trim_start().starts_with('{') {
        return from_json(bytes);
    }
    let frames = pem::read(text);
    if frames.is_empty() {
        return Err(KeyError::Form.into());
    }
    Imported::collect(frames.into_iter().map(|frame| from_der(&frame?)))
}

impl AnyKey {
    /// Its key id.
    pub fn kid(&self) -> Option<&str> {
        match self {
            Self::Public(key) => key.kid(),
            Self::Private(key) => key.kid(),
        }
    }

    /// The name of the algorithm it is for, known here or not.
    pub fn alg(&self) -> Option<&str> {
        match self {
            Self::Public(key) => key.alg(),
            Self::Private(key) => key.alg(),
        }
    }

    /// Its key type.
    pub fn kty(&self) -> &'static str {
        match self {
            Self::Public(key) => key.kty(),
            Self::Private(key) => key.kty(),
        }
    }

    /// Its curve.
    pub fn crv(&self) -> Option<&'static str> {
        match self {
            Self::Public(key) => key.crv(),
            Self::Private(key) => key.crv(),
        }
    }

    /// SHA-256 thumbprint, base64url (RFC 7638). `None` for a secret.
    pub fn thumbprint(&self) -> Option<String> {
        match self {
            Self::Public(key) => Some(key.thumbprint()),
            Self::Private(key) => key.thumbprint(),
        }
    }

    /// The public half. `None` for a secret.
    pub fn public_jwk(&self) -> Option<Jwk> {
        match self {
            Self::Public(key) => Some(key.clone()),
            Self::Private(key) => key.public_jwk(),
        }
    }

    /// The key that signs, bound to `alg`, or without one to the algorithm that the key names or that its curve leaves.
    ///
    /// # Errors
    /// [`KeyError::PublicOnly`] for a public key; else as [`PrivateJwk::signing_key_as`] or [`PrivateJwk::signing_key`].
    pub fn signing_key(&self, alg: Option<Algorithm>) -> Result<SigningKey, Error> {
        match (self, alg) {
            (Self::Public(_), _) => Err(KeyError::PublicOnly.into()),
            (Self::Private(key), Some(alg)) => key.signing_key_as(alg),
            (Self::Private(key), None) => key.signing_key(),
        }
    }

    /// The key that verifies, bound to `alg`, or without one to the algorithm that the key names or that its curve leaves.
    ///
    /// # Errors
    /// As [`VerifyingKey::from_jwk_as`], [`VerifyingKey::from_jwk`], [`PrivateJwk::verifying_key_as`] or
    /// [`PrivateJwk::verifying_key`].
    pub fn verifying_key(&self, alg: Option<Algorithm>) -> Result<VerifyingKey, Error> {
        match (self, alg) {
            (Self::Public(key), Some(alg)) => VerifyingKey::from_jwk_as(key, alg),
            (Self::Public(key), None) => VerifyingKey::from_jwk(key),
            (Self::Private(key), Some(alg)) => key.verifying_key_as(alg),
            (Self::Private(key), None) => key.verifying_key(),
        }
    }
}

impl Imported {
    /// Sorts keys from errors. Where there is one of both, its error is the answer.
    fn collect(outcomes: impl IntoIterator<Item = Result<AnyKey, Error>>) -> Result<Self, Error> {
        let mut imported = Self { keys: Vec::new(), skipped: Vec::new() };
        for (index, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(key) => imported.keys.push(key),
                Err(error) => imported.skipped.push((index, error)),
            }
        }
        match imported.skipped.as_slice() {
            [(0, error)] if imported.keys.is_empty() => Err(error.clone()),
            _ => Ok(imported),
        }
    }
}

fn from_der(bytes: &[u8]) -> Result<AnyKey, Error> {
    match der::form(bytes) {
        Some(der::Form::Spki | der::Form::Pkcs1Public | der::Form::Certificate) => {
            Jwk::from_der(bytes).map(AnyKey::Public)
        }
        _ => PrivateJwk::from_der(bytes).map(AnyKey::Private),
    }
}

fn from_json(bytes: &[u8]) -> Result<Imported, Error> {
    let Wiped(members) = &Wiped(Reader::map(bytes)?);
    if members.contains_key("kty") {
        return Imported::collect([from_members(members)]);
    }
    let keys = members.get("keys").and_then(Value::as_array).ok_or(KeyError::Form)?;
    if keys.len() > MAX_JWK_SET_KEYS {
        return Err(KeyError::Member("keys").into());
    }
    let member = |key: &Value| from_members(key.as_object().ok_or(KeyError::Member("keys"))?);
    let mut imported = Imported { keys: Vec::new(), skipped: Vec::new() };
    for (index, key) in keys.iter().enumerate() {
        match member(key).and_then(|key| imported.admit(key)) {
            Ok(key) => imported.keys.push(key),
            Err(error) => imported.skipped.push((index, error)),
        }
    }
    Ok(imported)
}

impl Imported {
    /// Refuses a second key of the same id and algorithm: which of the two is meant, nobody could say.
    fn admit(&self, key: AnyKey) -> Result<AnyKey, Error> {
        let same = |other: &AnyKey| key.kid().is_some() && (other.kid(), other.alg()) == (key.kid(), key.alg());
        if self.keys.iter().any(same) { Err(KeyError::Duplicate.into()) } else { Ok(key) }
    }
}

fn from_members(members: &Map<String, Value>) -> Result<AnyKey, Error> {
    if PRIVATE.iter().any(|name| members.contains_key(*name)) {
        return PrivateJwk::from_members(members).map(AnyKey::Private);
    }
    Jwk::from_members(members).map(AnyKey::Public)
}
