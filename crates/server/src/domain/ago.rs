//! How long something is ago, as people say it.

use super::time::Timestamp;

/// "just now", "5 minutes ago", "yesterday"; what is a month old or lies ahead by more than a minute is a date.
pub fn words(at: Timestamp, now: Timestamp) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    if at.since(now).as_secs() > MINUTE {
        return date(at);
    }
    let some = |count: u64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match now.since(at).as_secs() {
        0..MINUTE => "just now".to_owned(),
        secs @ MINUTE..HOUR => some(secs / MINUTE, "minute"),
        secs @ HOUR..DAY => some(secs / HOUR, "hour"),
        secs if secs < 2 * DAY => "yesterday".to_owned(),
        secs if secs < 30 * DAY => some(secs / DAY, "day"),
        _ => date(at),
    }
}

/// `2026-11-22`, in UTC.
pub fn date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.micros());
    at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = Timestamp::from_secs(1_800_000_000);
        for (secs, expected) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "yesterday"),
            (2 * 86_400, "2 days ago"),
            (29 * 86_400, "29 days ago"),
            (30 * 86_400, "2026-12-16"),
        ] {
            assert_eq!(words(now.minus(Duration::from_secs(secs)), now), expected, "{secs} s");
        }
        // Clocks differ a little.
        assert_eq!(words(now.plus(Duration::from_secs(30)), now), "just now");
        assert_eq!(words(now.plus(Duration::from_hours(48)), now), "2027-01-17");
    }
}
