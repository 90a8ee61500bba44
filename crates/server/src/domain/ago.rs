//! How long something is ago, as people see it; `http/ui/words/` has the words.

use super::time::Timestamp;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ago {
    JustNow,
    Minutes(u64),
    Hours(u64),
    Yesterday,
    Days(u64),
    /// A month old, or ahead by more than a minute.
    On(Timestamp),
}

impl Ago {
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        if at.since(now).as_secs() > MINUTE {
            return Self::On(at);
        }
        match now.since(at).as_secs() {
            0..MINUTE => Self::JustNow,
            secs @ MINUTE..HOUR => Self::Minutes(secs / MINUTE),
            secs @ HOUR..DAY => Self::Hours(secs / HOUR),
            secs if secs < 2 * DAY => Self::Yesterday,
            secs if secs < 30 * DAY => Self::Days(secs / DAY),
            _ => Self::On(at),
        }
    }
}

/// `2026-11-22`, in UTC: the one way to write a day that nobody reads as another one.
pub fn date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.micros());
    at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_seen_as_people_see_them() {
        let now = Timestamp::from_secs(1_800_000_000);
        let on = |secs| Ago::On(now.minus(Duration::from_secs(secs)));
        for (secs, expected) in [
            (0, Ago::JustNow),
            (59, Ago::JustNow),
            (60, Ago::Minutes(1)),
            (3_599, Ago::Minutes(59)),
            (3_600, Ago::Hours(1)),
            (86_399, Ago::Hours(23)),
            (86_400, Ago::Yesterday),
            (2 * 86_400, Ago::Days(2)),
            (29 * 86_400, Ago::Days(29)),
            (30 * 86_400, on(30 * 86_400)),
        ] {
            assert_eq!(Ago::of(now.minus(Duration::from_secs(secs)), now), expected, "{secs} s");
        }
        assert_eq!(date(now.minus(Duration::from_hours(30 * 24))), "2026-12-16");
        // Clocks differ a little.
        assert_eq!(Ago::of(now.plus(Duration::from_secs(30)), now), Ago::JustNow);
        let ahead = now.plus(Duration::from_hours(48));
        assert_eq!(Ago::of(ahead, now), Ago::On(ahead));
        assert_eq!(date(ahead), "2027-01-17");
    }
}
