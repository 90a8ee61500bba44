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
use crate::supply::{self, Mint, Source, Supply};

const METADATA: &str = "/.well-known/openid-configuration";
const CREDENTIALS: &str = "grant_type=client_credentials&client_id=service\
                           &client_secret=bench-secret-of-the-service-0123456789&scope=read";

/// Who asks about tokens: the start of its form.
const SERVICE: &str = "client_id=service&client_secret=bench-secret-of-the-service-0123456789";

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
    let (mut process, Ports { own, mint }, ms) = spawn(lab)?;
    times.push(ms);
    let mut line = String::new();
    BufReader::new(process.stdout().context("stdout")?).read_line(&mut line)?;
    let seed: Seed = serde_json::from_str(&line).context("oidc-provider printed no seed; see its log")?;
    ensure!(seed.refresh_tokens.len() == lab.connections, "one refresh token per connection");

    let start = Start { first_ms: median(times), second_ms: None };
    let jobs = jobs(lab, seed.refresh_tokens);
    let supply = Some(Supply {
        source: Source::Mint(Mint { addr: loopback(mint) }),
        exchange: supply::exchange("first-party", "http://localhost/callback"),
        service: SERVICE.to_owned(),
    });
    let mut server = Server { jobs, supply, start, ..Server::new("oidc-provider", loopback(own), process) };
    server.settle()?;
    Ok((server, seed.version))
}

/// Where it listens: for what is measured, and for what is not.
struct Ports {
    own: u16,
    mint: u16,
}

fn spawn(lab: &Lab) -> Result<(Process, Ports, f64)> {
    let ports = Ports { own: process::free_port()?, mint: process::free_port()? };
    let mut command = Command::new("node");
    command.arg("server.mjs").args(["--port", &ports.own.to_string(), "--mint-port", &ports.mint.to_string()]);
    command.args(["--chains", &lab.connections.to_string()]);
    command.current_dir(crate::npm::folder()).env("NODE_ENV", "production");
    let started = Instant::now();
    let mut process = Process::spawn(&command, &lab.log("oidc-provider"))?;
    process.wait_ready(loopback(ports.own), METADATA)?;
    Ok((process, ports, started.elapsed().as_secs_f64() * 1e3))
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
