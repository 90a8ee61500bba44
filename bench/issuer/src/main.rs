//! `cargo xtask bench issuer`: what one Countersign process does on one core, beside a bare axum server and npm
//! `oidc-provider`, in one run. bench/README.md says what is measured and how to read it.

mod bare;
mod hashing;
mod http;
mod job;
mod load;
mod machine;
mod npm;
mod plan;
mod process;
mod report;
mod run;
mod scenario;
mod servers;
mod stats;
mod supply;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

/// The generator and this program run on one core, whatever is measured on the other.
pub const LOAD_CORE: &str = "0";
pub const SERVER_CORE: &str = "1";
const PINNED: &str = "BENCH_ISSUER_PINNED";

#[derive(Parser)]
#[command(name = "bench-issuer", about = "Measures the issuer against its peers; see bench/README.md")]
pub struct Args {
    /// Short rounds, for a look; writes under bench/issuer/target/ and leaves the committed results alone.
    #[arg(long)]
    quick: bool,
    /// The release build of the `countersign` binary.
    #[arg(long, value_name = "PATH")]
    countersign: Option<PathBuf>,
    /// The date that the report carries; today's by default.
    #[arg(long)]
    date: Option<String>,
    /// Parallel keep-alive connections; also the number of refresh chains.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Rounds of the full run; the report says how many there were.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(3..=50))]
    rounds: u8,
    /// Measure the peers and the generator alone.
    #[arg(long)]
    peers_only: bool,
    /// Compare this scenario only, and leave log-in and storm out (repeatable); for a look with a profiler.
    #[arg(long, value_enum)]
    only: Vec<scenario::Scenario>,
    /// Exit with 1 if a target was missed.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this binary also is, each in a process of its own on the server's core.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Bare(bare::Bare),
    #[command(hide = true)]
    RawArgon2 { seconds: f64 },
}

fn main() -> Result<()> {
    let args = Args::parse();
    match &args.role {
        Some(Role::Bare(bare)) => return bare::serve(bare),
        Some(Role::RawArgon2 { seconds }) => return hashing::measure_and_print(*seconds),
        None => {}
    }
    if std::env::var_os(PINNED).is_none() {
        return Err(pin_and_restart());
    }
    let missed = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run::run(&args))?;
    if args.check && missed > 0 {
        bail!("{missed} targets missed");
    }
    Ok(())
}

/// Becomes the same program, pinned on the load core; returns only if that failed.
fn pin_and_restart() -> anyhow::Error {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        return anyhow::anyhow!(
            "the bench needs two cores, one for the load and one for the server; this process may use {cores}"
        );
    }
    let exe = match std::env::current_exe().context("own path") {
        Ok(exe) => exe,
        Err(error) => return error,
    };
    let error = Command::new("taskset")
        .args(["-c", LOAD_CORE])
        .arg(exe)
        .args(std::env::args_os().skip(1))
        .env(PINNED, "1")
        .exec();
    anyhow::Error::new(error).context("taskset (util-linux) is needed to pin processes to cores")
}
