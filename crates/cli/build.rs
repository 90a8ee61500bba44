//! What `countersign --version --verbose` says the program was built from. Standard library only.
//!
//! The commit comes from Git, from a source archive (`release/commit`, which `git archive` fills in), or is unknown. A debug
//! build does not ask: it would be built anew at every commit, and nobody deploys it.
#![allow(clippy::print_stdout, reason = "this is how a build script answers")]

use std::{env, fs, path::Path, process::Command};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let profile = env::var("PROFILE").unwrap_or_default();
    let source = if profile == "debug" { Source::unasked() } else { Source::find(&root) };
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let features = env::var("CARGO_CFG_FEATURE").unwrap_or_default();
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    // Not COUNTERSIGN_…: cargo hands these to what it runs, too, and there such a name is a configuration key.
    for (name, value) in [
        ("COMMIT", source.commit),
        ("TREE", source.tree),
        ("DATE", env::var("SOURCE_DATE_EPOCH").ok().or(source.date).unwrap_or_else(|| "unknown".to_owned())),
        ("RUSTC", output(&rustc, &["--version"], &root).unwrap_or_else(|| "unknown".to_owned())),
        ("TARGET", env::var("TARGET").unwrap_or_default()),
        ("PROFILE", profile),
        ("FEATURES", if features.is_empty() { "none".to_owned() } else { features }),
        ("AWS_LC", locked(&lock, "aws-lc-sys").unwrap_or_else(|| "unknown".to_owned())),
    ] {
        println!("cargo::rustc-env=BUILT_{name}={value}");
    }
}

/// Which state of the source this is.
struct Source {
    commit: String,
    tree: String,
    /// Of the commit, seconds since 1970.
    date: Option<String>,
}

impl Source {
    fn unasked() -> Self {
        let words = "not recorded in a debug build";
        Self { commit: words.to_owned(), tree: words.to_owned(), date: None }
    }

    fn find(root: &Path) -> Self {
        let archive = root.join("release/commit");
        println!("cargo::rerun-if-changed={}", archive.display());
        Self::of_git(root).or_else(|| Self::of_archive(&archive)).unwrap_or_else(|| Self {
            commit: "unknown".to_owned(),
            tree: "unknown".to_owned(),
            date: None,
        })
    }

    /// `None` also where the repository around us is somebody else's.
    fn of_git(root: &Path) -> Option<Self> {
        let git = |args: &[&str]| output("git", args, root);
        let top = fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()?;
        if top != fs::canonicalize(root).ok()? {
            return None;
        }
        for part in ["HEAD", "index"] {
            let path = git(&["rev-parse", "--git-path", part])?;
            println!("cargo::rerun-if-changed={}", root.join(path).display());
        }
        let changed = git(&["status", "--porcelain"])?;
        Some(Self {
            commit: git(&["rev-parse", "HEAD"])?,
            tree: if changed.is_empty() { "clean".to_owned() } else { "changed since that commit".to_owned() },
            date: git(&["log", "-1", "--format=%ct"]),
        })
    }

    fn of_archive(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (commit, date) = text.trim().split_once(' ')?;
        let known = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        known.then(|| Self {
            commit: commit.to_owned(),
            tree: "source archive".to_owned(),
            date: Some(date.to_owned()),
        })
    }
}

fn output(program: &str, args: &[&str], folder: &Path) -> Option<String> {
    let out = Command::new(program).args(args).current_dir(folder).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// The version of a package in `Cargo.lock`.
fn locked(lock: &str, package: &str) -> Option<String> {
    let (_, after) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    after.split('"').next().map(str::to_owned)
}
