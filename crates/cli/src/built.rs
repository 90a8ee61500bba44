//! `countersign --version --verbose`: what this program was built from, for a report of a fault and for whoever rebuilds it.

use std::{env::args_os, ffi::OsString};

use countersign_server::store;
use serde_json::{Map, Value, json};

use crate::output::{Output, say};

/// Whether the command line asks for this, and nothing else; and whether in JSON.
pub fn asked() -> Option<Output> {
    asked_by(args_os().skip(1))
}

fn asked_by(arguments: impl Iterator<Item = OsString>) -> Option<Output> {
    let (mut version, mut verbose, mut json) = (false, false, false);
    for argument in arguments {
        match argument.to_str() {
            Some("--version" | "-V") => version = true,
            Some("--verbose") => verbose = true,
            Some("--json") => json = true,
            _ => return None,
        }
    }
    (version && verbose).then_some(Output { json })
}

pub fn show(output: Output) {
    let parts = parts();
    let answer: Map<String, Value> = parts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    output.show(&Value::Object(answer), |_| {
        say!("countersign {}", env!("CARGO_PKG_VERSION"));
        for (name, value) in &parts[1..] {
            say!("{:<12} {value}", name.replace('_', " "));
        }
    });
}

fn parts() -> [(&'static str, String); 11] {
    [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("commit", env!("BUILT_COMMIT").to_owned()),
        ("tree", env!("BUILT_TREE").to_owned()),
        // Seconds since 1970: SOURCE_DATE_EPOCH if it was set, else the time of the commit. Never the time of the build.
        ("source_date", env!("BUILT_DATE").to_owned()),
        ("rustc", env!("BUILT_RUSTC").to_owned()),
        ("target", env!("BUILT_TARGET").to_owned()),
        ("profile", env!("BUILT_PROFILE").to_owned()),
        ("features", env!("BUILT_FEATURES").to_owned()),
        ("sqlite", store::sqlite_version().to_owned()),
        ("aws_lc", format!("aws-lc-sys {}", env!("BUILT_AWS_LC"))),
        ("schema", store::schema_version().to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(line: &str) -> Option<bool> {
        asked_by(line.split_whitespace().map(OsString::from)).map(|output| output.json)
    }

    #[test]
    fn only_the_whole_question_is_answered() {
        assert_eq!(asks("--version --verbose"), Some(false));
        assert_eq!(asks("--verbose -V"), Some(false));
        assert_eq!(asks("--json --version --verbose"), Some(true));
        assert_eq!(asks("--version"), None);
        assert_eq!(asks("serve --version --verbose"), None);
    }
}
