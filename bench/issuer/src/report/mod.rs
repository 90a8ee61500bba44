//! The results: as data, as tables, and against the targets.

mod markdown;
#[path = "../../../page.rs"]
mod page;
mod summary;
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

pub use summary::Summary;
pub use targets::Target;

use crate::hashing::RawRate;
use crate::machine::{Machine, Versions};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::servers::Start;

#[derive(Serialize)]
pub struct Report {
    pub date: String,
    pub plan: Plan,
    pub machine: Option<Machine>,
    pub versions: Option<Versions>,
    pub targets: Vec<Target>,
    pub summary: Vec<Summary>,
    pub start: BTreeMap<&'static str, Start>,
    pub memory: BTreeMap<&'static str, Memory>,
    pub login: Option<Login>,
    pub storm: Option<Storm>,
    pub rounds: Vec<Rounds>,
}

/// One scenario on one server, round by round.
#[derive(Serialize)]
pub struct Rounds {
    pub scenario: Scenario,
    pub server: &'static str,
    pub connections: usize,
    pub rounds: Vec<Round>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Round {
    pub requests_per_second: f64,
    pub refused_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// User and system time of the server's process per answer.
    pub cpu_us: f64,
    /// Shares of their cores; a generator near 1 was the bottleneck.
    pub server_busy: f64,
    pub generator_busy: f64,
}

/// Resident memory of a server: before any load, after the compared scenarios, and its peak until then.
#[derive(Serialize)]
pub struct Memory {
    pub idle_kb: u64,
    pub now_kb: u64,
    pub peak_kb: u64,
}

#[derive(Serialize)]
pub struct Login {
    pub rounds: Vec<LoginRound>,
    /// Resident memory afterwards, hashing memory included.
    pub rss_kb: u64,
}

#[derive(Serialize)]
pub struct LoginRound {
    pub raw: RawRate,
    pub login: Round,
}

#[derive(Serialize)]
pub struct Storm {
    pub calm: Vec<Probe>,
    pub storms: Vec<Vec<Probe>>,
}

/// One route during a storm; the log-ins themselves are a row too.
#[derive(Serialize)]
pub struct Probe {
    pub scenario: Scenario,
    pub requests_per_second: f64,
    pub refused_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub generator_busy: f64,
}

impl Report {
    pub fn new(plan: Plan, date: String) -> Self {
        Self {
            date,
            plan,
            machine: None,
            versions: None,
            targets: Vec::new(),
            summary: Vec::new(),
            start: BTreeMap::new(),
            memory: BTreeMap::new(),
            login: None,
            storm: None,
            rounds: Vec::new(),
        }
    }
}

impl Rounds {
    pub fn add(all: &mut Vec<Self>, (scenario, server, connections): (Scenario, &'static str, usize), round: Round) {
        let same = |r: &&mut Self| (r.scenario, r.server, r.connections) == (scenario, server, connections);
        match all.iter_mut().find(same) {
            Some(found) => found.rounds.push(round),
            None => all.push(Self { scenario, server, connections, rounds: vec![round] }),
        }
    }
}

/// Summarises, prints, and writes the files; the number of missed targets.
pub fn publish(mut report: Report) -> Result<usize> {
    report.summary = summary::of(&report.rounds);
    report.targets = targets::of(&report);
    let text = markdown::page(&report);
    println!("{text}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let json = serde_json::to_string_pretty(&report)? + "\n";
    if report.plan.partial() || report.login.is_none() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        fs::write(folder.join("issuer-quick.json"), json)?;
        eprintln!("a quick or partial run: written to bench/issuer/target/issuer-quick.json only");
    } else {
        fs::create_dir_all(root.join("bench/results"))?;
        fs::write(root.join("bench/results/issuer.json"), json)?;
        page::place(&root.join("docs/benchmarks.md"), "issuer", &text)?;
        eprintln!("written: bench/results/issuer.json, docs/benchmarks.md");
    }
    Ok(report.targets.iter().filter(|target| !target.reached).count())
}
