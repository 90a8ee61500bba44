//! Keys that encrypt.

use std::{fmt, sync::Arc};

use aws_lc_rs::rsa::{OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents};
use zeroize::Zeroizing;

use super::{Carried, Parties, agree::Point, check_kid, secret::Secret};
use crate::{
    Error, Jwk, KeyError, PrivateJwk,
    jwe::{ContentAlgorithm, KeyAlgorithm, alg::KeyFamily},
    jwk::Material,
};

/// A key that encrypts with exactly one algorithm: a recipient's public key, or a secret shared with it.
#[derive(Clone)]
pub struct EncryptionKey {
    alg: KeyAlgorithm,
    kid: Option<String>,
    enc: Option<ContentAlgorithm>,
    to: Arc<To>,
}

enum To {
    Secret(Secret),
    Rsa(OaepPublicEncryptingKey, &'static OaepAlgorithm),
    Point(Point),
}

impl EncryptionKey {
    /// A public key whose JWK names its algorithm.
    ///
    /// # Errors
    /// [`KeyError::AlgorithmMissing`] without `alg`, [`KeyError::Unsupported`] for an `alg` that does not encrypt here, and as
    /// [`from_jwk_as`](Self::from_jwk_as).
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, Error> {
        let name = jwk.alg().ok_or(KeyError::AlgorithmMissing)?;
        Self::from_jwk_as(jwk, name.parse().map_err(|_| KeyError::Unsupported(name.into()))?)
    }

    /// A public key for the algorithm that the caller's policy names, where the JWK may leave it open.
    ///
    /// # Errors
    /// [`KeyError::DoesNotFit`] if the key does not fit it or names another, [`KeyError::NotForEncryption`], [`KeyError::Kid`],
    /// [`KeyError::Point`].
    pub fn from_jwk_as(jwk: &Jwk, alg: KeyAlgorithm) -> Result<Self, Error> {
        if jwk.alg().is_some_and(|name| name.parse() != Ok(alg)) {
            return Err(KeyError::DoesNotFit(alg).into());
        }
        // For a key agreement `key_ops` speaks of the private half; of the public one it is often an empty list.
        let agrees = matches!(alg.row().family, KeyFamily::Agree { .. }) && jwk.envelope.key_ops == Some(Vec::new());
        let (operations, _) = alg.operations();
        if !agrees && !operations.iter().any(|operation| jwk.envelope.allows("enc", operation)) {
            return Err(KeyError::NotForEncryption.into());
        }
        jwk.kid().map_or(Ok(()), check_kid)?;
        Self::new(alg, jwk.kid().map(Into::into), to(alg, &jwk.material)?)
    }

    /// A shared secret in a JWK, for the algorithm that the caller's policy names; for `dir` the JWK names how content is encrypted.
    ///
    /// # Errors
    /// As [`DecryptionKey::from_jwk_as`](super::DecryptionKey::from_jwk_as), and [`KeyError::DoesNotFit`] for a pair: its public half
    /// encrypts.
    pub fn from_secret_jwk(jwk: &PrivateJwk, alg: KeyAlgorithm) -> Result<Self, Error> {
        let (operations, _) = alg.operations();
        if !operations.iter().any(|operation| jwk.envelope.allows("enc", operation)) {
            return Err(KeyError::NotForEncryption.into());
        }
        let bytes = jwk.secret().ok_or(KeyError::DoesNotFit(alg))?;
        Self::of_secret_jwk(alg, jwk, bytes).map(|(key, _)| key)
    }

    /// A secret shared with the recipient, of exactly the length that the algorithm takes.
    ///
    /// # Errors
    /// [`KeyError::DoesNotFit`] unless `alg` wraps with a shared secret, [`KeyError::SecretLength`], [`KeyError::Kid`].
    pub fn secret(alg: KeyAlgorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        Self::new(alg, Some(kid.into()), To::Secret(Secret::shared(alg, secret)?))
    }

    /// A shared secret that is the content key (`dir`), for one way to encrypt content.
    ///
    /// Every message then has the same key, and AES-GCM bears about 2^32 messages under one (NIST SP 800-38D §8.3): prefer an
    /// algorithm that wraps a key drawn for each message.
    ///
    /// # Errors
    /// [`KeyError::SecretLength`], [`KeyError::Kid`].
    pub fn direct(enc: ContentAlgorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, Error> {
        let key = Self::new(KeyAlgorithm::Dir, Some(kid.into()), To::Secret(Secret::direct(enc, secret)?))?;
        Ok(Self { enc: Some(enc), ..key })
    }

    /// A password shared with the recipient (PBES2), of [`PASSWORD_BYTES`](crate::limits::PASSWORD_BYTES). A message under a
    /// password can be tried against a dictionary by whoever sees it.
    ///
    /// # Errors
    /// [`KeyError::DoesNotFit`] unless `alg` takes a password, [`KeyError::PasswordLength`], [`KeyError::Kid`].
    pub fn password(alg: KeyAlgorithm, kid: impl Into<String>, password: &str) -> Result<Self, Error> {
        Self::new(alg, Some(kid.into()), To::Secret(Secret::password(alg, password.as_bytes())?))
    }

    /// How often the password is hashed (`p2c`); as often as OWASP asks for the hash where this is not said. Without effect on
    /// other keys.
    ///
    /// # Errors
    /// [`Error::Rounds`] outside [`PBES2_ROUNDS`](crate::limits::PBES2_ROUNDS).
    pub fn with_rounds(mut self, rounds: u32) -> Result<Self, Error> {
        if let To::Secret(secret) = &*self.to {
            self.to = Arc::new(To::Secret(secret.with_rounds(rounds)?));
        }
        Ok(self)
    }

    /// The same key under no id: the header then names none.
    #[must_use]
    pub fn without_kid(mut self) -> Self {
        self.kid = None;
        self
    }

    /// The one algorithm it encrypts with.
    pub fn alg(&self) -> KeyAlgorithm {
        self.alg
    }

    /// Its key id.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one way to encrypt content that it is for, if it is a content key (`dir`).
    pub fn enc(&self) -> Option<ContentAlgorithm> {
        self.enc
    }

    /// Both halves of a shared secret in a JWK.
    pub(super) fn of_secret_jwk(alg: KeyAlgorithm, jwk: &PrivateJwk, bytes: &[u8]) -> Result<(Self, Secret), Error> {
        let (enc, secret) = match (alg, jwk.alg()) {
            (KeyAlgorithm::Dir, None) => return Err(KeyError::AlgorithmMissing.into()),
            (KeyAlgorithm::Dir, Some(name)) => {
                let enc = name.parse().map_err(|_| KeyError::DoesNotFit(alg))?;
                (Some(enc), Secret::direct(enc, bytes)?)
            }
            (_, Some(name)) if name.parse() != Ok(alg) => return Err(KeyError::DoesNotFit(alg).into()),
            _ => (None, Secret::shared(alg, bytes)?),
        };
        let key = Self::new(alg, jwk.kid().map(Into::into), To::Secret(secret.clone()))?;
        Ok((Self { enc, ..key }, secret))
    }

    /// The other half of a private key.
    pub(super) fn of_material(alg: KeyAlgorithm, kid: Option<String>, material: &Material) -> Result<Self, Error> {
        Self::new(alg, kid, to(alg, material)?)
    }

    /// Carries the content key to the recipient. An algorithm that has a content key of its own puts it in the place of the one
    /// that was drawn.
    pub(in crate::jwe) fn carry(
        &self,
        enc: ContentAlgorithm,
        parties: &Parties<'_>,
        content_key: &mut Zeroizing<Vec<u8>>,
    ) -> Result<Carried, Error> {
        match &*self.to {
            To::Secret(secret) => secret.carry(content_key),
            To::Point(point) => point.carry((self.alg, enc), parties, content_key),
            To::Rsa(key, oaep) => {
                let mut encrypted_key = vec![0; key.ciphertext_size()];
                key.encrypt(oaep, content_key, &mut encrypted_key, None).map_err(|_| Error::Encrypt)?;
                Ok(Carried { encrypted_key, params: Vec::new() })
            }
        }
    }

    fn new(alg: KeyAlgorithm, kid: Option<String>, to: To) -> Result<Self, Error> {
        kid.as_deref().map_or(Ok(()), check_kid)?;
        Ok(Self { alg, kid, enc: None, to: Arc::new(to) })
    }
}

fn to(alg: KeyAlgorithm, material: &Material) -> Result<To, Error> {
    match (alg.row().family, material) {
        (KeyFamily::Rsa { oaep }, Material::Rsa { n, e }) => {
            let parts = PublicKeyComponents { n: n.as_slice(), e: e.as_slice() };
            let key: PublicEncryptingKey = parts.try_into().map_err(|_| KeyError::Malformed)?;
            Ok(To::Rsa(OaepPublicEncryptingKey::new(key).map_err(|_| KeyError::Malformed)?, oaep))
        }
        (KeyFamily::Agree { .. }, material) => {
            let point = Point::of(material).ok_or(KeyError::DoesNotFit(alg))?;
            Ok(To::Point(point))
        }
        _ => Err(KeyError::DoesNotFit(alg).into()),
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}
