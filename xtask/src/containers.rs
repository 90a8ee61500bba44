//! What builds images in the tests: buildah, from Debian's package, which starts nothing.

use crate::{Failure, debian, run::output};

/// buildah, installed if it is missing.
pub fn provide_buildah() -> Result<(), Failure> {
    if output("buildah", &["--version"]).is_some() {
        return Ok(());
    }
    let missing = |why: &str| {
        Failure::Step(format!(
            "the tests of the container file use buildah; {why}.\nDebian, Ubuntu: sudo apt-get install buildah"
        ))
    };
    if let Some(why) = debian::obstacle() {
        return Err(missing(why));
    }
    println!("buildah missing; installing Debian's package.");
    debian::install(&["buildah"])?;
    match output("buildah", &["--version"]) {
        Some(_) => Ok(()),
        None => Err(missing("Debian's package was installed, but that did not bring it")),
    }
}
