//! `countersign jwks …`: key sets as others publish them.

mod fetch;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use countersign_jose::{AnyKey, Error, JwkSet, key, key::Imported};
use serde_json::{Value, json};

use crate::{
    jwk::{describe, human},
    jwt::{input, pages},
    output::{Failure, Output, say, text},
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Jwks {
    /// Show the keys of a set; never a private part
    Show(Source),
    /// Look for what is wrong with a set that is published
    Lint(Source),
}

/// Where a set is.
#[derive(Debug, Args)]
pub struct Source {
    /// PEM file of the certificate authorities to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Address (https:// or http://), file, or - for standard input
    source: String,
}

impl Jwks {
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Show(from) => {
                let imported = key::import(&from.read().await?)
                    .map_err(|error| Failure::usage(format!("{}: {error} ({})", from.source, error.code())))?;
                show(&imported, output);
                Ok(())
            }
            Self::Lint(from) => lint(&from.source, &from.read().await?, output),
        }
    }
}

impl Source {
    async fn read(&self) -> Result<Vec<u8>, Failure> {
        if self.source.starts_with("https://") || self.source.starts_with("http://") {
            return fetch::get(&self.source, self.ca.as_deref()).await;
        }
        input::bytes(Path::new(&self.source)).map(|bytes| bytes.to_vec())
    }
}

fn show(imported: &Imported, output: Output) {
    let keys: Vec<Value> = imported.keys.iter().map(describe).collect();
    let skipped: Vec<Value> = imported.skipped.iter().map(|(at, error)| left_out(*at, error)).collect();
    output.show(&json!({ "keys": keys, "skipped": skipped }), |answer| {
        human(&answer["keys"]);
        for row in answer["skipped"].as_array().into_iter().flatten() {
            say!("\nkey {} left out: {} ({})", row["index"], text(row, "error"), text(row, "code"));
        }
    });
}

fn left_out(index: usize, error: &Error) -> Value {
    json!({ "index": index, "code": error.code(), "error": error.to_string() })
}

fn lint(source: &str, bytes: &[u8], output: Output) -> Result<(), Failure> {
    let found = findings(bytes);
    let problems = found.iter().filter(|row| row["severity"] == "problem").count();
    let answer = json!({ "valid": problems == 0, "findings": found });
    if problems == 0 || !output.json {
        output.show(&answer, |answer| {
            for row in answer["findings"].as_array().into_iter().flatten() {
                let place = if row["index"].is_null() { "set".into() } else { format!("key {}", row["index"]) };
                say!("{}: {place}: {}", text(row, "severity"), text(row, "message"));
            }
            if problems == 0 {
                say!("no problem");
            }
        });
    }
    if problems == 0 {
        return Ok(());
    }
    Err(Failure::refused(format!("{source}: {problems} problem(s)")).with_problem(answer))
}

fn findings(bytes: &[u8]) -> Vec<Value> {
    let mut found = Vec::new();
    let mut add = |severity: &str, index: Option<usize>, code: &str, message: String| {
        found.push(json!({ "severity": severity, "index": index, "code": code, "message": message }));
    };
    let set = match JwkSet::parse(bytes) {
        Ok(set) => set,
        Err(error) => {
            add("problem", None, error.code(), format!("{error}. {}", pages::help(error.code()).unwrap_or_default()));
            return found;
        }
    };
    for (index, error) in &set.skipped {
        // Verifiers leave such a key out, so that nobody else is harmed; but its tokens are refused.
        let help = pages::help(error.code()).unwrap_or_default();
        add("problem", Some(*index), error.code(), format!("{error}. {help}"));
    }
    if set.keys.is_empty() && set.skipped.is_empty() {
        add("problem", None, "key_form", "no key in the set: every token is refused".into());
    }
    let left: Vec<usize> = set.skipped.iter().map(|(index, _)| *index).collect();
    let places = (0..).filter(|index| !left.contains(index));
    for (index, jwk) in places.zip(&set.keys) {
        let index = Some(index);
        if jwk.kid().is_none() {
            add(
                "problem",
                index,
                "key_id",
                "no kid: verifiers cannot tell it from the next key when it rotates".into(),
            );
        }
        if jwk.alg().is_none() {
            let several = jwk.kty() == "RSA";
            let severity = if several { "problem" } else { "advice" };
            add(severity, index, "key_algorithm_missing", "no alg: each verifier must guess or be told".into());
        }
        let key = AnyKey::Public(jwk.clone());
        if jwk.alg().is_some() && key.verifying_key(None).is_err() && key.encryption_key(None).is_err() {
            let why = key.verifying_key(None).err().map_or_else(String::new, |error| error.to_string());
            add("problem", index, "key_wrong_algorithm", format!("no use of it: {why}"));
        }
        if json!(jwk)["use"].is_null() && json!(jwk)["key_ops"].is_null() {
            add("advice", index, "key_use", "no use: say sig or enc, so that nobody uses it for the other".into());
        }
    }
    found
}
