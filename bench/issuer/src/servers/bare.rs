//! The bare axum server: this same binary in its other role.

use std::collections::HashMap;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use super::{Lab, Server, Start, loopback};
use crate::http;
use crate::job::Jobs;
use crate::process::{self, Process};
use crate::scenario::Scenario;
use crate::stats::median;
use crate::supply;

/// Lengths of the issuer's bodies and credentials, so that the same number of bytes travels.
pub struct Sizes {
    pub jwks: usize,
    pub metadata: usize,
    pub refresh_token: usize,
    pub signed_token: usize,
    pub opaque_token: usize,
    pub userinfo: usize,
    pub introspection: usize,
}

pub fn start(lab: &Lab, sizes: &Sizes) -> Result<Server> {
    let mut times = Vec::new();
    for _ in 1..lab.starts {
        let (process, _, ms) = spawn(lab, sizes)?;
        times.push(ms);
        drop(process);
    }
    let (process, addr, ms) = spawn(lab, sizes)?;
    times.push(ms);
    let start = Start { first_ms: median(times), second_ms: None };
    let mut server = Server { jobs: jobs(lab, sizes), start, ..Server::new("bare axum", addr, process) };
    server.settle()?;
    Ok(server)
}

fn spawn(lab: &Lab, sizes: &Sizes) -> Result<(Process, std::net::SocketAddr, f64)> {
    let port = process::free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare", "--port", &port.to_string()]);
    command.args(["--jwks-bytes", &sizes.jwks.to_string(), "--metadata-bytes", &sizes.metadata.to_string()]);
    command.args(["--userinfo-bytes", &sizes.userinfo.to_string()]);
    command.args(["--introspection-bytes", &sizes.introspection.to_string()]);
    let started = Instant::now();
    let mut process = Process::spawn(&command, &lab.log("bare"))?;
    process.wait_ready(loopback(port), "/readyz")?;
    Ok((process, loopback(port), started.elapsed().as_secs_f64() * 1e3))
}

fn jobs(lab: &Lab, sizes: &Sizes) -> HashMap<Scenario, Jobs> {
    let token = "x".repeat(sizes.refresh_token);
    let refresh = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
    let secret = "x".repeat(43);
    let credentials = format!("grant_type=client_credentials&client_id=service&client_secret={secret}&scope=read");
    let (code, signed, opaque) = (&secret, "x".repeat(sizes.signed_token), "x".repeat(sizes.opaque_token));
    let exchange = format!("{}&code={code}", supply::exchange("bench-app", "https://app.example/callback"));
    let ask =
        |token| format!("client_id=bench-service&client_secret={secret}&token_type_hint=access_token&token={token}");
    HashMap::from([
        (Scenario::Jwks, lab.same(http::get("/jwks"))),
        (Scenario::Metadata, lab.same(http::get("/metadata"))),
        (Scenario::ClientCredentials, lab.same(http::post_form("/token", &credentials))),
        (Scenario::Refresh, lab.same(http::post_form("/token", &refresh))),
        (Scenario::Code, lab.same(http::post_form("/token", &exchange))),
        (Scenario::Userinfo, lab.same(supply::userinfo(&signed))),
        (Scenario::IntrospectSigned, lab.same(http::post_form("/introspect", &ask(&signed)))),
        (Scenario::IntrospectOpaque, lab.same(http::post_form("/introspect", &ask(&opaque)))),
    ])
}
