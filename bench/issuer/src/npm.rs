//! Installs the npm peer, from its lock file, the first time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/oidc-provider")
}

/// `npm ci`, unless the installed tree already belongs to this lock file.
pub fn install() -> Result<()> {
    let folder = folder();
    let lock = fs::read(folder.join("package-lock.json")).context("package-lock.json of the peer")?;
    let stamp = folder.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    eprintln!("installing bench/peers/oidc-provider (npm ci)");
    let status = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&folder).status();
    if !status.context("npm is needed to install the peer; install Node.js 20 or later")?.success() {
        bail!("npm ci failed in bench/peers/oidc-provider");
    }
    fs::write(stamp, lock)?;
    Ok(())
}
