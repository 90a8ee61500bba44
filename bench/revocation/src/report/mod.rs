//! The results: as data, as tables, and against the targets.

mod checks;
mod compares;
mod cuts;
mod delays;
mod durables;
mod follows;
mod table;
mod targets;

use std::{fs, path::Path};

use anyhow::Result;
use serde::Serialize;

pub use targets::Target;

use crate::{
    check::Million, compare::Compared, cost::Following, cut::Cut, delay::Delay, durable::Durable, machine::Machine,
};

/// Everything that one run measured. What was not asked for is not there.
#[derive(Default, Serialize)]
pub struct Report {
    pub date: String,
    pub machine: Option<Machine>,
    pub targets: Vec<Target>,
    pub delays: Vec<Delay>,
    pub following: Option<Following>,
    pub million: Option<Million>,
    pub durable: Vec<Durable>,
    pub cut: Option<Cut>,
    pub compared: Vec<Compared>,
}

impl Report {
    fn page(&self) -> String {
        let mut out = String::from("## Revocation\n\n");
        out.push_str(&self.setting());
        out.push_str(&targets::table(&self.targets));
        out.push_str(&delays::table(&self.delays));
        out.push_str(&self.following.as_ref().map(follows::table).unwrap_or_default());
        out.push_str(&self.million.as_ref().map(checks::table).unwrap_or_default());
        out.push_str(&durables::table(&self.durable));
        out.push_str(&self.cut.as_ref().map(cuts::table).unwrap_or_default());
        out.push_str(&compares::table(&self.compared));
        out
    }

    fn setting(&self) -> String {
        let Some(machine) = &self.machine else { return String::new() };
        format!(
            "{}: {}, {} cores, {} GiB, Linux {}, {} with a median `fdatasync` of {:.0} µs. {}, {}. Issuer, databases, verifiers \
             and what asks them all run on these cores; one clock. Every number is of this one run.\n\n",
            self.date,
            machine.cpu,
            machine.cores,
            machine.memory_gib,
            machine.kernel,
            machine.filesystem,
            machine.fdatasync_us,
            machine.countersign,
            machine.rustc,
        )
    }
}

/// Prints, and writes the files; the number of missed targets.
pub fn publish(mut report: Report, whole: bool) -> Result<usize> {
    report.targets = targets::of(&report);
    let page = report.page();
    println!("{page}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let json = serde_json::to_string_pretty(&report)? + "\n";
    if whole {
        fs::write(root.join("bench/results/revocation.json"), json)?;
        table::place(&root.join("docs/benchmarks.md"), &page)?;
        eprintln!("written: bench/results/revocation.json, docs/benchmarks.md");
    } else {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        fs::write(folder.join("revocation-quick.json"), json)?;
        eprintln!("a quick or partial run: written to bench/revocation/target/revocation-quick.json only");
    }
    Ok(report.targets.iter().filter(|target| !target.reached).count())
}
