//! `cargo xtask mutants …`: is each check tested? cargo-mutants breaks the code that decides whether a token, a message or a key is
//! accepted, one way at a time, and runs the tests of `countersign-jose`. What they do not notice is printed, and is an error.
//!
//! `.cargo/mutants.toml` says how it builds, and gives a reason for each mutant that cannot be noticed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Failure,
    run::{cargo, output, root, shown, step},
};

/// The version whose mutants `.cargo/mutants.toml` names.
const VERSION: &str = "27.0.0";

/// What is examined unless a file is named: verification, decryption, claims, headers, keys, profiles, text.
const EXAMINED: [&str; 32] = [
    "alg.rs",
    "b64.rs",
    "claims/**",
    "header.rs",
    "json/member.rs",
    "json/read.rs",
    "json/scan.rs",
    "jwe/alg.rs",
    "jwe/content.rs",
    "jwe/decrypt.rs",
    "jwe/decrypted.rs",
    "jwe/header.rs",
    "jwe/key/agree.rs",
    "jwe/key/decryption.rs",
    "jwe/key/secret.rs",
    "jwe/message.rs",
    "jwe/nested.rs",
    "jwe/wrap.rs",
    "jwk/check.rs",
    "jwk/envelope.rs",
    "jwk/set.rs",
    "jws/head.rs",
    "jws/mod.rs",
    "jws/read.rs",
    "jws/verified.rs",
    "key/secret.rs",
    "key/verifying.rs",
    "key_set.rs",
    "limits.rs",
    "policy.rs",
    "unverified.rs",
    "verifier.rs",
];

/// What notices nearly every mutant: one program of tests, without those that try very many inputs.
const QUICK: [&str; 12] = [
    "--test",
    "it",
    "--",
    "--skip",
    "any_change_of_any",
    "--skip",
    "every_algorithm_with_every_other",
    "--skip",
    "every_algorithm_in_every_form",
    "--skip",
    "der_with_any_byte_changed",
    "--quiet",
];
/// All tests, for those that the quick ones let live.
const THOROUGH: [&str; 3] = ["--lib", "--test", "it"];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    files: Vec<String>,
    shard: Option<String>,
    list: bool,
    resume: bool,
}

impl Options {
    pub fn parse(args: &[&str]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match *arg {
                "--list" => options.list = true,
                "--resume" => options.resume = true,
                "--shard" => {
                    let shard = rest.next().filter(|shard| is_shard(shard));
                    let missing = || Failure::Usage("`--shard` needs a part such as 0/8".to_owned());
                    options.shard = Some((*shard.ok_or_else(missing)?).to_owned());
                }
                file if !file.starts_with('-') => options.files.push(file.to_owned()),
                other => return Err(Failure::Usage(format!("`mutants` does not take `{other}`"))),
            }
        }
        Ok(options)
    }

    /// The files as the tool names them; a name without a folder of the workspace is one of the library.
    fn patterns(&self) -> Vec<String> {
        let named = self.files.iter().map(String::as_str);
        let files: Vec<&str> = if self.files.is_empty() { EXAMINED.to_vec() } else { named.collect() };
        let whole =
            |file: &str| if file.starts_with("crates/") { file.into() } else { format!("crates/jose/src/{file}") };
        files.into_iter().map(whole).collect()
    }
}

fn is_shard(text: &str) -> bool {
    let numbers =
        text.split_once('/').and_then(|(part, of)| Some((part.parse::<u32>().ok()?, of.parse::<u32>().ok()?)));
    numbers.is_some_and(|(part, of)| part < of)
}

/// Fails if a mutant survives, or if the tests fail without one. Those that live through the quick tests meet all of them.
pub fn run(options: &Options) -> Result<(), Failure> {
    let tool = tool()?;
    if options.list {
        return step(mutants(&tool, options).arg("--list"));
    }
    let mut quick = with_tests(mutants(&tool, options), &QUICK);
    if options.resume {
        quick.arg("--iterate");
    }
    println!("$ {}", shown(&quick));
    match quick.status().map(|status| status.code()) {
        Ok(Some(0)) => return Ok(()),
        Ok(Some(SURVIVED | TIMED_OUT)) => {}
        other => return Err(Failure::Step(format!("cargo-mutants ended with {other:?}"))),
    }
    let mut thorough = with_tests(mutants(&tool, options), &THOROUGH);
    println!("$ {}", shown(thorough.arg("--iterate")));
    match thorough.status().map(|status| status.code()) {
        // A mutant that never ends is noticed, too.
        Ok(Some(0 | TIMED_OUT)) => Ok(()),
        other => Err(Failure::Step(format!("mutants survived, or cargo-mutants failed: {other:?}"))),
    }
}

/// Exit codes of cargo-mutants: some mutant lived; none lived, and the tests of some did not end.
const SURVIVED: i32 = 2;
const TIMED_OUT: i32 = 3;

fn mutants(tool: &Path, options: &Options) -> Command {
    let mut mutants = Command::new(tool);
    mutants.current_dir(root()).args(["mutants", "--package", "countersign-jose"]);
    for file in options.patterns() {
        mutants.arg("--file").arg(file);
    }
    if let Some(shard) = &options.shard {
        mutants.arg("--shard").arg(shard);
    }
    mutants.arg("--output").arg(root().join("target/mutants"));
    // The tool works on a copy of the tree; what it builds stays, so that the dependencies are compiled once.
    mutants.env("CARGO_TARGET_DIR", root().join("target/mutants/build")).env("CARGO_INCREMENTAL", "1");
    // A property that a few cases do not show is no test of a check; each check has its own.
    mutants.env("PROPTEST_CASES", "24");
    mutants
}

fn with_tests(mut mutants: Command, tests: &[&str]) -> Command {
    mutants.args(tests.iter().map(|arg| format!("--cargo-test-arg={arg}")));
    mutants
}

/// The pinned version, installed below `target` unless it is there or in the path.
fn tool() -> Result<PathBuf, Failure> {
    let folder = root().join("target/tools");
    let installed = folder.join("bin").join("cargo-mutants");
    let candidates = [PathBuf::from("cargo-mutants"), installed.clone()];
    if let Some(found) = candidates.into_iter().find(|program| is_pinned(program)) {
        return Ok(found);
    }
    let mut install = cargo(&["install", "--locked", "cargo-mutants", "--version", VERSION, "--root"]);
    step(install.arg(&folder))?;
    Ok(installed)
}

fn is_pinned(program: &Path) -> bool {
    output(&program.to_string_lossy(), &["mutants", "--version"]).is_some_and(|answer| answer.ends_with(VERSION))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_and_a_shard_may_be_named() {
        let options =
            Options::parse(&["policy.rs", "crates/verify/src/cache.rs", "--shard", "0/8", "--list", "--resume"])
                .unwrap();
        assert!(options.list && options.resume && options.shard.as_deref() == Some("0/8"));
        assert_eq!(options.patterns(), ["crates/jose/src/policy.rs", "crates/verify/src/cache.rs"]);
        for wrong in [&["--shard"][..], &["--shard", "8/8"], &["--shard", "x"], &["--fast"]] {
            assert!(matches!(Options::parse(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_examined_by_default_exists() {
        for file in Options::default().patterns() {
            assert!(root().join(file.trim_end_matches("/**")).exists(), "{file}");
        }
    }

    /// A mutant that is let live has a reason above it.
    #[test]
    fn every_exception_has_a_reason() {
        let text = fs::read_to_string(root().join(".cargo/mutants.toml")).unwrap();
        let exceptions = text.lines().skip_while(|line| !line.starts_with("exclude_re"));
        let mut reason = false;
        for line in exceptions.skip(1).map(str::trim).take_while(|line| *line != "]") {
            assert!(line.starts_with('#') || reason, "no reason above {line}");
            reason = line.starts_with('#') || (reason && !line.is_empty());
        }
    }
}
