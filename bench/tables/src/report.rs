//! The results, as data and as a part of the book's page.

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::Result;
use serde::Serialize;

#[derive(Serialize)]
pub struct Report {
    date: String,
    cpu: String,
    rustc: String,
    /// Signatures compared with the primitive, for each scheme: half of them hold, half were changed.
    cases: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
pub struct Row {
    pub scheme: String,
    pub primitive_us: f64,
    pub table_us: f64,
    pub table_bytes: usize,
    pub build_us: f64,
    /// Good signatures that the table did not recognise.
    pub left_to_primitive: u64,
}

impl Report {
    pub fn new(cases: u64, rows: Vec<Row>) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
        Self {
            date: said_by("date", &["+%F"]),
            cpu: cpu.unwrap_or_default().into(),
            rustc: said_by("rustc", &["-V"]),
            cases,
            rows,
        }
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        Ok(fs::write(file, format!("{}\n", serde_json::to_string_pretty(self)?))?)
    }

    pub fn page(&self) -> String {
        let mut out = format!(
            "## A table per public key\n\n{}: {}, {}. A service sees the same few keys again and again, so a part of each \
             verification could be computed once per key. Microseconds of CPU time for one signature over 560 bytes, medians of \
             120 interleaved rounds; {} signatures of each kind, half of them with one bit changed, were judged by both, and none \
             that AWS-LC refuses was accepted.\n\n\
             |  | AWS-LC | with a table | gain | memory per key | to build it | good ones not recognised |\n\
             |---|---|---|---|---|---|---|\n",
            self.date, self.cpu, self.rustc, self.cases
        );
        for row in &self.rows {
            let _ = writeln!(
                out,
                "| {} | {:.1} | {:.1} | {:.2}× | {} KiB | {:.1} ms | {} |",
                row.scheme,
                row.primitive_us,
                row.table_us,
                row.primitive_us / row.table_us,
                row.table_bytes / 1024,
                row.build_us / 1e3,
                row.left_to_primitive
            );
        }
        out += "\nThis is an experiment of `bench/tables`, not a part of the product. A token that was verified before costs about a \
                microsecond in the verifier's cache, so the gain is that of a token's first use; for it, a second implementation of \
                each curve would decide what is accepted, beside the one that is audited.\n";
        out
    }
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).output();
    out.ok().and_then(|out| String::from_utf8(out.stdout).ok()).unwrap_or_default().trim().to_owned()
}
