//! Why the key ring could not do something. The words are for the log and the operator; a client hears that the server
//! is unavailable.

use countersign_jose::Algorithm;

use super::{provider::ProviderError, sealed::SealError};
use crate::{
    domain::{key_ring::Damaged, refresh_token::MacKeysError},
    random::RandomError,
    store::StoreError,
};

/// Why the key ring could not do something.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(
        "this database's keys are sealed under the key-encryption key {sealed_under}, but the configured one is \
         {configured}; configure the right one (nothing was changed)"
    )]
    OtherKek { sealed_under: String, configured: String },
    #[error("this database had keys once and holds none now; restore it from a backup (nothing was made anew)")]
    KeysGone,
    #[error(transparent)]
    Damaged(#[from] Damaged),
    #[error("the key {kid:?} cannot be used: {error}")]
    Unseal { kid: String, error: SealError },
    #[error("the secret of the audience {audience:?} cannot be used: {error}")]
    AudienceSecret { audience: String, error: SealError },
    #[error("a secret could not be sealed: {0}")]
    Seal(SealError),
    #[error("the key {kid:?} is not what its row says: {reason}")]
    NotThatKey { kid: String, reason: String },
    #[error("a key could not be made: {0}")]
    Generate(String),
    #[error("refresh keys: {0}")]
    MacKeys(#[from] MacKeysError),
    #[error("the issuer has no {0} key")]
    NoSigner(Algorithm),
    #[error("the audience {0:?} has no secret")]
    NoAudienceSecret(String),
    #[error("there is no key {0:?}")]
    NoSuchKey(String),
    #[error("another replica changed the key ring at the same time; try again")]
    Contended,
    #[error(transparent)]
    Random(#[from] RandomError),
}
