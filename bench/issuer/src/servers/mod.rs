//! The servers under test. Each one is a process of its own and knows how to be asked each scenario.

pub mod bare;
pub mod countersign;
pub mod oidc_provider;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::http::Connection;
use crate::job::{Fixed, Jobs};
use crate::process::{self, Process};
use crate::scenario::Scenario;
use crate::supply::Supply;

/// Requests a second where nothing was measured yet, and how many more than measured are prepared for.
const GUESS: f64 = 2_000.0;
const RESERVE: f64 = 1.2;

pub struct Server {
    pub name: &'static str,
    pub addr: SocketAddr,
    pub process: Process,
    pub jobs: HashMap<Scenario, Jobs>,
    /// What some of the jobs have to be made of anew; none where every request is the same.
    pub supply: Option<Supply>,
    /// The most requests a second that were measured.
    pace: HashMap<Scenario, f64>,
    pub start: Start,
    /// Resident kilobytes before any load.
    pub idle_kb: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Start {
    /// Milliseconds from spawn to readiness with nothing on disk; medians of several starts.
    pub first_ms: f64,
    /// The same with an existing data folder; only for servers that have one.
    pub second_ms: Option<f64>,
}

/// What every server needs to be started with.
pub struct Lab {
    pub folder: PathBuf,
    pub connections: usize,
    pub starts: usize,
}

impl Server {
    pub fn new(name: &'static str, addr: SocketAddr, process: Process) -> Self {
        let (jobs, start) = (HashMap::new(), Start::default());
        Self { name, addr, process, jobs, supply: None, pace: HashMap::new(), start, idle_kb: 0 }
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn jobs(&mut self, scenario: Scenario) -> Result<&mut Jobs> {
        self.jobs.get_mut(&scenario).with_context(|| format!("{} has no scenario {scenario:?}", self.name))
    }

    /// How many requests a window of this length may have.
    pub fn expected(&self, scenario: Scenario, window: Duration) -> usize {
        (self.pace.get(&scenario).unwrap_or(&GUESS) * RESERVE * window.as_secs_f64()) as usize
    }

    pub fn note_pace(&mut self, scenario: Scenario, requests_per_second: f64) {
        let pace = self.pace.entry(scenario).or_default();
        *pace = pace.max(requests_per_second);
    }

    /// Makes what so many requests of a scenario need, if it cannot be used twice.
    pub async fn prepare(&mut self, scenario: Scenario, requests: usize) -> Result<()> {
        let connections = self.jobs(Scenario::Jwks)?.len();
        let Some(supply) = &self.supply else { return Ok(()) };
        if let Some(jobs) = supply.jobs(scenario, self.addr, connections, requests + connections).await? {
            self.jobs.insert(scenario, jobs);
        }
        Ok(())
    }

    /// Resident memory when nothing has happened for a moment.
    pub fn settle(&mut self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(500));
        self.idle_kb = process::memory_kb(self.pid())?.0;
        Ok(())
    }
}

impl Lab {
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// The same request on every connection.
    pub fn same(&self, request: Vec<u8>) -> Jobs {
        (0..self.connections).map(|_| Box::new(Fixed(request.clone())) as _).collect()
    }
}

pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// One request outside any measurement; the body of its 2xx reply.
pub async fn ask(addr: SocketAddr, request: Vec<u8>) -> Result<Vec<u8>> {
    let mut connection = Connection::open(addr).await?;
    let reply = connection.exchange(&request).await?;
    let (status, body) = (reply.status, reply.body.to_vec());
    anyhow::ensure!((200..300).contains(&status), "status {status}: {}", crate::job::excerpt(&body));
    Ok(body)
}
