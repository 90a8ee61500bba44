//! Private keys and shared secrets as JSON (RFC 7517 §3, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3).

use std::fmt;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::{Envelope, Jwk, Material, text_member};
use crate::{
    Algorithm, Error, KeyError, SigningKey, VerifyingKey,
    alg::Family,
    b64,
    json::{Reader, Writer},
    key::{
        check_kid,
        pair::{Pair, Private},
        pem, pkcs8,
        secret::{check_secret, draw_secret},
    },
    limits::MAX_JWK_BYTES,
};

/// The private members of an RSA key in the order of [`Private::Rsa`].
const RSA_PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// A private key or a shared secret with what its JWK says of it. It is not bound to an algorithm yet, never prints itself, and is
/// wiped from memory when dropped; only the functions whose names begin with `to_` show it, because they were asked to.
///
/// ```
/// use countersign_jose::{Algorithm, PrivateJwk};
///
/// let key = PrivateJwk::generate(Algorithm::ES256)?.with_kid("2026-1");
/// let signing = key.signing_key()?; // bound to ES256, which the key names
/// let public = key.public_jwk().expect("a pair has a public half");
/// assert_eq!(PrivateJwk::parse(key.to_json().as_bytes())?.thumbprint(), Some(public.thumbprint()));
/// # Ok::<(), countersign_jose::Error>(())
/// ```
#[derive(Clone)]
pub struct PrivateJwk {
    pub(crate) envelope: Envelope,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Secret(Zeroizing<Vec<u8>>),
    Pair(Material, Private),
}

impl PrivateJwk {
    /// Reads a private key, or a shared secret (`kty: "oct"`), from the JSON text of a JWK of at most [`MAX_JWK_BYTES`]. RSA keys need
    /// all members of RFC 7518 §6.3.2 but `oth`.
    ///
    /// # Errors
    /// Those of the JSON text and of a public JWK; [`KeyError::Member`]; [`KeyError::Malformed`] if public and private members
    /// disagree; [`KeyError::Unsupported`] for more than two primes.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_JWK_BYTES {
            return Err(Error::TooLong { bytes: json.len(), limit: MAX_JWK_BYTES });
        }
        let Wiped(members) = &Wiped(Reader::map(json)?);
        Self::from_members(members)
    }

    /// Reads an unencrypted private key in DER: PKCS#8 (RFC 5208, RFC 5958, RFC 8410, RFC 9881), PKCS#1 (RFC 8017 §A.1.2) or SEC 1
    /// (RFC 5915).
    ///
    /// # Errors
    /// [`KeyError::Der`], [`KeyError::Encrypted`], [`KeyError::Unsupported`], [`KeyError::Malformed`] if it is a public key or its
    /// halves disagree, and the errors of a public JWK.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (public, private) = pkcs8::read(der)?;
        Ok(Self::from_halves(public, private))
    }

    /// Draws a key pair for an algorithm (RSA keys have 3072 bits), or a secret as long as its hash. It has no `kid` yet.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn generate(alg: Algorithm) -> Result<Self, Error> {
        let key = match alg.row().family {
            Family::Hmac { mac } => Key::Secret(draw_secret(mac.tag_len())?),
            Family::Rsa { .. } | Family::Ec { .. } | Family::Okp { .. } | Family::Akp { .. } => {
                let (public, private) = Pair::generate(alg)?.halves()?;
                Key::Pair(public, private)
            }
        };
        let envelope = Envelope { alg: Some(alg.as_str().into()), usage: Some("sig".into()), ..Envelope::default() };
        Ok(Self { envelope, key })
    }

    /// The same key under this id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.envelope.kid = Some(kid.into());
        self
    }

    /// Its key id.
    pub fn kid(&self) -> Option<&str> {
        self.envelope.kid.as_deref()
    }

    /// The name of the algorithm it is for, known here or not.
    pub fn alg(&self) -> Option<&str> {
        self.envelope.alg.as_deref()
    }

    /// Its key type; `oct` for a secret.
    pub fn kty(&self) -> &'static str {
        self.public().map_or("oct", Material::kty)
    }

    /// Its curve.
    pub fn crv(&self) -> Option<&'static str> {
        self.public().and_then(Material::crv)
    }

    /// SHA-256 thumbprint, base64url (RFC 7638), of the public half. `None` for a secret, of which a hash says too much
    /// (RFC 7638 §7).
    pub fn thumbprint(&self) -> Option<String> {
        self.public().map(Material::thumbprint)
    }

    /// The public half, with the same `kid`, `alg` and `use`. `None` for a secret, which has none.
    pub fn public_jwk(&self) -> Option<Jwk> {
        let material = self.public()?.clone();
        // `key_ops` names what the private half does (RFC 7517 §4.3).
        let envelope = Envelope { key_ops: None, ..self.envelope.clone() };
        Some(Jwk { material, envelope })
    }

    /// The key, bound to the algorithm that it names or to the only one that its curve leaves.
    ///
    /// # Errors
    /// [`KeyError::AlgorithmMissing`], [`KeyError::Unsupported`] for an `alg` that makes no signatures here, and as
    /// [`signing_key_as`](Self::signing_key_as).
    pub fn signing_key(&self) -> Result<SigningKey, Error> {
        self.signing_key_as(self.own_algorithm()?)
    }

    /// The key, bound to the algorithm that the caller's policy names. Its id is that of the JWK, or else the thumbprint.
    ///
    /// # Errors
    /// [`KeyError::WrongAlgorithm`] if the key does not fit it or names another; [`KeyError::NotForSignatures`]; for a secret
    /// [`KeyError::Member`] without a `kid`, [`KeyError::SecretShort`] and [`KeyError::SecretIsKey`]; [`KeyError::Kid`].
    pub fn signing_key_as(&self, alg: Algorithm) -> Result<SigningKey, Error> {
        self.check_use(alg, "sign")?;
        match &self.key {
            Key::Secret(secret) => SigningKey::hmac(alg, self.kid().ok_or(KeyError::Member("kid"))?, secret),
            Key::Pair(public, private) => {
                let kid = self.kid().map_or_else(|| public.thumbprint(), Into::into);
                SigningKey::from_pair(alg, kid, Pair::new(public, private)?)
            }
        }
    }

    /// What verifies the signatures of this key: its public half, or the secret itself. Bound as by
    /// [`signing_key`](Self::signing_key).
    ///
    /// # Errors
    /// As [`signing_key`](Self::signing_key).
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        self.verifying_key_as(self.own_algorithm()?)
    }

    /// What verifies the signatures of this key: its public half, or the secret itself.
    ///
    /// # Errors
    /// As [`signing_key_as`](Self::signing_key_as), but a secret needs no `kid`.
    pub fn verifying_key_as(&self, alg: Algorithm) -> Result<VerifyingKey, Error> {
        match (&self.key, self.public_jwk()) {
            (Key::Secret(secret), _) => {
                self.check_use(alg, "verify")?;
                VerifyingKey::from_secret(alg, self.kid().map(Into::into), secret)
            }
            (Key::Pair(..), Some(jwk)) => VerifyingKey::from_jwk_as(&jwk, alg),
            (Key::Pair(..), None) => Err(KeyError::NoSuchForm.into()),
        }
    }

    /// The key as a JWK with its private members, `kty` first.
    pub fn to_json(&self) -> Zeroizing<String> {
        // With room enough that no copy is left behind by growing.
        let mut json = Writer::with_capacity(MAX_JWK_BYTES);
        json.text_member("kty", self.kty());
        match &self.key {
            Key::Secret(secret) => json.text_member("k", &Zeroizing::new(b64::encode(secret))),
            Key::Pair(public, private) => {
                // `alg` of an `AKP` key is the same member as that of the envelope.
                for (name, value) in public.members().iter().filter(|(name, _)| !["kty", "alg"].contains(name)) {
                    json.text_member(name, value);
                }
                write_private(&mut json, public, private);
            }
        }
        for (name, value) in self.envelope.texts() {
            json.text_member(name, value);
        }
        if let Some(ops) = &self.envelope.key_ops {
            json.entry("key_ops", &Value::from(ops.as_slice()));
        }
        // The writer puts texts together, so that its bytes are one.
        Zeroizing::new(String::from_utf8(json.finish()).unwrap_or_default())
    }

    /// The key in PKCS#8 (RFC 5208), DER, unencrypted.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for a secret.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (public, private) = self.pair().ok_or(KeyError::NoSuchForm)?;
        Ok(pkcs8::write(public, private)?)
    }

    /// The key in PKCS#8, PEM (RFC 7468 §10), unencrypted.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for a secret.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        Ok(pem::write("PRIVATE KEY", &self.to_pkcs8()?))
    }

    /// An RSA key as RSAPrivateKey (RFC 8017 §A.1.2), DER.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for other keys.
    pub fn to_pkcs1(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (public, private) = self.pair().ok_or(KeyError::NoSuchForm)?;
        Ok(pkcs8::write_pkcs1(public, private)?)
    }

    /// An EC key as ECPrivateKey (RFC 5915, SEC 1 §C.4), DER.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for other keys.
    pub fn to_sec1(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (public, private) = self.pair().ok_or(KeyError::NoSuchForm)?;
        Ok(pkcs8::write_sec1(public, private)?)
    }

    /// The bytes of a shared secret.
    pub(crate) fn secret(&self) -> Option<&[u8]> {
        match &self.key {
            Key::Secret(secret) => Some(secret),
            Key::Pair(..) => None,
        }
    }

    /// Both halves of a pair.
    pub(crate) fn pair(&self) -> Option<(&Material, &Private)> {
        match &self.key {
            Key::Secret(_) => None,
            Key::Pair(public, private) => Some((public, private)),
        }
    }

    /// A secret of which nothing but itself is known.
    pub(crate) fn from_secret(secret: &[u8]) -> Self {
        Self { envelope: Envelope::default(), key: Key::Secret(Zeroizing::new(secret.to_vec())) }
    }

    /// A pair of which nothing but itself is known.
    pub(crate) fn from_halves(public: Material, private: Private) -> Self {
        let alg = public.alg().map(|alg| alg.as_str().into());
        Self { envelope: Envelope { alg, ..Envelope::default() }, key: Key::Pair(public, private) }
    }

    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        let envelope = Envelope::from_members(members)?;
        if let Some(kid) = &envelope.kid {
            check_kid(kid)?;
        }
        if text_member(members, "kty")? == Some("oct") {
            let secret = secret_member(members, "k")?;
            return Ok(Self { envelope, key: Key::Secret(secret) });
        }
        if members.contains_key("oth") {
            return Err(KeyError::Unsupported("RSA with several primes".into()).into());
        }
        let public = Material::from_members(members)?;
        let private = private_members(&public, members)?;
        Pair::new(&public, &private)?;
        Ok(Self { envelope, key: Key::Pair(public, private) })
    }

    fn public(&self) -> Option<&Material> {
        self.pair().map(|(public, _)| public)
    }

    fn own_algorithm(&self) -> Result<Algorithm, Error> {
        Ok(Algorithm::named_or_only(self.alg(), self.kty(), self.crv())?)
    }

    fn check_use(&self, alg: Algorithm, operation: &str) -> Result<(), Error> {
        let another = self.alg().is_some_and(|name| name.parse() != Ok(alg));
        if another || self.kty() != alg.kty() || self.crv() != alg.crv() {
            return Err(KeyError::WrongAlgorithm(alg).into());
        }
        if let Some(secret) = self.secret() {
            check_secret(alg, secret)?;
        }
        if self.envelope.allows("sig", operation) { Ok(()) } else { Err(KeyError::NotForSignatures.into()) }
    }
}

impl fmt::Debug for PrivateJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateJwk")
            .field("kty", &self.kty())
            .field("crv", &self.crv())
            .field("kid", &self.kid())
            .field("alg", &self.alg())
            .finish_non_exhaustive()
    }
}

/// The members of a private key, wiped from memory when dropped.
pub(crate) struct Wiped(pub(crate) Map<String, Value>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn private_members(public: &Material, members: &Map<String, Value>) -> Result<Private, Error> {
    match public {
        Material::Rsa { .. } => {
            let mut parts = std::array::from_fn(|_| Zeroizing::new(Vec::new()));
            for (part, name) in parts.iter_mut().zip(RSA_PRIVATE) {
                *part = secret_member(members, name)?;
            }
            Ok(Private::Rsa(Box::new(parts)))
        }
        Material::Ec { .. } | Material::Okp { .. } => secret_member(members, "d").map(Private::Bytes),
        Material::Akp { .. } => secret_member(members, "priv").map(Private::Bytes),
    }
}

fn write_private(json: &mut Writer, public: &Material, private: &Private) {
    match private {
        Private::Rsa(parts) => {
            for (name, part) in RSA_PRIVATE.into_iter().zip(parts.iter()) {
                json.text_member(name, &Zeroizing::new(b64::encode(part)));
            }
        }
        Private::Bytes(bytes) => {
            let name = if matches!(public, Material::Akp { .. }) { "priv" } else { "d" };
            json.text_member(name, &Zeroizing::new(b64::encode(bytes)));
        }
    }
}

fn secret_member(members: &Map<String, Value>, name: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = text_member(members, name)?.ok_or(KeyError::Member(name))?;
    Ok(b64::decode(text).map(Zeroizing::new).map_err(|_| KeyError::Member(name))?)
}
