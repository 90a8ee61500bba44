//! The ring's transitions: one guarded transaction each, so that a crash between any two leaves a ring that works.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use countersign_jose::Algorithm;

use super::{KeyInfo, KeyRing, KeyRingError, activated, change, material, material::Maker, rows};
use crate::{
    domain::{
        audit::{AuditEvent, Event, Source},
        key_ring::{self, KeyState, Slot, Transition},
        time::Timestamp,
    },
    store::{StoreError, Tx, audit, key_verifiers, keys::KeyRow, turns::Turn},
};

/// When a rotation's new key starts to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once every verifier can know it.
    Published,
    /// At once. Verifiers that cached the key set meet an unknown key and fetch the set again.
    Now,
}

/// After a key could not be made by itself, and at most.
const FIRST_REST: Duration = Duration::from_mins(1);
const LONGEST_REST: Duration = Duration::from_hours(1);

/// The row of `turns` of whoever makes keys by the schedule.
pub(super) const STAGING: &str = "keys.stage";
/// A key store answers within seconds. Whoever takes longer than this is dead.
pub(super) const STAGING_LEASE: Duration = Duration::from_mins(2);

/// How long no key is made by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    since: Timestamp,
    span: Duration,
}

impl KeyRing {
    /// Reloads, and carries out what is due now. To be called every [`super::RELOAD_EVERY`]. Returns how many
    /// transitions this replica made.
    ///
    /// # Errors
    /// The store or the provider failed; what was done stays done.
    pub async fn tick(&self) -> Result<usize, KeyRingError> {
        let snapshot = self.reload().await?;
        let lagging = self.lagging(&snapshot).await?;
        let mut due = key_ring::plan(snapshot.ring(), self.clock.now(), &self.policy, &lagging);
        // A key that lies elsewhere than the configuration says gets a successor there, by the ring's ordinary life.
        due.extend(snapshot.misplaced(self.guard.signs_in()).into_iter().map(|slot| Transition::Stage { slot }));
        let (mut done, mut failure) = (0, None);
        for transition in due {
            match self.in_turn(transition).await {
                Ok(moved) => done += usize::from(moved),
                // What ails one slot is no reason to leave the others, or keys that are over, as they are.
                Err(error) => failure = Some(error),
            }
        }
        if done > 0 {
            self.reload().await?;
        }
        failure.map_or(Ok(done), Err)
    }

    /// Carries out what the schedule says. A slot for which no key could be made is left alone for longer and longer: a key
    /// store may have made one all the same, and keeps it.
    async fn in_turn(&self, transition: Transition) -> Result<bool, KeyRingError> {
        let Transition::Stage { slot } = transition else {
            return self.carry_out(transition, &Source::system()).await;
        };
        let now = self.clock.now();
        let rest = self.resting(|resting| resting.get(&slot).copied());
        if rest.is_some_and(|rest| now >= rest.since && now.since(rest.since) < rest.span) {
            return Ok(false);
        }
        let outcome = self.stage_alone(slot).await;
        let span = rest.map_or(FIRST_REST, |rest| (rest.span * 2).min(LONGEST_REST));
        self.resting(|resting| match &outcome {
            Ok(_) => drop(resting.remove(&slot)),
            Err(_) => drop(resting.insert(slot, Rest { since: now, span })),
        });
        outcome
    }

    /// Makes the next key of a slot, unless another replica is at it or has done it: a key store keeps every key that it has
    /// made, so two must not be asked for one.
    async fn stage_alone(&self, slot: Slot) -> Result<bool, KeyRingError> {
        if !self.staging(true).await? {
            return Ok(false);
        }
        let outcome = match self.reload().await {
            Ok(snapshot) if key_ring::successor(snapshot.ring(), slot).is_some() => Ok(false),
            Ok(_) => self.carry_out(Transition::Stage { slot }, &Source::system()).await,
            Err(error) => Err(error),
        };
        let ended = self.staging(false).await;
        outcome.and_then(|made| ended.map(|_| made))
    }

    /// Begins to make keys, false if another replica is at it; or ends it.
    async fn staging(&self, begin: bool) -> Result<bool, KeyRingError> {
        let (holder, clock) = (self.replica.clone(), self.clock.now());
        let write = self.store.write(move |tx| {
            let holder = holder.clone();
            Box::pin(async move {
                let turn = Turn { name: STAGING, holder: &holder, every: Duration::ZERO, lease: STAGING_LEASE, clock };
                match begin {
                    true => turn.take(tx, clock).await.map(|taken| taken.is_some()),
                    false => turn.done(tx).await.map(|()| true),
                }
            })
        });
        Ok(write.await?)
    }

    fn resting<T>(&self, work: impl FnOnce(&mut HashMap<Slot, Rest>) -> T) -> T {
        work(&mut self.resting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes sure that tokens can be signed with `alg`. The first key of an algorithm is active at once: nothing that
    /// worked before depends on it.
    ///
    /// # Errors
    /// The key could not be made or stored; `NoSigner` for an algorithm whose secrets belong to audiences.
    pub async fn ensure_alg(&self, alg: Algorithm, source: &Source) -> Result<(), KeyRingError> {
        if alg.is_symmetric() {
            return Err(KeyRingError::NoSigner(alg));
        }
        if self.signer_for(alg).is_ok() || self.reload().await?.signer_for(alg).is_ok() {
            return Ok(());
        }
        let row = activated(self.generate(Slot::token(alg)).await?, self.clock.now());
        self.insert(row, source).await?;
        self.reload().await?.signer_for(alg).map(drop)
    }

    /// Starts or hastens the succession in `slot`, and returns the key that signs next (or already). A rotation that is
    /// under way is continued, never doubled.
    ///
    /// # Errors
    /// The slot has no key, another replica was faster, or the store or the provider failed.
    pub async fn rotate(&self, slot: Slot, when: When, source: &Source) -> Result<KeyInfo, KeyRingError> {
        let snapshot = self.reload().await?;
        let current = key_ring::active(snapshot.ring(), slot).ok_or(KeyRingError::NoSigner(slot.alg))?;
        let next = match key_ring::successor(snapshot.ring(), slot) {
            Some(next) => next.kid.clone(),
            None => self.stage(slot, source).await?,
        };
        self.carry_out(Transition::Publish { kid: next.clone() }, source).await?;
        if when == When::Now {
            let activate = Transition::Activate { kid: next.clone(), retire: current.kid.clone() };
            if !self.carry_out(activate, source).await? {
                return Err(KeyRingError::Contended);
            }
        }
        self.reload().await?;
        let found = self.list().await?.into_iter().find(|info| info.key.kid == next);
        found.ok_or(KeyRingError::NoSuchKey(next))
    }

    /// Makes and saves the next key of `slot`; returns the `kid` of whoever's is there in the end.
    pub(super) async fn stage(&self, slot: Slot, source: &Source) -> Result<String, KeyRingError> {
        let row = self.generate(slot).await?;
        let kid = row.key.kid.clone();
        if self.insert(row, source).await? {
            return Ok(kid);
        }
        let snapshot = self.reload().await?;
        key_ring::successor(snapshot.ring(), slot).map(|key| key.kid.clone()).ok_or(KeyRingError::Contended)
    }

    /// Carries out one transition. False if another replica did it, or the key is past it.
    pub(super) async fn carry_out(&self, transition: Transition, source: &Source) -> Result<bool, KeyRingError> {
        let (kid, state) = match &transition {
            Transition::Stage { slot } => {
                let row = self.generate(*slot).await?;
                return self.insert(row, source).await;
            }
            Transition::Publish { kid } => (kid, "published"),
            Transition::Activate { kid, .. } => (kid, "active"),
            Transition::Remove { kid } => (kid, "removed"),
        };
        let now = self.clock.now();
        let mut event = AuditEvent::new(Event::KeyRotated, now, source, self.random.bytes()?)
            .with("kid", kid.as_str())
            .with("state", state);
        if let Transition::Activate { retire, .. } = &transition {
            event = event.with("retiring", retire.as_str());
        }
        let shown = event.detail_json();
        let write = self.store.write(move |tx| {
            let (transition, event) = (transition.clone(), event.clone());
            Box::pin(async move {
                let done = write_transition(tx, &transition, now).await?;
                if done {
                    audit::insert(tx, &event).await?;
                }
                Ok(done)
            })
        });
        let done = match write.await {
            Err(StoreError::Conflict) => false,
            outcome => outcome?,
        };
        if done {
            tracing::info!(change = shown, "the key ring moved");
        }
        Ok(done)
    }

    async fn generate(&self, slot: Slot) -> Result<KeyRow, KeyRingError> {
        let rows = self.store.read(|tx| Box::pin(async move { rows::all(tx).await })).await?;
        let numbers = rows.iter().filter_map(|row| material::refresh_number(&row.key.kid));
        let number = numbers.max().unwrap_or(0) + 1;
        let there = self.guard.signs_in().map(|name| self.stores.get(name)).transpose()?;
        // An algorithm that the store does not have stays where its key is: nothing weaker takes its place, and it can be replaced.
        let here = |row: &KeyRow| {
            row.key.slot == slot && row.store.is_none() && matches!(row.key.state, KeyState::Active { .. })
        };
        let there = there.filter(|there| there.name().can_sign(slot.alg) || !rows.iter().any(here));
        let maker = Maker { provider: &self.provider, random: self.random, there };
        material::generate(maker, slot, number, self.clock.now()).await
    }

    async fn insert(&self, row: KeyRow, source: &Source) -> Result<bool, KeyRingError> {
        let event = change(Event::KeyCreated, &row.key, source, (self.clock.now(), self.random.bytes()?));
        let (new, shown) = (Arc::new((row, event.clone())), event.detail_json());
        let write = self.store.write(move |tx| {
            let new = Arc::clone(&new);
            Box::pin(async move {
                let inserted = rows::insert(tx, &new.0).await?;
                if inserted {
                    audit::insert(tx, &new.1).await?;
                }
                Ok(inserted)
            })
        });
        let inserted = write.await?;
        if inserted {
            tracing::info!(change = shown, "a key was made");
        }
        Ok(inserted)
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
            if !rows::activate(tx, kid, now).await? {
                return Err(StoreError::Conflict);
            }
            key_verifiers::forget(tx, kid).await?;
            Ok(true)
        }
    }
}
