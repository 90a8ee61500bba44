//! Verifiers that were cut off.

use super::{
    table::table as make,
    targets::{Target, number},
};
use crate::cut::Cut;

pub fn targets(cut: &Cut) -> Vec<Target> {
    let late: usize = cut.ways.iter().map(|way| way.late).sum();
    let odd: u64 = cut.ways.iter().map(|way| way.odd).sum();
    let trials: usize = cut.ways.iter().map(|way| way.trials).sum();
    let ready = cut.ways.iter().map(|way| way.ready.max).fold(0.0, f64::max);
    vec![
        Target {
            what: format!("cut off: accepted after the lease, {} trials of real processes", number(trials as f64)),
            wanted: "0".to_owned(),
            measured: late.to_string(),
            reached: late == 0 && odd == 0,
        },
        Target::below("ready again after the feed's return, the slowest", 1_000.0, ready, "ms"),
    ]
}

pub fn table(cut: &Cut) -> String {
    let rows = cut.ways.iter().map(|way| {
        let spread = |spread: crate::stats::Spread| [spread.p50, spread.p99, spread.max].map(number).join(" / ");
        vec![
            way.what.to_owned(),
            number(way.trials as f64),
            number(way.tries as f64),
            way.late.to_string(),
            way.odd.to_string(),
            spread(way.unable),
            spread(way.ready),
        ]
    });
    let columns = [
        "",
        "trials",
        "checks",
        "accepted after the lease",
        "revived or odd",
        "cut → “cannot tell” (503), ms",
        "return → can tell, ms",
    ];
    let title = format!("Cut off, profile `strict`, {} verifiers; p50 / p99 / max", cut.verifiers);
    make(&title, &columns, rows)
        + "Each verifier checks one token every millisecond or so. The lease ends one second after the answer to the revocation; where the issuer \
           stands still, one second after that. The 10⁵ trials under simulated time, with proxies that delay and replay, are \
           part of `cargo xtask test --full`.\n\n"
}
