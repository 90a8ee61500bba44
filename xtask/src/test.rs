//! `cargo xtask test`: every test of the workspace, with what it needs.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, ExitStatus, Stdio},
    time::Instant,
};

use crate::{
    Failure, acme, chaos, chromium, cluster, containers, keystores, observed, peers, postgres,
    run::{cargo, shown},
    tally::Tally,
};

/// Set to `1` for the tests when the long counts are wanted.
const FULL_VARIABLE: &str = "COUNTERSIGN_TEST_FULL";

/// What the command line asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    full: bool,
    cargo_args: Vec<String>,
}

impl Options {
    pub fn parse(args: &[&str]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match *arg {
                "--full" => options.full = true,
                "--" => options.cargo_args = rest.by_ref().map(|word| (*word).to_owned()).collect(),
                other => return Err(Failure::Usage(format!("`test` does not take `{other}`"))),
            }
        }
        Ok(options)
    }

    /// Whether the tests of this package are among those that run: those of the program and of the issuer compare with other
    /// implementations, those of the program and of the bank need a browser.
    fn includes(&self, package: &str) -> bool {
        let named = |word: &String| {
            word == package || [word.strip_prefix("-p"), word.strip_prefix("--package=")].contains(&Some(package))
        };
        !self.names_packages() || self.cargo_args.iter().any(named)
    }

    /// `--workspace` beside `-p` would test everything all the same.
    fn names_packages(&self) -> bool {
        self.cargo_args.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
    }
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    let postgres_bin = postgres::server_programs()?;
    println!("PostgreSQL server programs: {}", postgres_bin.display());
    if options.includes("countersign") || options.includes("countersign-server") {
        println!("Other implementations: {}", peers::installed()?.display());
    }
    if options.includes("countersign") {
        keystores::provide_softhsm()?;
        chaos::tools()?;
        observed::provide_prometheus()?;
        acme::provide_pebble()?;
        containers::provide_buildah()?;
    }

    let clustered = if options.includes("countersign") { cluster::programs()? } else { Vec::new() };
    for (_, program) in &clustered {
        println!("For clusters: {}", program.display());
    }

    let browsed = options.includes("bank") || options.includes("countersign");
    let browser = if browsed { Some(chromium::driver()?) } else { None };
    if let Some(browser) = &browser {
        println!("Chromium's driver: {}", browser.display());
    }

    let mut command = cargo(&["test", "--all-features", "--no-fail-fast"]);
    if !options.names_packages() {
        command.arg("--workspace");
    }
    command.args(&options.cargo_args).env(postgres::BIN_VARIABLE, &postgres_bin).envs(clustered);
    if let Some(browser) = browser {
        command.env(chromium::VARIABLE, browser);
    }
    if options.full {
        command.env(FULL_VARIABLE, "1");
    }
    let (status, tally) = follow(command, &mut std::io::stdout().lock())?;

    println!(
        "\ncargo xtask test: {} s{}",
        started.elapsed().as_secs(),
        if options.full { ", long counts" } else { "" }
    );
    println!("{tally}");
    judge(status, tally, options.cargo_args.is_empty())
}

/// Runs the tests, passes their output on line by line, and counts the closing lines.
fn follow(mut command: Command, out: &mut impl Write) -> Result<(ExitStatus, Tally), Failure> {
    let name = shown(&command);
    let broken = |error: std::io::Error| Failure::Step(format!("`{name}` could not be followed: {error}"));
    writeln!(out, "$ {name}").map_err(broken)?;
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(broken)?;
    let mut tally = Tally::default();
    if let Some(pipe) = child.stdout.take() {
        for line in BufReader::new(pipe).split(b'\n') {
            let line = line.map_err(broken)?;
            tally.read(&String::from_utf8_lossy(&line));
            out.write_all(&line).and_then(|()| out.write_all(b"\n")).map_err(broken)?;
        }
    }
    Ok((child.wait().map_err(broken)?, tally))
}

/// Green means: the runner says so, at least one test ran, and none was skipped.
fn judge(status: ExitStatus, tally: Tally, whole: bool) -> Result<(), Failure> {
    if !status.success() {
        return Err(Failure::Step(format!("the tests failed ({status}); the failures are listed above")));
    }
    if whole && tally.passed == 0 {
        return Err(Failure::Step("no test ran".to_owned()));
    }
    if tally.ignored > 0 {
        return Err(Failure::Step(format!("{} tests are ignored; a test runs or is removed", tally.ignored)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_after_the_dashes_go_to_cargo() {
        let options = Options::parse(&["--full", "--", "-p", "countersign-jose"]).unwrap();
        assert!(options.full);
        assert_eq!(options.cargo_args, ["-p", "countersign-jose"]);
        assert!(options.names_packages() && !Options::default().names_packages());
        assert!(!options.includes("countersign") && Options::default().includes("bank"));
        assert!(Options::parse(&["--", "-p", "countersign", "interop"]).unwrap().includes("countersign"));
        assert!(matches!(Options::parse(&["--quick"]), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_run_without_tests_or_with_ignored_ones_is_not_green() {
        let ok = ExitStatus::default();
        assert!(judge(ok, Tally { passed: 1, failed: 0, ignored: 0 }, true).is_ok());
        assert!(judge(ok, Tally::default(), true).is_err());
        assert!(judge(ok, Tally { passed: 1, failed: 0, ignored: 1 }, true).is_err());
    }

    #[test]
    fn output_is_followed_and_counted() {
        let mut out = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 3"]);
        let (status, tally) = follow(command, &mut out).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(tally.passed, 2);
        assert!(String::from_utf8(out).unwrap().ends_with("0 ignored\n"));
        assert!(judge(status, tally, true).is_err());
    }
}
