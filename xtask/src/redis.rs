//! Redis, which `bench revocation` compares with: found, or installed on Debian as root.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Failure,
    run::{output, step},
};

/// Names the program to the bench; set by hand it wins over the search.
pub const VARIABLE: &str = "COUNTERSIGN_TEST_REDIS";

/// `redis-server`; Debian's package `redis-tools` has the same program under another name.
const PROGRAMS: [&str; 2] = ["redis-server", "redis-check-rdb"];

/// The server's program. On Debian as root it is installed when it is missing; no server of the system is started.
pub fn server_program() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(named.into());
    }
    if let Some(found) = search() {
        return Ok(found);
    }
    if !Path::new("/etc/debian_version").exists() {
        return Err(Failure::Step(missing("this is not Debian, so nothing was installed")));
    }
    if output("id", &["-u"]).as_deref() != Some("0") {
        return Err(Failure::Step(missing("installing needs root, so nothing was installed")));
    }
    println!("Redis is missing; installing Debian's redis-tools, which has the server's program and starts nothing.");
    step(Command::new("apt-get").args(["update", "-q"]))?;
    step(
        Command::new("apt-get")
            .args(["install", "-y", "-q", "--no-install-recommends", "redis-tools"])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    search().ok_or_else(|| Failure::Step(missing("the package was installed, but it has no such program")))
}

fn search() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    PROGRAMS.iter().find_map(|program| folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file()))
}

fn missing(why: &str) -> String {
    format!(
        "Redis is one of the things that `bench revocation` compares with, and was not found; {why}.\n\
         Searched: redis-server and redis-check-rdb in PATH.\n\
         Debian, Ubuntu: sudo apt-get install redis-tools · Fedora: sudo dnf install redis · macOS: brew install redis\n\
         Or name the program: {VARIABLE}=/path/to/redis-server cargo xtask bench revocation"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_to_do() {
        let text = missing("nothing was installed");
        assert!(text.contains("apt-get install redis-tools") && text.contains(VARIABLE));
    }
}
