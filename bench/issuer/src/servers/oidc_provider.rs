//! npm `oidc-provider` under Node.js, as bench/peers/oidc-provider/server.mjs configures it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Lab, Server, Start, loopback};
use crate::http;
use crate::job::{Chain, Jobs};
use crate::process::{self, Process};
use crate::scenario::Scenario;
use crate::stats::median;

const METADATA: &str = "/.well-known/openid-configuration";
const CREDENTIALS: &str = "grant_type=client_credentials&client_id=service\
                           &client_secret=bench-secret-of-the-service-0123456789&scope=read";

/// The line that the script prints.
#[derive(Deserialize)]
struct Seed {
    version: String,
    refresh_tokens: Vec<String>,
}

/// The running server and the version of the package.
pub fn start(lab: &Lab) -> Result<(Server, String)> {
    let mut times = Vec::new();
    for _ in 1..lab.starts {
        let (process, _, ms) = spawn(lab)?;
        times.push(ms);
        drop(process);
    }
    let (mut process, port, ms) = spawn(lab)?;
    times.push(ms);
    let mut line = String::new();
    BufReader::new(process.stdout().context("stdout")?).read_line(&mut line)?;
    let seed: Seed = serde_json::from_str(&line).context("oidc-provider printed no seed; see its log")?;
    ensure!(seed.refresh_tokens.len() == lab.connections, "one refresh token per connection");

    let start = Start { first_ms: median(times), second_ms: None };
    let jobs = jobs(lab, seed.refresh_tokens);
    let mut server = Server { name: "oidc-provider", addr: loopback(port), process, jobs, start, idle_kb: 0 };
    server.settle()?;
    Ok((server, seed.version))
}

fn spawn(lab: &Lab) -> Result<(Process, u16, f64)> {
    let port = process::free_port()?;
    let mut command = Command::new("node");
    command.arg("server.mjs").args(["--port", &port.to_string(), "--chains", &lab.connections.to_string()]);
    command.current_dir(crate::npm::folder()).env("NODE_ENV", "production");
    let started = Instant::now();
    let mut process = Process::spawn(&command, &lab.log("oidc-provider"))?;
    process.wait_ready(loopback(port), METADATA)?;
    Ok((process, port, started.elapsed().as_secs_f64() * 1e3))
}

fn jobs(lab: &Lab, refresh_tokens: Vec<String>) -> HashMap<Scenario, Jobs> {
    let chains = refresh_tokens.into_iter().map(|token| Box::new(Chain::new(token, true)) as _).collect();
    HashMap::from([
        (Scenario::Jwks, lab.same(http::get("/jwks"))),
        (Scenario::Metadata, lab.same(http::get(METADATA))),
        (Scenario::ClientCredentials, lab.same(http::post_form("/token", CREDENTIALS))),
        (Scenario::Refresh, chains),
    ])
}
