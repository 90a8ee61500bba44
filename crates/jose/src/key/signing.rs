//! Keys that sign.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair},
};
use zeroize::Zeroizing;

use super::{check_kid, der, secret::hmac_key};
use crate::{Algorithm, Error, Jwk, KeyError, VerifyingKey, alg::Family, jwk::Material};

/// A key that signs with exactly one algorithm, prepared once. It never prints its secret.
pub struct SigningKey {
    alg: Algorithm,
    kid: String,
    signer: Signer,
}

pub(super) enum Signer {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Okp(Ed25519KeyPair),
}

impl SigningKey {
    /// Draws a new key pair; RSA keys have 3072 bits.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for an HMAC: draw a secret where it is stored and use [`hmac`](Self::hmac).
    /// [`KeyError::Generate`], [`KeyError::Kid`].
    pub fn generate(alg: Algorithm, kid: impl Into<String>) -> Result<Self, Error> {
        let failed = |_| KeyError::Generate;
        let signer = match alg.row().family {
            Family::Hmac { .. } => return Err(KeyError::NoSuchForm.into()),
            Family::Rsa { sign, .. } => Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?, sign),
            Family::Ec { sign, .. } => Signer::Ec(EcdsaKeyPair::generate(sign).map_err(failed)?),
            Family::Okp { .. } => Signer::Okp(Ed25519KeyPair::generate().map_err(failed)?),
        };
        Self::new(alg, kid.into(), signer)
    }

    /// Reads a private key in PKCS#8 (RFC 5208, RFC 5958), DER, unencrypted.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if it is none, or for another curve; [`KeyError::NoSuchForm`] for an HMAC; the errors of an RSA
    /// public key; [`KeyError::Kid`].
    pub fn from_pkcs8(alg: Algorithm, kid: impl Into<String>, pkcs8: &[u8]) -> Result<Self, Error> {
        let malformed = |_| KeyError::Malformed;
        let signer = match alg.row().family {
            Family::Hmac { .. } => return Err(KeyError::NoSuchForm.into()),
            Family::Rsa { sign, .. } => Signer::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(malformed)?, sign),
            Family::Ec { sign, .. } => Signer::Ec(EcdsaKeyPair::from_pkcs8(sign, pkcs8).map_err(malformed)?),
            Family::Okp { .. } => Signer::Okp(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(malformed)?),
        };
        Self::new(alg, kid.into(), signer)
    }

    /// A shared secret.
    ///
    /// # Errors
    /// As [`VerifyingKey::hmac`].
    pub fn hmac(alg: Algorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        Self::new(alg, kid.into(), Signer::Hmac(hmac_key(alg, secret)?))
    }

    /// The private key in PKCS#8, DER, unencrypted; wiped from memory when dropped.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for an HMAC secret.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = match &self.signer {
            Signer::Hmac(_) => return Err(KeyError::NoSuchForm.into()),
            Signer::Rsa(pair, _) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec()),
            Signer::Ec(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Signer::Okp(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Malformed.into())
    }

    /// The one algorithm it signs with.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// Its key id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half. `None` for an HMAC: its secret has none, and a verifier of it is made from the secret.
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        self.public_jwk().and_then(|jwk| VerifyingKey::from_jwk(&jwk).ok())
    }

    /// The public half as a JWK with `alg`, `kid` and `use: "sig"`. `None` for an HMAC.
    pub fn public_jwk(&self) -> Option<Jwk> {
        Some(Jwk::for_signatures(self.signer.material(self.alg)?, self.alg, &self.kid))
    }

    /// Signs bytes. ECDSA signatures are `R ‖ S`. Prefer [`sign`](crate::sign): it cannot sign one kind of thing as another.
    ///
    /// # Errors
    /// [`Error::Sign`] if the primitive fails.
    #[expect(clippy::disallowed_methods, reason = "the primitive ignores this argument and draws from its own source")]
    pub fn sign_raw(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Signer::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map(|()| signature)
            }
            Signer::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Signer::Okp(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
        }
        .map_err(|_| Error::Sign)
    }

    /// The length of its signatures, in bytes.
    pub(crate) fn signature_len(&self) -> usize {
        match &self.signer {
            Signer::Rsa(pair, _) => pair.public_modulus_len(),
            _ => self.alg.signature_len().unwrap_or_default(),
        }
    }

    pub(super) fn new(alg: Algorithm, kid: String, signer: Signer) -> Result<Self, Error> {
        check_kid(&kid)?;
        signer.material(alg).map_or(Ok(()), |material| material.check())?;
        Ok(Self { alg, kid, signer })
    }
}

impl Signer {
    fn material(&self, alg: Algorithm) -> Option<Material> {
        let crv = alg.crv().unwrap_or_default();
        match self {
            Self::Hmac(_) => None,
            Self::Rsa(pair, _) => {
                let (n, e) = der::rsa_public_key(pair.public_key().as_ref())?;
                Some(Material::Rsa { n: n.to_vec(), e: e.to_vec() })
            }
            Self::Ec(pair) => Material::from_point(crv, pair.public_key().as_ref()),
            Self::Okp(pair) => Some(Material::Okp { crv, x: pair.public_key().as_ref().to_vec() }),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}
