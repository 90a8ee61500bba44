//! When a certificate is fetched: in time before its end, and after a failure later each time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// After the first failure, the second, and so on. The four of the first hour stay below what Let's Encrypt lets fail for a
/// name in an hour (five).
const WAITS: [Duration; 6] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(20),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(6),
];
/// No server's word keeps us away for longer.
const LONGEST: Duration = Duration::from_hours(24 * 7);

/// What has gone wrong since the last success. It is kept on the disk: a restart is no way around the waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// In a row.
    pub failures: u32,
    pub reason: String,
    /// Unix seconds; not before then again.
    pub next: i64,
    /// The ACME server itself has said how long; nobody hurries it.
    pub told: bool,
    /// For which directory and names; a change of them begins anew.
    pub of: String,
}

impl Trouble {
    /// One more failure. `told`: how long the ACME server wants to be left alone.
    pub fn after(before: Option<&Self>, of: &str, reason: String, told: Option<Duration>, now: Timestamp) -> Self {
        let failures = before.map_or(0, |before| before.failures).saturating_add(1);
        let step = usize::try_from(failures - 1).unwrap_or(usize::MAX).min(WAITS.len() - 1);
        let wait = told.unwrap_or_default().min(LONGEST).max(WAITS[step]);
        Self { failures, reason, next: now.plus(wait).secs(), told: told.is_some(), of: of.to_owned() }
    }

    /// When it may be tried again; at once, if somebody has asked for it who may.
    pub fn next(&self, asked: bool) -> Timestamp {
        if asked && !self.told { Timestamp::default() } else { Timestamp::from_secs(self.next) }
    }
}

/// When a certificate is renewed: a third of its life before its end.
pub fn renew_at(not_before: Timestamp, not_after: Timestamp) -> Timestamp {
    not_after.minus(not_after.since(not_before) / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_third_of_its_life_is_left_at_the_renewal() {
        let day = |day: i64| Timestamp::from_secs(day * 24 * 3600);
        assert_eq!(renew_at(day(100), day(190)), day(160));
        assert_eq!(renew_at(day(100), day(106)), day(104));
    }

    #[test]
    fn each_failure_waits_longer_and_an_hour_sees_fewer_than_five() {
        let (mut now, mut trouble, mut within) = (Timestamp::from_secs(0), None::<Trouble>, 0);
        let mut before = Duration::ZERO;
        for failure in 1..20 {
            within += u32::from(now < Timestamp::from_secs(3600));
            let next = Trouble::after(trouble.as_ref(), "a", "down".to_owned(), None, now);
            assert_eq!(next.failures, failure);
            let wait = next.next(false).since(now);
            assert!(wait >= before && wait <= 6 * HOUR);
            (before, now) = (wait, next.next(false));
            trouble = Some(next);
        }
        assert!(within < 5, "{within}");
        assert_eq!(before, 6 * HOUR);
    }

    #[test]
    fn what_the_server_says_counts_and_nobody_hurries_it() {
        let now = Timestamp::from_secs(1_000);
        let own = Trouble::after(None, "a", String::new(), None, now);
        assert_eq!((own.next(false), own.next(true)), (Timestamp::from_secs(1_060), Timestamp::default()));
        let told = Trouble::after(None, "a", String::new(), Some(36 * HOUR), now);
        assert_eq!((told.next(true), told.next(false)), (now.plus(36 * HOUR), now.plus(36 * HOUR)));
        let soon = Trouble::after(None, "a", String::new(), Some(Duration::from_secs(1)), now);
        assert_eq!(soon.next(false), Timestamp::from_secs(1_060));
        let never = Trouble::after(None, "a", String::new(), Some(Duration::MAX), now);
        assert_eq!(never.next(false), now.plus(LONGEST));
    }
}
