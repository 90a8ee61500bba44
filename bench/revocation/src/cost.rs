//! What following the feed costs: a verifier that has nothing to do, one that hears of news, and the issuer that tells so
//! many. Two cores are the limit of this machine; this is what the limit is made of.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    delay::Stage,
    fleet::{Cost, Fleet, Verifiers, processes},
    issuer::{Issuer, Lab, Place},
    process, time,
};

#[derive(Debug, Serialize)]
pub struct Following {
    pub verifiers: usize,
    pub idle: Load,
    pub busy: Load,
    /// Revocations a second while it was busy.
    pub revocations_per_second: f64,
    /// Resident memory of the processes of verifiers, divided by them.
    pub mib_per_verifier: f64,
}

/// What one second of following costs.
#[derive(Debug, Serialize)]
pub struct Load {
    /// Milliseconds of CPU time of one verifier in a second.
    pub verifier_ms: f64,
    /// Signed lines that one verifier took in, in a second.
    pub lines: f64,
    /// Microseconds of CPU time for each of these lines.
    pub line_us: f64,
    /// Milliseconds of CPU time of the issuer's process in a second, for all of them.
    pub issuer_ms: f64,
}

pub async fn measure(lab: &Lab, verifiers: usize, span: Duration) -> Result<Following> {
    let issuer = Issuer::start(lab, Place::new("cost", None)?).await?;
    let mut stage = Stage::of(&issuer).await?;
    let mut fleet = Fleet::start(processes(verifiers, &Verifiers::of(&issuer.place.url))?).await?;
    // Let what a start costs be over.
    sleep(Duration::from_secs(2)).await;
    let begun = Point::now(&issuer, &mut fleet).await?;
    sleep(span).await;
    let rested = Point::now(&issuer, &mut fleet).await?;
    let mut revocations = 0;
    let until = time::now() + u64::try_from(span.as_nanos())?;
    while time::now() < until {
        stage.revoke().await?;
        revocations += 1;
        sleep(Duration::from_millis(40)).await;
    }
    let worked = Point::now(&issuer, &mut fleet).await?;
    Ok(Following {
        verifiers,
        idle: load(begun, rested, verifiers),
        busy: load(rested, worked, verifiers),
        revocations_per_second: f64::from(revocations) / seconds(rested, worked),
        mib_per_verifier: fleet.memory_mib()? / verifiers as f64,
    })
}

#[derive(Clone, Copy)]
struct Point {
    at: u64,
    fleet: Cost,
    issuer_s: f64,
}

impl Point {
    async fn now(issuer: &Issuer, fleet: &mut Fleet) -> Result<Self> {
        let fleet = fleet.cost().await?;
        Ok(Self { at: time::now(), fleet, issuer_s: process::cpu_seconds(issuer.process.pid())? })
    }
}

fn seconds(from: Point, to: Point) -> f64 {
    time::millis(from.at, to.at) / 1e3
}

fn load(from: Point, to: Point, verifiers: usize) -> Load {
    let seconds = seconds(from, to);
    let (cpu_ns, lines) = ((to.fleet.cpu_ns - from.fleet.cpu_ns) as f64, (to.fleet.lines - from.fleet.lines) as f64);
    Load {
        verifier_ms: cpu_ns / 1e6 / seconds / verifiers as f64,
        lines: lines / seconds / verifiers as f64,
        line_us: cpu_ns / 1e3 / lines,
        issuer_ms: (to.issuer_s - from.issuer_s) * 1e3 / seconds,
    }
}
