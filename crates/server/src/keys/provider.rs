//! What guards the issuer's secrets at rest: a key-encryption key in this process. It comes from a file or a variable, or a key
//! store has wrapped it and unwraps it once, at the start (`wrapped.rs`).

use zeroize::Zeroizing;

use super::{
    kek::{KekBytes, KekError},
    sealed::{Kek, SealError},
};
use crate::random::Random;

/// Why there is no provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error(transparent)]
    Kek(#[from] KekError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Guards secrets at rest (KEY-01): AES-256-GCM under the key-encryption key.
#[derive(Debug)]
pub struct KeyProvider {
    kek: Kek,
    random: Random,
}

impl KeyProvider {
    /// The provider with this key-encryption key.
    ///
    /// # Errors
    /// The library refused the key.
    pub fn new(kek: &KekBytes, random: Random) -> Result<Self, ProviderError> {
        Ok(Self { kek: Kek::new(kek)?, random })
    }

    /// The name of the key that seals. A store remembers it.
    pub fn id(&self) -> String {
        self.kek.id()
    }

    /// Seals `plain` for the place that `context` names.
    ///
    /// # Errors
    /// The cipher or the random source failed.
    #[expect(clippy::unused_async, reason = "who seals need not know that it takes no time")]
    pub async fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, SealError> {
        self.kek.seal(plain, context, self.random)
    }

    /// Opens what this provider sealed for the same `context`.
    ///
    /// # Errors
    /// [`SealError`]: another key, a damaged text, an unknown format.
    #[expect(clippy::unused_async, reason = "who opens need not know that it takes no time")]
    pub async fn unseal(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.kek.open(sealed, context)
    }
}
