//! The key ring: successions by the product's plan, replicas that know of them late, and services that cache key sets.

use std::time::Duration;

use countersign_jose::Algorithm;
use countersign_server::domain::key_ring::{
    JWKS_MAX_AGE, KeyState, Policy, PolicySettings, RingKey, Slot, Transition, active, check, plan,
};

use crate::{
    database::TTL,
    flaw::Flaw,
    world::{Event, MINUTE, START, World},
};

const SLOT: Slot = Slot::token(Algorithm::ES256);

/// What the replicas know of the keys, and when each key was first shown to everybody.
#[derive(Debug, Default)]
pub struct Ring {
    /// As each replica last read it.
    pub known: Vec<Vec<RingKey>>,
    shown: Vec<(String, Duration)>,
    made: u64,
    restored: bool,
}

impl Ring {
    pub fn first() -> Vec<RingKey> {
        vec![RingKey { kid: "k0".into(), slot: SLOT, state: KeyState::Active { since: START } }]
    }

    /// All that was known comes from a backup now; its keys are as they were.
    pub fn restored(&mut self) {
        self.restored = true;
    }

    pub fn reload(&mut self, keys: &[RingKey]) {
        self.known.iter_mut().for_each(|known| known.clone_from(&keys.to_vec()));
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
        if kid != "k0" && !self.ring.restored && shown.is_none_or(|at| self.now < at + JWKS_MAX_AGE) {
            self.fail(format!("{kid} signs, and there are services that cannot know it"));
        }
        kid
    }

    /// A replica carries out what is due; all of them read the keys anew.
    pub fn rotate_keys(&mut self) {
        let pause = self.span(MINUTE / 2, 2 * MINUTE);
        self.after(pause, Event::Keys);
        let replica = self.any_replica();
        let clock = self.clock(replica);
        let mut due = plan(&self.database.rows.keys, clock, &policy(), &[]);
        let rows = &mut self.database.rows;
        if self.flaw == Flaw::SignsAtOnce
            && let Some(next) = rows.keys.iter().find(|key| matches!(key.state, KeyState::Published { .. }))
            && let Some(current) = active(&rows.keys, SLOT)
        {
            due = vec![Transition::Activate { kid: next.kid.clone(), retire: current.kid.clone() }];
        }
        for step in due {
            let mut set = |kid: &str, state| {
                rows.keys.iter_mut().filter(|key| key.kid == kid).for_each(|key| key.state = state);
            };
            match step {
                Transition::Stage { slot } => {
                    self.ring.made += 1;
                    let kid = format!("k{}", self.ring.made);
                    rows.keys.push(RingKey { kid, slot, state: KeyState::Staged });
                }
                Transition::Publish { kid } => set(&kid, KeyState::Published { since: clock }),
                Transition::Activate { kid, retire } => {
                    set(&retire, KeyState::Retiring { since: clock });
                    set(&kid, KeyState::Active { since: clock });
                    self.counts.activations += 1;
                }
                Transition::Remove { kid } => {
                    let now = self.now;
                    if self.tokens.iter().any(|token| token.kid == kid && token.expires > now) {
                        self.failure.get_or_insert_with(|| format!("{kid} is gone, its tokens are not"));
                    }
                    rows.keys.retain(|key| key.kid != kid);
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
