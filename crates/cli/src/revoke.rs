//! `countersign revoke …`: ends something, and says from when on no service accepts it.

use std::{
    io::{IsTerminal, Read, stderr, stdin},
    time::Duration,
};

use clap::{Args, ValueEnum};
use countersign_server::clock::Clock;
use serde_json::{Value, json};

use crate::{
    Global,
    admin::Admin,
    output::{Failure, Output, say, text},
};

#[derive(Debug, Args)]
pub struct Revoke {
    kind: Kind,
    /// User id or e-mail address, session (sid), token (`-`: read from standard input) or its jti, client id, tenant, kid
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Why, in your own words; kept with the security event
    #[arg(long)]
    reason: Option<String>,
    /// When the token of a jti expires, Unix seconds; default: as late as any token may
    #[arg(long)]
    exp: Option<i64>,
    /// Count down until no service with this profile accepts it any more, whatever the network does
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, default_missing_value = "balanced", require_equals = true)]
    wait: Option<Profile>,
    /// Do not ask (a tenant: everybody in it is signed out)
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Every session and token that a user has now
    User,
    /// One session with its tokens
    Session,
    /// One access token
    Token,
    /// Every session and token that a client has now
    Client,
    /// Every session and token of everybody in a tenant
    Tenant,
    /// A signing key, and every token that it signed; its successor signs at once
    Key,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    Strict,
    Balanced,
}

impl Revoke {
    /// `countersign key revoke KID`
    pub fn key(kid: String, reason: Option<String>) -> Self {
        Self { kind: Kind::Key, id: kid, reason, exp: None, wait: None, yes: true }
    }

    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if self.kind == Kind::Tenant && !self.yes {
            confirm(&self.id)?;
        }
        let body = self.body()?;
        let mut admin = Admin::open(global).await?;
        let answered = admin.post("/api/admin/revocations", &body).await;
        admin.close().await;
        let answer = answered?;
        output.show(&answer, told);
        match self.wait {
            None => Ok(()),
            Some(profile) => wait(&answer, profile, output).await,
        }
    }

    fn body(&self) -> Result<Value, Failure> {
        let kind = self.kind.to_possible_value().map(|value| value.get_name().to_owned());
        let mut id = self.id.clone();
        if self.kind == Kind::Token && id == "-" {
            id.clear();
            stdin().read_to_string(&mut id).map_err(|error| Failure::usage(error.to_string()))?;
        }
        Ok(json!({ "kind": kind, "id": id.trim(), "reason": self.reason, "exp": self.exp }))
    }
}

fn told(answer: &Value) {
    let by = &answer["effective_by"];
    let done = if answer["appended"] == 0 { "it had ended before" } else { "ended" };
    say!("{done}; connected services refuse it within a second");
    say!("rsn        {}", text(answer, "rsn"));
    say!("committed  {}", text(answer, "committed_at"));
    say!("effective  {} (strict), {} (balanced), at the latest", text(by, "strict"), text(by, "balanced"));
}

/// Waits until the bound of the profile has passed.
async fn wait(answer: &Value, profile: Profile, output: Output) -> Result<(), Failure> {
    let profile = profile.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let unclear = || Failure::undecided("the server did not say when this is effective");
    let by = answer["effective_by"][&profile].as_str().ok_or_else(unclear)?;
    let by = humantime::parse_rfc3339(by).map_err(|_| unclear())?;
    let by = by.duration_since(std::time::UNIX_EPOCH).map_err(|_| unclear())?;
    let shows = !output.json && stderr().is_terminal();
    loop {
        let now = Duration::from_micros(u64::try_from(Clock::System.now().micros()).unwrap_or(0));
        let left = by.saturating_sub(now);
        if shows {
            eprint!("\r{:4.1} s left ", left.as_secs_f64());
        }
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(left.min(Duration::from_millis(100))).await;
    }
    if shows {
        eprint!("\r");
    }
    if !output.json {
        say!("no service with the profile {profile} accepts it any more");
    }
    Ok(())
}

fn confirm(tenant: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage("revoking a tenant signs everybody in it out; say --yes"));
    }
    eprint!("Sign everybody in {tenant} out, in every application? Type its name to go on: ");
    let mut typed = String::new();
    stdin().read_line(&mut typed).map_err(|error| Failure::usage(error.to_string()))?;
    if typed.trim() == tenant { Ok(()) } else { Err(Failure::refused("nothing was revoked")) }
}
