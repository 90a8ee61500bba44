//! Rotations per second of one server, of two on the same PostgreSQL, and of a hand-written statement that pgbench sends.

use std::{fmt, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use crate::{
    database::{Engine, number, waited_for},
    machine::{self, Machine},
    report::{thousands, yes},
    site::Site,
    stats::median,
};

/// Two replicas do at least this part of what one does.
const OF_ONE: f64 = 0.8;
/// And at least this part of what pgbench does.
const OF_PGBENCH: f64 = 0.7;
/// Of a round, in the order of the table.
const OF: [fn(&Round) -> Cell; 3] = [|round| round.one, |round| round.two, |round| round.pgbench];
const CONTENDERS: [&str; 3] = ["one server", "two servers", "pgbench"];
const USERS: u64 = 20_000;
/// Rotations of each contender in each round. Most of a tenth of them would be plans that a new connection makes.
const ROTATIONS: usize = 30_000;
/// So many ask at once: pgbench over as many connections to the database, the servers over their pools.
const CALLERS: [usize; 2] = [32, 128];

/// The same rotation as one statement, by hand: the same row and the same questions (session, user, client, tenant), nothing
/// read before, nothing signed, no HTTP. pgbench cannot remember a token, so that the nonce never changes.
const SCRIPT: &str = "\\set n random(1, :sessions)\n\
UPDATE sessions SET outcome = CASE WHEN nonce = '\\x00112233445566778899aabbccddeeff' THEN 1 ELSE 4 END, gen = gen + 1, prev_nonce = nonce, \
 nonce = '\\x00112233445566778899aabbccddeeff', used = 0, shares = 0, rotated_at = (:now)::bigint, \
 at_exp = CASE WHEN at_exp < (:now)::bigint / 1000000 + 600 THEN (:now)::bigint / 1000000 + 600 ELSE at_exp END, last_seen_at = (:now)::bigint, idle_expires_at = (:now)::bigint + 2592000000000 \
WHERE sid = 'pgbench-' || lpad((:n)::text, 16, '0') AND client_id = 'first-party' AND revoked_at IS NULL AND expires_at > (:now)::bigint AND idle_expires_at > (:now)::bigint \
 AND dpop_jkt IS NULL AND committed = 0 AND nonce = '\\x00112233445566778899aabbccddeeff' \
 AND EXISTS (SELECT 1 FROM users u WHERE u.user_id = sessions.user_id AND u.disabled_at IS NULL AND u.min_rsn <= sessions.auth_rsn) \
 AND EXISTS (SELECT 1 FROM clients c WHERE c.client_id = sessions.client_id AND c.disabled_at IS NULL AND c.min_rsn <= sessions.auth_rsn) \
 AND EXISTS (SELECT 1 FROM tenants t WHERE t.tenant = sessions.tenant AND t.min_rsn <= sessions.auth_rsn) \
RETURNING gen, nonce, user_id, scope, audience, expires_at;\n";

#[derive(Debug, Args)]
pub struct Replicas {
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// A look: one round, nothing written
    #[arg(long)]
    quick: bool,
}

/// One contender in one round.
#[derive(Debug, Clone, Copy, Serialize)]
struct Cell {
    per_second: f64,
    /// CPU time per rotation: of the servers (or of pgbench), and of PostgreSQL.
    client_us: f64,
    database_us: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Round {
    callers: usize,
    one: Cell,
    two: Cell,
    pgbench: Cell,
}

#[derive(Debug, Serialize)]
struct Report {
    bench: &'static str,
    date: String,
    machine: Machine,
    countersign: String,
    rounds: Vec<Round>,
}

pub async fn run(mut arguments: Replicas, program: &Path) -> Result<()> {
    if arguments.quick {
        arguments.rounds = 1;
    }
    let folder = crate::folder()?;
    let mut site = Site::filled(Engine::Postgres, USERS, usize::MAX, (folder.path(), program)).await?;
    prepare(&site).await?;
    let script = folder.path().join("rotate.sql");
    fs::write(&script, SCRIPT)?;
    let mut rounds = Vec::new();
    for round in 0..arguments.rounds {
        for callers in CALLERS {
            eprintln!("round {} of {}, {callers} callers", round + 1, arguments.rounds);
            rounds.push(measure(&mut site, &script, round, callers).await?);
        }
    }
    let (machine, versions) = (machine::describe(folder.path())?, machine::versions(Some(program), String::new()));
    let (date, countersign) = (machine::today(), versions.countersign);
    let report = Report { bench: "replicas", date, machine, countersign, rounds };
    println!("{report}");
    if arguments.quick { Ok(()) } else { crate::publish("replicas", &report, &report.page()) }
}

/// Each contender begins in turn.
async fn measure(site: &mut Site, script: &Path, round: usize, callers: usize) -> Result<Round> {
    let mut cells = [None; 3];
    for at in 0..3 {
        let which = (round + at) % 3;
        cells[which] = Some(match which {
            0 | 1 => servers(site, which + 1, callers).await?,
            _ => pgbench(site, script, callers).await?,
        });
    }
    let [Some(one), Some(two), Some(pgbench)] = cells else { unreachable!("each was measured") };
    Ok(Round { callers, one, two, pgbench })
}

/// Sessions that pgbench can name by a number.
async fn prepare(site: &Site) -> Result<()> {
    let columns = "signin_id, user_id, client_id, tenant, scope, audience, auth_rsn, auth_time, amr, acr, prev_nonce, at_exp, \
                   created_at, last_seen_at, expires_at, idle_expires_at";
    let sql = format!(
        "INSERT INTO sessions (sid, nonce, {columns}) \
         SELECT 'pgbench-' || lpad(row_number() OVER (ORDER BY sid)::text, 16, '0'), '\\x00112233445566778899aabbccddeeff', {columns} \
         FROM sessions WHERE sid NOT LIKE 'pgbench-%' ORDER BY sid LIMIT {}",
        site.sessions()
    );
    crate::postgres::execute(site.url()?, &sql).await;
    crate::postgres::execute(site.url()?, "VACUUM ANALYZE").await;
    crate::postgres::execute(site.url()?, "CHECKPOINT").await;
    Ok(())
}

async fn servers(site: &mut Site, count: usize, callers: usize) -> Result<Cell> {
    let running = site.replicas(count)?;
    site.refresh(&running, ROTATIONS / 10, callers).await?;
    let used = site.refresh(&running, ROTATIONS, callers).await?;
    running.stop()?;
    Ok(Cell::new(ROTATIONS, used.took, (used.server, used.database)))
}

async fn pgbench(site: &Site, script: &Path, callers: usize) -> Result<Cell> {
    const ROTATED: &str = "SELECT sum(gen)::bigint FROM sessions WHERE sid LIKE 'pgbench-%'";
    let (url, each) = (site.url()?, ROTATIONS / callers);
    let run = |transactions: usize| -> Result<f64> {
        let mut command = site.database().program("pgbench").context("no PostgreSQL")?;
        command.args(["-n", "-M", "prepared", "-j", "1", "-f", "-", "-c"]).arg(callers.to_string());
        command.arg("-t").arg(transactions.to_string()).arg("-D").arg(format!("sessions={}", site.sessions()));
        command.arg("-D").arg(format!("now={}", site.now())).arg(url).stdin(fs::File::open(script)?);
        let output = command.output()?;
        let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "pgbench: {text}{error}");
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench says no rate")?;
        Ok(rate.split_whitespace().next().context("pgbench says no rate")?.parse()?)
    };
    run(each / 10)?;
    let (rotated, own) = (number(url, ROTATED).await?, waited_for(std::process::id())?);
    let database = site.database().cpu()?;
    let per_second = run(each)?;
    let used = (waited_for(std::process::id())?.saturating_sub(own), site.database().cpu()?.saturating_sub(database));
    let count = each * callers;
    ensure!(number(url, ROTATED).await? - rotated == count as f64, "pgbench rotated other than it should");
    Ok(Cell::new(count, Duration::from_secs_f64(count as f64 / per_second), used))
}

impl Cell {
    fn new(count: usize, took: Duration, (client, database): (Duration, Duration)) -> Self {
        let us = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
        Self { per_second: count as f64 / took.as_secs_f64(), client_us: us(client), database_us: us(database) }
    }
}

impl Report {
    /// With so many callers.
    fn middle(&self, callers: usize, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().filter(|round| round.callers == callers).map(of))
    }

    fn page(&self) -> String {
        let Machine { cpu, cores, memory_gib, kernel, filesystem, fdatasync_us } = &self.machine;
        format!(
            "## Replicas\n\n{}: {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {filesystem} with a median `fdatasync` of {fdatasync_us:.0} µs. {}.\n\n\
             Rotations of refresh tokens on one PostgreSQL with `fsync` on, {} users, {} sessions; {} rounds, in which the contenders take turns \
             with {} rotations each; medians, ratios within a round. Servers, PostgreSQL and what asks share these cores. pgbench sends one hand-written \
             statement that guards and rotates the same row and asks the same tables about user, client and tenant, over one connection to PostgreSQL for \
             each caller; it reads nothing before, signs nothing and speaks no HTTP. How many ask at once decides: few leave PostgreSQL's cores to \
             pgbench alone, and many connections get into each other's way, where the servers' callers share statements and commits.\n\n{self}",
            self.date,
            self.countersign,
            thousands(USERS),
            thousands(USERS * crate::rows::SESSIONS),
            self.rounds.len() / CALLERS.len(),
            thousands(ROTATIONS as u64),
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| target | callers | reached |\n|---|---|---|")?;
        for callers in CALLERS {
            let of_one = self.middle(callers, |round| round.two.per_second / round.one.per_second);
            let reached = yes(of_one >= OF_ONE);
            let target = format!("two replicas rotate at least {OF_ONE} times as often as one");
            writeln!(f, "| {target} | {callers} | {of_one:.2}: {reached} |")?;
            let of_pgbench = self.middle(callers, |round| round.two.per_second / round.pgbench.per_second);
            let reached = yes(of_pgbench >= OF_PGBENCH);
            let target = format!("and at least {OF_PGBENCH} times as often as pgbench with one statement");
            writeln!(f, "| {target} | {callers} | {of_pgbench:.2}: {reached} |")?;
        }
        let head = "|  | callers | rotations/s | CPU time, µs: servers or pgbench | of PostgreSQL |";
        writeln!(f, "\n{head}\n|---|---|---|---|---|")?;
        for (callers, (name, of)) in
            CALLERS.into_iter().flat_map(|callers| CONTENDERS.into_iter().zip(OF).map(move |of| (callers, of)))
        {
            let rate = thousands(self.middle(callers, |round| of(round).per_second) as u64);
            let client = self.middle(callers, |round| of(round).client_us);
            let database = self.middle(callers, |round| of(round).database_us);
            writeln!(f, "| {name} | {callers} | {rate} | {client:.0} | {database:.0} |")?;
        }
        Ok(())
    }
}
