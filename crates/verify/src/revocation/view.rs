//! The view for simulations of a whole system: the rules of this folder, driven by batches that nobody signed and a time that
//! somebody made up.

use std::time::Duration;

use countersign_jose::{AccessClaims, FeedClaims};

use super::{Anchor, Batch, Lease, Marks, Profile, State, micros};

/// What one verifier knows of the log.
#[derive(Debug, Clone)]
pub struct View {
    state: State,
    lease: Lease,
}

/// What of a token the log may name, hashed once for many looks.
#[derive(Debug, Clone, Copy)]
pub struct Names(Marks);

impl Names {
    /// Those of a token that the key `kid` has signed.
    pub fn of(claims: &AccessClaims, kid: &str) -> Self {
        Self(Marks::of(claims, Some(kid)))
    }
}

/// What a view says of a token that is signed well and has not expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Good,
    /// Refused: the view is too old to say.
    Stale,
    /// Refused: the log ends it.
    Dead,
}

impl View {
    /// Knows nothing yet.
    pub fn new(profile: Profile) -> Self {
        Self { state: State::new(), lease: Lease::from(profile) }
    }

    /// Takes a batch in; false if it does not continue what is known.
    ///
    /// # Errors
    /// A batch of another stream, or one that is malformed.
    pub fn read(&mut self, batch: &FeedClaims, steady: Duration) -> Result<bool, &'static str> {
        Ok(!self.state.apply(&Batch::read(batch)?, steady, usize::MAX).gap)
    }

    /// Takes in what the issuer said the time was, in microseconds, when it was asked at `sent_at`.
    pub fn anchor(&mut self, now: i64, sent_at: Duration, steady: Duration) {
        self.state.set_anchor(Anchor { now, sent_at }, steady);
    }

    /// From where to read on.
    pub fn cursor(&self) -> i64 {
        self.state.cursor
    }

    /// Judges a token with these names.
    pub fn judge(&self, token: &Names, steady: Duration) -> Verdict {
        match (self.state.check(&token.0), self.state.age(steady)) {
            (Err(_), _) => Verdict::Dead,
            (Ok(()), Some(age)) if age <= micros(self.lease.bound) => Verdict::Good,
            (Ok(()), _) => Verdict::Stale,
        }
    }
}
