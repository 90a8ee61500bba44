//! `countersign restore`: a database from a backup is looked at, and accepted.

use clap::Args;
use countersign_server::{
    app::StartError,
    restore::{Accepted, Found, accept, look},
};
use serde_json::{Value, json};

use crate::{
    Global, admin,
    output::{Failure, Output, say},
};

#[derive(Debug, Args)]
pub struct Restore {
    /// Use this database although it is older than it has been: everybody signs in again, every key is replaced
    #[arg(long)]
    accept: bool,
}

impl Restore {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = admin::config(global)?;
        if !config.data.exists() {
            return Err(Failure::undecided(format!("there is no data folder {}", config.data.display())));
        }
        if self.accept {
            let accepted = accept(&config).await.map_err(|error| undecided(&error))?;
            output.show(&accepted_json(&accepted), |_| tell_accepted(&accepted));
            return Ok(());
        }
        let found = look(&config).await.map_err(|error| undecided(&error))?;
        output.show(&found_json(&found), |_| tell_found(&found));
        match found.older || found.unfinished {
            true => {
                Err(Failure::refused("this database is not used as it is; countersign restore --accept accepts it"))
            }
            false => Ok(()),
        }
    }
}

fn undecided(error: &StartError) -> Failure {
    Failure::undecided(error.to_string())
}

fn found_json(found: &Found) -> Value {
    json!({
        "older": found.older,
        "unfinished": found.unfinished,
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
    if found.unfinished {
        say!("an acceptance was begun and not finished");
    } else if found.older {
        say!("it is older than it has been: what was revoked since would be alive again");
    } else {
        say!("nothing shows that it is older than it has been");
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
