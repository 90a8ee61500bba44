//! What the log costs a check.

use std::fmt::Write;

use super::{
    table::table as make,
    targets::{Target, number},
};
use crate::check::{Look, Million};

pub fn targets(million: &Million) -> Vec<Target> {
    let check = &million.check;
    let entries = number(check.entries as f64);
    let mut targets: Vec<Target> = check
        .looks
        .iter()
        .map(|look| {
            let what =
                format!("revocation part of a check, {entries} entries, {} live tokens", number(look.tokens as f64));
            Target::below(what, 150.0, look.part_ns, "ns")
        })
        .collect();
    targets.push(Target {
        what: format!("memory of a verifier with {entries} entries, everything in it"),
        wanted: "≤ 80 bytes per entry".to_owned(),
        measured: format!("{} bytes per entry", number(million.bytes_per_entry)),
        reached: million.bytes_per_entry <= 80.0,
    });
    targets.extend(check.looks.last().into_iter().flat_map(|look| {
        let times = check.jsonwebtoken_us * 1e3 / look.cached_ns;
        [
            Target {
                what: format!("a remembered token, {} of them live", number(look.tokens as f64)),
                wanted: "≤ 1 µs".to_owned(),
                measured: format!("{} µs", number(look.cached_ns / 1e3)),
                reached: look.cached_ns <= 1_000.0,
            },
            Target::at_least("… times as fast as jsonwebtoken's ES256", 50.0, times, "×"),
        ]
    }));
    targets
}

pub fn table(million: &Million) -> String {
    let check = &million.check;
    let of = |value: fn(&Look) -> f64| check.looks.iter().map(move |look| number(value(look)));
    let row = |what: &str, cells: Vec<String>| {
        let mut row = vec![what.to_owned()];
        row.extend(cells);
        row
    };
    let same = |us: f64| check.looks.iter().map(|_| number(us * 1e3)).collect();
    let rows = [
        row("a remembered token, with the log", of(|look| look.cached_ns).collect()),
        row("a remembered token, `without_revocation()`", of(|look| look.without_ns).collect()),
        row("the revocation part: median of the differences", of(|look| look.part_ns).collect()),
        row("a token that is seen for the first time (ES256)", same(check.first_us)),
        row("jsonwebtoken 11 (aws-lc-rs), ES256", same(check.jsonwebtoken_us)),
    ];
    let live: Vec<String> =
        check.looks.iter().map(|look| format!("{} live tokens", number(look.tokens as f64))).collect();
    let columns: Vec<&str> = std::iter::once("").chain(live.iter().map(String::as_str)).collect();
    let entries = number(check.entries as f64);
    let mut out = make(&format!("One check: ns of CPU time, {entries} entries"), &columns, rows);
    let _ = write!(
        out,
        "Tokens come in no order. A thousand of them stay in the processor's caches, with what the log says of them; of a hundred thousand every \
         look comes from memory. A verifier that starts has fetched, verified and taken in the {entries} entries after {} ms and holds {} bytes for each \
         (at most {} while it does so). The issuer with this log answers `/readyz` {} ms after its start and has {} MiB resident.\n\n",
        number(check.ready_ms),
        number(million.bytes_per_entry),
        number(million.peak_bytes_per_entry),
        number(million.issuer_start_ms),
        number(million.issuer_mib),
    );
    out
}
