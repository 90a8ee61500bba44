//! How long and how often: the full run, whose numbers are published, and the quick one.

use std::time::Duration;

use serde::Serialize;

use crate::scenario::Scenario;

/// Warm-up, then the window that counts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Span {
    pub warm: Duration,
    pub measure: Duration,
}

#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub quick: bool,
    /// The scenarios of the comparison.
    pub compared: Vec<Scenario>,
    pub rounds: usize,
    pub starts: usize,
    pub connections: usize,
    /// Before the first round, per scenario and server: Node.js compiles its hot paths while it runs.
    pub warm_up: Duration,
    pub throughput: Span,
    pub latency: Span,
    pub login: Span,
    pub storm: Span,
    /// Connections that flood `/login` in the storm, and the interval of each probe of another route meanwhile.
    pub flood: usize,
    pub probe_every: Duration,
    /// Connections of the login measurement: enough to keep one hashing thread busy, few enough for its queue.
    pub login_connections: usize,
}

impl Plan {
    /// Something was left out, so that the result is not one to publish.
    pub fn partial(&self) -> bool {
        self.quick || self.compared.len() < Scenario::COMPARED.len()
    }

    pub fn new(quick: bool, rounds: u8, connections: usize, only: &[Scenario]) -> Self {
        let span = |warm_ms, measure_ms| Span {
            warm: Duration::from_millis(warm_ms),
            measure: Duration::from_millis(measure_ms),
        };
        Self {
            quick,
            compared: Scenario::COMPARED.into_iter().filter(|s| only.is_empty() || only.contains(s)).collect(),
            rounds: if quick { 2 } else { usize::from(rounds) },
            starts: if quick { 2 } else { 5 },
            connections,
            warm_up: Duration::from_millis(if quick { 500 } else { 3_000 }),
            throughput: if quick { span(200, 600) } else { span(500, 2_500) },
            latency: if quick { span(100, 300) } else { span(200, 1_000) },
            login: if quick { span(300, 1_200) } else { span(1_000, 5_000) },
            storm: if quick { span(300, 1_500) } else { span(1_000, 8_000) },
            flood: 64,
            probe_every: Duration::from_millis(20),
            login_connections: 4,
        }
    }
}
