//! What watches the server in the tests: Prometheus and its tool, from Debian's package.

use crate::{Failure, debian, run::output};

const PROGRAMS: [&str; 2] = ["prometheus", "promtool"];

/// Both programs, installed if they are missing; nothing of the package runs by itself.
pub fn provide_prometheus() -> Result<(), Failure> {
    if absent().is_empty() {
        return Ok(());
    }
    if let Some(why) = debian::obstacle() {
        return Err(Failure::Step(missing(why)));
    }
    println!("{} missing; installing Debian's package.", absent().join(", "));
    debian::install_programs(&["prometheus"], &["prometheus"])?;
    match absent() {
        after if after.is_empty() => Ok(()),
        _ => Err(Failure::Step(missing("Debian's package was installed, but that did not bring it"))),
    }
}

fn absent() -> Vec<&'static str> {
    PROGRAMS.into_iter().filter(|program| output(program, &["--version"]).is_none()).collect()
}

fn missing(why: &str) -> String {
    format!(
        "the tests of the alert rules use {}; {why}.\nDebian, Ubuntu: sudo apt-get install prometheus",
        PROGRAMS.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_to_do() {
        let text = missing("nothing was installed");
        assert!(text.contains("nothing was installed") && text.contains("apt-get install prometheus"), "{text}");
    }
}
