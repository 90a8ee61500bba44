//! The order of a run: start everything, measure in interleaved rounds, report.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::load::{self, Counts, Lane, Window};
use crate::plan::{Plan, Span};
use crate::report::{self, Login, LoginRound, Memory, Probe, Report, Round, Rounds, Storm};
use crate::scenario::Scenario;
use crate::servers::bare::{self, Sizes};
use crate::servers::countersign::{Issuer, Started};
use crate::servers::{Lab, Server, oidc_provider};
use crate::{Args, hashing, machine, npm, process};

/// The bodies of the bare server when there is no issuer to imitate.
const TYPICAL: Sizes = Sizes {
    jwks: 400,
    metadata: 1_500,
    refresh_token: 90,
    signed_token: 600,
    opaque_token: 250,
    userinfo: 100,
    introspection: 450,
};

/// Measures everything and publishes it; the number of missed targets.
pub async fn run(args: &Args) -> Result<usize> {
    let plan = Plan::new(args.quick, args.rounds, args.connections, &args.only);
    npm::install()?;
    let lab = prepare(&plan)?;
    let binary = args.countersign.clone().unwrap_or_else(default_binary);
    let issuer = if args.peers_only { None } else { Some(Issuer::new(&lab, &binary)?) };
    let started = match &issuer {
        Some(issuer) => Some(issuer.start().await.context("countersign (its log lies in bench/issuer/target/run)")?),
        None => None,
    };
    let (ours, sizes) = match started {
        Some(Started { server, sizes }) => (Some(server), sizes),
        None => (None, TYPICAL),
    };
    let (peer, peer_version) = oidc_provider::start(&lab).context("oidc-provider")?;
    let bare = bare::start(&lab, &sizes).context("bare axum server")?;
    let mut servers: Vec<Server> = ours.into_iter().chain([peer, bare]).collect();

    let mut report = Report::new(plan, args.date.clone().unwrap_or_else(machine::today));
    report.machine = Some(machine::describe(&lab.folder)?);
    report.versions = Some(machine::versions(issuer.is_some().then_some(&*binary), peer_version));
    report.rounds = compare(&report.plan, &mut servers).await?;
    for server in &servers {
        report.start.insert(server.name, server.start.clone());
        let (now_kb, peak_kb) = process::memory_kb(server.pid())?;
        report.memory.insert(server.name, Memory { idle_kb: server.idle_kb, now_kb, peak_kb });
    }
    if let Some(issuer) = issuer.filter(|_| args.only.is_empty()) {
        alone(&issuer, servers.remove(0), &mut report).await?;
    }
    report::publish(report)
}

/// Where `cargo build --release` of the product leaves it.
fn default_binary() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| here.join("../../target"), PathBuf::from);
    target.join("release/countersign")
}

/// An empty folder for data and logs, on the disk of the build and never in memory: durability has to cost its price.
fn prepare(plan: &Plan) -> Result<Lab> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/run");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(Lab { folder, connections: plan.connections, starts: plan.starts })
}

/// Every round measures each scenario on every server in turn, so that a slow minute of the machine hits all of them
/// alike; who begins changes from round to round.
async fn compare(plan: &Plan, servers: &mut [Server]) -> Result<Vec<Rounds>> {
    for server in &mut *servers {
        for &scenario in &plan.compared {
            let span = Span { warm: Duration::ZERO, measure: plan.warm_up };
            measure(server, scenario, plan.connections, span).await?;
        }
    }
    let mut all = Vec::new();
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for &scenario in &plan.compared {
            for turn in 0..servers.len() {
                let server = &mut servers[(turn + round) % servers.len()];
                for (connections, span) in [(plan.connections, plan.throughput), (1, plan.latency)] {
                    let measured = measure(server, scenario, connections, span).await?;
                    Rounds::add(&mut all, (scenario, server.name, connections), measured);
                }
            }
        }
    }
    Ok(all)
}

async fn measure(server: &mut Server, scenario: Scenario, connections: usize, span: Span) -> Result<Round> {
    let (addr, pid) = (server.addr, server.pid());
    let what = format!("{}, {}", server.name, scenario.label());
    let expected = server.expected(scenario, span.warm + span.measure);
    server.prepare(scenario, expected).await.with_context(|| format!("prepare {what}"))?;
    let jobs = server.jobs(scenario)?;
    let idle = jobs.split_off(connections.min(jobs.len()));
    let window = load::run(addr, pid, vec![Lane { jobs, every: None }], span).await;
    jobs.extend(idle);
    let round = round(&window.context(what)?)?;
    server.note_pace(scenario, round.requests_per_second);
    Ok(round)
}

fn round(window: &Window) -> Result<Round> {
    let counts = window.lanes.first().context("one lane")?;
    let wall = window.wall.as_secs_f64();
    let answered = (counts.done + counts.refused).max(1) as f64;
    Ok(Round {
        requests_per_second: counts.done as f64 / wall,
        refused_per_second: counts.refused as f64 / wall,
        p50_ms: quantile_ms(counts, 0.5),
        p99_ms: quantile_ms(counts, 0.99),
        cpu_us: window.server_cpu.as_secs_f64() * 1e6 / answered,
        server_busy: window.server_cpu.as_secs_f64() / wall,
        generator_busy: window.generator_cpu.as_secs_f64() / wall,
    })
}

fn quantile_ms(counts: &Counts, quantile: f64) -> f64 {
    counts.latency.value_at_quantile(quantile) as f64 / 1e6
}

/// What has no counterpart at the peers: log-in, the storm of log-ins, and refresh within the grace.
async fn alone(issuer: &Issuer<'_>, mut server: Server, report: &mut Report) -> Result<()> {
    let plan = report.plan.clone();
    report.login = Some(login(&plan, &mut server, issuer.lab()).await?);
    report.storm = Some(storm(&plan, &mut server).await?);
    let mut server = issuer.restart_with_default_grace(server)?;
    for _ in 0..plan.rounds {
        let measured = measure(&mut server, Scenario::RefreshWithinGrace, plan.connections, plan.throughput).await?;
        Rounds::add(&mut report.rounds, (Scenario::RefreshWithinGrace, server.name, plan.connections), measured);
    }
    server.process.stop()
}

/// Log-in and the raw hash rate in turn, each alone on the server's core.
async fn login(plan: &Plan, server: &mut Server, lab: &Lab) -> Result<Login> {
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        let raw = hashing::measure(plan.login.measure, &lab.log("raw-argon2"))?;
        let login = measure(server, Scenario::Login, plan.login_connections, plan.login).await?;
        rounds.push(LoginRound { raw, login });
    }
    Ok(Login { rounds, rss_kb: process::memory_kb(server.pid())?.0 })
}

/// Every other route, asked at fixed times, first alone and then while as many connections as the plan says log in
/// as fast as they get answers, refusals included.
async fn storm(plan: &Plan, server: &mut Server) -> Result<Storm> {
    let calm = probe(plan, server, 0).await?;
    let mut storms = Vec::new();
    for _ in 0..plan.rounds.div_ceil(2) {
        storms.push(probe(plan, server, plan.flood).await?);
    }
    Ok(Storm { calm, storms })
}

async fn probe(plan: &Plan, server: &mut Server, flood: usize) -> Result<Vec<Probe>> {
    let (addr, pid) = (server.addr, server.pid());
    let mut taken = Vec::new();
    let requests = (plan.storm.warm + plan.storm.measure).as_millis() / plan.probe_every.as_millis();
    for scenario in Scenario::COMPARED {
        server.prepare(scenario, usize::try_from(requests)?).await?;
    }
    for scenario in Scenario::COMPARED {
        let jobs = server.jobs(scenario)?;
        let idle = jobs.split_off(1);
        taken.push((scenario, std::mem::take(jobs), idle, Some(plan.probe_every)));
    }
    if flood > 0 {
        let jobs = server.jobs(Scenario::Login)?;
        let idle = jobs.split_off(flood.min(jobs.len()));
        taken.push((Scenario::Login, std::mem::take(jobs), idle, None));
    }
    let lanes = taken.iter_mut().map(|(_, jobs, _, every)| Lane { jobs, every: *every }).collect();
    let window = load::run(addr, pid, lanes, plan.storm).await.context("storm")?;
    let mut probes = Vec::new();
    for ((scenario, mut jobs, idle, _), counts) in taken.into_iter().zip(&window.lanes) {
        jobs.extend(idle);
        *server.jobs(scenario)? = jobs;
        probes.push(Probe::new(scenario, counts, &window));
    }
    Ok(probes)
}

impl Probe {
    fn new(scenario: Scenario, counts: &Counts, window: &Window) -> Self {
        let per_second = |n: u64| n as f64 / window.wall.as_secs_f64();
        Self {
            scenario,
            requests_per_second: per_second(counts.done),
            refused_per_second: per_second(counts.refused),
            p50_ms: quantile_ms(counts, 0.5),
            p99_ms: quantile_ms(counts, 0.99),
            max_ms: Duration::from_nanos(counts.latency.max()).as_secs_f64() * 1e3,
            generator_busy: window.generator_cpu.as_secs_f64() / window.wall.as_secs_f64(),
        }
    }
}
