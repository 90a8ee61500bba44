//! The browser of the tests: Chromium, driven by chromedriver.

use std::path::PathBuf;

use crate::{Failure, debian};

/// Names `chromedriver` to the tests; set by hand it wins over every search.
pub const VARIABLE: &str = "COUNTERSIGN_TEST_CHROMEDRIVER";
const PROGRAM: &str = "chromedriver";
/// Debian's: the driver, the browser, and letters for it to draw.
const PACKAGES: [&str; 4] = ["chromium", "chromium-driver", "fonts-dejavu-core", "fonts-droid-fallback"];

/// The driver. On Debian as root it is installed with the browser when it is missing.
pub fn driver() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(PathBuf::from(named));
    }
    if let Some(found) = search() {
        return Ok(found);
    }
    if let Some(obstacle) = debian::obstacle() {
        return Err(Failure::Step(missing(obstacle)));
    }
    println!("Chromium's driver is missing; installing {}.", PACKAGES.join(", "));
    debian::install(&PACKAGES)?;
    search().ok_or_else(|| Failure::Step(missing("the packages were installed, but it is still not to be found")))
}

fn search() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|program| program.is_file())
}

fn missing(reason: &str) -> String {
    format!(
        "The tests of examples/bank need a browser: {reason}.\n\
         Searched: {PROGRAM} in PATH.\n\
         Debian: sudo apt-get install {} · Fedora: sudo dnf install chromium chromedriver · macOS: brew install --cask chromedriver\n\
         Or name the program: {VARIABLE}=/path/to/chromedriver cargo xtask test",
        PACKAGES.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_the_way_to_get_it() {
        let text = missing("nothing was installed");
        assert!(text.contains("apt-get install chromium chromium-driver") && text.contains(VARIABLE));
    }
}
