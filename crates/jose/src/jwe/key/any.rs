//! Keys for encryption from whatever text or file holds them.

use super::{DecryptionKey, EncryptionKey, decryption::own_algorithm};
use crate::{AnyKey, Error, KeyError, jwe::KeyAlgorithm};

impl AnyKey {
    /// The key that encrypts, bound to `alg`, or without one to the algorithm that the key names: a public key, the public half of a
    /// private one, or a shared secret.
    ///
    /// # Errors
    /// As [`EncryptionKey::from_jwk_as`], [`EncryptionKey::from_jwk`] or [`EncryptionKey::from_secret_jwk`].
    pub fn encryption_key(&self, alg: Option<KeyAlgorithm>) -> Result<EncryptionKey, Error> {
        match (self, self.public_jwk(), alg) {
            (_, Some(jwk), Some(alg)) => EncryptionKey::from_jwk_as(&jwk, alg),
            (_, Some(jwk), None) => EncryptionKey::from_jwk(&jwk),
            (Self::Private(key), None, Some(alg)) => EncryptionKey::from_secret_jwk(key, alg),
            (Self::Private(key), None, None) => EncryptionKey::from_secret_jwk(key, own_algorithm(key)?),
            (Self::Public(_), None, _) => Err(KeyError::NoSuchForm.into()),
        }
    }

    /// The key that decrypts, bound to `alg`, or without one to the algorithm that the key names.
    ///
    /// # Errors
    /// [`KeyError::PublicOnly`] for a public key; else as [`DecryptionKey::from_jwk_as`] or [`DecryptionKey::from_jwk`].
    pub fn decryption_key(&self, alg: Option<KeyAlgorithm>) -> Result<DecryptionKey, Error> {
        match (self, alg) {
            (Self::Public(_), _) => Err(KeyError::PublicOnly.into()),
            (Self::Private(key), Some(alg)) => DecryptionKey::from_jwk_as(key, alg),
            (Self::Private(key), None) => DecryptionKey::from_jwk(key),
        }
    }
}
