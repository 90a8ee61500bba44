//! How old a view of the log may be, and how its age is known.
//!
//! A verifier cannot ask its own clock how old a signed time is: the clocks may differ, and a proxy may hold everything
//! back for an hour. It asks the issuer for the time instead, counts from the moment it *sent* the question, and so has an
//! upper bound of the issuer's time at every later moment.

use std::time::Duration;

/// How long a service goes on with what it knows, after it has last heard from the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Profile {
    /// 1 second. What a revocation names is dead everywhere a second after it was answered, or the service answers 503.
    Strict,
    /// 10 seconds, so that a restart of the issuer is not noticed.
    #[default]
    Balanced,
    /// Until each token's own expiry: a service that is cut off goes on, and says so of every token it lets through
    /// ([`Claims::is_stale`](crate::Claims::is_stale)).
    Available,
}

impl Profile {
    /// The age up to which a view of the log counts; `None`: any.
    pub const fn bound(self) -> Option<Duration> {
        match self {
            Self::Strict => Some(Duration::from_secs(1)),
            Self::Balanced => Some(Duration::from_secs(10)),
            Self::Available => None,
        }
    }
}

/// What one way into the verifier asks of the log's age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Up to this age nothing is asked.
    pub(crate) bound: Duration,
    /// Beyond it: refuse, or accept with a flag.
    pub(crate) beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    Refuse,
    Accept,
    /// The issuer was asked about this very token.
    Known,
}

impl From<Profile> for Lease {
    fn from(profile: Profile) -> Self {
        match profile.bound() {
            Some(bound) => Self { bound, beyond: Beyond::Refuse },
            // The flag is raised where a balanced verifier would refuse.
            None => Self { bound: Duration::from_secs(10), beyond: Beyond::Accept },
        }
    }
}

impl Lease {
    /// For a token that the issuer itself has just called active.
    pub(crate) fn known(self) -> Self {
        Self { beyond: Beyond::Known, ..self }
    }

    /// As this one, and never beyond `bound`.
    pub(crate) fn within(self, bound: Duration) -> Self {
        let bound = match self.beyond {
            Beyond::Refuse | Beyond::Known => self.bound.min(bound),
            Beyond::Accept => bound,
        };
        Self { bound, beyond: Beyond::Refuse }
    }
}

/// An answer to "what time is it?": at the steady time `sent_at` the issuer's clock showed at most `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The issuer's time, microseconds since 1970.
    pub(crate) now: i64,
    /// When the question was sent, by the clock that does not stop while the machine sleeps.
    pub(crate) sent_at: Duration,
}

/// Quartz is off by less than this; a clock that runs slow must not make the view look younger.
const DRIFT_PPM: i64 = 200;

impl Anchor {
    /// No clock of the issuer shows more than this at the steady time `at`, in microseconds since 1970.
    pub(crate) fn upper_bound(&self, at: Duration) -> i64 {
        let passed = micros(at.saturating_sub(self.sent_at));
        let drift = (passed / 1_000_000 + 1).saturating_mul(DRIFT_PPM);
        self.now.saturating_add(passed).saturating_add(drift)
    }

    /// Of two answers, the one that bounds more tightly at `at`; both are true.
    pub(crate) fn tighter(self, other: Self, at: Duration) -> Self {
        if other.upper_bound(at) < self.upper_bound(at) { other } else { self }
    }
}

/// Microseconds, saturating.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_bound_grows_a_little_faster_than_time() {
        let anchor = Anchor { now: 1_000_000_000, sent_at: secs(5) };
        assert_eq!(anchor.upper_bound(secs(5)), 1_000_000_200);
        assert_eq!(anchor.upper_bound(secs(15)), 1_010_002_200, "10 s and 200 ppm of them");
        assert_eq!(anchor.upper_bound(secs(3_605)), 4_600_720_200, "after an hour, 0.72 s");
        assert_eq!(anchor.upper_bound(secs(0)), 1_000_000_200, "a clock that ran back proves nothing");
    }

    // A delayed answer is true as well, only wider.
    #[test]
    fn the_tightest_answer_is_kept() {
        let quick = Anchor { now: 1_000_000, sent_at: secs(10) };
        let delayed = Anchor { now: 4_000_000, sent_at: secs(10) };
        assert_eq!(delayed.tighter(quick, secs(20)), quick);
        assert_eq!(quick.tighter(delayed, secs(20)), quick);
        let renewed = Anchor { now: 3_601_000_000, sent_at: secs(3_610) };
        assert_eq!(quick.tighter(renewed, secs(3_610)), renewed, "the old one has drifted");
    }

    #[test]
    fn a_route_may_only_ask_for_more() {
        let balanced = Lease::from(Profile::Balanced);
        assert_eq!(balanced.within(secs(1)).bound, secs(1));
        assert_eq!(balanced.within(secs(60)).bound, secs(10));
        let route = Lease::from(Profile::Available).within(secs(2));
        assert_eq!(route, Lease { bound: secs(2), beyond: Beyond::Refuse });
    }
}
