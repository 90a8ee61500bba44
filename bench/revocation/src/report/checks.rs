//! What the log costs a check.

use super::{
    table::table as make,
    targets::{Target, number},
};
use crate::check::Million;

pub fn targets(million: &Million) -> Vec<Target> {
    let check = &million.check;
    let entries = number(check.entries as f64);
    let tokens = number(check.tokens as f64);
    vec![
        Target::below(format!("revocation part of a check, {entries} entries, CPU"), 150.0, check.part_ns, "ns"),
        Target {
            what: format!("memory of a verifier with {entries} entries, everything in it"),
            wanted: "≤ 80 bytes per entry".to_owned(),
            measured: format!("{} bytes per entry", number(million.bytes_per_entry)),
            reached: million.bytes_per_entry <= 80.0,
        },
        Target {
            what: format!("a remembered token, {tokens} of them live, CPU"),
            wanted: "≤ 1 µs".to_owned(),
            measured: format!("{} µs", number(check.cached_ns / 1e3)),
            reached: check.cached_ns <= 1_000.0,
        },
        Target::at_least(
            "… as a multiple of the speed of jsonwebtoken's ES256",
            50.0,
            check.jsonwebtoken_us * 1e3 / check.cached_ns,
            "×",
        ),
    ]
}

pub fn table(million: &Million) -> String {
    let check = &million.check;
    let us = |nanoseconds: f64| number(nanoseconds / 1e3);
    let rows = [
        ("a remembered token, with the log", us(check.cached_ns)),
        ("a remembered token, `without_revocation()`", us(check.without_ns)),
        ("the revocation part: median of the differences", us(check.part_ns)),
        ("a token that is seen for the first time (ES256)", number(check.first_us)),
        ("jsonwebtoken 11 (aws-lc-rs), ES256", number(check.jsonwebtoken_us)),
    ];
    let title = format!(
        "One check: µs of CPU time, {} entries, {} live tokens in no order",
        number(check.entries as f64),
        number(check.tokens as f64)
    );
    let mut out = make(&title, &["", "µs"], rows.map(|(what, value)| vec![what.to_owned(), value]));
    out.push_str(&format!(
        "A verifier that starts has fetched, verified and taken in the {} entries after {} ms and holds {} bytes for each (at most \
         {} while it does so). The issuer with this log is ready {} ms after its start and has {} MiB resident.\n\n",
        number(check.entries as f64),
        number(check.ready_ms),
        number(million.bytes_per_entry),
        number(million.peak_bytes_per_entry),
        number(million.issuer_start_ms),
        number(million.issuer_mib),
    ));
    out
}
