//! One run: what is started, and in which order it is measured.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;

use crate::{
    Args, Part, check, compare, cost, cut,
    delay::{self, Delay, Stage, Trial},
    durable::{self, Effort},
    fleet::Verifiers,
    issuer::{self, Issuer, Lab, Place},
    machine,
    postgres::Cluster,
    report::Report,
};

/// The replica that committed also tells.
pub const SAME: &str = "the same replica";
pub const OTHER: &str = "another replica";
pub const RELAY: &str = "a relay";
const SQLITE: &str = "SQLite";
const POSTGRES: &str = "PostgreSQL";

pub async fn run(args: &Args) -> Result<Report> {
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let default = built.join("release/countersign");
    let binary = issuer::binary(args.countersign.as_deref().unwrap_or(&default))?;
    let target = root().join("bench/revocation/target");
    std::fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(target)?;
    let lab = Lab { binary, folder: folder.path().to_owned() };
    let mut report = Report { date: args.date.clone().unwrap_or_else(machine::today), ..Report::default() };
    report.machine = Some(machine::describe(&lab.folder, &lab.binary)?);
    let cluster = Cluster::start("listen_addresses = ''\nfsync = on\nshared_buffers = 128MB\n");

    if wanted(args, Part::Delay) {
        eprintln!("from the commit to the refusal …");
        report.delays = delays(&lab, &cluster, if args.quick { 10 } else { 1 }).await?;
    }
    if wanted(args, Part::Cost) {
        eprintln!("what it costs to follow the feed …");
        report.following = Some(cost::measure(&lab, 100, Duration::from_secs(if args.quick { 1 } else { 4 })).await?);
    }
    if wanted(args, Part::Check) {
        eprintln!("what a check costs …");
        report.million = Some(check::measure(&lab, 1_000_000, if args.quick { 20_000 } else { 100_000 }).await?);
    }
    if wanted(args, Part::Durable) {
        eprintln!("how many ends a second are durable …");
        let effort = match args.quick {
            true => Effort { bulk_calls: 2, rounds: 1, seconds: 0.5, everywhere: 50 },
            false => Effort { bulk_calls: 5, rounds: 3, seconds: 1.0, everywhere: 300 },
        };
        report.durable.push(durable::measure(&lab, SQLITE, None, effort).await?);
        let url = cluster.create_database().await;
        report.durable.push(durable::measure(&lab, POSTGRES, Some(url), effort).await?);
    }
    if wanted(args, Part::Cut) {
        eprintln!("cut off …");
        report.cut = Some(cut::measure(&lab, 100, if args.quick { 1 } else { 5 }).await?);
    }
    if wanted(args, Part::Compare) {
        eprintln!("beside what people use today …");
        let (checks, revocations) = if args.quick { (500, 10) } else { (5_000, 100) };
        report.compared = compare::measure(&lab, &cluster, checks, revocations).await?;
    }
    Ok(report)
}

fn wanted(args: &Args, part: Part) -> bool {
    args.only.is_empty() || args.only.contains(&part)
}

/// `part`: what share of the rounds.
async fn delays(lab: &Lab, cluster: &Cluster, part: usize) -> Result<Vec<Delay>> {
    let trial =
        |way, database, verifiers, rounds: usize| Trial { way, database, verifiers, rounds: rounds.div_ceil(part) };
    let mut delays = Vec::new();
    let sqlite = Issuer::start(lab, Place::new("sqlite", None)?).await?;
    let mut stage = Stage::of(&sqlite).await?;
    let like = Verifiers::of(&sqlite.place.url);
    for (verifiers, rounds) in [(1, 100), (100, 40), (1_000, 20)] {
        delays.push(delay::measure(&mut stage, trial(SAME, SQLITE, verifiers, rounds), &like).await?);
    }
    let (_relay, metadata) = issuer::relay(lab, &sqlite).await?;
    let behind = Verifiers { metadata: Some(metadata), ..like };
    delays.push(delay::measure(&mut stage, trial(RELAY, SQLITE, 100, 40), &behind).await?);

    let place = Place::new("first", Some(cluster.create_database().await))?;
    let first = Issuer::start(lab, place.clone()).await?;
    let second = Issuer::start(lab, place.replica(lab, "second")?).await?;
    let mut stage = Stage::of(&first).await?;
    let like = Verifiers::of(&place.url);
    for (verifiers, rounds) in [(1, 60), (100, 40)] {
        delays.push(delay::measure(&mut stage, trial(SAME, POSTGRES, verifiers, rounds), &like).await?);
    }
    let elsewhere = Verifiers { feed: Some(second.feed()), ..like };
    delays.push(delay::measure(&mut stage, trial(OTHER, POSTGRES, 100, 40), &elsewhere).await?);
    Ok(delays)
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
