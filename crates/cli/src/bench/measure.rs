//! Rounds: a token is accepted by every verifier, handed back, and refused.

use std::time::Duration;

use countersign_jose::b64;
use countersign_server::{clock::Stopwatch, random::Random};
use countersign_verify::{Rejection, Verifier};
use serde_json::Value;
use tokio::task::JoinSet;

use super::client::Site;
use crate::output::Failure;

/// How long a verifier may take until it accepts or refuses.
const PATIENCE: Duration = Duration::from_secs(30);
/// The feed's round: a revocation comes at any point of it.
const ROUND: Duration = Duration::from_millis(200);

/// What was measured.
pub struct Measured {
    pub verifiers: u16,
    pub rounds: u16,
    pub from_request: Spread,
    pub from_answer: Spread,
    pub answer: Spread,
    pub lag: Spread,
    /// Connections beyond the first of each verifier.
    pub reconnected: u64,
    /// Times that a token was accepted after it had been refused.
    pub odd: usize,
}

/// Milliseconds.
pub struct Spread {
    pub count: usize,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        // The smallest value that so many hundredths do not exceed.
        let at = |hundredths: usize| {
            let place = (values.len() * hundredths).div_ceil(100).max(1) - 1;
            values.get(place).copied().unwrap_or_default()
        };
        Self { count: values.len(), p50: at(50), p99: at(99), max: at(100) }
    }
}

pub async fn run(site: &mut Site, feed: Option<&str>, count: u16, rounds: u16) -> Result<Measured, Failure> {
    let token = site.access_token().await?;
    let audience = audience(&token)?;
    let verifiers = (0..count).map(|_| verifier(site, feed, &audience)).collect::<Result<Vec<_>, _>>()?;
    for verifier in &verifiers {
        ready(verifier).await?;
    }
    let watch = Stopwatch::start();
    let (mut from_request, mut from_answer, mut answer, mut lag) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut odd = 0;
    for _ in 0..rounds {
        let token = site.access_token().await?;
        let mut refusals = JoinSet::new();
        for verifier in &verifiers {
            accept(verifier, &token).await?;
            refusals.spawn(refusal(verifier.clone(), token.clone(), watch));
        }
        tokio::time::sleep(part_of_round()?).await;
        lag.extend(verifiers.iter().filter_map(|verifier| Some(millis(verifier.revocation_status()?.lag?))));
        let sent = watch.elapsed();
        site.revoke(&token).await?;
        let answered = watch.elapsed();
        answer.push(millis(answered.saturating_sub(sent)));
        while let Some(refused) = refusals.join_next().await {
            let refused = refused.map_err(|error| Failure::undecided(error.to_string()))??;
            from_request.push(millis(refused) - millis(sent));
            from_answer.push(millis(refused) - millis(answered));
        }
        odd += verifiers.iter().filter(|verifier| verifier.verify(&token).is_ok()).count();
    }
    // The first token is this command's as well.
    site.revoke(&token).await?;
    let connections = verifiers.iter().filter_map(Verifier::revocation_status).map(|status| status.connections);
    Ok(Measured {
        verifiers: count,
        rounds,
        from_request: Spread::of(from_request),
        from_answer: Spread::of(from_answer),
        answer: Spread::of(answer),
        lag: Spread::of(lag),
        reconnected: connections.map(|connections| connections.saturating_sub(1)).sum(),
        odd,
    })
}

fn verifier(site: &Site, feed: Option<&str>, audience: &str) -> Result<Verifier, Failure> {
    let builder = Verifier::builder(&site.issuer).audience(audience).client_credentials(&site.client_id, &*site.secret);
    let builder = match feed {
        Some(feed) => builder.revocation_feed(feed),
        None => builder,
    };
    builder.build().map_err(|error| Failure::usage(error.to_string()))
}

/// What the token is meant for: the verifiers are that service.
fn audience(token: &str) -> Result<String, Failure> {
    let payload = token.split('.').nth(1).and_then(|payload| b64::decode(payload).ok());
    let claims: Value = payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default();
    let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str());
    audience.map(str::to_owned).ok_or_else(|| Failure::undecided("the access token names no audience"))
}

async fn ready(verifier: &Verifier) -> Result<(), Failure> {
    // The tries are paced by the verifier itself.
    let trying = async { while verifier.ready().await.is_err() {} };
    let waited = tokio::time::timeout(PATIENCE, trying).await;
    waited.map_err(|_| {
        let why = verifier.revocation_status().and_then(|status| status.last_error).unwrap_or_default();
        Failure::undecided(format!("a verifier is not ready after {} s: {why}", PATIENCE.as_secs()))
    })
}

/// A key may have to be fetched first.
async fn accept(verifier: &Verifier, token: &str) -> Result<(), Failure> {
    match verifier.verify_online(token).await {
        Ok(_) => Ok(()),
        Err(rejection) => Err(Failure::undecided(format!("a new token is refused: {rejection}"))),
    }
}

/// When the verifier first refused the token.
async fn refusal(verifier: Verifier, token: String, watch: Stopwatch) -> Result<Duration, Failure> {
    let refused = |rejection: Rejection| Failure::undecided(format!("refused, but not as revoked: {rejection}"));
    let claims = verifier.verify(&token).map_err(refused)?;
    let waiting = async {
        loop {
            verifier.guard(&claims).await;
            match verifier.verify(&token) {
                Err(Rejection::Revoked { .. }) => return Ok(watch.elapsed()),
                // The view is too old for the moment: not an answer to what is asked here.
                Err(Rejection::Stale { .. }) => tokio::time::sleep(Duration::from_millis(1)).await,
                Err(rejection) => return Err(refused(rejection)),
                Ok(_) => {}
            }
        }
    };
    let late = || Failure::refused(format!("a verifier still accepts a revoked token after {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| late())?
}

fn part_of_round() -> Result<Duration, Failure> {
    let [part] = Random.bytes().map_err(|error| Failure::undecided(error.to_string()))?;
    Ok(ROUND * u32::from(part) / 256)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let spread = Spread::of((1..=200).rev().map(f64::from).collect());
        assert_eq!((spread.count, spread.p50, spread.p99, spread.max), (200, 100.0, 198.0, 200.0));
        assert_eq!(Spread::of(Vec::new()).max, 0.0);
    }

    #[test]
    fn the_audience_is_read_from_the_token() {
        let token = |claims: &str| format!("e30.{}.c2ln", b64::encode(claims));
        assert_eq!(audience(&token(r#"{"aud":"api"}"#)).unwrap(), "api");
        assert_eq!(audience(&token(r#"{"aud":["orders","api"]}"#)).unwrap(), "orders");
        assert!(audience("no token").is_err());
    }
}
