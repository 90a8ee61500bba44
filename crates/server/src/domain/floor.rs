//! The floor of the revocation log: access tokens whose `rsn` is below it are dead, at every service. It rises in steps, so
//! that a mass event does not make every client refresh in the same second.
//!
//! Where the floor stands is a function of the log's time alone. So no replica has to move it, none can be ahead of
//! another, and a rise that was promised goes on over restarts. Sessions live on: their next refresh gets a token above it.

use std::time::Duration;

use super::{rsn::Rsn, time::Timestamp};

/// The time between two steps.
pub const STEP: Duration = Duration::from_secs(1);

/// A floor on its way up. The default one has nowhere to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rise {
    pub from: Rsn,
    pub goal: Rsn,
    pub begin: Timestamp,
    pub end: Timestamp,
}

/// Why a rise does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another one is under way, and what was promised of it must hold.
    #[error("the floor is rising already; a further rise must end before the one under way, or happen at once")]
    UnderWay(Timestamp),
    /// By then all tokens are over by themselves.
    #[error("no access token lives longer than {} s, so a longer rise ends nothing", .0.as_secs())]
    TooLong(Duration),
}

impl Rise {
    /// Lets the floor rise from where it stands to `goal`, the head of the log, within `over` from `now` on. `ttl_cap` is
    /// the longest life of any access token.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn begin(
        (before, floor): (Self, Rsn),
        goal: Rsn,
        now: Timestamp,
        over: Duration,
        ttl_cap: Duration,
    ) -> Result<Self, Refused> {
        if over > ttl_cap {
            return Err(Refused::TooLong(ttl_cap));
        }
        let end = now.plus(over);
        if before.end > now && before.end < end && before.goal > floor {
            return Err(Refused::UnderWay(before.end));
        }
        // Positions are times: what is older than a token lives has no tokens left, and needs no steps.
        let oldest = Rsn::new(Timestamp::from_micros(goal.get()).minus(ttl_cap).micros());
        Ok(Self { from: floor.max(oldest).min(goal), goal, begin: now, end })
    }

    /// Where the floor stands at this time of the log: never above the goal, and never back as time goes on.
    pub fn at(&self, t: Timestamp) -> Rsn {
        if t >= self.end {
            return self.goal;
        }
        let steps = self.end.since(self.begin).as_micros().div_ceil(STEP.as_micros()).max(1);
        let done = t.since(self.begin).as_micros() / STEP.as_micros();
        let height = u128::try_from(self.goal.get().saturating_sub(self.from.get())).unwrap_or(0);
        let risen = i64::try_from(height * done.min(steps) / steps).unwrap_or(0);
        Rsn::new(self.from.get().saturating_add(risen))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::micros;

    const CAP: Duration = Duration::from_hours(1);
    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
    const HEAD: Rsn = Rsn::new(NOW.micros());

    fn begin(before: (Rise, Rsn), over: u64) -> Result<Rise, Refused> {
        Rise::begin(before, HEAD, NOW, Duration::from_secs(over), CAP)
    }

    #[test]
    fn it_rises_a_step_a_second_from_the_oldest_token_to_the_head() {
        let rise = begin(Default::default(), 60).unwrap();
        let oldest = NOW.minus(CAP).micros();
        assert_eq!(rise.at(NOW).get(), oldest);
        assert_eq!(rise.at(NOW.plus(Duration::from_millis(999))), rise.at(NOW));
        assert_eq!(rise.at(NOW.plus(Duration::from_secs(1))).get(), oldest + 60_000_000);
        assert_eq!(rise.at(NOW.plus(Duration::from_secs(59))).get(), HEAD.get() - 60_000_000);
        assert_eq!(rise.at(NOW.plus(Duration::from_secs(60))), HEAD);
        assert_eq!(begin(Default::default(), 0).unwrap().at(NOW), HEAD);
        assert_eq!(Rise::default().at(NOW), Rsn::default());
    }

    #[test]
    fn what_was_promised_holds() {
        assert_eq!(begin(Default::default(), 3601), Err(Refused::TooLong(CAP)));
        let under_way = (begin(Default::default(), 60).unwrap(), Rsn::new(5));
        assert_eq!(begin(under_way, 61), Err(Refused::UnderWay(NOW.plus(Duration::from_secs(60)))));
        assert!(begin(under_way, 60).is_ok() && begin(under_way, 0).is_ok());
        // It is where it was to go: nothing is promised any more.
        assert!(begin((under_way.0, HEAD), 61).is_ok());
    }

    proptest! {
        #[test]
        fn it_never_falls_and_never_passes_its_goal(
            floor in 0..=HEAD.get(),
            over in 0..=3600_u64,
            times in prop::collection::vec(0..4_000_000_000_u64, 1..50),
        ) {
            let rise = begin((Rise::default(), Rsn::new(floor)), over).unwrap();
            let mut times = times;
            times.sort_unstable();
            let mut last = Rsn::new(floor);
            for micros in times {
                let at = rise.at(NOW.plus(Duration::from_micros(micros)));
                prop_assert!(at >= last && at <= HEAD);
                prop_assert!(micros < over * 1_000_000 || at == HEAD);
                last = at;
            }
        }

        // Its limit: a step ends no more than its share.
        #[test]
        fn a_step_is_its_share(over in 1..=3600_u64, second in 0..3600_u64) {
            let rise = begin(Default::default(), over).unwrap();
            let at = |second| rise.at(NOW.plus(Duration::from_secs(second))).get();
            prop_assert!(at(second + 1) - at(second) <= micros(CAP) / i64::try_from(over).unwrap() + 1);
        }
    }
}
