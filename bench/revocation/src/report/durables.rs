//! How many ends a second are durable.

use super::{
    table::table as make,
    targets::{Target, number},
};
use crate::durable::Durable;

/// How much more a user-wide end may take with 10,000 sessions than with one: what a clock sees in that many tries.
const SAME: f64 = 1.25;

pub fn targets(durable: &Durable) -> Vec<Target> {
    let database = durable.database;
    let mut targets = vec![
        Target::at_least(format!("bulk call, access tokens, {database}"), 10_000.0, durable.bulk_tokens, "entries/s"),
        Target::at_least(format!("bulk call, sessions, {database}"), 10_000.0, durable.bulk_sessions, "entries/s"),
    ];
    targets.extend(durable.singles.iter().map(|single| {
        let callers = if single.callers == 1 { "1 caller".to_owned() } else { format!("{} callers", single.callers) };
        let what = format!("one by one, share of a bare transaction's rate, {callers}, {database}");
        Target::at_least(what, 0.5, single.ratio, "×")
    }));
    if let (Some(few), Some(many)) = (durable.everywhere.first(), durable.everywhere.last()) {
        let (few, many, sessions) = (few.answer.p50, many.answer.p50, number(many.sessions as f64));
        targets.push(Target {
            what: format!("user-wide end with {sessions} sessions, in terms of one with 1, {database}"),
            wanted: format!("≤ {SAME} ×"),
            measured: format!("{} ×", number(many / few)),
            reached: many / few <= SAME,
        });
    }
    targets
}

pub fn table(all: &[Durable]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let rate = |value: f64| format!("{}/s", number(value));
    let rows = all.iter().flat_map(|durable| {
        let row = |what: String, ours: String, bare: String| vec![durable.database.to_owned(), what, ours, bare];
        let singles = durable.singles.iter().map(move |single| {
            let what = format!("one sign-out per call, {} at a time", single.callers);
            row(what, rate(single.per_second), rate(single.bare_per_second))
        });
        let everywhere = durable.everywhere.iter().map(move |everywhere| {
            let spread = [everywhere.answer.p50, everywhere.answer.p99].map(number).join(" / ");
            let sessions = number(everywhere.sessions as f64);
            let what = format!("a user-wide end, sessions of the user: {sessions}; p50 / p99 of the answer");
            row(what, format!("{spread} ms"), "–".to_owned())
        });
        let bulk = [("access tokens", durable.bulk_tokens), ("sessions", durable.bulk_sessions)];
        let bulk = bulk.map(|(what, value)| row(format!("10,000 {what} per call"), rate(value), "–".to_owned()));
        bulk.into_iter().chain(singles).chain(everywhere)
    });
    make(
        "Durable ends",
        &["database", "", "Countersign", "a bare transaction of two statements"],
        rows.collect::<Vec<_>>(),
    ) + "Countersign is asked over HTTP on a Unix socket; each end also writes its security event and the state that it ends. The bare transaction \
           advances one hot row and adds one row, from this program, on the same PostgreSQL with as many connections, or on SQLite from one thread.\n\n"
}
