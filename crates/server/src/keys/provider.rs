//! The seam between the key ring and whatever guards its secrets. Today that is a local key-encryption key; a vault or
//! an HSM becomes a variant here: its `seal` and `unseal` are calls over the network, and one that never lets a key out
//! signs by jose's `SigningInput` and `finish`.

use zeroize::Zeroizing;

use super::{
    kek::{KekError, KekSource},
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

/// Guards secrets at rest (KEY-01).
#[derive(Debug)]
pub enum KeyProvider {
    /// AES-256-GCM under a key-encryption key in this process.
    Local { kek: Kek, random: Random },
}

impl KeyProvider {
    /// The local provider. `store_is_new` allows the data folder's key-encryption key to be made.
    ///
    /// # Errors
    /// There is no usable key-encryption key; nothing was made in its place.
    pub fn local(source: &KekSource, store_is_new: bool, random: Random) -> Result<Self, ProviderError> {
        let kek = Kek::new(&source.load(store_is_new, random)?)?;
        Ok(Self::Local { kek, random })
    }

    /// The name of the key that seals. A store remembers it.
    pub fn id(&self) -> String {
        match self {
            Self::Local { kek, .. } => kek.id(),
        }
    }

    /// Seals `plain` for the place that `context` names.
    ///
    /// # Errors
    /// The provider, its cipher or the random source failed.
    #[expect(clippy::unused_async, reason = "a vault answers over the network")]
    pub async fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, SealError> {
        match self {
            Self::Local { kek, random } => kek.seal(plain, context, *random),
        }
    }

    /// Opens what this provider sealed for the same `context`.
    ///
    /// # Errors
    /// [`SealError`]: another key, a damaged text, an unknown format.
    #[expect(clippy::unused_async, reason = "a vault answers over the network")]
    pub async fn unseal(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        match self {
            Self::Local { kek, .. } => kek.open(sealed, context),
        }
    }
}
