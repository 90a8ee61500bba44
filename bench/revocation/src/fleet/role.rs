//! One process of verifiers: a thread, and as many verifiers as it is told.

use std::{
    io::{BufRead, Write, stdin, stdout},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use countersign_verify::{Profile, Rejection, Verifier};
use futures_util::future::{join_all, try_join_all};
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Ask, Cost, Ready, Refused, tries};
use crate::{issuer::AUDIENCE, time};

pub const PER_PROCESS: usize = 50;
/// How long a verifier may take until it is ready, or until it accepts a good token.
const PATIENCE: Duration = Duration::from_secs(60);

/// The verifiers of one process.
#[derive(Debug, Clone, Default, Args)]
pub struct Verifiers {
    #[arg(long)]
    pub issuer: String,
    #[arg(long)]
    pub count: usize,
    /// In place of the feed that the metadata names.
    #[arg(long)]
    pub feed: Option<String>,
    /// In place of the issuer's own metadata: a relay's.
    #[arg(long)]
    pub metadata: Option<String>,
    /// A second, not ten.
    #[arg(long)]
    pub strict: bool,
}

impl Verifiers {
    pub fn of(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), ..Self::default() }
    }

    pub fn arguments(&self) -> Vec<String> {
        let count = self.count.to_string();
        let mut all = vec!["verifiers", "--issuer", &self.issuer, "--count", &count];
        for (name, value) in [("--feed", &self.feed), ("--metadata", &self.metadata)] {
            if let Some(value) = value {
                all.extend([name, value]);
            }
        }
        if self.strict {
            all.push("--strict");
        }
        all.into_iter().map(str::to_owned).collect()
    }

    fn build(&self) -> Result<Verifier> {
        let profile = if self.strict { Profile::Strict } else { Profile::Balanced };
        let mut builder = Verifier::builder(&self.issuer).audience(AUDIENCE).profile(profile);
        if let Some(feed) = &self.feed {
            builder = builder.revocation_feed(feed);
        }
        if let Some(metadata) = &self.metadata {
            builder = builder.metadata_uri(metadata);
        }
        Ok(builder.build()?)
    }
}

/// Answers on the standard output what is asked on the standard input, until that ends.
pub fn run(part: &Verifiers) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(part))
}

async fn serve(part: &Verifiers) -> Result<()> {
    let verifiers: Vec<Verifier> = (0..part.count).map(|_| part.build()).collect::<Result<_>>()?;
    try_join_all(verifiers.iter().map(ready)).await?;
    say(&Ready)?;
    let mut asks = asks();
    while let Some(ask) = asks.recv().await {
        match ask {
            Ask::Watch(token) => {
                try_join_all(verifiers.iter().map(|verifier| accept(verifier, &token))).await?;
                let refusals = join_all(verifiers.iter().map(|verifier| refusal(verifier.clone(), token.clone())));
                say(&Ready)?;
                say(&Refused { at: refusals.await.into_iter().collect::<Result<_>>()? })?;
            }
            Ask::Try(token) => {
                try_join_all(verifiers.iter().map(|verifier| accept(verifier, &token))).await?;
                let stop = async { while !matches!(asks.recv().await, Some(Ask::Stop) | None) {} };
                say(&Ready)?;
                say(&tries::until(stop, &verifiers, &token).await)?;
            }
            Ask::Cost => say(&cost(&verifiers))?,
            Ask::Stop => bail!("nothing is being tried"),
        }
    }
    Ok(())
}

async fn ready(verifier: &Verifier) -> Result<()> {
    let began = time::now();
    loop {
        match verifier.ready().await {
            Ok(()) => return Ok(()),
            Err(error) if patient(began) => drop(error),
            Err(error) => return Err(error).context("a verifier is not ready"),
        }
    }
}

/// Waits until the token is accepted: keys may have to be fetched.
async fn accept(verifier: &Verifier, token: &str) -> Result<()> {
    let began = time::now();
    loop {
        match verifier.verify_online(token).await {
            Ok(_) => return Ok(()),
            Err(Rejection::Stale { .. } | Rejection::NotReady { .. }) if patient(began) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(rejection) => return Err(rejection).context("a good token is refused"),
        }
    }
}

/// Sleeps until something has died, asks as a service would, and returns when the answer was no.
async fn refusal(verifier: Verifier, token: String) -> Result<u64> {
    let claims = verifier.verify(&token).context("a good token is refused")?;
    loop {
        let died = verifier.guard(&claims).await;
        let answer = verifier.verify(&token);
        let at = time::now();
        match answer {
            Err(Rejection::Revoked { .. }) => return Ok(at),
            Err(Rejection::Stale { .. }) => tokio::time::sleep(Duration::from_millis(1)).await,
            other => bail!("the guard said {died}, the verifier {other:?}"),
        }
    }
}

fn cost(verifiers: &[Verifier]) -> Cost {
    let statuses = verifiers.iter().filter_map(Verifier::revocation_status);
    Cost { cpu_ns: time::process_cpu(), lines: statuses.map(|status| status.batches).sum() }
}

fn patient(began: u64) -> bool {
    Duration::from_nanos(time::now() - began) < PATIENCE
}

fn say(answer: &impl Serialize) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{}", serde_json::to_string(answer)?)?;
    Ok(out.flush()?)
}

/// A thread of its own reads, so that the verifiers' thread never waits for a line.
fn asks() -> UnboundedReceiver<Ask> {
    let (sender, asks) = unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines() {
            let ask = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            if ask.is_none_or(|ask| sender.send(ask).is_err()) {
                return;
            }
        }
    });
    asks
}
