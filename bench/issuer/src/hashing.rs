//! The ceiling of every login: how many argon2id hashes this core computes with the issuer's parameters.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};

use crate::process::Process;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RawRate {
    /// One memory area, used again for every hash.
    pub reused_memory: f64,
    /// A fresh area per hash, as `hash_password_into` does: the kernel clears every page again.
    pub fresh_memory: f64,
}

/// Measures in a process of its own, pinned where the servers are.
pub fn measure(span: Duration, log: &Path) -> Result<RawRate> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["raw-argon2", &span.as_secs_f64().to_string()]);
    let mut process = Process::spawn(&command, log)?;
    let stdout = process.stdout().context("stdout")?;
    serde_json::from_reader(stdout).context("the raw argon2 process printed no result")
}

pub fn measure_and_print(seconds: f64) -> Result<()> {
    // OWASP's and the issuer's default: 19 MiB, two passes, one lane.
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|e| anyhow::anyhow!("{e}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut memory = vec![Block::default(); params.block_count()];
    let half = Duration::from_secs_f64(seconds / 2.0);
    let (password, salt, mut hash) = (b"correct horse battery staple", b"0123456789abcdef", [0; 32]);
    let reused_memory = rate(half, || argon2.hash_password_into_with_memory(password, salt, &mut hash, &mut memory))?;
    let fresh_memory = rate(half, || argon2.hash_password_into(password, salt, &mut hash))?;
    black_box(hash);
    println!("{}", serde_json::to_string(&RawRate { reused_memory, fresh_memory })?);
    Ok(())
}

fn rate(span: Duration, mut hash: impl FnMut() -> argon2::Result<()>) -> Result<f64> {
    let started = Instant::now();
    let mut hashes = 0_u32;
    while started.elapsed() < span {
        hash().map_err(|e| anyhow::anyhow!("{e}"))?;
        hashes += 1;
    }
    Ok(f64::from(hashes) / started.elapsed().as_secs_f64())
}
