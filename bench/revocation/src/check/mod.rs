//! What the log costs a check: a verifier that holds a million entries, beside one that does without revocation, and
//! beside jsonwebtoken. The log, the feed and the verifier are the real ones.

mod role;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

pub use role::{Checks, run};

use crate::{
    issuer::{Issuer, Lab, Place},
    process, time,
};

/// What was measured. Times are of the CPU, of the one thread that checks.
#[derive(Debug, Serialize, Deserialize)]
pub struct Check {
    pub entries: usize,
    pub rounds: usize,
    /// From the start of a verifier until it can judge: the whole log fetched, verified and taken in.
    pub ready_ms: f64,
    /// With few live tokens, which stay in the processor's caches, and with many.
    pub looks: Vec<Look>,
    /// A token that is seen for the first time.
    pub first_us: f64,
    /// ES256, every claim checked.
    pub jsonwebtoken_us: f64,
}

/// Tokens that are remembered, checked again and again in no order.
#[derive(Debug, Serialize, Deserialize)]
pub struct Look {
    pub tokens: usize,
    /// With the log.
    pub cached_ns: f64,
    /// Without revocation.
    pub without_ns: f64,
    /// The median of the differences of each round.
    pub part_ns: f64,
}

/// Beside that, what the memory is used for.
#[derive(Debug, Serialize)]
pub struct Million {
    pub check: Check,
    /// Everything that a verifier holds when it has taken the log in, its connections included, divided by the entries.
    pub bytes_per_entry: f64,
    /// The most that it held at a time while it took the log in.
    pub peak_bytes_per_entry: f64,
    /// From the start of the issuer's process until it is ready.
    pub issuer_start_ms: f64,
    pub issuer_mib: f64,
}

/// What `bench-revocation-memory` prints.
#[derive(Debug, Deserialize)]
struct Memory {
    entries: usize,
    held: f64,
    peak: f64,
}

pub async fn measure(lab: &Lab, entries: usize, tokens: usize) -> Result<Million> {
    let issuer = Issuer::start(lab, Place::new("million", None)?).await?;
    let (issuer, filled) = issuer
        .restart(async |lab, place| {
            fill(&place.data(lab).join("countersign.db"), entries)?;
            Ok(time::now())
        })
        .await?;
    let issuer_start_ms = time::millis(filled, time::now());
    let memory: Memory = ask(&program("bench-revocation-memory")?, &[&issuer.place.url]).await?;
    ensure!(memory.entries == entries, "the verifier holds {} entries, not {entries}", memory.entries);
    let numbers = [entries.to_string(), tokens.to_string()];
    let check = ask(
        &std::env::current_exe()?,
        &["checks", "--issuer", &issuer.place.url, "--entries", &numbers[0], "--tokens", &numbers[1]],
    )
    .await?;
    Ok(Million {
        check,
        bytes_per_entry: memory.held / entries as f64,
        peak_bytes_per_entry: memory.peak / entries as f64,
        issuer_start_ms,
        issuer_mib: process::memory_mib(issuer.process.pid())?,
    })
}

/// Ends of sessions, as many as are wanted, a moment ago.
fn fill(database: &Path, entries: usize) -> Result<()> {
    const ROWS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                        INSERT INTO rev_log (stream, rsn, kind, id, exp) SELECT 0, ?2 + i, 2, randomblob(16), ?3 FROM n";
    let mut database = Connection::open(database)?;
    let transaction = database.transaction()?;
    let (head, now): (i64, i64) = transaction.query_row(
        "SELECT rsn, CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM rev_head WHERE stream = 0",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (count, from) = (i64::try_from(entries)?, head.max(now - 60_000_000));
    transaction.execute(ROWS, params![count, from, now / 1_000_000 + 3_660])?;
    transaction.execute("UPDATE rev_head SET rsn = ?1 WHERE stream = 0", params![from + count])?;
    Ok(transaction.commit()?)
}

/// Another program of this package.
fn program(name: &str) -> Result<std::path::PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

async fn ask<T: serde::de::DeserializeOwned>(program: &Path, arguments: &[&str]) -> Result<T> {
    let output = Command::new(program).args(arguments).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("start {}", program.display()))?;
    ensure!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
