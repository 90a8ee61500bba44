//! When the key set may be fetched (KEY-07). Pure: every rule takes `now`.

use std::{collections::VecDeque, time::Duration};

use super::fetch::FetchError;
use crate::clock::Moment;

/// After a failure the next try waits 1 s, 2 s, 4 s, … up to the cool-down.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const ABSENT_FOR: Duration = Duration::from_secs(300);
const ABSENT_MAX: usize = 256;
const LONGEST_KID: usize = 256;

/// Why somebody wants a fetch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason<'a> {
    /// The set is missing or no longer fresh.
    Stale,
    /// A token names a key that the set does not have.
    UnknownKid(&'a str),
}

/// What the schedule says to that.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Permit {
    Fetch,
    /// Asked a short while ago.
    NotBefore(Duration),
    /// The issuer was asked for this very key and does not have it.
    Absent,
}

/// What happened so far. One per verifier.
#[derive(Debug)]
pub(super) struct Schedule {
    cooldown: Duration,
    last_attempt: Option<Moment>,
    failures: u32,
    last_error: Option<FetchError>,
    absent: VecDeque<(Box<str>, Moment)>,
}

impl Schedule {
    pub(super) fn new(cooldown: Duration) -> Self {
        Self { cooldown, last_attempt: None, failures: 0, last_error: None, absent: VecDeque::new() }
    }

    pub(super) fn permit(&self, reason: Reason<'_>, now: Moment) -> Permit {
        if let Reason::UnknownKid(kid) = reason
            && (kid.len() > LONGEST_KID || self.is_absent(kid, now))
        {
            return Permit::Absent;
        }
        match self.last_attempt.map(|at| self.pause().saturating_sub(now.since(at))) {
            None | Some(Duration::ZERO) => Permit::Fetch,
            Some(rest) => Permit::NotBefore(rest),
        }
    }

    pub(super) fn started(&mut self, now: Moment) {
        self.last_attempt = Some(now);
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.last_error = None;
    }

    pub(super) fn failed(&mut self, error: FetchError) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error);
    }

    /// Remembers that the issuer has no such key. The oldest memory makes room, so that a flood of invented ids
    /// costs a few kilobytes and never a fetch beyond the cool-down.
    pub(super) fn note_absent(&mut self, kid: &str, now: Moment) {
        if kid.len() > LONGEST_KID || self.is_absent(kid, now) {
            return;
        }
        if self.absent.len() == ABSENT_MAX {
            self.absent.pop_front();
        }
        self.absent.push_back((kid.into(), now));
    }

    /// When the background task should fetch next, on the steady clock.
    pub(super) fn next_due(&self, loaded: Option<(Moment, Duration)>) -> Duration {
        match (self.last_attempt, loaded) {
            (None, _) => Duration::ZERO,
            // Before the end of freshness, so that under normal conditions nobody meets a stale set.
            (Some(_), Some((fetched_at, fresh_for))) if self.failures == 0 => {
                fetched_at.steady().saturating_add(fresh_for / 5 * 4)
            }
            (Some(attempt), _) => attempt.steady().saturating_add(self.pause()),
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn last_error(&self) -> Option<&FetchError> {
        self.last_error.as_ref()
    }

    fn pause(&self) -> Duration {
        match self.failures {
            0 => self.cooldown,
            n => FIRST_BACKOFF.saturating_mul(1 << (n - 1).min(16)).min(self.cooldown),
        }
    }

    fn is_absent(&self, kid: &str, now: Moment) -> bool {
        self.absent.iter().any(|(known, at)| &**known == kid && now.since(*at) < ABSENT_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const COOLDOWN: Duration = Duration::from_secs(30);

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    // KEY-07
    #[test]
    fn an_unknown_kid_waits_for_the_cool_down() {
        let (clock, mut schedule) = (Clock::manual(0), Schedule::new(COOLDOWN));
        let reason = Reason::UnknownKid("k2");
        assert_eq!(schedule.permit(reason, clock.now()), Permit::Fetch);
        schedule.started(clock.now());
        schedule.succeeded();
        clock.advance(secs(29));
        assert_eq!(schedule.permit(reason, clock.now()), Permit::NotBefore(secs(1)));
        clock.advance(secs(1));
        assert_eq!(schedule.permit(reason, clock.now()), Permit::Fetch);
    }

    // KEY-07
    #[test]
    fn failures_back_off_up_to_the_cool_down() {
        let (clock, mut schedule) = (Clock::manual(0), Schedule::new(COOLDOWN));
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            schedule.started(clock.now());
            schedule.failed(FetchError::Status(500));
            assert_eq!(schedule.permit(Reason::Stale, clock.now()), Permit::NotBefore(secs(expected)));
            assert_eq!(schedule.next_due(None), clock.now().steady() + secs(expected));
            clock.advance(secs(expected));
            assert_eq!(schedule.permit(Reason::Stale, clock.now()), Permit::Fetch);
        }
        schedule.succeeded();
        assert!(!schedule.is_failing());
    }

    // KEY-07
    #[test]
    fn absent_kids_are_remembered_bounded_and_for_a_while() {
        let (clock, mut schedule) = (Clock::manual(0), Schedule::new(COOLDOWN));
        schedule.note_absent("ghost", clock.now());
        assert_eq!(schedule.permit(Reason::UnknownKid("ghost"), clock.now()), Permit::Absent);
        clock.advance(ABSENT_FOR);
        assert_eq!(schedule.permit(Reason::UnknownKid("ghost"), clock.now()), Permit::Fetch);
        for n in 0..10_000 {
            schedule.note_absent(&format!("invented-{n}"), clock.now());
        }
        assert_eq!(schedule.absent.len(), ABSENT_MAX);
        let long = "k".repeat(LONGEST_KID + 1);
        assert_eq!(
            schedule.permit(Reason::UnknownKid(&long), clock.now()),
            Permit::Absent,
            "never fetched, never kept"
        );
    }

    // KEY-07
    #[test]
    fn the_next_fetch_is_due_before_freshness_ends() {
        let (clock, mut schedule) = (Clock::manual(0), Schedule::new(COOLDOWN));
        assert_eq!(schedule.next_due(None), Duration::ZERO);
        schedule.started(clock.now());
        schedule.succeeded();
        assert_eq!(schedule.next_due(Some((clock.now(), secs(300)))), secs(240));
    }
}
