//! The key ring at run time: opened once, read without a lock, kept fresh in the background.
//!
//! `key_ring` in the domain holds the rules, `store/keys.rs` the rows; here are the secrets. Every replica reloads every
//! few seconds and carries out what is due; each transition is guarded in the store, so one of them does it.

mod calls;
mod error;
mod kek;
#[cfg(feature = "kms")]
mod kms;
mod material;
mod meters;
mod moving;
mod patience;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod process;
mod provider;
mod remote;
mod revocation;
mod rotation;
mod sealed;
mod secret_place;
mod signer;
mod snapshot;
mod stores;
#[cfg(test)]
mod tests;
mod transit;
mod verifiers;
mod wrapped;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use countersign_jose::{Algorithm, b64};

pub use error::KeyRingError;
pub use kek::{KekError, KekSource};
pub use material::NewAudienceSecret;
pub use meters::Meters;
pub use moving::{Finished, Wrapped};
pub use provider::{KeyProvider, ProviderError};
pub use remote::{KeyStore, RemoteError};
pub use rotation::When;
pub use sealed::SealError;
pub use signer::{SignError, Signer};
pub use snapshot::{Jwks, Snapshot};
pub use stores::KeyStores;
pub use wrapped::Guard;

use material::Maker;
use wrapped::State;

use crate::{
    clock::Clock,
    domain::{
        audit::{AuditEvent, Event, Source},
        key_ring::{KeyState, Policy, RingKey, Slot},
        key_store::StoreName,
        time::Timestamp,
    },
    feed::Knowing,
    random::Random,
    store::{
        Store, StoreError, audit,
        kek_wraps::{self, KekWrap},
        keys::{self as rows, AudienceSecretRow, KeyRow},
    },
};

/// How often a replica looks for what others changed. Far below the time that a key is published before it signs.
pub const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// What a key ring needs.
#[derive(Debug)]
pub struct Setup {
    pub store: Store,
    pub guard: Guard,
    pub stores: KeyStores,
    pub clock: Clock,
    pub random: Random,
    pub policy: Policy,
    /// The algorithms that must have a signing key. A new store gets the first one at its start; ES256 if empty.
    pub algs: Vec<Algorithm>,
}

/// The issuer's keys.
pub struct KeyRing {
    store: Store,
    provider: KeyProvider,
    guard: Guard,
    stores: KeyStores,
    clock: Clock,
    random: Random,
    policy: Policy,
    /// What this process is called beside others that follow the same ring.
    replica: String,
    snapshot: ArcSwap<Snapshot>,
    /// Slots for which no key could be made lately.
    resting: std::sync::Mutex<HashMap<Slot, rotation::Rest>>,
    /// Held while the store is read and the snapshot replaced, so that an older one never replaces a newer one.
    reloading: tokio::sync::Mutex<()>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("provider", &self.provider).field("keys", &self.snapshot().ring()).finish()
    }
}

/// A key as an administrator sees it: no secret is in it (KEY-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    pub key: RingKey,
    /// The key store that it lies in; none: it is here.
    pub store: Option<StoreName>,
    pub created_at: Timestamp,
    /// The public JWK as JSON; none for a secret.
    pub public_jwk: Option<String>,
    /// For a key that verifiers are waited for: who has it.
    pub verifiers: Option<Knowing>,
}

/// What the store holds of the ring.
struct Stored {
    keys: Vec<KeyRow>,
    audiences: Vec<AudienceSecretRow>,
    kek_id: Option<String>,
    wraps: Vec<KekWrap>,
}

impl KeyRing {
    /// Opens the ring, and forbids core dumps of the process that holds it. Only a new store gets its first keys here (and the data folder its key-encryption key).
    ///
    /// # Errors
    /// [`KeyRingError`]: the key-encryption key is missing, wrong or readable by others, a key does not open, or the
    /// ring is damaged. The server must not start then; nothing was made anew (KEY-08).
    pub async fn open(setup: Setup) -> Result<Self, KeyRingError> {
        if let Err(error) = process::forbid_core_dumps() {
            tracing::warn!(%error, "core dumps of this process may contain keys");
        }
        let Setup { store, guard, stores, clock, random, policy, algs } = setup;
        let stored = read(&store).await?;
        let is_new = stored.keys.is_empty() && stored.kek_id.is_none();
        if stored.keys.is_empty() && !is_new {
            return Err(KeyRingError::KeysGone);
        }
        let state = State { is_new, wraps: &stored.wraps, now: clock.now() };
        let provider = guard.open(&store, &stores, random, state).await?;
        if let Some(sealed_under) = stored.kek_id.filter(|id| *id != provider.id()) {
            return Err(KeyRingError::OtherKek { sealed_under, configured: provider.id() });
        }
        if is_new {
            let alg = algs.first().copied().unwrap_or(Algorithm::ES256);
            let there = guard.signs_in().map(|name| stores.get(name)).transpose()?;
            found(&store, Maker { provider: &provider, random, there }, alg, clock.now()).await?;
        }
        let stored = read(&store).await?;
        let snapshot = Snapshot::build(&stored.keys, &stored.audiences, (&provider, &stores), None).await?;
        let snapshot = ArcSwap::from_pointee(snapshot);
        let reloading = tokio::sync::Mutex::default();
        let replica = b64::encode(random.bytes::<9>()?);
        let resting = std::sync::Mutex::default();
        let ring =
            Self { store, provider, guard, stores, clock, random, policy, replica, snapshot, resting, reloading };
        for alg in algs {
            ring.ensure_alg(alg, &Source::system()).await?;
        }
        Ok(ring)
    }

    /// The keys as they were last read. Hold it for one request, so that all of it sees the same keys.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The issuer's active key of this algorithm.
    ///
    /// # Errors
    /// The issuer has none, see [`KeyRing::ensure_alg`].
    pub fn signer_for(&self, alg: Algorithm) -> Result<Signer, KeyRingError> {
        self.snapshot.load().signer_for(alg)
    }

    /// The public keys, rendered.
    pub fn jwks(&self) -> Jwks {
        self.snapshot.load().jwks().clone()
    }

    /// The public keys of the revocation feed, rendered.
    pub fn feed_jwks(&self) -> Jwks {
        self.snapshot.load().feed_jwks().clone()
    }

    /// What this process is called beside others on the same store.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// The key stores that are set up here.
    pub fn stores(&self) -> &KeyStores {
        &self.stores
    }

    /// Guards secrets at rest for others, too.
    pub fn provider(&self) -> &KeyProvider {
        &self.provider
    }

    /// Makes the secret that an HS256 audience shares with the issuer. It is in use at the next reload after
    /// `sealed` was stored.
    ///
    /// # Errors
    /// The random source or the provider failed.
    pub async fn new_audience_secret(&self, audience: &str) -> Result<NewAudienceSecret, KeyRingError> {
        material::generate_audience_secret(&self.provider, self.random, audience).await
    }

    /// Every key that ever was, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, KeyRingError> {
        let rows = read(&self.store).await?.keys;
        let keys: Vec<RingKey> = rows.iter().map(|row| row.key.clone()).collect();
        let mut known = self.known(&keys).await?;
        let info = |row: KeyRow| KeyInfo {
            verifiers: known.remove(&row.key.kid),
            key: row.key,
            store: row.store,
            created_at: row.created_at,
            public_jwk: row.public_jwk,
        };
        Ok(rows.into_iter().map(info).collect())
    }

    /// Reads the store again. If it fails, what was read before stays in use.
    ///
    /// # Errors
    /// The store failed, or holds a key that does not open.
    pub async fn reload(&self) -> Result<Arc<Snapshot>, KeyRingError> {
        let _one_at_a_time = self.reloading.lock().await;
        let stored = read(&self.store).await?;
        let previous = self.snapshot();
        let open = (&self.provider, &self.stores);
        let next = Snapshot::build(&stored.keys, &stored.audiences, open, Some(&previous)).await?;
        let next = Arc::new(next);
        self.snapshot.store(Arc::clone(&next));
        Ok(next)
    }
}

async fn read(store: &Store) -> Result<Stored, StoreError> {
    let read = store.read(|tx| {
        Box::pin(async move {
            let (keys, audiences) = (rows::all(tx).await?, rows::audience_secrets(tx).await?);
            let wraps = kek_wraps::all(tx).await?;
            Ok(Stored { keys, audiences, kek_id: rows::kek_id(tx).await?, wraps })
        })
    });
    read.await
}

/// The first keys of a new store: active at once, since nobody can have cached a key set without them. Of two replicas
/// that start at the same time one founds, the other finds the ring founded.
async fn found(store: &Store, maker: Maker<'_>, alg: Algorithm, now: Timestamp) -> Result<(), KeyRingError> {
    let Maker { provider, random, .. } = maker;
    let mut first = Vec::new();
    for slot in [Slot::token(alg), Slot::REFRESH, Slot::FEED] {
        let row = activated(material::generate(maker, slot, 1, now).await?, now);
        let event = change(Event::KeyCreated, &row.key, &Source::system(), (now, random.bytes()?));
        first.push((row, event));
    }
    let (first, kek_id) = (Arc::new(first), provider.id());
    let write = store.write(move |tx| {
        let (first, kek_id) = (Arc::clone(&first), kek_id.clone());
        Box::pin(async move {
            for (row, event) in first.iter() {
                if rows::insert(tx, row).await? {
                    audit::insert(tx, event).await?;
                }
            }
            rows::remember_kek(tx, &kek_id).await
        })
    });
    Ok(write.await?)
}

/// What the audit says of a key that is now in this state.
fn change(event: Event, key: &RingKey, source: &Source, (now, random): (Timestamp, [u8; 8])) -> AuditEvent {
    AuditEvent::new(event, now, source, random)
        .with("kid", key.kid.as_str())
        .with("purpose", key.slot.purpose.as_str())
        .with("alg", key.slot.alg.as_str())
        .with("state", key.state.as_str())
}

fn activated(mut row: KeyRow, now: Timestamp) -> KeyRow {
    row.key.state = KeyState::Active { since: now };
    row
}
