//! Services that follow the log over a bad network, and judge tokens by what they know.

use std::time::Duration;

use countersign_jose::FeedClaims;
use countersign_verify::{Profile, Verdict, View};

use crate::{
    flaw::Flaw,
    world::{Event, MINUTE, SECOND, World},
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
    /// The last look at a good token came to this.
    fresh: bool,
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
        Self { view, cut_until: Duration::ZERO, heard_at: Duration::ZERO, drift, fresh: false }
    }

    fn steady(&self, now: Duration) -> Duration {
        let micros = i64::try_from(now.as_micros()).unwrap();
        Duration::from_micros((micros + micros / 1_000_000 * self.drift).unsigned_abs())
    }
}

impl World {
    /// A round: a few questions close to each other, then a pause in which the view grows old.
    pub fn ask(&mut self, at: usize) {
        let again = if self.chance.one_in(4) { self.span(MINUTE, 6 * MINUTE) } else { self.span(SECOND, 4 * SECOND) };
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
        let (mut late, mut fresh) = (None, verifier.fresh);
        for token in self.tokens.iter().filter(|token| token.expires > now) {
            let mut verdict = verifier.view.judge(&token.claims, &token.kid, steady);
            if self.flaw == Flaw::FreshByArrival && verdict == Verdict::Stale && now < verifier.heard_at + BOUND {
                verdict = Verdict::Good;
            }
            match verdict {
                Verdict::Good => self.counts.accepted += 1,
                Verdict::Dead => self.counts.dead += 1,
                Verdict::Stale => self.counts.stale += 1,
            }
            fresh = verdict != Verdict::Stale;
            let ended = self.clients[token.session].ended;
            // Clocks of replicas differ by up to four seconds.
            if verdict == Verdict::Good && ended.is_some_and(|ended| now > ended + BOUND + 5 * SECOND) {
                late = Some(now.saturating_sub(ended.unwrap_or_default()));
            }
        }
        self.verifiers[at].fresh = fresh;
        if let Some(late) = late {
            self.fail(format!("a service accepts a token {late:?} after its end was acknowledged"));
        }
    }

    pub fn verifier_ends_well(&mut self, at: usize) {
        if self.is_healed() && self.now > self.verifiers[at].heard_at + 15 * MINUTE {
            self.fail("the faults are over, and a service hears nothing");
        }
    }
}
