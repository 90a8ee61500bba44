//! When what is over may be removed: by a time that is known to have passed, not by what a clock says (I-6).

use std::time::Duration;

use super::time::Timestamp;

/// No access token lives longer, whatever was configured when it was signed, and no entry counts longer than its tokens.
const LONGEST: Duration = Duration::from_secs(24 * 3600 + 60);

/// One process's proof that time has passed. A clock that jumps ahead would make everything look over; when it is set
/// right again, tokens that were ended would be alive and their entries gone. So time is believed as far as a steady clock
/// saw it pass, from a time that was believed before. After a pause (nobody ran) it is believed once this process has run
/// for longer than any token lives: whatever was out when it began is over by then.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed {
    /// What the log's time was when this process first looked, and its uptime then.
    first: (Timestamp, Duration),
    /// A time that had passed, and the uptime when that was known.
    known: (Timestamp, Duration),
}

impl Confirmed {
    /// The first look: `stored` is what was believed before, none in a new store, `t` the log's time, `uptime` a steady clock.
    pub fn new(stored: Option<Timestamp>, t: Timestamp, uptime: Duration) -> Self {
        Self { first: (t, uptime), known: (stored.map_or(t, |stored| stored.min(t)), uptime) }
    }

    /// What has passed by now: never more than the log's own time. `stored` is what another replica may know.
    pub fn at(&mut self, stored: Timestamp, t: Timestamp, uptime: Duration) -> Timestamp {
        let since = |before: Duration| uptime.saturating_sub(before);
        let waited = if since(self.first.1) >= LONGEST { self.first.0 } else { stored };
        let passed = self.known.0.plus(since(self.known.1)).max(waited).max(stored).min(t);
        self.known = (passed, uptime);
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const T: Timestamp = Timestamp::from_secs(1_000_000);

    // I-6
    #[test]
    fn a_clock_that_jumps_is_believed_only_as_far_as_time_has_passed() {
        let mut confirmed = Confirmed::new(Some(T), T, Duration::ZERO);
        assert_eq!(confirmed.at(T, T.plus(HOUR), HOUR), T.plus(HOUR));
        // A year ahead, and an hour later back again.
        let jumped = T.plus(HOUR * 24 * 365);
        assert_eq!(confirmed.at(T, jumped, HOUR * 2), T.plus(HOUR * 2));
        assert_eq!(confirmed.at(T, T.plus(HOUR * 3), HOUR * 3), T.plus(HOUR * 3));
        // Set back: nothing is believed that the log does not say.
        assert_eq!(confirmed.at(T, T, HOUR * 4), T);
    }

    #[test]
    fn a_pause_is_believed_after_the_longest_life_of_a_token() {
        let now = T.plus(HOUR * 24 * 30);
        let mut confirmed = Confirmed::new(Some(T), now, Duration::ZERO);
        assert_eq!(confirmed.at(T, now.plus(HOUR), HOUR), T.plus(HOUR));
        assert_eq!(confirmed.at(T, now.plus(LONGEST), LONGEST), now);
        assert_eq!(confirmed.at(T, now.plus(LONGEST + HOUR), LONGEST + HOUR), now.plus(HOUR));
    }

    #[test]
    fn what_another_replica_knows_counts_and_a_new_store_begins_now() {
        let mut confirmed = Confirmed::new(None, T, Duration::ZERO);
        assert_eq!(confirmed.at(T, T, Duration::ZERO), T);
        assert_eq!(confirmed.at(T.plus(HOUR), T.plus(HOUR * 2), Duration::ZERO), T.plus(HOUR));
    }
}
