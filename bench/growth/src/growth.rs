//! Databases of several sizes on both engines, and what the server costs on them.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{
    database::Engine,
    feed::Feed,
    machine,
    report::{Measured, Report, Run},
    rows,
    site::{REFRESHES, Site},
};

/// What a disk must have left at least, bytes.
const LEAVE: u64 = 20_000_000_000;

#[derive(Debug, Args)]
pub struct Growth {
    /// Sizes, in users; the first is what the others are compared with, and none is larger than what leaves 20 GB of the disk free
    #[arg(long, value_delimiter = ',', default_value = "1000,1000000,10000000")]
    users: Vec<u64>,
    /// sqlite, postgres
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    engines: Vec<Engine>,
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// A look: 1,000 and 20,000 users, one round, nothing written
    #[arg(long)]
    quick: bool,
}

/// Measures, and writes results and their part of the book. What was measured of other engines and sizes before stays there.
pub async fn run(mut arguments: Growth, program: &Path) -> Result<()> {
    if arguments.quick {
        (arguments.users, arguments.rounds) = (vec![1_000, 20_000], 1);
    }
    let folder = crate::folder()?;
    let (mut runs, mut feed) = (Vec::new(), None);
    for engine in &arguments.engines {
        let (measured, what_services_hear) = measure(*engine, &arguments, program, folder.path()).await?;
        let machine = machine::describe(folder.path())?;
        runs.push(Run::new(machine, program, arguments.rounds, measured));
        feed = feed.or(Some(what_services_hear));
    }
    let feed = feed.context("no engine was named")?;
    let earlier = if arguments.quick { None } else { crate::published("growth") };
    let report = Report::new(feed, runs, earlier);
    println!("{report}");
    if arguments.quick { Ok(()) } else { crate::publish("growth", &report, &report.page()) }
}

/// All sizes on one engine; their databases are removed when this is done.
async fn measure(engine: Engine, arguments: &Growth, program: &Path, folder: &Path) -> Result<(Vec<Measured>, Feed)> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut sites = Vec::new();
    for users in &arguments.users {
        let users = fitting(engine, *users, free_space(folder.path())?);
        ensure!(users >= 1_000, "not even 1,000 users leave 20 GB of the disk free");
        eprintln!("{engine}: filling a database with {users} users and {} sessions", users * rows::SESSIONS);
        sites.push(Site::filled(engine, users, arguments.rounds * REFRESHES, (folder.path(), program)).await?);
    }
    for round in 0..arguments.rounds {
        eprintln!("{engine}: round {} of {}", round + 1, arguments.rounds);
        for site in &mut sites {
            site.round().await?;
        }
    }
    let feed = sites.first().context("no size was named")?.feed().await?;
    Ok((sites.into_iter().map(Site::measured).collect(), feed))
}

/// So many users, or as many hundreds of thousands as leave enough of the disk.
fn fitting(engine: Engine, wanted: u64, free: u64) -> u64 {
    const STEP: u64 = 100_000;
    let fit = free.saturating_sub(LEAVE) / engine.most_per_user();
    if wanted <= fit { wanted } else { fit / STEP * STEP }
}

fn free_space(folder: &Path) -> Result<u64> {
    let df = std::process::Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output()?;
    let text = String::from_utf8(df.stdout)?;
    Ok(text.lines().last().unwrap_or_default().trim().parse()?)
}
