//! Why the key ring could not do something. The words are for the log and the operator; a client hears that the server
//! is unavailable.

use countersign_jose::Algorithm;

use super::{provider::ProviderError, remote::RemoteError, sealed::SealError};
use crate::{
    domain::{key_ring::Damaged, key_store::StoreName, refresh_token::MacKeysError},
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
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error(
        "this database's key-encryption key is not wrapped by {}; run countersign key move --to {} with the configuration \
         that this database was used with, or put that configuration back (nothing was changed)",
        store.as_str(), store.as_str()
    )]
    NotWrapped { store: StoreName },
    #[error(
        "the key-encryption key {place} is missing, and this database's is guarded by {stores}; set keys.store (nothing was \
         made in its place)"
    )]
    WrappedElsewhere { place: String, stores: String },
    #[error("the key store {} is not set up here; its configuration keys begin with keys.{}.", store.as_str(), store.as_str())]
    NotSetUp { store: StoreName },
    #[error(
        "the key {kid} lies in {} and signs, or will; it is replaced by itself within keys.publish_for of the start with the \
         new configuration, or at once by countersign key rotate --now",
        store.as_str()
    )]
    StillSigning { kid: String, store: StoreName },
    #[error(
        "the key store {} makes no keys for {alg}, and no other key is taken in their place; choose another algorithm, or set \
         keys.sign = here",
        store.as_str()
    )]
    NoKeysThere { store: StoreName, alg: Algorithm },
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
