//! `cargo xtask chaos`: the rows of the fault matrix, which are tests of the program (`crates/cli/tests/chaos/`).

use std::time::SystemTime;

use crate::{
    Failure, cluster, debian, peers, postgres,
    run::{cargo, output, step},
};

/// Programs that break things for the tests, the Debian package of each, and how it says that it is there.
const TOOLS: [(&str, &str, &str); 3] =
    [("strace", "strace", "--version"), ("faketime", "faketime", "--version"), ("prlimit", "util-linux", "--version")];

/// What the command line asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    row: String,
    seed: Option<u64>,
    iterations: Option<u64>,
}

impl Options {
    pub fn parse(args: &[&str]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let mut number = || {
                let number = rest.next().and_then(|number| number.parse().ok());
                number.ok_or_else(|| Failure::Usage(format!("`{arg}` needs a number"))).map(Some)
            };
            match *arg {
                "--all" => "all".clone_into(&mut options.row),
                // It always is: the short round is a part of `test`.
                "--full" => {}
                "--seed" => options.seed = number()?,
                "--iterations" | "--minutes" => options.iterations = number()?,
                row if !row.starts_with('-') && options.row.is_empty() => row.clone_into(&mut options.row),
                other => return Err(Failure::Usage(format!("`chaos` does not take `{other}`"))),
            }
        }
        if options.row.is_empty() {
            return Err(Failure::Usage("`chaos` needs a row, or --all; docs/faults.md lists them".to_owned()));
        }
        Ok(options)
    }
}

pub fn run(options: &Options) -> Result<(), Failure> {
    tools()?;
    // A mail server among them.
    peers::installed()?;
    // Another one each time, and it is printed: a failing one can be played again.
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs());
    let seed = options.seed.unwrap_or(now);
    let mut command = cargo(&["test", "-p", "countersign", "--all-features", "--test", "chaos", "--"]);
    command.args(["--exact", "rows_of_the_fault_matrix", "--nocapture"]);
    command.env(postgres::BIN_VARIABLE, postgres::server_programs()?).envs(cluster::programs()?);
    command.env("COUNTERSIGN_TEST_CHAOS_ROW", &options.row).env("COUNTERSIGN_TEST_CHAOS_SEED", seed.to_string());
    command.env("COUNTERSIGN_TEST_CHAOS_LONG", "1");
    if let Some(iterations) = options.iterations {
        command.env("COUNTERSIGN_TEST_CHAOS_ITERATIONS", iterations.to_string());
    }
    println!("Seed {seed}; the same again: cargo xtask chaos {} --seed {seed}", options.row);
    step(&mut command)
}

/// Finds the programs, or installs them on Debian as root.
pub fn tools() -> Result<(), Failure> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(program, _, says)| output(program, &[says]).is_none())
        .map(|(_, package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    match debian::obstacle() {
        Some(why) => Err(Failure::Step(format!("{} are needed by the tests of faults; {why}", missing.join(" and ")))),
        None => debian::install(&missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_seeds_and_numbers_are_read() {
        let options = Options::parse(&["kill", "--seed", "7", "--iterations", "3"]).unwrap();
        assert_eq!(options, Options { row: "kill".to_owned(), seed: Some(7), iterations: Some(3) });
        assert_eq!(Options::parse(&["soak", "--minutes", "60"]).unwrap().iterations, Some(60));
        assert_eq!(Options::parse(&["--all"]).unwrap().row, "all");
        for wrong in [&[][..], &["kill", "twice"], &["kill", "--seed"], &["kill", "--seed", "x"], &["--quick"]] {
            assert!(matches!(Options::parse(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }
}
