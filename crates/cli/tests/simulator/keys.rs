//! The key ring: successions by the product's plan, replicas that know of them late, and services that cache key sets.

use std::{rc::Rc, time::Duration};

use countersign_jose::Algorithm;
use countersign_server::domain::key_ring::{
    JWKS_MAX_AGE, KeyState, Policy, PolicySettings, RingKey, Slot, Transition, active, check, plan, successor,
};
use countersign_server::domain::{revocation::Entry, time::Timestamp};

use crate::{
    database::{SCOPE, TTL},
    flaw::Flaw,
    world::{Event, MINUTE, START, World},
};

const SLOT: Slot = Slot::token(Algorithm::ES256);

/// What the replicas know of the keys, and when each key was first shown to everybody.
#[derive(Debug, Default)]
pub struct Ring {
    /// As each replica last read it.
    pub known: Vec<Rc<Vec<RingKey>>>,
    shown: Vec<(String, Duration)>,
    made: u64,
    restored: bool,
    /// Keys that took over from a revoked one, before everybody could know them.
    urgent: Vec<String>,
    /// Keys whose revocation is not on the disk yet.
    ending: Vec<String>,
    /// Keys whose revocation was acknowledged, and when.
    ended: Vec<(String, Duration)>,
}

impl Ring {
    pub fn first() -> Rc<Vec<RingKey>> {
        Rc::new(vec![RingKey { kid: "k0".into(), slot: SLOT, state: KeyState::Active { since: START } }])
    }

    /// Since when everybody who asked knows that the key is revoked.
    pub fn ended(&self, kid: &str) -> Option<Duration> {
        self.ended.iter().find(|(ended, _)| ended == kid).map(|(_, at)| *at)
    }

    pub fn is_ending(&self, kid: &str) -> bool {
        self.ended(kid).is_some() || self.ending.iter().any(|ending| ending == kid)
    }

    pub fn synced(&mut self, now: Duration) {
        self.ended.extend(self.ending.drain(..).map(|kid| (kid, now)));
    }

    /// Nobody heard of what was not synced. True if a revocation is lost.
    pub fn crashed(&mut self) -> bool {
        let lost = !self.ending.is_empty();
        self.ending.clear();
        lost
    }

    /// All that was known comes from a backup now; its keys are as they were.
    pub fn restored(&mut self) {
        self.restored = true;
    }

    pub fn reload(&mut self, keys: &Rc<Vec<RingKey>>) {
        self.known.iter_mut().for_each(|known| known.clone_from(keys));
    }
}

fn policy() -> Policy {
    Policy::new(PolicySettings {
        rotate_every: 45 * MINUTE,
        publish_for: 6 * MINUTE,
        wait_for_verifiers: Duration::ZERO,
        access_token_ttl_cap: TTL,
        refresh_lifetime_cap: 600 * MINUTE,
    })
}

impl World {
    /// The key that a replica signs with, by what it knows.
    pub fn signing_key(&mut self, replica: usize) -> String {
        if self.ring.known.len() <= replica {
            let durable = self.database.durable.keys.clone();
            self.ring.known.resize(replica + 1, durable);
        }
        let Some(key) = active(&self.ring.known[replica], SLOT) else {
            self.fail("a replica has no key to sign with");
            return String::new();
        };
        let kid = key.kid.clone();
        let shown = self.ring.shown.iter().find(|(shown, _)| *shown == kid).map(|(_, at)| *at);
        let excused = kid == "k0" || self.ring.restored || self.ring.urgent.contains(&kid);
        if !excused && shown.is_none_or(|at| self.now < at + JWKS_MAX_AGE) {
            self.fail(format!("{kid} signs, and there are services that cannot know it"));
        }
        kid
    }

    /// An operator ends the key that signs, and its successor takes over at once.
    pub fn revoke_key(&mut self) {
        let clock = self.clock(0);
        let Some(kid) = active(&self.database.rows.keys, SLOT).map(|key| key.kid.clone()) else { return };
        let next = self.replacement();
        let keys = Rc::make_mut(&mut self.database.rows.keys);
        keys.retain(|key| key.kid != kid);
        set(keys, &next, KeyState::Active { since: clock });
        if self.flaw != Flaw::ForgetsTheKey {
            self.database.rows.append(Entry::key(SCOPE, &kid), clock);
        }
        self.ring.urgent.push(next);
        self.ring.ending.push(kid);
        self.counts.keys_revoked += 1;
        self.sync_soon();
    }

    fn replacement(&mut self) -> String {
        if let Some(next) = successor(&self.database.rows.keys, SLOT) {
            return next.kid.clone();
        }
        self.new_key(KeyState::Staged)
    }

    fn new_key(&mut self, state: KeyState) -> String {
        self.ring.made += 1;
        let kid = format!("k{}", self.ring.made);
        Rc::make_mut(&mut self.database.rows.keys).push(RingKey { kid: kid.clone(), slot: SLOT, state });
        kid
    }

    /// The keys of a backup: one that was stolen and revoked since could be among them.
    pub fn replace_keys(&mut self, clock: Timestamp) {
        Rc::make_mut(&mut self.database.rows.keys).clear();
        self.new_key(KeyState::Active { since: clock });
        self.database.sync();
    }

    /// A replica carries out what is due; all of them read the keys anew.
    pub fn rotate_keys(&mut self) {
        let pause = self.span(MINUTE / 2, 2 * MINUTE);
        self.after(pause, Event::Keys);
        let replica = self.any_replica();
        let clock = self.clock(replica);
        let mut due = plan(&self.database.rows.keys, clock, &policy(), &[]);
        let rows = &self.database.rows;
        if self.flaw == Flaw::SignsAtOnce
            && let Some(next) = rows.keys.iter().find(|key| matches!(key.state, KeyState::Published { .. }))
            && let Some(current) = active(&rows.keys, SLOT)
        {
            due = vec![Transition::Activate { kid: next.kid.clone(), retire: current.kid.clone() }];
        }
        for step in due {
            let keys = Rc::make_mut(&mut self.database.rows.keys);
            match step {
                Transition::Stage { .. } => {
                    self.new_key(KeyState::Staged);
                }
                Transition::Publish { kid } => set(keys, &kid, KeyState::Published { since: clock }),
                Transition::Activate { kid, retire } => {
                    set(keys, &retire, KeyState::Retiring { since: clock });
                    set(keys, &kid, KeyState::Active { since: clock });
                    self.counts.activations += 1;
                }
                Transition::Remove { kid } => {
                    let now = self.now;
                    if self.tokens.iter().any(|token| token.kid == kid && token.expires > now) {
                        self.failure.get_or_insert_with(|| format!("{kid} is gone, its tokens are not"));
                    }
                    keys.retain(|key| key.kid != kid);
                }
            }
        }
        if let Err(damaged) = check(&self.database.rows.keys) {
            self.fail(damaged.to_string());
        }
        self.database.sync();
        for key in self.database.durable.keys.iter().filter(|key| key.state.is_public()) {
            if !self.ring.shown.iter().any(|(kid, _)| *kid == key.kid) {
                self.ring.shown.push((key.kid.clone(), self.now));
            }
        }
        for replica in 0..self.ring.known.len() {
            if !self.fails(4) {
                self.ring.known[replica].clone_from(&self.database.durable.keys);
            }
        }
    }

    pub fn ring_ends_well(&mut self) {
        if self.counts.activations == 0 {
            self.fail("four hours, and no key was replaced");
        }
    }
}

fn set(keys: &mut [RingKey], kid: &str, state: KeyState) {
    keys.iter_mut().filter(|key| key.kid == kid).for_each(|key| key.state = state);
}
