//! `cargo xtask bench store`: what one durable refresh rotation costs, and what a snapshot costs.
//!
//! The same guarded UPDATE through this store (SQLite and PostgreSQL), through plain rusqlite on one thread, and through
//! sqlx, which has a process of its own. Rounds take turns, so that a slow minute of the machine hits all; every number
//! is the median of the rounds.

mod ours;
#[path = "../../page.rs"]
mod page;
mod plain;
#[allow(dead_code, reason = "the tests' cluster; this program uses a part of it")]
#[path = "../../../crates/server/tests/support/postgres.rs"]
mod postgres;
mod prepare;
mod report;
mod work;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use countersign_server::{
    secret::PlainSecret,
    store::{Store, StoreConfig},
};

use report::{Report, Row};
use work::Sample;

/// Callers at a time, or members of a group.
const GROUPS: [u64; 3] = [1, 32, 128];
/// The pool of the product's default configuration.
const POOL: usize = 16;

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, seconds) = if quick { (1, 1.0) } else { (5, 3.0) };
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, what, callers, seconds] = arguments.as_slice() {
        ensure!(flag == "--profile", "usage: bench-store [--quick | --profile write|read CALLERS SECONDS]");
        return profile(what, callers.parse()?, seconds.parse()?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(measure(rounds, seconds))?;
    println!("{report}");
    if !quick {
        report.write(&root().join("bench/results/store.json"))?;
        page::place(&root().join("docs/benchmarks.md"), "store", &report.page())?;
        eprintln!("written: bench/results/store.json, docs/benchmarks.md");
    }
    Ok(())
}

/// One measurement alone, for a profiler.
#[tokio::main]
async fn profile(what: &str, callers: u64, seconds: f64) -> Result<()> {
    let folder = tempfile::tempdir_in(root().join("bench/store/target"))?;
    let store = prepared(&folder.path().join("ours.db")).await?;
    let sample = match what {
        "write" => ours::rotate(&store, callers, seconds).await?,
        _ => ours::read(&store, callers, seconds).await?,
    };
    println!("{:.1} µs CPU each, {:?}", sample.cpu_seconds * 1e6 / sample.rotations as f64, sample);
    Ok(())
}

async fn measure(rounds: usize, seconds: f64) -> Result<Report> {
    // On the disk of the build, as the product's data would be; /tmp is memory on many machines.
    let folder = tempfile::tempdir_in(root().join("bench/store/target"))?;
    let sqlite = prepared(&folder.path().join("ours.db")).await?;
    let template = folder.path().join("template.db");
    prepared(&template).await?.close().await;
    let cluster = postgres::Cluster::start("listen_addresses = ''\nfsync = on\nshared_buffers = 128MB\n");
    let url = PlainSecret::new(cluster.create_database().await);
    let postgres = prepare::store(&StoreConfig::Postgres { url, pool_size: POOL }).await?;
    let peer = build_peer()?;

    let mut report = Report::new(rounds, seconds);
    for _ in 0..rounds {
        for group in GROUPS {
            report.add(Row::Store, group, ours::rotate(&sqlite, group, seconds).await?);
            report.add(Row::Read, group, ours::read(&sqlite, group, seconds).await?);
            report.add(Row::Postgres, group, ours::rotate(&postgres, group, seconds).await?);
            report.add(Row::PostgresRead, group, ours::read(&postgres, group, seconds).await?);
            let copy = fresh_copy(&template)?;
            report.add(Row::Plain, group, plain::rotate(&copy, group, seconds)?);
            for (row, mode) in [(Row::Sqlx, "savepoint"), (Row::SqlxNoSavepoint, "none")] {
                report.add(row, group, run_peer(&peer, &fresh_copy(&template)?, group, seconds, mode)?);
            }
        }
    }
    sqlite.close().await;
    postgres.close().await;
    Ok(report)
}

async fn prepared(path: &Path) -> Result<Store> {
    prepare::store(&StoreConfig::Sqlite { path: path.to_owned() }).await
}

fn fresh_copy(template: &Path) -> Result<PathBuf> {
    let copy = template.with_file_name("copy.db");
    for name in ["copy.db", "copy.db-wal", "copy.db-shm"] {
        let _ = std::fs::remove_file(template.with_file_name(name));
    }
    std::fs::copy(template, &copy)?;
    Ok(copy)
}

fn build_peer() -> Result<PathBuf> {
    let folder = root().join("bench/peers/sqlx");
    let status = Command::new("cargo")
        .args(["build", "--release", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .status()?;
    ensure!(status.success(), "the peer sqlx did not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join("target"), PathBuf::from);
    Ok(target.join("release/bench-peer-sqlx"))
}

fn run_peer(peer: &Path, database: &Path, group: u64, seconds: f64, mode: &str) -> Result<Sample> {
    let output =
        Command::new(peer).arg(database).args([group.to_string(), seconds.to_string(), mode.to_owned()]).output()?;
    ensure!(output.status.success(), "the peer sqlx failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the answer of the peer sqlx")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
