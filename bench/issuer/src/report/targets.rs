//! What was promised, beside what was measured.

use serde::Serialize;

use super::{Report, Summary};
use crate::scenario::Scenario;
use crate::stats::median;

const OURS: &str = "countersign";

#[derive(Serialize)]
pub struct Target {
    pub what: String,
    pub wanted: String,
    pub measured: String,
    pub reached: bool,
}

/// Nothing for a run without the issuer.
pub fn of(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    for (scenario, times, cpu_us) in [
        (Scenario::Refresh, 4.0, Some(200.0)),
        (Scenario::Code, 2.0, None),
        (Scenario::Userinfo, 1.5, None),
        (Scenario::IntrospectSigned, 1.5, None),
        (Scenario::IntrospectOpaque, 1.5, None),
        (Scenario::ClientCredentials, 3.0, Some(90.0)),
        (Scenario::Jwks, 5.0, Some(15.0)),
        (Scenario::Metadata, 5.0, Some(15.0)),
    ] {
        if let Some(summary) = ours(report, scenario) {
            let measured = summary.times_oidc_provider.unwrap_or(0.0);
            targets.push(at_least(&format!("{}: rate of oidc-provider", scenario.label()), times, measured, "×"));
            let cpu = |wanted| at_most(&format!("{}: CPU", scenario.label()), wanted, summary.cpu_us, " µs");
            targets.extend(cpu_us.map(cpu));
        }
    }
    if let Some(login) = &report.login {
        let share = median(login.rounds.iter().map(|r| 100.0 * r.login.requests_per_second / r.raw.reused_memory));
        targets.push(at_least("login: share of the raw argon2 rate", 85.0, share, " %"));
    }
    if let Some(storm) = &report.storm {
        let worst = Scenario::COMPARED.map(|scenario| storm.p99_ms(scenario)).into_iter().fold(0.0, f64::max);
        targets.push(at_most("storm of logins: p99 of the slowest other route", 20.0, worst, " ms"));
    }
    if let Some(memory) = report.memory.get(OURS) {
        targets.push(at_most("memory, idle", 20.0, memory.idle_kb as f64 / 1024.0, " MiB"));
        targets.push(at_most("memory, loaded, without hashing", 40.0, memory.peak_kb as f64 / 1024.0, " MiB"));
    }
    if let Some(ms) = report.start.get(OURS).and_then(|start| start.second_ms) {
        targets.push(at_most("second start to /readyz", 100.0, ms, " ms"));
    }
    targets
}

fn ours(report: &Report, scenario: Scenario) -> Option<&Summary> {
    let loaded = |s: &&Summary| s.scenario == scenario && s.server == OURS && s.connections == report.plan.connections;
    report.summary.iter().find(loaded)
}

fn at_least(what: &str, wanted: f64, measured: f64, unit: &str) -> Target {
    target(what, format!("≥ {wanted}{unit}"), format!("{measured:.1}{unit}"), measured >= wanted)
}

fn at_most(what: &str, wanted: f64, measured: f64, unit: &str) -> Target {
    target(what, format!("≤ {wanted}{unit}"), format!("{measured:.1}{unit}"), measured <= wanted)
}

fn target(what: &str, wanted: String, measured: String, reached: bool) -> Target {
    Target { what: what.to_owned(), wanted, measured, reached }
}
