//! Debian's packages, where a test needs a program that is missing.

use std::{path::Path, process::Command};

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
