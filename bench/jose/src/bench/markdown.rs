//! The part of the book's page that belongs to this bench.

use std::fmt::Write;

use bench_jose::{CLAIMS, FLOOR, OURS, PRIMITIVE};
use bench_jose_harness::Op;

use super::{
    make::ALGORITHMS,
    report::{Report, Row, verb},
};

pub fn page(report: &Report) -> String {
    let mut out = format!(
        "## The JOSE library\n\n{}: {}, {}, commit {}. An access token of {} bytes of JSON, into and out of an owned struct, \
         with `iss`, `aud`, `exp` and `nbf` checked; RSA with 2048 bits. Medians of {} interleaved rounds of CPU time; the \
         primitive alone is aws-lc-rs with a kept, parsed key over the same bytes.\n\n",
        report.date, report.cpu, report.rustc, report.commit, report.claims_bytes, report.rounds
    );
    for missing in &report.missing {
        let _ = writeln!(out, "Not measured here: {missing}.\n");
    }
    let targets = report.targets.iter().map(|target| {
        let reached = if target.reached { "yes" } else { "**no**" };
        vec![target.what.clone(), format!("{}", target.at_most), format!("{:.2}", target.measured), reached.to_owned()]
    });
    out += &table("Targets", &["what", "at most", "measured", "reached"], targets);
    for op in [Op::Verify, Op::Sign] {
        let title = format!("To {}: CPU time as a multiple of the primitive's", verb(op));
        out += &by_algorithm(report, op, &title, |row| row.ratio.map(|ratio| format!("{ratio:.2}")));
    }
    for op in [Op::Verify, Op::Sign] {
        let title = format!("To {}: microseconds of CPU time", verb(op));
        out += &by_algorithm(report, op, &title, |row| Some(format!("{:.2}", row.nanoseconds / 1000.0)));
    }
    for op in [Op::Verify, Op::Sign] {
        let title = format!("To {}: thousands of instructions (callgrind)", verb(op));
        out += &by_algorithm(report, op, &title, |row| row.instructions.map(|count| format!("{:.1}", count / 1000.0)));
    }
    for op in [Op::Verify, Op::Sign] {
        let title = format!("To {}: allocations (those inside C code are not counted)", verb(op));
        out += &by_algorithm(report, op, &title, |row| row.allocations.map(|count| format!("{count:.0}")));
    }
    if let Some(own) = report.row(CLAIMS, Op::Verify, "-").and_then(|row| row.allocations) {
        let _ = writeln!(out, "Of these, {own:.0} are the claims type's own: one for each text that it keeps.\n");
    }
    out
}

/// A row per library, a column per algorithm; nothing at all if no cell has a value.
fn by_algorithm(report: &Report, op: Op, title: &str, cell: impl Fn(&Row) -> Option<String>) -> String {
    let mut libraries: Vec<&str> = report.rows.iter().map(|row| row.library.as_str()).collect();
    libraries.sort_by_key(|library| (place_of(library), *library));
    libraries.dedup();
    let rows = libraries.into_iter().filter(|library| *library != CLAIMS).map(|library| {
        let cells = ALGORITHMS.iter().map(|alg| report.row(library, op, alg).and_then(&cell).unwrap_or("–".into()));
        std::iter::once(library.to_owned()).chain(cells).collect::<Vec<_>>()
    });
    let rows: Vec<_> = rows.filter(|row| row[1..].iter().any(|cell| cell != "–")).collect();
    let columns: Vec<&str> = std::iter::once("").chain(ALGORITHMS).collect();
    if rows.is_empty() { String::new() } else { table(title, &columns, rows) }
}

fn place_of(library: &str) -> usize {
    [OURS, PRIMITIVE, FLOOR].iter().position(|known| *known == library).unwrap_or(3)
}

fn table(title: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut out = format!("### {title}\n\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_bench_s_part_of_the_page_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page.md");
        fs::write(&path, "# Benchmarks\n\nBefore.\n").expect("written");
        place(&path, "one\n").expect("placed");
        fs::write(&path, fs::read_to_string(&path).expect("there") + "\n## Another bench\n").expect("written");
        place(&path, "two\n").expect("placed");
        let page = fs::read_to_string(&path).expect("there");
        assert_eq!(page, format!("# Benchmarks\n\nBefore.\n\n{BEGIN}\ntwo\n{END}\n## Another bench\n"));
    }
}
