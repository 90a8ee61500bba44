//! A process that checks: one thread asks, another follows the feed.

use std::{hint::black_box, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Args;
use countersign_verify::{
    Verifier,
    jose::{AccessClaims, Algorithm, Audience, Jwk, JwkSet, SigningKey, profile::AccessToken, sign},
};
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde::Deserialize;

use super::{Check, Look};
use crate::{issuer::AUDIENCE, stats::median, time};

const ROUNDS: usize = 11;
/// Tokens of a round that jsonwebtoken verifies: a hundred times dearer than a remembered one, it needs fewer.
const DECODED: usize = 1_000;
/// Tokens that a busy service sees again and again.
const FEW: usize = 1_000;
/// Tokens that arrive between two looks at the clock.
const AT_A_TIME: usize = 100;

/// What one process checks.
#[derive(Debug, Args)]
pub struct Checks {
    #[arg(long)]
    issuer: String,
    #[arg(long)]
    entries: usize,
    #[arg(long)]
    tokens: usize,
}

/// What a service reads of a token with jsonwebtoken: the same claims.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read so that the work is the same; nobody asks what they say")]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    jti: String,
    sid: String,
    iat: i64,
    exp: i64,
    rsn: i64,
    scope: String,
    roles: Vec<String>,
}

/// Prints what was measured as JSON.
pub fn run(checks: &Checks) -> Result<()> {
    // The thread that measures is not one of the runtime's.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let entered = runtime.enter();
    let key = SigningKey::generate(Algorithm::ES256, "bench")?;
    let public = key.public_jwk().context("the public half")?;
    let builder = || {
        let set = JwkSet::from(vec![public.clone()]);
        Verifier::builder(&checks.issuer).audience(AUDIENCE).keys(set).cached_tokens(2 * checks.tokens)
    };
    let began = time::now();
    let with = builder().build()?;
    runtime.block_on(with.ready())?;
    while with.revocation_status().is_none_or(|status| status.entries < checks.entries) {
        ensure!(time::millis(began, time::now()) < 60_000.0, "the log does not arrive");
        std::thread::sleep(Duration::from_millis(1));
    }
    let ready_ms = time::millis(began, time::now());
    let without = builder().without_revocation().build()?;
    let head = with.revocation_status().context("no revocation")?.head;
    let tokens = tokens(checks, &key, head)?;

    let began = time::thread_cpu();
    accept(&with, &tokens)?;
    let first_us = each(began, tokens.len()) / 1e3;
    accept(&without, &tokens)?;
    let few = &tokens[..FEW.min(tokens.len())];
    let measured = Check {
        entries: with.revocation_status().map_or(0, |status| status.entries),
        rounds: ROUNDS,
        ready_ms,
        looks: vec![look((&with, &without), few)?, look((&with, &without), &tokens)?],
        first_us,
        jsonwebtoken_us: jsonwebtoken(&tokens, &public)?,
    };
    println!("{}", serde_json::to_string(&measured)?);
    drop(entered);
    Ok(())
}

fn look((with, without): (&Verifier, &Verifier), tokens: &[String]) -> Result<Look> {
    let (mut cached, mut plain, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let repeat = (20 * FEW).div_ceil(tokens.len());
    for round in 0..ROUNDS {
        let mut times = [0.0; 2];
        // Who comes second finds the texts of the tokens in the processor's caches: take turns.
        for at in [round % 2, (round + 1) % 2] {
            let verifier = [with, without][at];
            let mut spent = 0;
            for _ in 0..repeat {
                spent += arriving(tokens, |some| accept(verifier, some))?;
            }
            times[at] = spent as f64 / (repeat * tokens.len()) as f64;
        }
        let [with, without] = times;
        cached.push(with);
        plain.push(without);
        parts.push(with - without);
    }
    let [cached_ns, without_ns, part_ns] = [cached, plain, parts].map(median);
    Ok(Look { tokens: tokens.len(), cached_ns, without_ns, part_ns })
}

/// CPU time of `check` for all tokens, some at a time. They come as requests bring them: just read from a connection into a
/// buffer, which is what the copy stands for, and is not counted.
fn arriving(tokens: &[String], mut check: impl FnMut(&[String]) -> Result<()>) -> Result<u64> {
    let mut buffers = vec![String::new(); AT_A_TIME];
    let mut spent = 0;
    for some in tokens.chunks(AT_A_TIME) {
        for (buffer, token) in buffers.iter_mut().zip(some) {
            buffer.clone_from(token);
        }
        let began = time::thread_cpu();
        check(&buffers[..some.len()])?;
        spent += time::thread_cpu() - began;
    }
    Ok(spent)
}

/// Microseconds that jsonwebtoken takes for one token.
fn jsonwebtoken(tokens: &[String], public: &Jwk) -> Result<f64> {
    let peer = Peer::new(public)?;
    let rounds = tokens
        .chunks(DECODED)
        .take(ROUNDS)
        .map(|some| Ok(arriving(some, |some| peer.accept(some))? as f64 / some.len() as f64 / 1e3));
    Ok(median(rounds.collect::<Result<Vec<f64>>>()?))
}

/// jsonwebtoken on aws-lc-rs; its key is made once.
struct Peer {
    key: DecodingKey,
    validation: Validation,
}

impl Peer {
    fn new(public: &Jwk) -> Result<Self> {
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(public)?)?;
        let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        Ok(Self { key: DecodingKey::from_jwk(&jwk)?, validation })
    }

    fn accept(&self, tokens: &[String]) -> Result<()> {
        for token in tokens {
            black_box(decode::<Claims>(black_box(token), &self.key, &self.validation)?);
        }
        Ok(())
    }
}

fn accept(verifier: &Verifier, tokens: &[String]) -> Result<()> {
    for token in tokens {
        black_box(verifier.verify(black_box(token))?);
    }
    Ok(())
}

fn each(began: u64, count: usize) -> f64 {
    (time::thread_cpu() - began) as f64 / count as f64
}

/// Tokens like the issuer's, of as many sessions, in no order; the log stood at `head` when they were issued.
fn tokens(checks: &Checks, key: &SigningKey, head: i64) -> Result<Vec<String>> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = i64::try_from(since.as_secs())?;
    let mut tokens = (0..checks.tokens)
        .map(|n| {
            let name = |what: &str| format!("{what}_{:020}", n * 7_919);
            let claims = AccessClaims {
                iss: checks.issuer.clone(),
                sub: name("usr"),
                aud: Audience::One(AUDIENCE.to_owned()),
                client_id: "first-party".to_owned(),
                jti: name("jti"),
                sid: Some(name("sid")),
                iat: now,
                exp: now + 600,
                rsn: Some(head),
                scope: Some("orders:read orders:write".to_owned()),
                roles: vec!["buyer".to_owned()],
                ..AccessClaims::default()
            };
            Ok(sign::<AccessToken>(key, &claims)?)
        })
        .collect::<Result<Vec<String>>>()?;
    // ES256 signatures are as good as random: sorting by them leaves no order that a processor could guess.
    tokens.sort_by(|one, other| one[one.len() - 40..].cmp(&other[other.len() - 40..]));
    Ok(tokens)
}
