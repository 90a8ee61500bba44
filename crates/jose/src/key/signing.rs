//! Keys that sign.

use std::{borrow::Cow, fmt, sync::OnceLock};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    rand::SystemRandom,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair, RsaEncoding, RsaKeyPair},
};
use zeroize::Zeroizing;

use super::{check_kid, pair::Pair, secret::hmac_key, spki};
use crate::{Algorithm, Error, Jwk, KeyError, PrivateJwk, VerifyingKey, alg::Family, jwk::Material, sign::header_text};

/// A key that signs with exactly one algorithm, prepared once. It never prints its secret.
pub struct SigningKey {
    alg: Algorithm,
    kid: String,
    signer: Signer,
    header: OnceLock<(&'static str, String)>,
}

/// A signature, in place where it is short.
pub(crate) enum Signature {
    Short([u8; SHORT], usize),
    Long(Vec<u8>),
}

/// Every HMAC, P-256 and Ed25519.
const SHORT: usize = 64;

enum Signer {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Okp(Ed25519KeyPair),
    Akp(PqdsaKeyPair),
}

impl SigningKey {
    /// Draws a new key pair; RSA keys have 3072 bits.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for an HMAC: draw a secret where it is stored and use [`hmac`](Self::hmac).
    /// [`KeyError::Generate`], [`KeyError::Kid`].
    pub fn generate(alg: Algorithm, kid: impl Into<String>) -> Result<Self, Error> {
        Self::from_pair(alg, kid.into(), Pair::generate(alg)?)
    }

    /// Reads a private key, or a shared secret (`kty: "oct"`), from the JSON text of a JWK. Its key id is the JWK's, or else its
    /// thumbprint. RSA keys need all members of RFC 7518 §6.3.2 but `oth`.
    ///
    /// # Errors
    /// As [`PrivateJwk::parse`] and [`PrivateJwk::signing_key_as`].
    pub fn from_jwk(alg: Algorithm, json: &[u8]) -> Result<Self, Error> {
        PrivateJwk::parse(json)?.signing_key_as(alg)
    }

    /// Reads a private key in PKCS#8 (RFC 5208, RFC 5958), DER, unencrypted.
    ///
    /// # Errors
    /// As [`PrivateJwk::from_der`]; [`KeyError::WrongAlgorithm`] for a key of another kind; [`KeyError::NoSuchForm`] for an HMAC;
    /// [`KeyError::Kid`].
    pub fn from_pkcs8(alg: Algorithm, kid: impl Into<String>, pkcs8: &[u8]) -> Result<Self, Error> {
        if alg.is_symmetric() {
            return Err(KeyError::NoSuchForm.into());
        }
        PrivateJwk::from_der(pkcs8)?.with_kid(kid).signing_key_as(alg)
    }

    /// A shared secret.
    ///
    /// # Errors
    /// As [`VerifyingKey::hmac`].
    pub fn hmac(alg: Algorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        let kid = kid.into();
        check_kid(&kid)?;
        Ok(Self { alg, kid, signer: Signer::Hmac(hmac_key(alg, secret)?), header: OnceLock::new() })
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
            Signer::Akp(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Malformed.into())
    }

    /// The key as a JWK with its private members, its `kid` and its `alg`, to be stored somewhere.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for an HMAC secret: keep the [`PrivateJwk`] that it was made of.
    pub fn private_jwk(&self) -> Result<PrivateJwk, Error> {
        let mut key = PrivateJwk::from_der(&self.to_pkcs8()?)?.with_kid(&self.kid);
        key.envelope.alg = Some(self.alg.as_str().into());
        key.envelope.usage = Some("sig".into());
        Ok(key)
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
        Some(Jwk::for_signatures(self.material()?, self.alg, &self.kid))
    }

    /// Signs bytes. ECDSA signatures are `R ‖ S`. Prefer [`sign`](crate::sign): it cannot sign one kind of thing as another.
    ///
    /// # Errors
    /// [`Error::Sign`] if the primitive fails.
    pub fn sign_raw(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signature_of(message).map(|signature| signature.as_ref().to_vec())
    }

    #[expect(clippy::disallowed_methods, reason = "the primitive ignores this argument and draws from its own source")]
    pub(crate) fn signature_of(&self, message: &[u8]) -> Result<Signature, Error> {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Hmac(key) => Ok(Signature::copy(hmac::sign(key, message).as_ref())),
            Signer::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map(|()| Signature::Long(signature))
            }
            Signer::Ec(pair) => pair.sign(&random, message).map(|signature| Signature::copy(signature.as_ref())),
            Signer::Okp(pair) => pair.try_sign(message).map(|signature| Signature::copy(signature.as_ref())),
            Signer::Akp(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).map(|_| Signature::Long(signature))
            }
        }
        .map_err(|_| Error::Sign)
    }

    /// The header of what it signs as this type, in base64url. The first type's is kept: a key signs one kind of token over and
    /// over.
    pub(crate) fn header(&self, typ: &'static str) -> Cow<'_, str> {
        let (kept, text) = self.header.get_or_init(|| (typ, header_text(self.alg, &self.kid, typ)));
        if *kept == typ { Cow::Borrowed(text) } else { Cow::Owned(header_text(self.alg, &self.kid, typ)) }
    }

    /// The length of its signatures, in bytes.
    pub(crate) fn signature_len(&self) -> usize {
        match &self.signer {
            Signer::Rsa(pair, _) => pair.public_modulus_len(),
            Signer::Hmac(_) | Signer::Ec(_) | Signer::Okp(_) | Signer::Akp(_) => {
                self.alg.signature_len().unwrap_or_default()
            }
        }
    }

    /// # Errors
    /// [`KeyError::WrongAlgorithm`] if the pair is of another kind; [`KeyError::Kid`]; the errors of an RSA public key.
    pub(crate) fn from_pair(alg: Algorithm, kid: String, pair: Pair) -> Result<Self, Error> {
        check_kid(&kid)?;
        pair.public()?.check()?;
        let signer = match (&alg.row().family, pair) {
            (Family::Rsa { sign, .. }, Pair::Rsa(pair)) => Signer::Rsa(pair, *sign),
            (Family::Ec { curve }, Pair::Ec(own, pair)) if *curve == own => Signer::Ec(pair),
            (Family::Okp { curve, .. }, Pair::Ed25519(own, pair)) if *curve == own => Signer::Okp(pair),
            (Family::Akp { .. }, Pair::Akp(own, pair)) if own == alg => Signer::Akp(pair),
            _ => return Err(KeyError::WrongAlgorithm(alg).into()),
        };
        Ok(Self { alg, kid, signer, header: OnceLock::new() })
    }

    fn material(&self) -> Option<Material> {
        let point = |point: &[u8]| Material::from_point(self.alg.curve()?, point);
        match &self.signer {
            Signer::Hmac(_) => None,
            Signer::Rsa(pair, _) => spki::pkcs1(pair.public_key().as_ref()).ok(),
            Signer::Ec(pair) => point(pair.public_key().as_ref()),
            Signer::Okp(pair) => point(pair.public_key().as_ref()),
            Signer::Akp(pair) => Some(Material::Akp { alg: self.alg, public: pair.public_key().as_ref().to_vec() }),
        }
    }
}

impl Signature {
    fn copy(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match short.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                Self::Short(short, bytes.len())
            }
            None => Self::Long(bytes.to_vec()),
        }
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Short(bytes, len) => &bytes[..*len],
            Self::Long(bytes) => bytes,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}
