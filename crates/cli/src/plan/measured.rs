//! What users, sessions, refreshes and the feed cost, as `cargo xtask bench growth` and `bench revocation` measured it. The
//! test beside it refuses numbers that are not theirs.

use super::model::Size;

/// Where it was measured.
pub const MACHINE: &str = "AMD EPYC, 2 cores";

/// What things cost on one database: bytes on disk with their indices, CPU time on the largest database that was measured.
#[derive(Debug)]
pub struct Engine {
    pub user: f64,
    /// With the sign-in that it belongs to.
    pub session: f64,
    pub event: f64,
    /// Microseconds, of the server.
    pub refresh: f64,
    /// Microseconds, of a database that is a process of its own.
    pub refresh_database: f64,
    /// Bytes.
    pub refresh_written: f64,
    /// Milliseconds, of both; nearly all of it is the server's: the hash of the password.
    pub sign_in: f64,
}

pub const SQLITE: Engine = Engine {
    user: 339.0,
    session: 745.0,
    event: 299.0,
    refresh: 528.0,
    refresh_database: 0.0,
    refresh_written: 12_947.0,
    sign_in: 24.8,
};

pub const POSTGRES: Engine = Engine {
    user: 475.0,
    session: 855.0,
    event: 341.0,
    refresh: 140.0,
    refresh_database: 272.0,
    refresh_written: 15_621.0,
    sign_in: 23.3,
};

/// Bytes that a service reads in a second in which nothing is revoked.
pub const FEED_QUIET: f64 = 1_872.0;
/// Bytes that a service reads for a revocation.
pub const FEED_ENTRY: f64 = 369.0;
/// Bytes that a service keeps for one.
pub const SERVICE_ENTRY: f64 = 71.4;
/// CPU time that the issuer spends for a follower in each second, microseconds.
pub const FOLLOWER: f64 = 175.0;

impl Engine {
    pub fn bytes(&self, size: &Size) -> f64 {
        size.users * self.user + size.sessions * self.session + size.events * self.event
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::Value;

    use super::*;

    fn results(bench: &str) -> Value {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../bench/results/{bench}.json"));
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    }

    /// Both are the same number, one of them rounded.
    fn same(what: &str, here: f64, measured: &Value) {
        let measured = measured.as_f64().unwrap_or_else(|| panic!("{what} was not measured"));
        assert!((here - measured).abs() <= measured * 0.02 + 0.5, "{what}: {here} here, {measured} measured");
    }

    #[test]
    fn the_numbers_are_those_of_the_last_run() {
        let (growth, revocation) = (results("growth"), results("revocation"));
        for (at, engine) in [SQLITE, POSTGRES].iter().enumerate() {
            let largest = growth["runs"][at]["measured"].as_array().unwrap().last().unwrap();
            let (sizes, median) = (&largest["sizes"], &largest["median"]);
            same("bytes of a user", engine.user, &sizes["per_user"]);
            same("bytes of a session", engine.session, &sizes["per_session"]);
            same("bytes of an event", engine.event, &sizes["per_event"]);
            same("a refresh", engine.refresh, &median["refresh_us"]);
            same("a refresh at the database", engine.refresh_database, &median["refresh_database_us"]);
            same("what a refresh writes", engine.refresh_written, &median["refresh_written"]);
            same("a sign-in", engine.sign_in, &median["sign_in_ms"]);
        }
        same("a quiet feed", FEED_QUIET, &growth["feed"]["quiet_bytes_per_s"]);
        same("an entry of the feed", FEED_ENTRY, &growth["feed"]["lone_entry_bytes"]);
        same("memory of an entry", SERVICE_ENTRY, &revocation["million"]["bytes_per_entry"]);
        let followers = revocation["following"]["verifiers"].as_f64().unwrap();
        let issuer = revocation["following"]["idle"]["issuer_ms"].as_f64().unwrap();
        same("a follower", FOLLOWER, &(issuer * 1e3 / followers).into());
        let machine = &growth["runs"][0]["machine"];
        assert_eq!(MACHINE, format!("{}, {} cores", machine["cpu"].as_str().unwrap(), machine["cores"]));
    }
}
