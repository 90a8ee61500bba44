//! Services that follow the log over a bad network, and judge tokens by what they know.

use std::time::Duration;

use countersign_jose::FeedClaims;
use countersign_verify::{Profile, Verdict, View};

use crate::{
    flaw::Flaw,
    world::{Event, MINUTE, SECOND, Token, World},
};

/// The bound of a balanced service.
const BOUND: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Verifier {
    view: View,
    /// Until then it hears nothing.
    cut_until: Duration,
    heard_at: Duration,
    /// Its clock runs fast or slow by so many parts per million.
    drift: i64,
    /// When it last looked at a token, and when the view was last fresh enough for that.
    looked_at: Duration,
    fresh_at: Duration,
}

#[derive(Debug, Clone)]
pub struct Message {
    batch: FeedClaims,
    /// The issuer's time, and when it was asked for.
    time: i64,
    asked_at: Duration,
}

impl Verifier {
    pub fn new(world: &mut World) -> Self {
        let drift = 150 - i64::try_from(world.chance.below(300)).unwrap();
        let view = View::new(Profile::Balanced);
        let zero = Duration::ZERO;
        Self { view, cut_until: zero, heard_at: zero, drift, looked_at: zero, fresh_at: zero }
    }

    fn steady(&self, now: Duration) -> Duration {
        let micros = i64::try_from(now.as_micros()).unwrap();
        Duration::from_micros((micros + micros / 1_000_000 * self.drift).unsigned_abs())
    }
}

impl World {
    /// A round: a few questions close to each other, then a pause in which the view grows old; none at the very end.
    pub fn ask(&mut self, at: usize) {
        let pauses = self.chance.one_in(4) && !self.began_last(self.now + 6 * MINUTE);
        let again = if pauses { self.span(MINUTE, 6 * MINUTE) } else { self.span(SECOND, 4 * SECOND) };
        self.after(again, Event::Ask(at));
        if self.fails(12) {
            self.verifiers[at].cut_until = self.now + self.chance.between(SECOND, 10 * MINUTE);
        }
        for _ in 0..self.chance.below(3) {
            let when = self.span(Duration::ZERO, 15 * SECOND);
            self.after(when, Event::Look(at));
        }
        if self.now < self.verifiers[at].cut_until && !self.is_quiet() {
            return;
        }
        let replica = self.any_replica();
        let clock = self.clock(replica);
        // Raising the log's time is a commit, whose sync comes before the batch.
        self.database.rows.tick(clock);
        self.sync();
        let lags = self.fails(6);
        let rows = if lags { &self.database.backup } else { &self.database.durable };
        let cursor = self.verifiers[at].view.cursor();
        let mut batch = rows.batch(cursor);
        let time = self.database.durable.t.max(clock).micros();
        if self.fails(8) {
            // The part before it was lost on the way.
            batch.previous = batch.head;
            batch.entries.clear();
        }
        let message = Message { batch, time, asked_at: self.verifiers[at].steady(self.now) };
        for _ in 0..=usize::from(self.fails(8)) {
            let slow = self.fails(5);
            let way = self.span(SECOND / 100, if slow { 20 * SECOND } else { SECOND / 2 });
            if !self.fails(10) {
                self.after(way, Event::Hear(at, Box::new(message.clone())));
            }
        }
    }

    pub fn hear(&mut self, at: usize, message: Message) {
        let verifier = &mut self.verifiers[at];
        let steady = verifier.steady(self.now);
        verifier.heard_at = self.now;
        let mut batch = message.batch;
        if self.flaw == Flaw::IgnoresGaps {
            batch.previous = 0;
        }
        verifier.view.anchor(message.time, message.asked_at.min(steady), steady);
        let read = verifier.view.read(&batch, steady);
        if let Err(problem) = read {
            self.fail(problem);
        }
    }

    /// Judges everything that is out.
    pub fn look(&mut self, at: usize) {
        let (now, verifier) = (self.now, &self.verifiers[at]);
        let steady = verifier.steady(now);
        let (mut fault, mut looked_at, mut fresh_at) = (None, verifier.looked_at, verifier.fresh_at);
        for token in self.tokens.iter().filter(|token| token.expires > now) {
            let mut verdict = verifier.view.judge(&token.names, steady);
            if self.flaw == Flaw::FreshByArrival && verdict == Verdict::Stale && now < verifier.heard_at + BOUND {
                verdict = Verdict::Good;
            }
            looked_at = now;
            match verdict {
                Verdict::Good => self.counts.accepted += 1,
                Verdict::Dead => self.counts.dead += 1,
                Verdict::Stale => self.counts.stale += 1,
            }
            if verdict != Verdict::Stale {
                fresh_at = now;
            }
            if let Some(found) = self.wrong(token, verdict) {
                fault = Some(found);
            }
        }
        let verifier = &mut self.verifiers[at];
        (verifier.looked_at, verifier.fresh_at) = (looked_at, fresh_at);
        if let Some(fault) = fault {
            self.fail(fault);
        }
    }

    /// What is wrong about a verdict.
    fn wrong(&self, token: &Token, verdict: Verdict) -> Option<String> {
        let client = &self.clients[token.session];
        // Clocks of replicas differ by up to four seconds.
        let late = |since: Option<Duration>| since.is_some_and(|since| self.now > since + BOUND + 5 * SECOND);
        let changed = client.changed.filter(|(version, _)| token.rights < *version).map(|(_, at)| at);
        match verdict {
            Verdict::Good if late(client.ended) => Some("a service accepts a token of what has ended".into()),
            Verdict::Good if late(changed) => Some("a service accepts a token with rights that were taken".into()),
            Verdict::Good if late(self.ring.ended(&token.kid)) => {
                Some(format!("a service accepts a token of {}, which was revoked", token.kid))
            }
            Verdict::Dead if !self.may_be_dead(token) => Some("a service refuses a good token".into()),
            _ => None,
        }
    }

    fn may_be_dead(&self, token: &Token) -> bool {
        let (client, rows) = (&self.clients[token.session], &self.database.rows);
        client.ending
            || client.restored
            || rows.sessions[token.session].revoked
            || token.rights < rows.rights[token.session].version
            || self.ring.is_ending(&token.kid)
    }

    pub fn verifier_ends_well(&mut self, at: usize) {
        let verifier = &self.verifiers[at];
        if !self.began_last(verifier.heard_at) {
            self.fail("the faults are over, and a service hears nothing");
        } else if self.began_last(verifier.looked_at) && !self.began_last(verifier.fresh_at) {
            self.fail("the faults are over, and a service still cannot judge");
        }
    }
}
