//! `cargo xtask bench growth`: what a refresh, a sign-in and a start cost when the database has grown, and how large it is
//! then. `cargo xtask bench replicas`: what two replicas on one PostgreSQL do, beside one and beside pgbench.
//!
//! Each size is a database of its own, filled with users and three sessions for each: rows as the server writes them, whose
//! tokens and passwords work. The server is started on the small and on the large one in turns, so that a slow minute of
//! the machine hits both; every number is the median of the rounds.

mod database;
mod feed;
mod fill;
mod growth;
#[allow(dead_code, reason = "this bench uses a part of it")]
#[path = "../../issuer/src/http.rs"]
mod http;
mod load;
#[allow(dead_code, reason = "this bench uses a part of it")]
#[path = "../../issuer/src/machine.rs"]
mod machine;
#[path = "../../page.rs"]
mod page;
#[allow(dead_code, reason = "the tests' cluster; this program uses a part of it")]
#[path = "../../../crates/server/tests/support/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "this bench uses a part of it")]
#[path = "../../issuer/src/process.rs"]
mod process;
mod replicas;
mod report;
mod rows;
mod site;
#[path = "../../issuer/src/stats.rs"]
mod stats;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use serde::{Serialize, de::DeserializeOwned};
use tempfile::TempDir;

/// What is measured may run on each core: CPU time is what counts.
pub const SERVER_CORE: &str = "0-1023";

#[derive(Debug, Parser)]
struct Arguments {
    /// The program that is measured
    #[arg(long, global = true, default_value = "target/release/countersign")]
    countersign: PathBuf,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// What the server costs on a small and on a large database
    Growth(growth::Growth),
    /// What two replicas on one PostgreSQL do, beside one and beside pgbench
    Replicas(replicas::Replicas),
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let program = fs::canonicalize(&arguments.countersign).context("the program that is measured")?;
    match arguments.bench {
        Bench::Growth(growth) => growth::run(growth, &program).await,
        Bench::Replicas(replicas) => replicas::run(replicas, &program).await,
    }
}

/// For data that goes with this run.
fn folder() -> Result<TempDir> {
    let place = root().join("bench/growth/target");
    fs::create_dir_all(&place)?;
    Ok(tempfile::Builder::new().prefix("data").tempdir_in(place)?)
}

/// What was written last, if it can still be read.
fn published<T: DeserializeOwned>(bench: &str) -> Option<T> {
    let results = root().join(format!("bench/results/{bench}.json"));
    fs::read_to_string(results).ok().and_then(|text| serde_json::from_str(&text).ok())
}

/// Writes the results, and their part of the book.
fn publish(bench: &str, report: &impl Serialize, part: &str) -> Result<()> {
    let results = root().join(format!("bench/results/{bench}.json"));
    fs::write(&results, serde_json::to_string_pretty(report)? + "\n")?;
    page::place(&root().join("docs/benchmarks.md"), bench, part)?;
    eprintln!("written: bench/results/{bench}.json, docs/benchmarks.md");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
