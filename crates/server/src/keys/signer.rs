//! A key that signs tokens: here, or in a key store that never lets it out.

use std::{fmt, sync::Arc};

use countersign_jose::{Algorithm, Error, Jwk, SigningInput, SigningKey, VerifyingKey, profile::Profile, sign};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    error::KeyRingError,
    remote::{KeyStore, RemoteError},
    stores::KeyStores,
};
use crate::domain::key_store::StoreName;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Token(#[from] Error),
    #[error(transparent)]
    Store(#[from] RemoteError),
    #[error(transparent)]
    Ring(#[from] KeyRingError),
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub enum Signer {
    Here(Arc<SigningKey>),
    There(Arc<KeyThere>),
}

impl Signer {
    pub fn kid(&self) -> &str {
        match self {
            Self::Here(key) => key.kid(),
            Self::There(key) => &key.kid,
        }
    }

    /// The key store that it lies in; none: it is here.
    pub fn store(&self) -> Option<StoreName> {
        match self {
            Self::Here(_) => None,
            Self::There(key) => Some(key.store),
        }
    }

    /// The key itself, if it is here.
    pub fn here(&self) -> Option<&Arc<SigningKey>> {
        match self {
            Self::Here(key) => Some(key),
            Self::There(_) => None,
        }
    }

    /// The public half as a JWK with `alg`, `kid` and `use`.
    pub fn public_jwk(&self) -> Option<Jwk> {
        match self {
            Self::Here(key) => key.public_jwk(),
            Self::There(key) => Some(key.public.clone()),
        }
    }

    /// Whether a signature can be had now, as far as is known without asking. To be looked at before anything is written that a
    /// missing token would waste.
    ///
    /// # Errors
    /// Its key store does not answer, or is not set up here.
    pub fn ready(&self) -> Result<(), SignError> {
        match self {
            Self::Here(_) => Ok(()),
            Self::There(key) => Ok(key.guard()?.ready(&key.name)?),
        }
    }

    /// Signs claims as a token of the kind `P`.
    ///
    /// # Errors
    /// As [`sign`]; the key store did not sign. No other key signs in its place.
    pub async fn sign<P: Profile>(&self, claims: &P::Claims) -> Result<String, SignError> {
        match self {
            Self::Here(key) => Ok(sign::<P>(key, claims)?),
            Self::There(key) => {
                let input = SigningInput::new::<P>(key.verifying.alg(), &key.kid, claims)?;
                let signature = key.guard()?.sign(&key.name, &key.verifying, input.as_bytes()).await?;
                Ok(input.finish(&signature)?)
            }
        }
    }
}

/// A key in a key store.
pub struct KeyThere {
    kid: String,
    /// Its name there.
    name: String,
    store: StoreName,
    /// None: another configuration put the key there, and this one does not know the store.
    guard: Option<Arc<KeyStore>>,
    verifying: Arc<VerifyingKey>,
    public: Jwk,
}

impl fmt::Debug for KeyThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyThere").field("kid", &self.kid).field("store", &self.store).finish_non_exhaustive()
    }
}

/// What leads to a key, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Reference {
    name: String,
    jwk: Value,
}

impl KeyThere {
    /// Makes a key; the sealed row's text, and the public JWK as JSON.
    pub(super) async fn make(guard: &KeyStore, alg: Algorithm, kid: &str) -> Result<(Vec<u8>, String), KeyRingError> {
        if !guard.name().can_sign(alg) {
            return Err(KeyRingError::NoKeysThere { store: guard.name(), alg });
        }
        let made = guard.make(alg).await?;
        let failed = |error: &dyn fmt::Display| KeyRingError::Generate(error.to_string());
        let mut jwk = serde_json::to_value(&made.public).map_err(|error| failed(&error))?;
        jwk["kid"] = kid.into();
        jwk["alg"] = alg.as_str().into();
        jwk["use"] = "sig".into();
        let public = jwk.to_string();
        // It is published and takes over long after this: that nobody may sign with it must be known now.
        let parsed = Jwk::parse(public.as_bytes()).map_err(|error| failed(&error))?;
        let verifying = VerifyingKey::from_jwk_as(&parsed, alg).map_err(|error| failed(&error))?;
        guard.sign(&made.name, &verifying, b"countersign").await?;
        let reference = serde_json::to_vec(&Reference { name: made.name, jwk }).map_err(|error| failed(&error))?;
        Ok((reference, public))
    }

    /// Reads what was sealed. Why it cannot be, in words.
    pub(super) fn open(
        stores: &KeyStores,
        store: StoreName,
        (kid, alg): (&str, Algorithm),
        reference: &[u8],
    ) -> Result<Self, String> {
        let bad = |error: &dyn fmt::Display| error.to_string();
        let Reference { name, jwk } = serde_json::from_slice(reference).map_err(|error| bad(&error))?;
        let public = Jwk::parse(jwk.to_string().as_bytes()).map_err(|error| bad(&error))?;
        let verifying = Arc::new(VerifyingKey::from_jwk_as(&public, alg).map_err(|error| bad(&error))?);
        let guard = stores.get(store).ok().cloned();
        Ok(Self { kid: kid.to_owned(), name, store, guard, verifying, public })
    }

    pub(super) fn verifying(&self) -> Arc<VerifyingKey> {
        Arc::clone(&self.verifying)
    }

    fn guard(&self) -> Result<&Arc<KeyStore>, KeyRingError> {
        self.guard.as_ref().ok_or(KeyRingError::NotSetUp { store: self.store })
    }
}
