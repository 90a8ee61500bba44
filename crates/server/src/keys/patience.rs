//! Patience with a key store that does not answer: how often it is asked again, and when it is left alone. Pure: the time
//! is an argument, counted from any beginning.

use std::time::Duration;

/// One call asks so often at most.
pub const ATTEMPTS: u32 = 3;
/// After so many failures in a row nobody asks any more.
const FAILURES: u32 = 5;
/// How long the store is left alone then; twice as long after each trial that fails.
const FIRST_REST: Duration = Duration::from_secs(1);
/// It is tried at least this often, so that everything is as before soon after it is back (I-11).
const LONGEST_REST: Duration = Duration::from_secs(8);
/// The pause before the second attempt is at most this long, before the third twice that.
const PAUSE: Duration = Duration::from_millis(100);

/// How a store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is asked.
    Closed,
    /// It is left alone.
    Open,
    /// One call tries whether it is back.
    Trying,
}

impl Standing {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Trying => "trying",
        }
    }
}

/// The circuit breaker of one store.
#[derive(Debug, Default)]
pub struct Breaker {
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Duration,
        rest: Duration,
    },
    /// `until` the trial must have been reported: whoever makes it may go away.
    Trying {
        until: Duration,
        rest: Duration,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Asks to make an attempt, which takes at most `timeout`.
    ///
    /// # Errors
    /// Not now; in this time it is tried again.
    pub fn admit(&mut self, now: Duration, timeout: Duration) -> Result<(), Duration> {
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { until, .. } | State::Trying { until, .. } if now < until => Err(until - now),
            State::Open { rest, .. } | State::Trying { rest, .. } => {
                self.state = State::Trying { until: now + timeout + timeout / 2, rest };
                Ok(())
            }
        }
    }

    /// Whether a call would be let through now; changes nothing.
    ///
    /// # Errors
    /// As [`Breaker::admit`].
    pub fn would_admit(&self, now: Duration) -> Result<(), Duration> {
        match self.state {
            State::Open { until, .. } | State::Trying { until, .. } if now < until => Err(until - now),
            _ => Ok(()),
        }
    }

    /// The store answered, whatever it said.
    pub fn answered(&mut self) {
        self.state = State::default();
    }

    /// It did not answer, or not with an answer.
    pub fn failed(&mut self, now: Duration) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } => State::Open { until: now + FIRST_REST, rest: FIRST_REST },
            State::Trying { rest, .. } => {
                let rest = (rest * 2).min(LONGEST_REST);
                State::Open { until: now + rest, rest }
            }
            // A call that began before it opened.
            open @ State::Open { .. } => open,
        };
    }

    pub fn standing(&self) -> Standing {
        match self.state {
            State::Closed { .. } => Standing::Closed,
            State::Open { .. } => Standing::Open,
            State::Trying { .. } => Standing::Trying,
        }
    }
}

/// How long to wait after this attempt (the first is 0), so that many that failed together do not come back together.
pub fn pause(attempt: u32, random: u16) -> Duration {
    PAUSE * 2_u32.saturating_pow(attempt) * u32::from(random) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(2);

    fn opened(at: Duration) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            breaker.admit(at, TIMEOUT).unwrap();
            breaker.failed(at);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..FAILURES {
                breaker.failed(Duration::ZERO);
            }
            assert_eq!(breaker.standing(), Standing::Closed);
            breaker.answered();
        }
        let opened = opened(Duration::ZERO);
        assert_eq!(opened.standing(), Standing::Open);
        assert_eq!(opened.would_admit(Duration::ZERO), Err(FIRST_REST));
    }

    #[test]
    fn one_trial_at_a_time_closes_it_or_rests_longer() {
        let mut breaker = opened(Duration::ZERO);
        let mut now = Duration::ZERO;
        for rest in [1, 2, 4, 8, 8, 8].map(Duration::from_secs) {
            assert_eq!(breaker.admit(now, TIMEOUT), Err(rest));
            now += rest;
            breaker.admit(now, TIMEOUT).unwrap();
            assert_eq!(breaker.standing(), Standing::Trying);
            assert!(breaker.admit(now, TIMEOUT).is_err(), "one trial at a time");
            breaker.failed(now);
        }
        now += LONGEST_REST;
        breaker.admit(now, TIMEOUT).unwrap();
        breaker.answered();
        breaker.admit(now, TIMEOUT).unwrap();
        breaker.admit(now, TIMEOUT).unwrap();
    }

    #[test]
    fn a_trial_that_is_never_reported_is_made_again() {
        let mut breaker = opened(Duration::ZERO);
        let now = FIRST_REST;
        breaker.admit(now, TIMEOUT).unwrap();
        assert_eq!(breaker.admit(now, TIMEOUT), Err(TIMEOUT + TIMEOUT / 2));
        breaker.admit(now + TIMEOUT + TIMEOUT / 2, TIMEOUT).unwrap();
    }

    proptest! {
        /// I-11: whatever happened, the store is tried within the longest rest.
        #[test]
        fn it_is_always_tried_again(steps in proptest::collection::vec((0..3_u8, 0..5_000_u64), 0..60)) {
            let (mut breaker, mut now) = (Breaker::default(), Duration::ZERO);
            for (step, millis) in steps {
                now += Duration::from_millis(millis);
                match step {
                    0 => breaker.failed(now),
                    1 => breaker.answered(),
                    _ => _ = breaker.admit(now, TIMEOUT),
                }
            }
            prop_assert!(breaker.admit(now + LONGEST_REST, TIMEOUT).is_ok());
        }

        #[test]
        fn pauses_grow_and_are_never_longer_than_they_may(random: u16) {
            prop_assert!(pause(0, random) <= PAUSE);
            prop_assert!(pause(1, random) <= PAUSE * 2);
            prop_assert_eq!(pause(1, u16::MAX), PAUSE * 2);
        }
    }
}
