//! `cargo xtask …`: everything a contributor runs besides `cargo` itself. Standard library only.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "xtask talks to a person")]
#![allow(clippy::disallowed_methods, reason = "xtask measures how long a step took")]

mod acme;
mod bench;
mod chaos;
mod chromium;
mod cluster;
mod containers;
mod debian;
mod docs;
mod fuzz;
mod keystores;
mod mutants;
mod observed;
mod peers;
mod postgres;
mod redis;
mod run;
mod sbom;
mod tally;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test [--full] [-- ARGS]   Every test: unit, property, documentation, both databases, command line, examples.
                            Finds or installs what it needs: a PostgreSQL server, and other implementations of JOSE
                            and of OpenID Connect clients (Python, Node.js, Rust) into target/peers, Chromium, and what a cluster
                            consists of (HAProxy, PgBouncer). `--full` adds the long counts.
                            ARGS go to `cargo test` (for example: -- -p countersign-jose).
  e2e [STORY]               People's ways through the pages in a real browser (part of `test`); pictures in target/e2e
  chaos ROW [--seed N] [--iterations N]
                            A row of the fault matrix, long (`--all`: each of them); docs/faults.md lists them. The same
                            seed plays the same again. `chaos soak --minutes 60`: faults amid a storm of refreshes
  bench store               Rotations per second and CPU each, on both databases (release build)
  bench jose                Signing and verifying beside other libraries; writes bench/results/jose.json
  bench issuer              The issuer under load beside its peers; writes bench/results/issuer.json
  bench growth              Large databases: bytes, refreshes, sign-ins, starts; writes bench/results/growth.json. Fills the disk but for 20 GB
  bench replicas            Two servers on one PostgreSQL beside one, and beside pgbench; writes bench/results/replicas.json
  bench revocation          From a commit to its refusal everywhere, and what that costs; writes bench/results/revocation.json
  bench tables              What a precomputed table per public key would gain; writes bench/results/tables.json
  fuzz [TARGET] [--seconds N]
                            Each fuzz target, or one, for N seconds each (30 by default)
  mutants [FILE…] [--shard K/N] [--list] [--resume]
                            Breaks each check of the JOSE library and asks whether its tests notice; takes hours.
                            `--resume` skips what was noticed in the run before.
  docs                      Builds the API documentation with warnings denied, and refreshes generated pages
  openapi                   Writes the OpenAPI document that is generated from the code
  sbom [FILE]               Writes what the program is made of, as CycloneDX; release/build.sh puts it beside the program
  help                      This text

Exit codes: 0 all went well, 1 something failed, 2 the command line was not understood.";

/// What ended a command early.
#[derive(Debug)]
pub enum Failure {
    /// The command line was not understood.
    Usage(String),
    /// A step failed; the text says what and what to do about it.
    Step(String),
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(what)) => {
            eprintln!("xtask: {what}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(Failure::Step(what)) => {
            eprintln!("xtask: {what}");
            ExitCode::FAILURE
        }
    }
}

/// The stories are tests of the program.
fn e2e(story: &str) -> Result<(), Failure> {
    let named = format!("e2e::{story}");
    test::run(&test::Options::parse(&["--", "-p", "countersign", "--test", "cli", &named])?)
}

fn dispatch(args: &[&str]) -> Result<(), Failure> {
    if args.iter().take_while(|arg| **arg != "--").any(|arg| matches!(*arg, "--help" | "-h")) {
        println!("{HELP}");
        return Ok(());
    }
    match args {
        ["help"] => {
            println!("{HELP}");
            Ok(())
        }
        ["test", rest @ ..] => test::run(&test::Options::parse(rest)?),
        ["e2e"] => e2e(""),
        ["e2e", story] if !story.starts_with('-') => e2e(story),
        ["bench", what, rest @ ..] => bench::run(what, rest),
        ["bench"] => Err(Failure::Usage(format!("`bench` needs one of: {}", bench::ALL))),
        ["chaos", rest @ ..] => chaos::run(&chaos::Options::parse(rest)?),
        ["fuzz", rest @ ..] => fuzz::run(&fuzz::Options::parse(rest)?),
        ["mutants", rest @ ..] => mutants::run(&mutants::Options::parse(rest)?),
        ["docs"] => docs::run(),
        ["openapi"] => docs::openapi(),
        ["sbom", rest @ ..] => sbom::run(rest),
        [] => Err(Failure::Usage("a command is missing".to_owned())),
        [other, ..] => Err(Failure::Usage(format!("`{other}` is not a command, or has arguments it does not take"))),
    }
}
