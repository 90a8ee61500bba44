//! Faults: each row of the fault matrix breaks something under the real program while honest clients use it, and a checker
//! reads what they saw (`checker.rs`). One row: `cargo xtask chaos ROW [--seed N] [--iterations N]`.
#![cfg(test)]
#![cfg(feature = "failpoints")]

mod checker;
#[allow(dead_code, reason = "the tests of several servers use the rest")]
#[path = "../cluster/daemon.rs"]
mod daemon;
mod dice;
mod history;
#[allow(dead_code, reason = "other test programs use the rest")]
#[path = "../../../server/tests/http/mail/server.rs"]
mod mail_server;
mod patroni;
#[allow(dead_code, reason = "other test programs use the rest")]
#[path = "../cli/peers.rs"]
mod peers;
mod people;
#[allow(dead_code, reason = "the tests of the server use the rest")]
#[path = "../../../server/tests/support/postgres.rs"]
mod postgres;
mod power;
mod proxy;
mod round;
mod rows;
mod site;
mod wire;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
};

use countersign_server::clock::Stopwatch;

use crate::round::{Queue, Round, Row, said};

/// Rows that are played at the same time when all are: most of them wait most of the time.
const TOGETHER: usize = 4;

/// The fault matrix.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "failover", breaks: "the primary of a PostgreSQL with a synchronous standby is killed, or its whole machine", short: 3, long: 20, play: rows::failover::killed },
    Row { name: "kill", breaks: "the process is killed at failpoints, at the n-th write or sync, anywhere", short: 8, long: 200, play: rows::kill::play },
    Row { name: "power", breaks: "the power fails: what was written and not synced is lost, sector by sector", short: 3, long: 100, play: rows::power::failure },
    Row { name: "disk-errors", breaks: "writes and syncs fail: EIO, ENOSPC, EDQUOT, once or from then on", short: 5, long: 100, play: rows::disk::errors },
    Row { name: "disk-full", breaks: "a small disk is filled and emptied again", short: 3, long: 60, play: rows::disk::full },
    Row { name: "database", breaks: "PostgreSQL is down, frozen, slow, or takes connections and says nothing", short: 4, long: 60, play: rows::database::trouble },
    Row { name: "commit-unknown", breaks: "COMMIT is done, its answer is lost", short: 3, long: 60, play: rows::database::unknown },
    Row { name: "partition", breaks: "one of two replicas is cut off from the database", short: 3, long: 60, play: rows::database::partition },
    Row { name: "rotation", breaks: "the process is killed in the middle of a key rotation", short: 3, long: 60, play: rows::rotation::killed },
    Row { name: "jwks", breaks: "the key set is away, hangs, is slow, empty, garbage or endless, and keys are rotated meanwhile", short: 3, long: 40, play: rows::jwks::ill },
    Row { name: "feed", breaks: "the feed of a verifier is cut or hangs while a session ends", short: 2, long: 40, play: rows::feed::cut },
    Row { name: "mail", breaks: "the mail server stalls, hangs up or refuses at any stage", short: 2, long: 30, play: rows::mail::stalls },
    Row { name: "clock", breaks: "the clock jumps by a second, a day back, ten years ahead and back again", short: 6, long: 60, play: rows::time::jumps },
    Row { name: "upgrade", breaks: "the first start, which makes the schema, is killed at any system call that writes", short: 6, long: 200, play: rows::life::upgrade },
    Row { name: "corrupt", breaks: "bytes of the database are flipped, pages and its end are lost", short: 12, long: 300, play: rows::start::corrupt },
    Row { name: "kek", breaks: "the key-encryption key is lost, another, half, one bit off", short: 4, long: 40, play: rows::start::kek },
    Row { name: "two-servers", breaks: "a second server is started on the same folder", short: 4, long: 50, play: rows::start::two_servers },
    Row { name: "rollback", breaks: "the database's file is put back from a copy", short: 2, long: 50, play: rows::life::rollback },
    Row { name: "backup", breaks: "the database is lost, and a backup put back that was made under load", short: 2, long: 40, play: rows::backup::drill },
    Row { name: "stop", breaks: "SIGTERM under load", short: 5, long: 100, play: rows::life::stop },
    Row { name: "log-full", breaks: "every line of the log fails: no space left", short: 1, long: 10, play: rows::resources::log },
    Row { name: "random", breaks: "the random source fails from the n-th call on", short: 4, long: 60, play: rows::resources::random },
    Row { name: "panic", breaks: "handlers panic, before, in and after a transaction", short: 3, long: 60, play: rows::panic::poisoned },
    Row { name: "descriptors", breaks: "no file descriptor is left", short: 1, long: 20, play: rows::resources::descriptors },
    Row { name: "memory", breaks: "no memory is left for more", short: 2, long: 40, play: rows::resources::memory },
    Row { name: "processor", breaks: "busy loops take the processor", short: 1, long: 10, play: rows::resources::processor },
];

/// On demand alone; its iterations are minutes.
const SOAK: Row = Row {
    name: "soak",
    breaks: "a fault every five seconds amid a storm of refreshes, for as many minutes as there are iterations",
    short: 1,
    long: 60,
    play: rows::soak::play,
};

/// Every row in its short form; or the row that `cargo xtask chaos` names, as long as it says.
#[test]
fn rows_of_the_fault_matrix() {
    let wanted = std::env::var("COUNTERSIGN_TEST_CHAOS_ROW").ok().filter(|name| name != "all");
    let mut rows: Vec<&Row> = ROWS.iter().filter(|row| wanted.as_ref().is_none_or(|name| name == row.name)).collect();
    rows.extend(Some(&SOAK).filter(|row| wanted.as_deref() == Some(row.name)));
    let names: Vec<_> = ROWS.iter().map(|row| format!("{:<18} {}", row.name, row.breaks)).collect();
    assert!(!rows.is_empty(), "no such row; there are:\n{}", names.join("\n"));
    let (queue, failed) = (Queue::new(rows), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(row) = queue.next() {
                    let report = run(row);
                    failed.lock().unwrap().extend(report);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "violations:\n{}", failed.join("\n"));
}

/// Plays a row; its report if it failed.
fn run(row: &Row) -> Option<String> {
    let seed = number("COUNTERSIGN_TEST_CHAOS_SEED").unwrap_or(1);
    let long = std::env::var("COUNTERSIGN_TEST_CHAOS_LONG").is_ok_and(|value| value == "1");
    let iterations = number("COUNTERSIGN_TEST_CHAOS_ITERATIONS").and_then(|number| usize::try_from(number).ok());
    let mut round = Round::new(seed, iterations.unwrap_or(if long { row.long } else { row.short }));
    let begun = Stopwatch::start();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (row.play)(&mut round))) {
        round.expect(false, format!("the row broke: {}", said(&*panic)));
    }
    let report = round.report(row.name, begun.elapsed());
    println!("{report}");
    (round.violations() > 0).then_some(report)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
