//! Real key stores for the tests: OpenBao and moto (Python packages, into target/peers), SoftHSM and its tool (Debian's
//! packages, which start nothing).

use crate::{Failure, debian, run::output};

/// Programs that must be there, and Debian's packages that bring them.
const PROGRAMS: [(&str, &str); 2] = [("softhsm2-util", "softhsm2"), ("pkcs11-tool", "opensc")];

/// SoftHSM and pkcs11-tool, installed if they are missing.
pub fn provide_softhsm() -> Result<(), Failure> {
    let before = absent();
    if before.is_empty() {
        return Ok(());
    }
    if let Some(why) = debian::obstacle() {
        return Err(Failure::Step(missing(&before, why)));
    }
    println!("{} missing; installing Debian's packages.", before.join(", "));
    debian::install(&before)?;
    match absent() {
        after if after.is_empty() => Ok(()),
        after => Err(Failure::Step(missing(&after, "Debian's packages were installed, but that did not bring it"))),
    }
}

/// The packages whose programs are missing.
fn absent() -> Vec<&'static str> {
    let lacks = |program: &str| output("sh", &["-c", &format!("command -v {program}")]).is_none();
    PROGRAMS.iter().filter(|(program, _)| lacks(program)).map(|(_, package)| *package).collect()
}

fn missing(packages: &[&str], why: &str) -> String {
    format!(
        "the tests of key stores use SoftHSM; missing: {}; {why}.\nDebian, Ubuntu: sudo apt-get install {}",
        packages.join(", "),
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_to_do() {
        let text = missing(&["softhsm2"], "nothing was installed");
        assert!(
            text.contains("missing: softhsm2; nothing was installed") && text.contains("apt-get install softhsm2"),
            "{text}"
        );
    }
}
