//! What following the feed costs.

use super::{table::table as make, targets::number};
use crate::cost::{Following, Load};

pub fn table(following: &Following) -> String {
    let row = |what: String, load: &Load| {
        vec![what, number(load.lines), number(load.line_us), number(load.verifier_ms), number(load.issuer_ms)]
    };
    let busy = format!("{} revocations/s", number(following.revocations_per_second));
    let rows = [row("nothing happens".to_owned(), &following.idle), row(busy, &following.busy)];
    let columns =
        ["", "lines/s", "CPU per line, µs", "CPU of a verifier, ms/s", "CPU of the issuer for all of them, ms/s"];
    let title = format!("What it costs to follow the feed, {} verifiers", number(following.verifiers as f64));
    let line_ms = following.busy.line_us / 1e3;
    make(&title, &columns, rows)
        + &format!(
            "A process of 50 verifiers has {} MiB resident for each. 1,000 verifiers need {} ms of CPU time for one line, so on these cores \
             the last of them cannot know of a revocation before {} ms have passed: a limit of the machine that they share here, and that as many \
             services on machines of their own do not have.\n\n",
            number(following.mib_per_verifier),
            number(line_ms * 1_000.0),
            number(line_ms * 1_000.0 / 2.0),
        )
}
