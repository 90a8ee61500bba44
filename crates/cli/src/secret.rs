//! Secrets come from a terminal without echo, from standard input or from a file, never from the command line (ADM-06).

use std::{
    io::{IsTerminal, Read, stdin},
    path::Path,
};

use countersign_server::secret::PlainSecret;

use crate::output::Failure;

/// Bytes of a secret; more is certainly a mistake.
const LONGEST: u64 = 4096;

/// Reads a secret from `file` (`-` or none: standard input; asked twice on a terminal).
///
/// # Errors
/// It cannot be read, is empty, or was typed differently the second time.
pub fn read(what: &str, file: Option<&Path>) -> Result<PlainSecret, Failure> {
    let text = match file {
        Some(path) if path != Path::new("-") => {
            let opened =
                std::fs::File::open(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            first_line(opened)?
        }
        _ if stdin().is_terminal() => typed(what)?,
        _ => first_line(stdin())?,
    };
    if text.expose().is_empty() { Err(Failure::usage(format!("the {what} is empty"))) } else { Ok(text) }
}

fn typed(what: &str) -> Result<PlainSecret, Failure> {
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map(PlainSecret::new).map_err(|error| Failure::usage(error.to_string()))
    };
    let first = ask(format!("{what}: "))?;
    let second = ask(format!("{what} again: "))?;
    if first.expose() == second.expose() { Ok(first) } else { Err(Failure::usage("the two are not the same")) }
}

fn first_line(source: impl Read) -> Result<PlainSecret, Failure> {
    let mut text = String::new();
    source.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| Failure::usage(error.to_string()))?;
    let text = PlainSecret::new(text);
    if text.expose().len() as u64 > LONGEST {
        return Err(Failure::usage(format!("more than {LONGEST} bytes")));
    }
    Ok(PlainSecret::new(text.expose().trim_end_matches(['\r', '\n']).to_owned()))
}
