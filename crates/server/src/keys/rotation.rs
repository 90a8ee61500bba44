//! The ring's transitions: one guarded transaction each, so that a crash between any two leaves a ring that works.

use std::sync::Arc;

use countersign_jose::Algorithm;

use super::{KeyInfo, KeyRing, KeyRingError, activated, material, rows};
use crate::{
    domain::{
        key_ring::{self, KeyState, Slot, Transition},
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        keys::{KeyRow, all},
    },
};

/// When a rotation's new key starts to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once every verifier can know it.
    Published,
    /// At once. Verifiers that cached the key set meet an unknown key and fetch the set again.
    Now,
}

impl KeyRing {
    /// Reloads, and carries out what is due now. Returns how many transitions this replica made.
    ///
    /// # Errors
    /// The store or the provider failed; what was done stays done.
    pub async fn tick(&self) -> Result<usize, KeyRingError> {
        let snapshot = self.reload().await?;
        let mut done = 0;
        for transition in key_ring::plan(snapshot.ring(), self.clock.now(), &self.policy) {
            done += usize::from(self.carry_out(transition).await?);
        }
        if done > 0 {
            self.reload().await?;
        }
        Ok(done)
    }

    /// Makes sure that tokens can be signed with `alg`. The first key of an algorithm is active at once: nothing that
    /// worked before depends on it.
    ///
    /// # Errors
    /// The key could not be made or stored; `NoSigner` for an algorithm whose secrets belong to audiences.
    pub async fn ensure_alg(&self, alg: Algorithm) -> Result<(), KeyRingError> {
        if alg.is_symmetric() {
            return Err(KeyRingError::NoSigner(alg));
        }
        if self.signer_for(alg).is_ok() || self.reload().await?.signer_for(alg).is_ok() {
            return Ok(());
        }
        let row = activated(self.generate(Slot::token(alg)).await?, self.clock.now());
        self.insert(row).await?;
        self.reload().await?.signer_for(alg).map(drop)
    }

    /// Starts or hastens the succession in `slot`, and returns the key that signs next (or already). A rotation that is
    /// under way is continued, never doubled.
    ///
    /// # Errors
    /// The slot has no key, another replica was faster, or the store or the provider failed.
    pub async fn rotate(&self, slot: Slot, when: When) -> Result<KeyInfo, KeyRingError> {
        let snapshot = self.reload().await?;
        let current = key_ring::active(snapshot.ring(), slot).ok_or(KeyRingError::NoSigner(slot.alg))?;
        let next = match key_ring::successor(snapshot.ring(), slot) {
            Some(next) => next.kid.clone(),
            None => self.stage(slot).await?,
        };
        self.carry_out(Transition::Publish { kid: next.clone() }).await?;
        if when == When::Now {
            let activate = Transition::Activate { kid: next.clone(), retire: current.kid.clone() };
            if !self.carry_out(activate).await? {
                return Err(KeyRingError::Contended);
            }
        }
        self.reload().await?;
        let found = self.list().await?.into_iter().find(|info| info.key.kid == next);
        found.ok_or(KeyRingError::NoSuchKey(next))
    }

    /// Removes a key that must not be trusted any more, now. If it was active, its successor (made if there is none)
    /// signs from the same moment on. Returns false if it was removed already.
    ///
    /// # Errors
    /// There is no such key, another replica changed the ring, or the store or the provider failed.
    pub async fn revoke(&self, kid: &str) -> Result<bool, KeyRingError> {
        let snapshot = self.reload().await?;
        let Some(key) = snapshot.ring().iter().find(|key| key.kid == kid) else {
            let known = self.list().await?.iter().any(|info| info.key.kid == kid);
            return if known { Ok(false) } else { Err(KeyRingError::NoSuchKey(kid.to_owned())) };
        };
        let replacement = match key.state {
            KeyState::Active { .. } => Some(match key_ring::successor(snapshot.ring(), key.slot) {
                Some(next) => next.kid.clone(),
                None => self.stage(key.slot).await?,
            }),
            _ => None,
        };
        let (dead, now) = (key.kid.clone(), self.clock.now());
        let revoked = self.store.write(move |tx| {
            let (dead, replacement) = (dead.clone(), replacement.clone());
            Box::pin(async move {
                if !rows::revoke(tx, &dead, now).await? {
                    return Ok(false);
                }
                if let Some(next) = replacement {
                    rows::publish(tx, &next, now).await?;
                    if !rows::activate(tx, &next, now).await? {
                        return Err(StoreError::Conflict);
                    }
                }
                Ok(true)
            })
        });
        let revoked = revoked.await.map_err(contended)?;
        self.reload().await?;
        Ok(revoked)
    }

    /// Makes and saves the next key of `slot`; returns the `kid` of whoever's is there in the end.
    pub(super) async fn stage(&self, slot: Slot) -> Result<String, KeyRingError> {
        let row = self.generate(slot).await?;
        let kid = row.key.kid.clone();
        if self.insert(row).await? {
            return Ok(kid);
        }
        let snapshot = self.reload().await?;
        key_ring::successor(snapshot.ring(), slot).map(|key| key.kid.clone()).ok_or(KeyRingError::Contended)
    }

    async fn generate(&self, slot: Slot) -> Result<KeyRow, KeyRingError> {
        let rows = self.store.read(|tx| Box::pin(async move { all(tx).await })).await?;
        let numbers = rows.iter().filter_map(|row| material::refresh_number(&row.key.kid));
        let number = numbers.max().unwrap_or(0) + 1;
        material::generate(&self.provider, self.random, slot, number, self.clock.now()).await
    }

    async fn insert(&self, row: KeyRow) -> Result<bool, KeyRingError> {
        let (row, shown) = (Arc::new(row.clone()), row.key);
        let write = self.store.write(move |tx| {
            let row = Arc::clone(&row);
            Box::pin(async move { rows::insert(tx, &row).await })
        });
        let inserted = write.await?;
        if inserted {
            tracing::info!(kid = shown.kid, alg = %shown.slot.alg, state = shown.state.as_str(), "a key was made");
        }
        Ok(inserted)
    }

    /// Carries out one transition. False if another replica did it, or the key is past it.
    pub(super) async fn carry_out(&self, transition: Transition) -> Result<bool, KeyRingError> {
        if let Transition::Stage { slot } = transition {
            let row = self.generate(slot).await?;
            return self.insert(row).await;
        }
        let (now, shown) = (self.clock.now(), format!("{transition:?}"));
        let write = self.store.write(move |tx| {
            let transition = transition.clone();
            Box::pin(async move { write_transition(tx, &transition, now).await })
        });
        let done = match write.await {
            Err(StoreError::Conflict) => false,
            outcome => outcome?,
        };
        if done {
            tracing::info!(transition = shown, "the key ring moved");
        }
        Ok(done)
    }
}

async fn write_transition(tx: &mut Tx, transition: &Transition, now: Timestamp) -> Result<bool, StoreError> {
    match transition {
        // A new key has a secret and is inserted, not moved.
        Transition::Stage { .. } => Ok(false),
        Transition::Publish { kid } => rows::publish(tx, kid, now).await,
        Transition::Remove { kid } => rows::remove(tx, kid, now).await,
        Transition::Activate { kid, retire } => {
            if !rows::retire(tx, retire, now).await? {
                return Ok(false);
            }
            // The slot would have no signer: nothing of this happens.
            if rows::activate(tx, kid, now).await? { Ok(true) } else { Err(StoreError::Conflict) }
        }
    }
}

fn contended(error: StoreError) -> KeyRingError {
    match error {
        StoreError::Conflict => KeyRingError::Contended,
        other => other.into(),
    }
}
