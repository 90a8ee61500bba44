//! From how an issuer is used to rows, and to what happens in a second. Pure.

use super::{
    Plan, as_f64,
    measured::{self, Engine},
};

/// How much more often people sign in and out in the busiest hour than in an average one.
pub const PEAK: f64 = 4.0;
const DAY: f64 = 86_400.0;
/// Transactions of a sign-in: the attempt is counted before the password is looked at, then the session is opened.
const PER_SIGN_IN: f64 = 2.0;

/// Rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Size {
    pub users: f64,
    pub sessions: f64,
    pub events: f64,
}

/// The busiest hour: what happens in a second of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    pub refreshes: f64,
    pub sign_ins: f64,
    pub ends: f64,
    /// Entries of the revocation log that still count: each until the last token that it ends is over.
    pub entries: f64,
    pub services: f64,
}

impl Size {
    pub fn of(plan: &Plan) -> Self {
        let users = as_f64(plan.users);
        let days = as_f64(plan.events) / DAY;
        Self { users, sessions: users * plan.sessions, events: users * (plan.sign_ins + plan.ends) * days }
    }
}

impl Load {
    pub fn of(plan: &Plan) -> Self {
        let users = as_f64(plan.users);
        let ends = users * plan.ends / DAY * PEAK;
        Self {
            refreshes: users * plan.active / as_f64(plan.ttl),
            sign_ins: users * plan.sign_ins / DAY * PEAK,
            ends,
            entries: ends * as_f64(plan.ttl),
            services: as_f64(plan.services),
        }
    }

    pub fn transactions(&self) -> f64 {
        self.refreshes + self.sign_ins * PER_SIGN_IN + self.ends
    }

    pub fn server_cores(&self, engine: &Engine) -> f64 {
        let followers = self.services * measured::FOLLOWER;
        (self.refreshes * engine.refresh + self.sign_ins * engine.sign_in * 1e3 + followers) / 1e6
    }

    pub fn database_cores(&self, engine: &Engine) -> f64 {
        self.refreshes * engine.refresh_database / 1e6
    }

    /// What one service reads in a second.
    pub fn feed_bytes(&self) -> f64 {
        measured::FEED_QUIET + self.ends * measured::FEED_ENTRY
    }

    /// What one service keeps of the log.
    pub fn service_memory(&self) -> f64 {
        self.entries * measured::SERVICE_ENTRY
    }
}

/// `1.2 GB`.
pub fn bytes(bytes: f64) -> String {
    let (mut left, mut unit) = (bytes, "B");
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if left < 1000.0 {
            break;
        }
        (left, unit) = (left / 1000.0, next);
    }
    if left < 10.0 && unit != "B" { format!("{left:.1} {unit}") } else { format!("{left:.0} {unit}") }
}

/// `1,234,567`, `12`, `0.4`.
pub fn count(number: f64) -> String {
    if number > 0.0 && number < 10.0 && number.fract() != 0.0 {
        return format!("{number:.2}");
    }
    let digits = format!("{number:.0}");
    let grouped: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    grouped.join(",")
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn plan(arguments: &[&str]) -> Plan {
        let command = Plan::augment_args(clap::Command::new("plan"));
        let matches = command.try_get_matches_from([&["plan"], arguments].concat()).unwrap();
        Plan::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn a_million_users() {
        let plan = plan(&["--users", "1000000", "--active", "6%", "--sign-ins", "0.216", "--ends", "0.108"]);
        let (size, load) = (Size::of(&plan), Load::of(&plan));
        assert_eq!(size, Size { users: 1e6, sessions: 3e6, events: 1e6 * (0.216 + 0.108) * 400.0 });
        assert_eq!((load.refreshes, load.sign_ins, load.ends), (100.0, 10.0, 5.0));
        assert_eq!((load.transactions(), load.entries), (125.0, 3000.0), "each entry lives as long as a token");
    }

    #[test]
    fn more_users_or_shorter_tokens_are_more_work() {
        let of = |users: &str, ttl: &str| Load::of(&plan(&["--users", users, "--ttl", ttl])).refreshes;
        assert!(of("1000", "10m") < of("1000", "5m") && of("1000", "10m") < of("2000", "10m"));
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0.0, 0.4, 12.0, 1234.4, 1e7].map(count), ["0", "0.40", "12", "1,234", "10,000,000"]);
        assert_eq!([12.0, 1_200.0, 71.4e6, 2.7e10].map(bytes), ["12 B", "1.2 kB", "71 MB", "27 GB"]);
    }
}
