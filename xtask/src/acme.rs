//! An ACME server for the tests: Pebble, from Debian's package, which brings no service.

use crate::{Failure, debian, run::output};

/// The program, installed if it is missing.
pub fn provide_pebble() -> Result<(), Failure> {
    if present() {
        return Ok(());
    }
    if let Some(why) = debian::obstacle() {
        return Err(Failure::Step(missing(why)));
    }
    println!("pebble missing; installing Debian's package.");
    debian::install(&["pebble"])?;
    if present() {
        return Ok(());
    }
    Err(Failure::Step(missing("Debian's package was installed, but that did not bring it")))
}

fn present() -> bool {
    output("sh", &["-c", "command -v pebble"]).is_some()
}

fn missing(why: &str) -> String {
    format!(
        "the tests of fetched certificates use the ACME server Pebble; {why}.\nDebian, Ubuntu: sudo apt-get install pebble"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_to_do() {
        let text = missing("nothing was installed");
        assert!(text.contains("nothing was installed") && text.contains("apt-get install pebble"), "{text}");
    }
}
