//! Keys that verify.

use std::fmt;

use aws_lc_rs::{
    hmac,
    signature::{ParsedPublicKey, RsaPublicKeyComponents},
};

use super::{check_kid, secret::hmac_key};
use crate::{
    Algorithm, Error, Jwk, KeyError,
    alg::Family,
    jwk::{Material, curve::Shape},
};

/// A key that verifies signatures of exactly one algorithm, parsed once. It cannot sign, even where it holds an HMAC secret.
#[derive(Clone)]
pub struct VerifyingKey {
    alg: Algorithm,
    kid: Option<String>,
    checker: Checker,
    /// Of every signature, in bytes.
    signature_len: usize,
}

#[derive(Clone)]
enum Checker {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl VerifyingKey {
    /// A public key whose JWK names its algorithm, or whose curve leaves only one.
    ///
    /// # Errors
    /// [`KeyError::AlgorithmMissing`] for an RSA key without `alg`, [`KeyError::Unsupported`] for an `alg` that makes no
    /// signatures here, [`KeyError::NotForSignatures`] for a curve that makes none, and as [`from_jwk_as`](Self::from_jwk_as).
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, Error> {
        Self::from_jwk_as(jwk, Algorithm::named_or_only(jwk.alg(), jwk.kty(), jwk.crv())?)
    }

    /// A public key for the algorithm that the caller's policy names, where the JWK may leave it open.
    ///
    /// # Errors
    /// [`KeyError::WrongAlgorithm`] if the key does not fit it or names another, [`KeyError::NotForSignatures`],
    /// [`KeyError::Kid`], [`KeyError::Point`].
    pub fn from_jwk_as(jwk: &Jwk, alg: Algorithm) -> Result<Self, Error> {
        if jwk.alg().is_some_and(|name| name.parse() != Ok(alg)) {
            return Err(KeyError::WrongAlgorithm(alg).into());
        }
        if !jwk.envelope.allows("sig", "verify") {
            return Err(KeyError::NotForSignatures.into());
        }
        jwk.kid().map_or(Ok(()), check_kid)?;
        let checker = Checker::Public(parse(alg, &jwk.material)?);
        let signature_len = match &jwk.material {
            // RFC 8017 §8.1.2, §8.2.2: as long as the modulus.
            Material::Rsa { n, .. } => n.len(),
            _ => alg.signature_len().unwrap_or_default(),
        };
        Ok(Self { alg, kid: jwk.kid().map(Into::into), checker, signature_len })
    }

    /// A shared secret. Whoever holds it can also sign.
    ///
    /// # Errors
    /// [`KeyError::WrongAlgorithm`] unless `alg` is an HMAC, [`KeyError::SecretShort`], [`KeyError::SecretIsKey`],
    /// [`KeyError::Kid`].
    pub fn hmac(alg: Algorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        Self::from_secret(alg, Some(kid.into()), secret)
    }

    pub(crate) fn from_secret(alg: Algorithm, kid: Option<String>, secret: &[u8]) -> Result<Self, Error> {
        kid.as_deref().map_or(Ok(()), check_kid)?;
        let checker = Checker::Hmac(hmac_key(alg, secret)?);
        Ok(Self { alg, kid, checker, signature_len: alg.signature_len().unwrap_or_default() })
    }

    /// The same key under no id: it verifies tokens of its algorithm whatever `kid` they name. For whoever was given a shared
    /// secret and nothing else.
    #[must_use]
    pub fn without_kid(mut self) -> Self {
        self.kid = None;
        self
    }

    /// The one algorithm it verifies.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// Its key id.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The length of every signature that it can accept, in bytes.
    #[inline]
    pub(crate) fn signature_len(&self) -> usize {
        self.signature_len
    }

    /// Checks a signature over bytes. ECDSA signatures are `R ‖ S`.
    ///
    /// # Errors
    /// [`Error::Signature`], whatever is wrong with it.
    pub fn verify_raw(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if signature.len() != self.signature_len {
            return Err(Error::Signature);
        }
        match &self.checker {
            Checker::Hmac(key) => hmac::verify(key, message, signature),
            Checker::Public(key) => key.verify_sig(message, signature),
        }
        .map_err(|_| Error::Signature)
    }
}

fn parse(alg: Algorithm, material: &Material) -> Result<ParsedPublicKey, Error> {
    let parsed = match (&alg.row().family, material) {
        (Family::Rsa { verify, .. }, Material::Rsa { n, e }) => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(verify)
        }
        (Family::Ec { curve }, Material::Ec { curve: own, .. }) if curve == own => match curve.shape {
            Shape::Weierstrass { verify, .. } => ParsedPublicKey::new(verify, material.point()),
            Shape::Edwards | Shape::Montgomery => return Err(KeyError::WrongAlgorithm(alg).into()),
        },
        (Family::Okp { curve, verify, .. }, Material::Okp { curve: own, x }) if curve == own => {
            ParsedPublicKey::new(*verify, x)
        }
        (Family::Akp { verify, .. }, Material::Akp { alg: own, public }) if *own == alg => {
            ParsedPublicKey::new(*verify, public)
        }
        _ => return Err(KeyError::WrongAlgorithm(alg).into()),
    };
    parsed.map_err(|_| KeyError::Point.into())
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    // RFC 7518 §3.3, §3.5: an RSA signature is as long as its modulus; every other algorithm has one length
    #[test]
    fn a_key_knows_how_long_its_signatures_are() {
        for alg in Algorithm::all().filter(|alg| alg.kty() != "oct" && alg.kty() != "RSA") {
            let key = SigningKey::generate(alg, "k").unwrap().verifying_key().unwrap();
            assert_eq!(Some(key.signature_len()), alg.signature_len());
        }
        let key = VerifyingKey::hmac(Algorithm::HS384, "k", &[7; 48]).unwrap();
        assert_eq!(key.signature_len(), 48);
        let rsa = include_bytes!("../../tests/vectors/keys/rsa.spki.pem");
        let key = crate::key::import(rsa).unwrap().keys[0].verifying_key(Some(Algorithm::PS256)).unwrap();
        assert_eq!(key.signature_len(), 256);
    }
}
