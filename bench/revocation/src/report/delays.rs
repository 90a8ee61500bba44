//! From the commit to the refusal.

use super::{
    table::table as make,
    targets::{Target, number},
};
use crate::delay::Delay;

pub fn targets(delays: &[Delay]) -> Vec<Target> {
    let target = |delay: &Delay| {
        let limit = match (delay.way, delay.verifiers) {
            (crate::run::SAME, 1_000..) => 1_000.0,
            (crate::run::SAME, _) => 100.0,
            _ => 250.0,
        };
        let verifiers = if delay.verifiers == 1 { "1 verifier".to_owned() } else { thousands(delay) + " verifiers" };
        let what = format!("commit → refused, p99: {verifiers}, {}, {}", delay.way, delay.database);
        Target::below(what, limit, delay.from_request.p99, "ms")
    };
    delays.iter().map(target).collect()
}

pub fn table(delays: &[Delay]) -> String {
    if delays.is_empty() {
        return String::new();
    }
    let rows = delays.iter().map(|delay| {
        let spread = |spread: crate::stats::Spread| [spread.p50, spread.p99, spread.max].map(number).join(" / ");
        vec![
            thousands(delay),
            delay.way.to_owned(),
            delay.database.to_owned(),
            format!("{} × {}", delay.rounds, thousands(delay)),
            spread(delay.from_request),
            spread(delay.from_answer),
            spread(delay.everywhere),
            number(delay.answer.p50),
        ]
    });
    let columns = [
        "verifiers",
        "through",
        "database",
        "refusals",
        "from the request",
        "from the answer",
        "answer → refused by all",
        "answer took",
    ];
    make("From the commit to the first refusal: ms, p50 / p99 / max", &columns, rows)
        + "The commit lies between the request and its answer, so that the first of these times is never too short, and the second, \
           which may be negative, never too long. The targets are held against the first. Somebody signs in, every verifier accepts the \
           token, the person is signed out everywhere at any point of the feed's round of 200 ms, and each verifier is asked for as long \
           as it accepts. 1,000 verifiers are 20 processes of 50; nothing is shared, each verifies every line itself.\n\n"
}

fn thousands(delay: &Delay) -> String {
    number(delay.verifiers as f64)
}
