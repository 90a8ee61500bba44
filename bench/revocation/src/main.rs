//! `cargo xtask bench revocation`: how long it takes until what was revoked is refused everywhere, and what that costs, in
//! one run. bench/README.md says what is measured and how to read it.

mod check;
mod compare;
mod cost;
mod cut;
mod delay;
mod durable;
mod fleet;
mod http;
mod issuer;
mod machine;
#[allow(dead_code, reason = "the tests' cluster; this program uses a part of it")]
#[path = "../../../crates/server/tests/support/postgres.rs"]
mod postgres;
mod process;
mod report;
mod road;
mod run;
mod stats;
mod time;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "bench-revocation", about = "Measures revocation; see bench/README.md")]
pub struct Args {
    /// A tenth of the rounds, for a look; writes under bench/revocation/target/ and leaves the committed results alone.
    #[arg(long)]
    quick: bool,
    /// The release build of the `countersign` binary.
    #[arg(long, value_name = "PATH")]
    countersign: Option<PathBuf>,
    /// The date that the report carries; today's by default.
    #[arg(long)]
    date: Option<String>,
    /// Measure this part only (repeatable).
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Exit with 1 if a target was missed.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// From the commit to the refusal
    Delay,
    /// What it costs to follow the feed
    Cost,
    /// What a million entries cost a check
    Check,
    /// How many ends a second are durable
    Durable,
    /// Verifiers that are cut off
    Cut,
    /// Beside what people use today
    Compare,
}

/// What this program also is, each in a process of its own.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Verifiers(fleet::Verifiers),
    #[command(hide = true)]
    Checks(check::Checks),
}

fn main() -> Result<()> {
    let args = Args::parse();
    match &args.role {
        Some(Role::Verifiers(part)) => return fleet::run(part),
        Some(Role::Checks(checks)) => return check::run(checks),
        None => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(run::run(&args))?;
    let missed = report::publish(report, !args.quick && args.only.is_empty())?;
    if args.check && missed > 0 {
        bail!("{missed} targets missed");
    }
    Ok(())
}
