//! One line per scenario and server: medians of the rounds, and medians of the ratios within each round.

use serde::Serialize;

use super::{Round, Rounds};
use crate::scenario::Scenario;
use crate::stats::median;

#[derive(Serialize)]
pub struct Summary {
    pub scenario: Scenario,
    pub server: &'static str,
    pub connections: usize,
    pub requests_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub cpu_us: f64,
    pub server_busy: f64,
    pub generator_busy: f64,
    /// Requests per second, as a multiple of the other servers' in the same round.
    pub times_oidc_provider: Option<f64>,
    pub times_bare: Option<f64>,
}

pub fn of(all: &[Rounds]) -> Vec<Summary> {
    all.iter().map(|rounds| summary(all, rounds)).collect()
}

fn summary(all: &[Rounds], of: &Rounds) -> Summary {
    let median_of = |field: fn(&Round) -> f64| median(of.rounds.iter().map(field));
    Summary {
        scenario: of.scenario,
        server: of.server,
        connections: of.connections,
        requests_per_second: median_of(|r| r.requests_per_second),
        p50_ms: median_of(|r| r.p50_ms),
        p99_ms: median_of(|r| r.p99_ms),
        cpu_us: median_of(|r| r.cpu_us),
        server_busy: median_of(|r| r.server_busy),
        generator_busy: median_of(|r| r.generator_busy),
        times_oidc_provider: times(all, of, "oidc-provider"),
        times_bare: times(all, of, "bare axum"),
    }
}

fn times(all: &[Rounds], of: &Rounds, other: &str) -> Option<f64> {
    let same = |r: &&Rounds| (r.scenario, r.connections, r.server) == (of.scenario, of.connections, other);
    let other = all.iter().find(same).filter(|_| of.server != other)?;
    let ratio = |(ours, theirs): (&Round, &Round)| ours.requests_per_second / theirs.requests_per_second;
    Some(median(of.rounds.iter().zip(&other.rounds).map(ratio)))
}
