//! The programs: one for what uses this library's aws-lc-rs, one for each other library.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

const PEERS: [&str; 3] = ["jsonwebtoken", "jwt-simple", "josekit"];

/// The two builds of the same cases.
pub struct Programs {
    pub time: PathBuf,
    pub count: PathBuf,
}

/// Ours and those of the peers that can be built here, and why others cannot.
pub fn all() -> Result<(Vec<Programs>, Vec<String>)> {
    let (mut built, mut missing) = (ours()?, Vec::new());
    for peer in PEERS {
        let manifest = folder().join("../peers").join(peer).join("Cargo.toml");
        match build(&manifest, &format!("bench-peer-{peer}")) {
            Ok(programs) => built.push(programs),
            // It is the only one that needs something of the system.
            Err(error) if peer == "josekit" => {
                missing.push(format!("{peer}: {error:#} (it needs the headers of OpenSSL)"))
            }
            Err(error) => return Err(error),
        }
    }
    Ok((built, missing))
}

/// Ours alone.
pub fn ours() -> Result<Vec<Programs>> {
    Ok(vec![build(&folder().join("Cargo.toml"), "bench-jose")?])
}

/// One target folder for all: aws-lc is compiled once.
fn build(manifest: &Path, name: &str) -> Result<Programs> {
    let target = folder().join("target");
    let (time, count) = (format!("{name}-time"), format!("{name}-count"));
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "--bin", &time, "--bin", &count, "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(folder())
        .status()
        .context("cargo")?;
    if !status.success() {
        bail!("{name} does not build here");
    }
    let release = target.join("release");
    Ok(Programs { time: release.join(time), count: release.join(count) })
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
