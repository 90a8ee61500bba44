//! The key-encryption key and where it comes from: a file, a variable, or a key store that has wrapped it. The wrapped form lies
//! in the database and opens nothing without its store; in clear the key is in this process alone.

use super::{
    error::KeyRingError,
    kek::{KekBytes, KekError, KekSource},
    provider::{KeyProvider, ProviderError},
    remote::KeyStore,
    stores::KeyStores,
};
use crate::{
    domain::{
        key_store::{KeyPlace, StoreName},
        time::Timestamp,
    },
    random::Random,
    store::{Store, StoreError, kek_wraps, kek_wraps::KekWrap},
};

/// What guards the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    pub place: KeyPlace,
    /// Where the key-encryption key is, was or will be while it is in no key store.
    pub file: KekSource,
    /// Tokens are signed in the store, too.
    pub sign_there: bool,
}

/// The state of a database whose key-encryption key is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct State<'a> {
    /// Nothing was ever sealed in it.
    pub is_new: bool,
    pub wraps: &'a [KekWrap],
    pub now: Timestamp,
}

impl Guard {
    /// Gets the key-encryption key. A new database gets a new one.
    pub(super) async fn open(
        &self,
        store: &Store,
        stores: &KeyStores,
        random: Random,
        state: State<'_>,
    ) -> Result<KeyProvider, KeyRingError> {
        let bytes = match self.place {
            KeyPlace::File => load(&self.file, random, state)?,
            KeyPlace::Store(name) => {
                let guard = stores.get(name)?;
                match state.wraps.iter().find(|wrap| wrap.store == name) {
                    Some(wrap) => unwrap(guard, wrap).await?,
                    None if state.is_new && state.wraps.is_empty() => {
                        let wrap = found(guard, store, random, state.now).await?;
                        unwrap(guard, &wrap).await?
                    }
                    None => return Err(KeyRingError::NotWrapped { store: name }),
                }
            }
        };
        Ok(KeyProvider::new(&bytes, random)?)
    }

    /// Gets the key-encryption key of a database that has one, once more.
    pub(super) async fn reopen(
        &self,
        stores: &KeyStores,
        random: Random,
        wraps: &[KekWrap],
    ) -> Result<KekBytes, KeyRingError> {
        match self.place {
            KeyPlace::File => Ok(self.file.load(false, random).map_err(ProviderError::from)?),
            KeyPlace::Store(name) => {
                let wrap = wraps.iter().find(|wrap| wrap.store == name);
                unwrap(stores.get(name)?, wrap.ok_or(KeyRingError::NotWrapped { store: name })?).await
            }
        }
    }

    /// The store that makes and signs tokens' keys, if they are not here.
    pub(super) fn signs_in(&self) -> Option<StoreName> {
        self.place.store().filter(|_| self.sign_there)
    }
}

fn load(source: &KekSource, random: Random, state: State<'_>) -> Result<KekBytes, KeyRingError> {
    // Another server may have begun this database under a key store, and made no keys yet.
    let is_new = state.is_new && state.wraps.is_empty();
    match source.load(is_new, random) {
        Err(KekError::Missing { place } | KekError::NotConfigured { place }) if !state.wraps.is_empty() => {
            let stores = state.wraps.iter().map(|wrap| wrap.store.as_str()).collect::<Vec<_>>().join(", ");
            Err(KeyRingError::WrappedElsewhere { place, stores })
        }
        outcome => Ok(outcome.map_err(ProviderError::from)?),
    }
}

/// What a wrapped key is bound to: another database's does not open as this one's.
pub(super) fn context(kek_id: &str) -> String {
    format!("countersign-kek|{kek_id}")
}

/// Unwraps, and makes sure that it is the key that was wrapped (KEY-08).
pub(super) async fn unwrap(guard: &KeyStore, wrap: &KekWrap) -> Result<KekBytes, KeyRingError> {
    let bytes = guard.unwrap(&wrap.wrapped, &context(&wrap.kek_id)).await?;
    let unwrapped = kek_id(&bytes)?;
    if unwrapped == wrap.kek_id {
        return Ok(bytes);
    }
    Err(KeyRingError::OtherKek { sealed_under: wrap.kek_id.clone(), configured: unwrapped })
}

/// Wraps, and unwraps again before anybody relies on it.
pub(super) async fn wrap(guard: &KeyStore, kek: &KekBytes, now: Timestamp) -> Result<KekWrap, KeyRingError> {
    let kek_id = kek_id(kek)?;
    let wrapped = guard.wrap(kek, &context(&kek_id)).await?;
    let wrap = KekWrap { store: guard.name(), kek_id, wrapped, place: guard.place(), created_at: now };
    unwrap(guard, &wrap).await?;
    Ok(wrap)
}

pub(super) fn kek_id(kek: &KekBytes) -> Result<String, KeyRingError> {
    Ok(super::sealed::Kek::new(kek).map_err(ProviderError::from)?.id())
}

/// A new key for a new database. Of two servers that start together the first decides.
async fn found(guard: &KeyStore, store: &Store, random: Random, now: Timestamp) -> Result<KekWrap, KeyRingError> {
    let made = wrap(guard, &KekBytes::new(random.bytes()?), now).await?;
    let name = made.store;
    let settled = store.write(move |tx| {
        let made = made.clone();
        Box::pin(async move {
            kek_wraps::insert(tx, &made).await?;
            let wraps = kek_wraps::all(tx).await?;
            let ours = wraps.into_iter().find(|wrap| wrap.store == name);
            ours.ok_or_else(|| StoreError::Broken("the wrapped key is not there".to_owned()))
        })
    });
    Ok(settled.await?)
}
