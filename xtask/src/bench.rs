//! `cargo xtask bench …`: the measurements. Each lives in a workspace of its own under `bench/`, so that what it compares
//! with never enters the dependencies of the product.

use crate::{
    Failure, postgres, redis,
    run::{cargo, root, step},
};

/// What can be measured.
pub const ALL: &str = "store, issuer, jose, revocation, growth, replicas, tables";

pub fn run(what: &str, args: &[&str]) -> Result<(), Failure> {
    if !matches!(what, "store" | "issuer" | "jose" | "revocation" | "growth" | "replicas" | "tables") {
        return Err(Failure::Usage(format!("there is no bench `{what}`; there are: {ALL}")));
    }
    // Two that fill databases are one program.
    let folder = if what == "replicas" { "growth" } else { what };
    let manifest = root().join("bench").join(folder).join("Cargo.toml");
    let mut command = cargo(&["run", "--release", "--manifest-path"]);
    command.arg(&manifest).arg("--").args(args);
    match what {
        // Both databases are measured, so the server programs are needed as in the tests.
        "store" => step(command.env(postgres::BIN_VARIABLE, postgres::server_programs()?)),
        "growth" | "replicas" => {
            step(&mut cargo(&["build", "--release", "--package", "countersign"]))?;
            let mut command = cargo(&["run", "--release", "--manifest-path"]);
            command.arg(&manifest).args(["--", what]).args(args);
            step(command.env(postgres::BIN_VARIABLE, postgres::server_programs()?))
        }
        // The first builds the programs of the compared libraries itself.
        "jose" | "tables" => step(&mut command),
        // It starts issuers, databases and what it compares with itself.
        "revocation" => {
            let (postgres, redis) = (postgres::server_programs()?, redis::server_program()?);
            step(&mut cargo(&["build", "--release", "--package", "countersign"]))?;
            let mut build = cargo(&["build", "--release", "--bins", "--manifest-path"]);
            step(build.arg(&manifest))?;
            step(command.env(postgres::BIN_VARIABLE, postgres).env(redis::VARIABLE, redis))
        }
        // The load generator starts the release build of the product itself.
        _ => {
            step(&mut cargo(&["build", "--release", "--package", "countersign"]))?;
            step(&mut command)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_bench_is_a_usage_error() {
        assert!(matches!(run("moon", &[]), Err(Failure::Usage(_))));
    }
}
