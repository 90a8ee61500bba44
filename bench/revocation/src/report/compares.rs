//! Beside what people use today.

use super::{table::table as make, targets::number};
use crate::compare::Compared;

pub fn table(all: &[Compared]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let rows = all.iter().map(|one| {
        let spread = |spread: crate::stats::Spread| [spread.p50, spread.p99, spread.max].map(number).join(" / ");
        vec![
            one.method.to_owned(),
            spread(one.check),
            number(one.service_cpu_us),
            number(one.server_cpu_us),
            spread(one.delay),
        ]
    });
    let columns = [
        "",
        "added to each request, µs",
        "CPU in the service, µs",
        "CPU in what it asks, µs",
        "revocation answered → a check says no, ms",
    ];
    make("Beside what people use today; p50 / p99 / max", &columns, rows)
        + "One caller, keep-alive connections, loopback: a network adds its round trip to each of the first three, at each request, and nothing to the last. \
           The first three know of a revocation with the next question, and cannot answer any while what they ask is away; the \
           last is told, so that it knows some milliseconds later, and judges from memory. The deny list and the version come on top of checking the \
           token itself; introspection replaces that, and the last row contains it. Redis runs without persistence, as such lists do.\n\n"
}
