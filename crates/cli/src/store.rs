//! `countersign store copy`: a database moves from SQLite to PostgreSQL, or back.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_server::{
    copy::{self, CopyError, Outcome, Phase},
    secret::PlainSecret,
    store::StoreConfig,
};
use serde_json::{Value, json};

use crate::{
    output::{Failure, Output, say, table},
    progress::Progress,
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Store {
    /// Copy everything from SQLite to PostgreSQL or back, without signing anybody out; no server may run meanwhile
    Copy(Copy),
}

#[derive(Debug, Args)]
pub struct Copy {
    /// Where everything is: a file of SQLite or its data folder, postgres://…, or env:VARIABLE with such a URL
    source: String,
    /// Where it goes: the same; an empty database, or the half of this copy
    target: String,
    /// Copy nothing, and say whether both hold the same
    #[arg(long)]
    verify: bool,
}

impl Store {
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        let Self::Copy(command) = self;
        let (from, to) = (database(&command.source)?, database(&command.target)?);
        let mut progress = Progress::new("rows", output.json);
        let mut tell = |step: copy::Progress| {
            let what = if step.phase == Phase::Copying { "copying" } else { "comparing" };
            progress.tell(what, step.table, step.done, step.of);
        };
        let outcome = match command.verify {
            true => copy::verify(&from, &to, &mut tell).await,
            false => copy::copy(&from, &to, &mut tell).await,
        };
        progress.end();
        let outcome = outcome.map_err(|error| failure(&error))?;
        output.show(&in_json(&outcome), |_| show(&outcome, command.verify));
        match outcome.is_same() {
            true => Ok(()),
            false if command.verify => Err(Failure::refused("the two databases do not hold the same")),
            false => Err(Failure::refused(
                "the target does not hold what the source holds: one of them was written to meanwhile. The target is of no \
                 use; run this again with an empty database",
            )),
        }
    }
}

fn failure(error: &CopyError) -> Failure {
    match error {
        CopyError::SameKind(_) | CopyError::File { .. } => Failure::usage(error.to_string()),
        CopyError::NotEmpty(_) | CopyError::OtherCopy | CopyError::HalfSource | CopyError::HalfTarget => {
            Failure::refused(error.to_string())
        }
        _ => Failure::undecided(error.to_string()),
    }
}

/// A database as people write it. A password in an argument could be read by everybody on this machine (ADM-06).
fn database(text: &str) -> Result<StoreConfig, Failure> {
    let postgres = |url: String| StoreConfig::Postgres { url: PlainSecret::new(url), pool_size: 4 };
    let is_url = |text: &str| text.starts_with("postgres://") || text.starts_with("postgresql://");
    if let Some(variable) = text.strip_prefix("env:") {
        return match std::env::var(variable) {
            Ok(url) if is_url(&url) => Ok(postgres(url)),
            _ => Err(Failure::usage(format!("the variable {variable} has no postgres:// URL"))),
        };
    }
    if is_url(text) {
        return match has_password(text) {
            true => Err(Failure::usage(
                "a password in an argument can be read by others on this machine: put the URL into a variable and say \
                 env:VARIABLE",
            )),
            false => Ok(postgres(text.to_owned())),
        };
    }
    let path = PathBuf::from(text);
    let path = if path.is_dir() { path.join("countersign.db") } else { path };
    Ok(StoreConfig::Sqlite { path })
}

fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = before.split('/').next().unwrap_or_default().rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || query.split('&').any(|pair| pair.starts_with("password="))
}

fn in_json(outcome: &Outcome) -> Value {
    let tables = outcome.tables.iter().map(|table| {
        json!({
            "table": table.table,
            "rows": table.source.rows,
            "source": table.source.to_string(),
            "target": table.target.to_string(),
            "same": table.is_same(),
        })
    });
    let tables: Vec<Value> = tables.collect();
    json!({ "same": outcome.is_same(), "resumed_after": outcome.resumed, "tables": tables })
}

fn show(outcome: &Outcome, verified: bool) {
    let rows = outcome.tables.iter().filter(|table| table.source.rows + table.target.rows > 0).map(|table| {
        let word = if table.is_same() { "same".to_owned() } else { format!("DIFFERS ({} rows)", table.target.rows) };
        let checksum: String = table.source.to_string().chars().take(16).collect();
        vec![table.table.to_owned(), table.source.rows.to_string(), checksum, word]
    });
    table(&["table", "rows", "checksum", "in the target"], &rows.collect::<Vec<_>>());
    if outcome.is_same() && !verified {
        say!(
            "\nEverything is in both. Name the target as `database` in the configuration of every server, keep the data \
             folder with\nits key-encryption key and its high-water mark, and start. Nobody is signed out. Do not serve the \
             source any more."
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ADM-06
    #[test]
    fn a_password_is_no_argument() {
        for secret in ["postgres://u:p@h/db", "postgresql://u:@h", "postgres://h/db?user=u&password=p"] {
            assert!(has_password(secret), "{secret}");
            assert!(database(secret).is_err(), "{secret}");
        }
        for plain in ["postgres://u@h:5432/db", "postgres://h:5432/a@b:c", "postgres://u@%2Frun/db?sslmode=disable"] {
            assert!(!has_password(plain), "{plain}");
            assert!(matches!(database(plain), Ok(StoreConfig::Postgres { .. })), "{plain}");
        }
        assert!(matches!(database("data/countersign.db"), Ok(StoreConfig::Sqlite { .. })));
        assert!(database("env:NO_SUCH_VARIABLE_OF_OURS").is_err());
    }
}
