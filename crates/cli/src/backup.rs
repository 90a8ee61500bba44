//! `countersign backup`: the database as it is now, while the server runs.

use std::path::PathBuf;

use clap::Args;
use countersign_server::{
    backup::{BackupError, Made, back_up},
    config::Config,
    domain::key_store::KeyPlace,
    store::StoreError,
};
use serde_json::json;

use crate::{
    Global, admin,
    output::{Failure, Output, say},
    progress::Progress,
};

#[derive(Debug, Args)]
pub struct Backup {
    /// A new file for it, or a folder, where the time is its name; mode 0600
    file: PathBuf,
    /// Replace the file if it exists, once the new one is whole
    #[arg(long)]
    replace: bool,
}

impl Backup {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = admin::config(global)?;
        let key = key_place(&config);
        let mut progress = Progress::new("pages", output.json);
        let made = tokio::task::spawn_blocking(move || {
            let mut tell = |done, of| progress.tell("backing up", "the database", done, of);
            let made = back_up(&config, &self.file, self.replace, &mut tell);
            progress.end();
            made
        });
        let made = made.await.map_err(|error| Failure::undecided(error.to_string()))?;
        let made = made.map_err(|error| failure(&error))?;
        output.show(
            &json!({
                "file": made.file.display().to_string(),
                "bytes": made.contents.bytes,
                "schema": made.contents.schema,
                "log": made.contents.log.get(),
                "key": key,
            }),
            |_| tell(&made, &key),
        );
        Ok(())
    }
}

fn tell(made: &Made, key: &str) {
    let contents = made.contents;
    say!("{}: {} bytes, schema {}, read again and on the disk", made.file.display(), contents.bytes, contents.schema);
    say!("It is of no use without the key-encryption key ({key}): keep that, too, and not beside it.");
    say!("Back it comes with: countersign restore FILE. Every session and token of before is over then.");
}

/// Where the key is that opens what is sealed in the database.
fn key_place(config: &Config) -> String {
    match (config.keys.place, &config.keys.kek_env) {
        (KeyPlace::Store(store), _) => format!("wrapped by the key store {}", store.as_str()),
        (_, Some(variable)) => format!("in the variable {variable}"),
        _ => config.keys.kek_file.clone().unwrap_or_else(|| config.data.join("kek")).display().to_string(),
    }
}

pub fn failure(error: &BackupError) -> Failure {
    match error {
        BackupError::Postgres | BackupError::Itself(_) => Failure::usage(error.to_string()),
        BackupError::Exists(_) | BackupError::Store(StoreError::Broken(_)) => Failure::refused(error.to_string()),
        _ => Failure::undecided(error.to_string()),
    }
}
