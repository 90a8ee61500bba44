//! What came out, as data and as tables.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::SystemTime};

use anyhow::Result;
use bench_jose::{CLAIMS, OURS, PRIMITIVE};
use bench_jose_harness::{Listed, Material, Op};
use serde::Serialize;

use super::{
    markdown, page,
    rounds::{Times, median, ratios},
    targets::{ALLOCATIONS, TARGETS},
};

#[derive(Debug, Serialize)]
pub struct Report {
    pub date: String,
    pub cpu: String,
    pub rustc: String,
    pub commit: String,
    pub rounds: usize,
    pub claims_bytes: usize,
    pub rows: Vec<Row>,
    pub targets: Vec<Outcome>,
    /// Libraries that could not be built here, and why.
    pub missing: Vec<String>,
}

/// One library, one operation, one algorithm.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub library: String,
    pub op: Op,
    pub alg: String,
    pub nanoseconds: f64,
    /// Median of the ratios within a round to the primitive of that round.
    pub ratio: Option<f64>,
    pub instructions: Option<f64>,
    pub instruction_ratio: Option<f64>,
    pub allocations: Option<f64>,
    pub allocated_bytes: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    pub what: String,
    pub at_most: f64,
    pub measured: f64,
    pub reached: bool,
}

impl Report {
    pub fn new(
        material: &Material,
        times: &Times,
        allocations: &BTreeMap<Listed, (f64, f64)>,
        instructions: &Option<BTreeMap<Listed, f64>>,
        missing: Vec<String>,
    ) -> Self {
        let counted = |case: &Listed| instructions.as_ref()?.get(case).copied();
        let rows = times.iter().map(|(case, nanoseconds)| {
            let primitive = counted(&Listed { library: PRIMITIVE.into(), ..case.clone() });
            Row {
                library: case.library.clone(),
                op: case.op,
                alg: case.alg.clone(),
                nanoseconds: median(nanoseconds).unwrap_or_default(),
                ratio: median(&ratios(times, case)),
                instructions: counted(case),
                instruction_ratio: counted(case).zip(primitive).map(|(mine, primitive)| mine / primitive),
                allocations: allocations.get(case).map(|each| each.0),
                allocated_bytes: allocations.get(case).map(|each| each.1),
            }
        });
        let mut report = Self {
            date: date(),
            cpu: cpu(),
            rustc: answer("rustc", &["--version"]),
            commit: answer("git", &["describe", "--always", "--dirty", "--exclude=*"]),
            rounds: times.values().map(Vec::len).max().unwrap_or(0),
            claims_bytes: serde_json::to_vec(&material.claims).map_or(0, |json| json.len()),
            rows: rows.collect(),
            targets: Vec::new(),
            missing,
        };
        report.targets = report.outcomes();
        report
    }

    pub fn missed(&self) -> usize {
        self.targets.iter().filter(|target| !target.reached).count()
    }

    pub fn row(&self, library: &str, op: Op, alg: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.library == library && row.op == op && row.alg == alg)
    }

    /// Allocations of this library's verification that are not those of the claims type.
    pub fn allocations_beyond_claims(&self, alg: &str) -> Option<f64> {
        let all = self.row(OURS, Op::Verify, alg)?.allocations?;
        Some(all - self.row(CLAIMS, Op::Verify, "-")?.allocations?)
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let ratios = TARGETS.iter().filter_map(|target| {
            let measured = self.row(OURS, target.op, target.alg)?.ratio?;
            Some((
                format!("{} {}, CPU time against the primitive", verb(target.op), target.alg),
                target.at_most,
                measured,
            ))
        });
        let allocations =
            self.rows.iter().filter(|row| row.library == OURS && row.op == Op::Verify).filter_map(|row| {
                let measured = self.allocations_beyond_claims(&row.alg)?;
                Some((format!("verify {}, allocations beyond the claims type's", row.alg), ALLOCATIONS, measured))
            });
        ratios
            .chain(allocations)
            .map(|(what, at_most, measured)| Outcome { what, at_most, measured, reached: rounded(measured) <= at_most })
            .collect()
    }
}

/// To the hundredths that the targets are given in.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

pub fn verb(op: Op) -> &'static str {
    match op {
        Op::Verify => "verify",
        Op::Sign => "sign",
    }
}

/// Prints, and writes the files that are committed if the run was a whole one.
pub fn publish(report: &Report, whole: bool) -> Result<()> {
    let text = markdown::page(report);
    println!("{text}");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let json = serde_json::to_string_pretty(report)? + "\n";
    if whole {
        let root = here.join("../..");
        fs::create_dir_all(root.join("bench/results"))?;
        fs::write(root.join("bench/results/jose.json"), json)?;
        page::place(&root.join("docs/benchmarks.md"), "jose", &text)?;
        eprintln!("written: bench/results/jose.json, docs/benchmarks.md");
    } else {
        fs::write(here.join("target/jose-partial.json"), json)?;
        eprintln!("a quick or partial run: written to bench/jose/target/jose-partial.json only");
    }
    Ok(())
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn date() -> String {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    answer("date", &["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%d"])
}

fn answer(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output();
    out.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
