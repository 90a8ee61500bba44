//! `countersign bench revocation`: how long a revocation takes in the deployment at hand. A client gets tokens of its own, a
//! number of verifiers in this process accept each, the client hands it back (RFC 7009), and the verifiers say when they
//! refused it first. Nothing is ended but what this command got for itself.

mod client;
mod measure;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_server::{random::Random, secret::PlainSecret};
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{self, Admin, segment},
    output::{Failure, Output, say},
    secret,
};
use client::Site;
use measure::{Measured, Spread};

/// Every issuer has it.
const AUDIENCE: &str = "api";

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Bench {
    /// Time from a commit to its refusal, in your own deployment; ends only tokens that it got for itself
    Revocation(Revocation),
}

#[derive(Debug, Args)]
pub struct Revocation {
    /// Issuer to measure; default: the server on this data folder, with a client of its own that is removed afterwards
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// Client that gets the tokens (grant client_credentials) and hands them back
    #[arg(long, value_name = "ID", requires = "client_secret_file", requires = "issuer")]
    client_id: Option<String>,
    /// File with that client's secret; - is standard input
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// Read the feed from here instead of where the issuer says: a relay's, for example
    #[arg(long, value_name = "URL")]
    feed: Option<String>,
    /// Verifiers, each with its own connection and its own view
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    verifiers: u16,
    /// Tokens that are revoked, one after the other
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
}

/// Who gets the tokens and hands them back.
struct Credentials {
    id: String,
    secret: PlainSecret,
}

impl Bench {
    pub async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let Self::Revocation(command) = self;
        match (&command.issuer, &command.client_id) {
            (Some(issuer), Some(id)) => {
                let secret = secret::read("client secret", command.client_secret_file.as_deref())?;
                let credentials = Credentials { id: id.clone(), secret };
                command.measure(issuer, &credentials, output).await
            }
            _ => command.local(global, output).await,
        }
    }
}

impl Revocation {
    /// With a client that exists for as long as this takes.
    async fn local(&self, global: &Global, output: Output) -> Result<(), Failure> {
        let issuer = admin::config(global)?.issuer.as_str().to_owned();
        let mut admin = Admin::open(global).await?;
        if matches!(admin, Admin::InProcess(_)) {
            admin.close().await;
            let words =
                "no server runs on this data folder: start `countersign serve`, or say --issuer and --client-id";
            return Err(Failure::undecided(words));
        }
        let credentials = temporary(&mut admin).await?;
        let outcome = tokio::select! {
            outcome = self.measure(&issuer, &credentials, output) => outcome,
            _ = tokio::signal::ctrl_c() => Err(Failure::undecided("stopped")),
        };
        let removed = admin.delete(&format!("/api/admin/clients/{}", segment(&credentials.id))).await;
        outcome.and(removed.map(drop))
    }

    async fn measure(&self, issuer: &str, credentials: &Credentials, output: Output) -> Result<(), Failure> {
        let Self { verifiers, rounds, .. } = self;
        if !output.json {
            // The first one tells the audience.
            let tokens = rounds + 1;
            eprintln!(
                "{tokens} access tokens of the client {} at {issuer} are requested and revoked, one after the other, and {verifiers} \
                 verifiers in this process read the feed. Nothing else is ended; the log and the audit log grow by {tokens} entries.",
                credentials.id
            );
        }
        let mut site = Site::find(issuer, &credentials.id, &credentials.secret).await?;
        let measured = measure::run(&mut site, self.feed.as_deref(), *verifiers, *rounds).await?;
        output.show(&measured.json(), |_| measured.tell());
        match measured.odd {
            0 => Ok(()),
            odd => Err(Failure::refused(format!("{odd} times a token that was refused was accepted again"))),
        }
    }
}

/// A new client without any right but to get tokens for itself.
async fn temporary(admin: &mut Admin) -> Result<Credentials, Failure> {
    let random: [u8; 8] = Random.bytes().map_err(|error| Failure::undecided(error.to_string()))?;
    let id = format!("bench-{:016x}", u64::from_be_bytes(random));
    let body = json!({
        "client_id": id,
        "name": "countersign bench revocation",
        "grants": ["client_credentials"],
        "audiences": [AUDIENCE],
    });
    let mut answer = admin.post("/api/admin/clients", &body).await?;
    match answer["client_secret"].take() {
        Value::String(secret) => Ok(Credentials { id, secret: PlainSecret::new(secret) }),
        _ => Err(Failure::undecided("the server gave the new client no secret")),
    }
}

impl Measured {
    fn json(&self) -> Value {
        json!({
            "verifiers": self.verifiers,
            "rounds": self.rounds,
            "from_request_ms": self.from_request.json(),
            "from_answer_ms": self.from_answer.json(),
            "answer_ms": self.answer.json(),
            "lag_ms": self.lag.json(),
            "reconnected": self.reconnected,
            "accepted_again": self.odd,
        })
    }

    fn tell(&self) {
        let line = |what: &str, spread: &Spread| {
            say!("{what:<34} {:>9.2} {:>9.2} {:>9.2}", spread.p50, spread.p99, spread.max);
        };
        say!("{:<34} {:>9} {:>9} {:>9}", "milliseconds", "p50", "p99", "max");
        line("request to refusal", &self.from_request);
        line("answer to refusal", &self.from_answer);
        line("the answer took", &self.answer);
        line("age of a verifier's view", &self.lag);
        say!("\n{} refusals: {} tokens, {} verifiers", self.from_request.count, self.rounds, self.verifiers);
        if self.reconnected > 0 {
            say!(
                "the feed broke off {} times meanwhile; is a proxy in its way that ends or holds back streams?",
                self.reconnected
            );
        }
        if self.from_answer.p99 > 1_000.0 {
            say!(
                "a connected service should refuse within a second: see \"How to size it\" in the book's chapter on revocation"
            );
        }
    }
}

impl Spread {
    fn json(&self) -> Value {
        let [p50, p99, max] = [self.p50, self.p99, self.max].map(|millis| (millis * 1e3).round() / 1e3);
        json!({ "p50": p50, "p99": p99, "max": max })
    }
}
