//! What the server says of itself, or the store if none runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use countersign_server::config::Config;
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{Duration, timeout},
};

use super::{Finding, finding};
use crate::output::text;

pub fn of_status(running: bool, status: &Value) -> Vec<Finding> {
    let server = if running { "running" } else { "not running; its store was opened instead" };
    let keys = status["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let active = keys.iter().filter(|key| key["state"] == "active").count();
    let skew = status["clock_skew_ms"].as_i64().unwrap_or(0);
    vec![
        finding("server", true, format!("{server}, version {}", text(status, "version"))),
        of_database(status),
        finding("signing keys", active > 0, format!("{active} active of {}", keys.len())),
        finding(
            "clock",
            skew.abs() <= 250,
            format!("{skew} ms from the database's{}", if skew.abs() <= 250 { "" } else { "; keep both by NTP" }),
        ),
        finding("users", true, of_count(status)),
        of_log(&status["feed"], running),
        of_guard(&status["guard"]),
        of_mail(&status["mail"], text(status, "issuer").starts_with("https:")),
    ]
}

/// How many users there are; the server counts no further than it says.
fn of_count(status: &Value) -> String {
    let more = if status["users_more"] == true { "more than " } else { "" };
    format!("{more}{}", text(status, "users"))
}

/// What guards the keys, and whether it does.
fn of_guard(guard: &Value) -> Finding {
    let stores = guard["stores"].as_array().map(Vec::as_slice).unwrap_or_default();
    let used = stores.iter().find(|store| store["store"] == guard["place"]);
    let place = used.map_or_else(|| "file".to_owned(), |store| text(store, "place"));
    let others = stores.iter().filter(|store| store["store"] != guard["place"] && store["wrapped_at"].is_string());
    let others: String =
        others.map(|store| format!("; so does {}: countersign key move --finish", text(store, "place"))).collect();
    let signs = if guard["sign"] == "there" { ", signs tokens" } else { "" };
    match guard["problem"].as_str() {
        None => finding("key store", true, format!("{place} opens the keys{signs}{others}")),
        Some(problem) => {
            finding("key store", false, format!("{problem}; docs/keys.md says what to do, and what works meanwhile"))
        }
    }
}

/// Mails that wait for longer than this are not on their way.
const SLOW_MAIL: u64 = 10 * 60;
/// How long a dead letter is news, seconds.
const DEAD_LETTERS: u64 = 24 * 3600;

fn of_mail(mail: &Value, deployed: bool) -> Finding {
    let (to, number) = (text(mail, "to"), |name: &str| mail[name].as_u64());
    let counts = format!("{} waiting, {} given up", text(mail, "waiting"), text(mail, "dead"));
    let problem = mail["problem"].as_str().map(|problem| format!("; {problem}")).unwrap_or_default();
    let late = number("waiting_for_s").is_some_and(|waited| waited > SLOW_MAIL);
    let dead = number("died_before_s").is_some_and(|before| before < DEAD_LETTERS);
    if mail["way"] == "server" {
        return finding("mail", !late && !dead, format!("by {to}, {counts}{problem}"));
    }
    let advice = if deployed { ": nobody gets them; set mail.smtp" } else { "" };
    finding("mail", !deployed && !late && !dead, format!("written into {to}{advice}; {counts}{problem}"))
}

fn of_database(status: &Value) -> Finding {
    let what =
        format!("{} {}, schema {}", text(status, "database"), text(status, "database_version"), text(status, "schema"));
    match status["database_problem"].as_str() {
        None => finding("database", true, what),
        Some(problem) => finding("database", false, format!("{what}: {problem}")),
    }
}

/// Entries at which services should be asked how many they hold: they drop the oldest beyond two million.
const MANY_ENTRIES: u64 = 500_000;
/// Milliseconds after which the feed stands still.
const OLD_LINE: i64 = 5_000;

/// The revocation log, and whether those who follow it hear of it.
fn of_log(feed: &Value, running: bool) -> Finding {
    let entries = feed["entries"].as_u64().unwrap_or(0);
    let lag = feed["lag_ms"].as_i64();
    if running && lag.is_none_or(|lag| lag > OLD_LINE) {
        let age =
            lag.map_or_else(|| "it has told nothing yet".to_owned(), |lag| format!("its newest line is {lag} ms old"));
        return finding(
            "revocation log",
            false,
            format!("the feed stands still: {age}; the server's log says what it waits for"),
        );
    }
    if entries > MANY_ENTRIES {
        let advice = "many: shorter access tokens (access_token_ttl_cap), or max_entries of the services";
        return finding("revocation log", false, format!("{entries} entries, {advice}"));
    }
    // Without a server nobody has read it.
    let shown = if running {
        format!("{entries} entries, {} readers", text(feed, "readers"))
    } else {
        "not followed".to_owned()
    };
    finding("revocation log", true, shown)
}

/// How long a connection to this machine may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the running server is where the configuration says that it listens.
pub async fn listens(config: &Config) -> Finding {
    let port = config.listen.port();
    let here = match config.listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        IpAddr::V6(address) if address.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
        _ => config.listen,
    };
    match timeout(PATIENCE, TcpStream::connect(here)).await {
        Ok(Ok(_)) => finding("listener", true, config.listen.to_string()),
        _ => {
            let advice = "a changed `listen` waits for a restart; or every connection is taken (limits.connections)";
            finding("listener", false, format!("the server runs, and nobody answers at {here}: {advice}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_feed_that_stands_still_and_a_log_that_grows_are_wrong() {
        let log =
            |entries: u64, lag: Option<i64>| of_log(&json!({ "entries": entries, "lag_ms": lag, "readers": 1 }), true);
        assert!(log(3, Some(40)).well);
        assert!(!log(3, Some(60_000)).well && !log(3, None).well);
        let many = log(900_000, Some(40));
        assert!(!many.well && many.detail.contains("access_token_ttl_cap"));
    }
}
