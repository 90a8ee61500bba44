//! Debian's packages, where a test needs a program that is missing.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::{
    Failure,
    run::{output, step},
};

/// Why nothing can be installed here, if that is so.
pub fn obstacle() -> Option<&'static str> {
    if !Path::new("/etc/debian_version").exists() {
        return Some("this is not Debian, so nothing was installed");
    }
    if output("id", &["-u"]).as_deref() != Some("0") {
        return Some("installing needs root, so nothing was installed");
    }
    None
}

/// Whoever asks this program hears that no service may be started.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs packages of servers, of which only the programs are wanted: nothing of them runs, now or after the next start
/// of the machine.
pub fn install_programs(packages: &[&str], services: &[&str]) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::Step(format!("{POLICY} could not be written: {error}"));
    let ours = !Path::new(POLICY).exists();
    if ours {
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").map_err(broken)?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)).map_err(broken)?;
    }
    let installed = install(packages);
    if ours {
        fs::remove_file(POLICY).map_err(broken)?;
    }
    installed?;
    if Path::new("/run/systemd/system").exists() {
        step(Command::new("systemctl").arg("disable").args(services))?;
    }
    Ok(())
}

/// Installs packages.
pub fn install(packages: &[&str]) -> Result<(), Failure> {
    step(Command::new("apt-get").args(["update", "-q"]))?;
    step(
        Command::new("apt-get")
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
