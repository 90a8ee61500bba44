//! The page of the book, and what the run prints.

use std::fmt::Write;

use super::{Login, Probe, Report, Storm, Summary};
use crate::scenario::Scenario;
use crate::stats::median;

pub fn page(report: &Report) -> String {
    let mut out = String::from("## The issuer\n\n");
    for part in [setting, targets, throughput, unloaded, start_and_memory] {
        out.push_str(&part(report));
    }
    out.push_str(&report.login.as_ref().map(login).unwrap_or_default());
    out.push_str(&report.storm.as_ref().map(storm).unwrap_or_default());
    out
}

fn setting(report: &Report) -> String {
    let mut out = String::new();
    if let (Some(machine), Some(versions)) = (&report.machine, &report.versions) {
        let _ = writeln!(
            out,
            "{}: {}, {} cores, {} GiB, Linux {}, {} with a median `fdatasync` of {:.0} µs. Countersign {}, \
             oidc-provider {} on Node.js {}, {}. One core for the load, one for the server; SQLite with \
             `synchronous=FULL`; medians of {} interleaved rounds of {:.1} s.\n",
            report.date,
            machine.cpu,
            machine.cores,
            machine.memory_gib,
            machine.kernel,
            machine.filesystem,
            machine.fdatasync_us,
            versions.countersign,
            versions.oidc_provider,
            versions.node,
            versions.rustc,
            report.plan.rounds,
            report.plan.throughput.measure.as_secs_f64(),
        );
    }
    out
}

fn targets(report: &Report) -> String {
    if report.targets.is_empty() {
        return String::new();
    }
    let rows = report.targets.iter().map(|target| {
        let reached = if target.reached { "yes" } else { "**no**" };
        vec![target.what.clone(), target.wanted.clone(), target.measured.clone(), reached.to_owned()]
    });
    table("Targets", &["", "wanted", "measured", "reached"], rows)
}

fn throughput(report: &Report) -> String {
    let rows = report.summary.iter().filter(|s| s.connections > 1).map(|s| {
        vec![
            s.scenario.label().to_owned(),
            s.server.to_owned(),
            format!("{:.0}", s.requests_per_second),
            format!("{:.2}", s.p50_ms),
            format!("{:.2}", s.p99_ms),
            format!("{:.1}", s.cpu_us),
            times(s.times_oidc_provider),
            times(s.times_bare),
            format!("{:.0} % / {:.0} %", 100.0 * s.server_busy, 100.0 * s.generator_busy),
        ]
    });
    let title = format!("Throughput, {} connections", report.plan.connections);
    let columns = [
        "",
        "server",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "× oidc-provider",
        "× bare axum",
        "busy: server / load",
    ];
    table(&title, &columns, rows)
}

fn unloaded(report: &Report) -> String {
    let row = |s: &Summary| {
        let rate = format!("{:.0}", s.requests_per_second);
        vec![
            s.scenario.label().to_owned(),
            s.server.to_owned(),
            rate,
            format!("{:.3}", s.p50_ms),
            format!("{:.3}", s.p99_ms),
        ]
    };
    let rows = report.summary.iter().filter(|s| s.connections == 1).map(row);
    table("Latency, one connection", &["", "server", "requests/s", "p50 ms", "p99 ms"], rows)
}

fn start_and_memory(report: &Report) -> String {
    let rows = report.memory.iter().map(|(server, memory)| {
        let start = report.start.get(server).cloned().unwrap_or_default();
        let mib = |kb: u64| format!("{:.1}", kb as f64 / 1024.0);
        vec![
            (*server).to_owned(),
            format!("{:.0}", start.first_ms),
            start.second_ms.map_or("–".to_owned(), |ms| format!("{ms:.0}")),
            mib(memory.idle_kb),
            mib(memory.now_kb),
            mib(memory.peak_kb),
        ]
    });
    let columns = ["", "first start ms", "second start ms", "idle MiB", "after load MiB", "peak MiB"];
    table("Start and memory, without hashing", &columns, rows)
}

fn login(login: &Login) -> String {
    let of = |field: fn(&super::LoginRound) -> f64| median(login.rounds.iter().map(field));
    let row = |what: &str, rate: f64, rest: [String; 3]| {
        let [p50, p99, cpu] = rest;
        vec![what.to_owned(), format!("{rate:.1}"), p50, p99, cpu]
    };
    let dash = || ["–".to_owned(), "–".to_owned(), "–".to_owned()];
    let rows = [
        row("raw argon2id, memory reused", of(|r| r.raw.reused_memory), dash()),
        row("raw argon2id, fresh memory", of(|r| r.raw.fresh_memory), dash()),
        row(
            "`POST /login`",
            of(|r| r.login.requests_per_second),
            [
                format!("{:.1}", of(|r| r.login.p50_ms)),
                format!("{:.1}", of(|r| r.login.p99_ms)),
                format!("{:.0}", of(|r| r.login.cpu_us)),
            ],
        ),
    ];
    let title = format!("Login (19 MiB, t=2, p=1; {:.1} MiB resident afterwards)", login.rss_kb as f64 / 1024.0);
    table(&title, &["", "per second", "p50 ms", "p99 ms", "CPU µs"], rows)
}

fn storm(storm: &Storm) -> String {
    let rows = Scenario::COMPARED.iter().chain([&Scenario::Login]).map(|&scenario| {
        let calm = storm.calm.iter().find(|p| p.scenario == scenario);
        let of = |field: fn(&Probe) -> f64| storm.median(scenario, field);
        vec![
            scenario.label().to_owned(),
            calm.map_or("–".to_owned(), |p| format!("{:.2}", p.p99_ms)),
            format!("{:.2}", of(|p| p.p50_ms)),
            format!("{:.2}", of(|p| p.p99_ms)),
            format!("{:.2}", of(|p| p.max_ms)),
            format!("{:.0}", of(|p| p.requests_per_second)),
            format!("{:.0}", of(|p| p.refused_per_second)),
        ]
    });
    let columns = ["", "calm p99 ms", "p50 ms", "p99 ms", "max ms", "answered/s", "refused/s"];
    table("Storm of logins: the other routes meanwhile", &columns, rows)
}

impl Storm {
    pub fn p99_ms(&self, scenario: Scenario) -> f64 {
        self.median(scenario, |probe| probe.p99_ms)
    }

    fn median(&self, scenario: Scenario, field: fn(&Probe) -> f64) -> f64 {
        median(self.storms.iter().flatten().filter(|probe| probe.scenario == scenario).map(field))
    }
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn table(title: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut out = format!("### {title}\n\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
    out
}
