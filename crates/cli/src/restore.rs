//! `countersign restore`: a backup is put back, looked at, and accepted.

use std::path::PathBuf;

use clap::Args;
use countersign_server::{
    app::StartError,
    backup::{PutBack, put_back},
    config::Config,
    restore::{Accepted, Found, accept, look},
    store::restore::Pending,
};
use serde_json::{Value, json};

use crate::{
    Global, admin,
    backup::failure,
    output::{Failure, Output, say},
    progress::Progress,
};

#[derive(Debug, Args)]
pub struct Restore {
    /// A file of `countersign backup`: it takes the place of the database, which is kept under another name
    file: Option<PathBuf>,
    /// Use this database although it is older than it has been: everybody signs in again, every key is replaced
    #[arg(long)]
    accept: bool,
}

impl Restore {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = admin::config(global)?;
        let put = match self.file {
            Some(file) => Some(put(&config, file, output).await?),
            None if config.data.exists() => None,
            None => return Err(Failure::undecided(format!("there is no data folder {}", config.data.display()))),
        };
        if self.accept {
            let accepted = accept(&config).await.map_err(|error| undecided(&error))?;
            output.show(&with_put(accepted_json(&accepted), put.as_ref()), |_| tell_accepted(&accepted));
            return Ok(());
        }
        let found = look(&config).await.map_err(|error| undecided(&error))?;
        output.show(&with_put(found_json(&found), put.as_ref()), |_| tell_found(&found));
        match found.older || found.pending.is_some() {
            true => {
                Err(Failure::refused("this database is not used as it is; countersign restore --accept accepts it"))
            }
            false => Ok(()),
        }
    }
}

/// Puts the file back, and says so: what comes after may fail, as when the key is not there.
async fn put(config: &Config, file: PathBuf, output: Output) -> Result<PutBack, Failure> {
    let (config, name) = (config.clone(), file.display().to_string());
    let mut progress = Progress::new("pages", output.json);
    let put = tokio::task::spawn_blocking(move || {
        let put = put_back(&config, &file, &mut |done, of| progress.tell("putting back", "the database", done, of));
        progress.end();
        put
    });
    let put = put.await.map_err(|error| Failure::undecided(error.to_string()))?.map_err(|error| failure(&error))?;
    if !output.json {
        say!("{name} is in place: {} bytes, schema {}", put.contents.bytes, put.contents.schema);
        if let Some(aside) = &put.aside {
            say!("the database that was there is now {}", aside.display());
        }
    }
    Ok(put)
}

fn with_put(mut answer: Value, put: Option<&PutBack>) -> Value {
    if let Some(put) = put {
        answer["schema"] = json!(put.contents.schema);
        answer["aside"] = json!(put.aside.as_ref().map(|aside| aside.display().to_string()));
    }
    answer
}

fn undecided(error: &StartError) -> Failure {
    Failure::undecided(error.to_string())
}

fn found_json(found: &Found) -> Value {
    json!({
        "older": found.older,
        "backup": found.pending == Some(Pending::Backup),
        "unfinished": found.pending == Some(Pending::Begun),
        "head": found.head.rsn.get(),
        "seen": found.seen.map(|seen| seen.rsn.get()),
    })
}

fn accepted_json(accepted: &Accepted) -> Value {
    let mut json = found_json(&accepted.found);
    json["floor"] = json!(accepted.floor.get());
    json["keys_replaced"] = json!(accepted.keys);
    json
}

fn tell_found(found: &Found) {
    say!("the revocation log of this database stands at {}", found.head);
    match found.seen {
        Some(seen) => say!("the high-water mark has seen            {seen}"),
        None if found.older => say!("the high-water mark cannot be read"),
        None => say!("there is no high-water mark: nobody knows whether it was further"),
    }
    match found.pending {
        Some(Pending::Begun) => say!("an acceptance was begun and not finished"),
        Some(Pending::Backup) => say!("it is a backup: what was revoked since it was made would be alive again"),
        None if found.older => say!("it is older than it has been: what was revoked since would be alive again"),
        None => say!("nothing shows that it is older than it has been"),
    }
}

fn tell_accepted(accepted: &Accepted) {
    say!("accepted: the log goes on at {}", accepted.floor);
    say!("every session and token from before is dead; {} keys were replaced", accepted.keys.len());
    say!(
        "Of the backup are still: passwords, client secrets and the secrets of HS256 audiences, who is disabled, roles, \
         clients and audiences.\nIf one of them was changed after the backup because somebody else knew it or had it, \
         change it again before you start the server."
    );
}
