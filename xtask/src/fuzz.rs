//! `cargo xtask fuzz …`: the fuzz targets of `fuzz/`, with libFuzzer, on the stable compiler. The layout is that of
//! `cargo fuzz`, which works on it too; nothing needs to be installed for this command but a C++ compiler.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    Failure,
    run::{cargo, output, root, step},
};

/// What `cargo fuzz --sanitizer none` passes, too: each edge counted in a byte, comparisons traced. The code under test has no
/// `unsafe`, so that an address sanitizer, which needs a nightly compiler, would watch the engine only.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    seconds: u64,
    target: Option<String>,
}

impl Options {
    pub fn parse(args: &[&str]) -> Result<Self, Failure> {
        let mut options = Self { seconds: 30, target: None };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match *arg {
                "--seconds" => {
                    let number = rest.next().and_then(|number| number.parse().ok());
                    options.seconds = number.ok_or_else(|| Failure::Usage("`--seconds` needs a number".to_owned()))?;
                }
                name if !name.starts_with('-') && options.target.is_none() => options.target = Some(name.to_owned()),
                other => return Err(Failure::Usage(format!("`fuzz` does not take `{other}`"))),
            }
        }
        Ok(options)
    }
}

/// Runs each target for that long, from the committed corpus and from what earlier runs found; fails with the first input
/// that breaks a property.
pub fn run(options: &Options) -> Result<(), Failure> {
    let folder = root().join("fuzz");
    let targets = targets(&options.target)?;
    let triple = host()?;
    let mut build = cargo(&["build", "--release", "--bins", "--target", &triple, "--manifest-path"]);
    step(build.arg(folder.join("Cargo.toml")).env("RUSTFLAGS", FLAGS))?;
    for target in targets {
        // New inputs go to the first folder; the committed ones are only read.
        let found = folder.join("target/found").join(&target);
        let artifacts = folder.join("artifacts").join(&target);
        for made in [&found, &artifacts] {
            fs::create_dir_all(made).map_err(|error| Failure::Step(format!("{}: {error}", made.display())))?;
        }
        let program = folder.join("target").join(&triple).join("release").join(&target);
        let mut fuzz = Command::new(program);
        fuzz.arg(&found).arg(folder.join("corpus").join(&target));
        fuzz.arg(format!("-max_total_time={}", options.seconds)).arg("-max_len=4096").arg("-timeout=10");
        fuzz.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/", artifacts.display()));
        step(&mut fuzz)?;
    }
    Ok(())
}

/// The files of `fuzz/fuzz_targets`, or the one that was named.
fn targets(only: &Option<String>) -> Result<Vec<String>, Failure> {
    let mut all: Vec<String> = fs::read_dir(root().join("fuzz/fuzz_targets"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| PathBuf::from(file.file_name()).file_stem()?.to_str().map(str::to_owned))
        .collect();
    all.sort();
    match only {
        None => Ok(all),
        Some(name) if all.contains(name) => Ok(vec![name.clone()]),
        Some(name) => Err(Failure::Usage(format!("there is no fuzz target `{name}`; there are: {}", all.join(", ")))),
    }
}

/// Naming the target keeps the flags away from build scripts and macros, which run on their own.
fn host() -> Result<String, Failure> {
    let version = output("rustc", &["-vV"]).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::Step("`rustc -vV` does not name its host".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_a_target_may_be_named() {
        let options = Options::parse(&["token", "--seconds", "5"]).unwrap();
        assert_eq!(options, Options { seconds: 5, target: Some("token".to_owned()) });
        assert!(Options::parse(&["--seconds"]).is_err() && Options::parse(&["--minutes"]).is_err());
        assert_eq!(targets(&options.target).unwrap(), ["token"]);
        assert!(targets(&Some("moon".to_owned())).is_err());
    }

    /// A target without a corpus, or a corpus without a target, is a slip.
    #[test]
    fn every_target_has_a_corpus() {
        let mut corpora: Vec<String> = fs::read_dir(root().join("fuzz/corpus"))
            .unwrap()
            .map(|folder| folder.unwrap().file_name().into_string().unwrap())
            .collect();
        corpora.sort();
        assert_eq!(targets(&None).unwrap(), corpora);
    }
}
