//! What a command reads: an argument, a file, or standard input; and where its answer goes.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write, stdin, stdout},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use countersign_server::clock::Clock;
use zeroize::Zeroizing;

use crate::output::Failure;

/// What was read from standard input is gone: whoever asked for it first has it.
static STDIN_TAKEN: AtomicBool = AtomicBool::new(false);

/// Bytes of a text; more is certainly a mistake.
const LONGEST: u64 = 4 * 1024 * 1024;

/// A token or a JSON text: `-` is standard input, the name of a file is that file, anything else is the text itself.
///
/// # Errors
/// It cannot be read, or is neither a file nor looks like a text.
pub fn text(argument: &str) -> Result<String, Failure> {
    if argument.starts_with('{') || argument.starts_with("eyJ") {
        return Ok(argument.trim().to_owned());
    }
    let path = Path::new(argument);
    if argument != "-" && !path.exists() {
        let words = "neither a file nor a token, which begins with eyJ, nor JSON, which begins with {";
        return Err(Failure::usage(format!("{argument:?} is {words}")));
    }
    let bytes = bytes(path)?;
    let text = str::from_utf8(&bytes).map_err(|_| Failure::usage(format!("{argument}: not a text in UTF-8")))?;
    Ok(text.trim().to_owned())
}

/// The bytes of a file; `-` is standard input. They may be a secret.
///
/// # Errors
/// It cannot be read, or is too long.
pub fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let named = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    if path == Path::new("-") {
        if STDIN_TAKEN.swap(true, Ordering::Relaxed) {
            return Err(Failure::usage("only one thing can come from standard input"));
        }
        return limited(stdin()).map_err(named)?.ok_or_else(too_long);
    }
    limited(File::open(path).map_err(named)?).map_err(named)?.ok_or_else(too_long)
}

fn limited(source: impl Read) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    source.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LONGEST).then_some(bytes))
}

fn too_long() -> Failure {
    Failure::usage(format!("more than {LONGEST} bytes"))
}

/// A secret from a file. A line end after a line of text is not part of it.
///
/// # Errors
/// It cannot be read or is empty.
pub fn secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = bytes(path)?;
    if let Ok(text) = str::from_utf8(&bytes) {
        let line = text.trim_end_matches(['\r', '\n']);
        if !line.chars().any(char::is_control) {
            let len = line.len();
            bytes.truncate(len);
        }
    }
    if bytes.is_empty() { Err(Failure::usage(format!("{}: the secret is empty", path.display()))) } else { Ok(bytes) }
}

/// Writes bytes as they are to standard output. Whoever reads them may have had enough.
pub fn put(bytes: &[u8]) {
    let mut out = stdout();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes a new file that only its owner can read.
///
/// # Errors
/// It exists and `replace` does not hold, or it cannot be written.
pub fn keep(path: &Path, bytes: &[u8], mode: u32, replace: bool) -> Result<(), Failure> {
    let named = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(format!("{} exists; --force replaces it", path.display())),
        _ => Failure::usage(format!("{}: {error}", path.display())),
    };
    if replace && path.exists() {
        // A new file, so that the old one's permissions do not stay.
        std::fs::remove_file(path).map_err(named)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(named)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(named)
}

/// Seconds since 1970.
pub fn now() -> i64 {
    Clock::System.now().secs()
}
