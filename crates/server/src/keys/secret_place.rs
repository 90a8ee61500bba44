//! Secrets that open key stores: read for each use, so that whoever renews them needs no restart here.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::remote::Fault;
use crate::{config::SecretPlace, secret::PlainSecret};

/// Bytes of a secret file; more is certainly a mistake.
const LONGEST: u64 = 64 * 1024;

/// The secret that lies there, without a line end.
///
/// # Errors
/// It is missing, empty, or others may read it (ADM-06).
pub(super) fn read(place: &SecretPlace) -> Result<PlainSecret, Fault> {
    let (text, name) = match place {
        SecretPlace::Env(name) => {
            let text = std::env::var(name).map_err(|_| Fault::Refused(format!("the variable {name} is not set")))?;
            (PlainSecret::new(text), format!("${name}"))
        }
        SecretPlace::File(path) => (read_file(path)?, path.display().to_string()),
    };
    match text.expose().trim() {
        "" => Err(Fault::Refused(format!("{name} is empty"))),
        trimmed => Ok(PlainSecret::new(trimmed.to_owned())),
    }
}

/// A file that only its owner may read.
///
/// # Errors
/// As [`read`].
pub(super) fn read_file(path: &Path) -> Result<PlainSecret, Fault> {
    let bad = |error: io::Error| Fault::Refused(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(bad)?;
    let mode = file.metadata().map_err(bad)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Fault::Refused(format!("{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")));
    }
    // Room for all of it: a growing buffer would leave copies behind.
    let mut text = String::with_capacity(usize::try_from(LONGEST).unwrap_or_default());
    file.take(LONGEST).read_to_string(&mut text).map_err(bad)?;
    Ok(PlainSecret::new(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    // ADM-06
    #[test]
    fn a_file_that_others_may_read_is_refused_and_its_text_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "hunter2\r\n").unwrap();
        let place = SecretPlace::File(path.clone());
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read(&place) {
                Ok(secret) => assert!(fits && secret.expose() == "hunter2"),
                Err(Fault::Refused(why)) => {
                    assert!(!fits && why.contains("chmod 600") && !why.contains("hunter2"), "{why}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        fs::write(&path, "\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read(&place), Err(Fault::Refused(why)) if why.contains("is empty")));
        assert!(read(&SecretPlace::Env("COUNTERSIGN_TEST_NO_SUCH_VARIABLE".to_owned())).is_err());
    }
}
