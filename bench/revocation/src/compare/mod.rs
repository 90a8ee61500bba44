//! What people use today to end a token before it expires, in one run: what each asks of every request, and how soon a
//! revocation holds. One service, one caller, keep-alive connections, everything on loopback.

mod database;
mod introspection;
mod ours;
mod redis;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::{
    issuer::{Issuer, Lab, Place},
    postgres::Cluster,
    process,
    stats::Spread,
    time,
};

/// Checks of a method before the next one has its turn.
const TURN: usize = 250;

/// One method.
#[derive(Debug, Serialize)]
pub struct Compared {
    pub method: &'static str,
    /// Microseconds that a check takes.
    pub check: Spread,
    /// Microseconds of CPU time of a check: in the service's process, and in the process that it asks.
    pub service_cpu_us: f64,
    pub server_cpu_us: f64,
    /// Milliseconds from the answer to a revocation until a check has said no.
    pub delay: Spread,
}

/// A way to know whether a token was revoked.
enum Method {
    Introspection(introspection::Introspection),
    Redis(redis::Redis),
    Database(database::Versions),
    Ours(ours::Ours),
}

impl Method {
    fn name(&self) -> &'static str {
        match self {
            Self::Introspection(_) => "introspection (RFC 7662) at each request",
            Self::Redis(_) => "a deny list in Redis, asked at each request",
            Self::Database(_) => "a token version in PostgreSQL, compared at each request",
            Self::Ours(_) => "Countersign's verifier: the whole check, remembered token",
        }
    }

    /// The process that is asked.
    fn server(&self) -> Option<u32> {
        match self {
            Self::Introspection(method) => Some(method.server),
            Self::Redis(method) => Some(method.process.pid()),
            Self::Database(method) => Some(method.server),
            Self::Ours(_) => None,
        }
    }

    /// A token that nobody has seen before, accepted once.
    async fn fresh(&mut self) -> Result<()> {
        match self {
            Self::Introspection(method) => method.fresh().await,
            Self::Redis(method) => method.fresh(),
            Self::Database(method) => method.fresh().await,
            Self::Ours(method) => method.fresh().await,
        }
    }

    /// Whether the token may be used.
    async fn check(&mut self) -> Result<bool> {
        match self {
            Self::Introspection(method) => method.check().await,
            Self::Redis(method) => method.check().await,
            Self::Database(method) => method.check().await,
            Self::Ours(method) => Ok(method.check()),
        }
    }

    /// Ends the token; durable, as far as the method is, when this returns.
    async fn revoke(&mut self) -> Result<()> {
        match self {
            Self::Introspection(method) => method.revoke().await,
            Self::Redis(method) => method.revoke().await,
            Self::Database(method) => method.revoke().await,
            Self::Ours(method) => method.revoke().await,
        }
    }

    /// Whoever is told need not ask; the others ask again at once.
    async fn news(&mut self) {
        if let Self::Ours(method) = self {
            method.news().await;
        }
    }
}

#[derive(Default)]
struct Sample {
    check_us: Vec<f64>,
    service_cpu_ns: u64,
    server_cpu_s: f64,
}

pub async fn measure(lab: &Lab, cluster: &Cluster, checks: usize, revocations: usize) -> Result<Vec<Compared>> {
    let issuer = Issuer::start(lab, Place::new("compared", None)?).await?;
    let mut methods = [
        Method::Introspection(introspection::Introspection::new(&issuer).await?),
        Method::Redis(redis::Redis::start(lab).await?),
        Method::Database(database::Versions::new(&cluster.create_database().await).await?),
        Method::Ours(ours::Ours::new(&issuer).await?),
    ];
    let mut samples: Vec<Sample> = methods.iter().map(|_| Sample::default()).collect();
    for turn in 0..=checks.div_ceil(TURN) {
        for (method, sample) in methods.iter_mut().zip(&mut samples) {
            method.fresh().await?;
            let seen = take_turn(method).await?;
            // The first turn warms up.
            if turn > 0 {
                sample.check_us.extend(seen.check_us);
                sample.service_cpu_ns += seen.service_cpu_ns;
                sample.server_cpu_s += seen.server_cpu_s;
            }
        }
    }
    let mut compared = Vec::new();
    for (method, sample) in methods.iter_mut().zip(samples) {
        let count = sample.check_us.len() as f64;
        compared.push(Compared {
            method: method.name(),
            service_cpu_us: sample.service_cpu_ns as f64 / 1e3 / count,
            server_cpu_us: sample.server_cpu_s * 1e6 / count,
            check: Spread::of(sample.check_us),
            delay: delay(method, revocations).await?,
        });
    }
    Ok(compared)
}

async fn take_turn(method: &mut Method) -> Result<Sample> {
    let server_cpu = |method: &Method| method.server().map_or(Ok(0.0), process::cpu_seconds);
    let before = (time::process_cpu(), server_cpu(method)?);
    let mut check_us = Vec::with_capacity(TURN);
    for _ in 0..TURN {
        let began = time::now();
        ensure!(method.check().await?, "{}: a good token is refused", method.name());
        check_us.push(time::millis(began, time::now()) * 1e3);
    }
    let service_cpu_ns = time::process_cpu() - before.0;
    Ok(Sample { check_us, service_cpu_ns, server_cpu_s: server_cpu(method)? - before.1 })
}

async fn delay(method: &mut Method, revocations: usize) -> Result<Spread> {
    let mut delays = Vec::new();
    for _ in 0..revocations {
        method.fresh().await?;
        tokio::time::sleep(time::anywhere_in(std::time::Duration::from_millis(50))).await;
        method.revoke().await?;
        let answered = time::now();
        while method.check().await? {
            method.news().await;
        }
        delays.push(time::millis(answered, time::now()));
    }
    Ok(Spread::of(delays))
}
