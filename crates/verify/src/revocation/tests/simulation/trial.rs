//! One trial: a schedule of faults and revocations, and what the verifier said meanwhile.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_jose::{AccessClaims, revocation::Kind};

use super::{
    super::{
        super::{Cleared, Lease, Marks, Profile, Standing},
        claims,
    },
    Dice, Micros,
    machine::Machine,
    micros,
    network::{Fault, Network, Wire},
    server::{Node, TICK},
};
use crate::rejection::Rejection;

/// 2026-09-21, in microseconds.
const START: Micros = 1_790_000_000_000_000;
const SECOND: Micros = 1_000_000;
/// Whole microseconds, and the drift within them.
const EPSILON: Micros = 1_000;
/// After this much quiet a verifier must be connected and fresh.
const HEALED: Micros = SECOND;
/// How long a trial goes on after that.
const QUIET: Micros = 5 * SECOND;

/// What judges: the shipped code, or a wrong idea that the trials must find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brain {
    Shipped,
    /// The steady clock stops while the machine is suspended, as `Instant` does on Linux.
    SleepingClock,
    /// The view is as old as the last batch that arrived.
    ByArrival,
    /// The view's age is the difference to the machine's own clock.
    LocalClock,
    /// Time is taken from any batch, whether it continues what is known or not.
    IgnoresGaps,
}

/// Something that happened too late: the seed of the trial, and how late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    pub seed: u64,
    pub micros_after: Micros,
}

/// What came of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub accepted: u64,
    pub dead: u64,
    pub stale: u64,
    pub unsure: u64,
    /// Accepted after the lease.
    pub late: Vec<Late>,
    /// Accepted a second after the revocation, though nothing had gone wrong for a while.
    pub slow: Vec<Late>,
    /// Trials in which a good token was not accepted although the network had healed: how long after the last fault it
    /// was refused for the last time.
    pub deaf: Vec<Late>,
}

impl Outcome {
    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.dead += other.dead;
        self.stale += other.stale;
        self.unsure += other.unsure;
        self.late.extend(other.late);
        self.slow.extend(other.slow);
        self.deaf.extend(other.deaf);
    }
}

struct Token {
    marks: Marks,
    cleared: Cleared,
    kind: Kind,
    name: String,
    revoked_at: Option<Micros>,
}

struct Trial {
    seed: u64,
    brain: Brain,
    dice: Dice,
    wire: Wire,
    machine: Machine,
    lease: Lease,
    tokens: Vec<Token>,
    outcome: Outcome,
    /// When the last fault ends.
    trouble_ends: Micros,
}

pub fn run(seed: u64, brain: Brain) -> Outcome {
    let mut dice = Dice(seed);
    let lease = Lease::from(if dice.chance(90) { Profile::Strict } else { Profile::Balanced });
    let busy = if lease.bound == Duration::from_secs(1) { 6 * SECOND } else { 20 * SECOND };
    let mut network = Network::new(START, Dice(dice.next()));
    network.faults = faults(&mut dice, busy);
    let trouble_ends = network.faults.iter().map(|(.., until)| *until).max().unwrap_or(START);
    let wire = Wire(Arc::new(Mutex::new(network)));
    let machine = Machine::new(wire.clone(), lease.bound, &mut dice);
    let tokens = (0..6).map(token).collect();
    let outcome = Outcome::default();
    let mut trial = Trial { seed, brain, dice, wire, machine, lease, tokens, outcome, trouble_ends };
    trial.play(START + busy + HEALED + QUIET);
    trial.outcome
}

/// Up to six faults, which may overlap, each for a while.
fn faults(dice: &mut Dice, busy: Micros) -> Vec<(Fault, Micros, Micros)> {
    let one = |dice: &mut Dice| {
        let from = START + dice.between(0, busy);
        let until = (from + dice.between(SECOND / 10, busy)).min(START + busy);
        let fault = match dice.below(11) {
            0 => Fault::Cut,
            1 => Fault::Blackhole,
            2 => Fault::Hold(dice.between(SECOND / 10, 8 * SECOND)),
            3 => Fault::Replay,
            4 => Fault::Reorder,
            5 => Fault::Duplicate,
            6 => Fault::Lossy,
            7 => Fault::Elsewhere(Node::Lagging(dice.between(0, 4 * SECOND))),
            8 => Fault::Elsewhere(Node::Zombie(from)),
            9 => Fault::NoTime,
            _ => Fault::Freeze,
        };
        (fault, from, until)
    };
    (0..=dice.below(6)).map(|_| one(dice)).collect()
}

/// A token of its own user, client, session and id.
fn token(number: usize) -> Token {
    let name = format!("n{number}");
    let kinds = [Kind::Token, Kind::Session, Kind::User, Kind::Client];
    let claims = AccessClaims {
        jti: name.clone(),
        sid: Some(name.clone()),
        sub: name.clone(),
        client_id: name.clone(),
        ..claims(START)
    };
    Token {
        marks: Marks::of(&claims, None),
        cleared: Cleared::default(),
        kind: kinds[number % kinds.len()],
        name,
        revoked_at: None,
    }
}

impl Trial {
    fn play(&mut self, end: Micros) {
        // One token is never revoked.
        let mut revocations: Vec<(Micros, usize)> =
            (0..self.tokens.len() - 1).map(|n| (self.dice.between(START + SECOND, end - 3 * SECOND / 2), n)).collect();
        revocations.sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
        let (mut now, mut next_tick, mut next_look, mut was_frozen) = (START, START + TICK, START, false);
        while now < end {
            let arrival = self.wire.network().next_arrival().unwrap_or(end);
            let revocation = revocations.last().map_or(end, |(at, _)| *at);
            let next =
                [next_tick, next_look, arrival, revocation, now + 50_000].into_iter().min().unwrap_or(end).max(now);
            let frozen = self.wire.network().has(|it| it == Fault::Freeze);
            if !(frozen && self.brain == Brain::SleepingClock) {
                self.machine.pass(next - now);
            }
            now = next;
            let tick = now >= next_tick;
            next_tick += if tick { TICK } else { 0 };
            self.happen(now, tick, &mut revocations);
            let thawed = was_frozen && !frozen;
            was_frozen = frozen;
            // I14: the first look after a suspension comes before anything was read.
            if thawed || (now >= next_look && !frozen) {
                self.look(now);
            }
            if now >= next_look {
                next_look = now + self.dice.between(20_000, 150_000);
            }
            if !frozen {
                self.machine.work();
            }
        }
    }

    /// What happens at the issuer and on the way.
    fn happen(&mut self, now: Micros, tick: bool, revocations: &mut Vec<(Micros, usize)>) {
        let mut network = self.wire.network();
        network.now = now;
        if tick {
            network.server.tick(now);
            network.publish();
        }
        while revocations.last().is_some_and(|(at, _)| *at <= now) {
            let Some((_, which)) = revocations.pop() else { break };
            let token = &mut self.tokens[which];
            network.server.revoke(token.kind, &token.name, now);
            token.revoked_at = Some(now);
            network.publish();
        }
        network.deliver();
    }

    fn look(&mut self, now: Micros) {
        let bound = micros(self.lease.bound);
        let healed = now > self.trouble_ends + HEALED;
        for at in 0..self.tokens.len() {
            let token = &self.tokens[at];
            match (self.judge(token, now), token.revoked_at) {
                (verdict, None) if healed && verdict != Verdict::Accepted => {
                    self.outcome.deaf = vec![Late { seed: self.seed, micros_after: now - self.trouble_ends }];
                }
                (Verdict::Accepted, Some(revoked_at)) => {
                    let late = Late { seed: self.seed, micros_after: now - revoked_at };
                    self.outcome.accepted += 1;
                    if late.micros_after > bound + EPSILON {
                        self.outcome.late.push(late);
                    }
                    if revoked_at > self.trouble_ends + HEALED && late.micros_after > SECOND {
                        self.outcome.slow.push(late);
                    }
                }
                (Verdict::Accepted, None) => self.outcome.accepted += 1,
                (Verdict::Unsure, _) => self.outcome.unsure += 1,
                (Verdict::Dead, _) => self.outcome.dead += 1,
                (Verdict::Stale, _) => self.outcome.stale += 1,
            }
        }
    }

    fn judge(&self, token: &Token, now: Micros) -> Verdict {
        let revocations = &self.machine.revocations;
        let (state, moment) = (revocations.current(), self.machine.clock.now());
        let age = match self.brain {
            Brain::Shipped | Brain::SleepingClock => {
                return match revocations.judge(&state, (&token.marks, &[], &token.cleared), moment, self.lease) {
                    Ok(Standing::Good) => Verdict::Accepted,
                    Ok(Standing::Unsure) => Verdict::Unsure,
                    Err(Rejection::Stale { .. } | Rejection::NotReady { .. }) => Verdict::Stale,
                    Err(_) => Verdict::Dead,
                };
            }
            Brain::ByArrival => micros(moment.steady().saturating_sub(state.seen_at)),
            // Three seconds behind, which nobody would notice otherwise.
            Brain::LocalClock => now - 3 * SECOND - state.time,
            Brain::IgnoresGaps => {
                let shown = self.wire.network().shown;
                state.anchor.map_or(i64::MAX, |anchor| anchor.upper_bound(moment.steady()) - shown)
            }
        };
        match state.check(&token.marks) {
            Err(_) => Verdict::Dead,
            Ok(()) if age <= micros(self.lease.bound) => Verdict::Accepted,
            Ok(()) => Verdict::Stale,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Unsure,
    Dead,
    Stale,
}
