//! `countersign plan`: what a deployment of some size needs, from what was measured.

mod measured;
mod model;
mod topology;

use clap::Args;
use serde_json::{Value, json};

use self::{
    measured::Engine,
    model::{Load, PEAK, Size},
};
use crate::{
    duration,
    output::{Failure, Output, say, table},
};

#[derive(Debug, Args)]
pub struct Plan {
    /// People who have an account
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    users: u64,
    /// How many of them have an application open in the busiest hour: 10% or 0.1
    #[arg(long, default_value = "10%", value_parser = share)]
    active: f64,
    /// How long access tokens live: an open application asks for a new one so often
    #[arg(long, default_value = "10m", value_parser = lifetime)]
    ttl: u64,
    /// Open sessions of a user: applications, on each of the devices
    #[arg(long, default_value = "3", value_parser = amount)]
    sessions: f64,
    /// Sign-ins with a password, of a user in a day
    #[arg(long, default_value = "0.2", value_parser = amount)]
    sign_ins: f64,
    /// Ended sessions and tokens (sign-outs, changed passwords and roles), of a user in a day
    #[arg(long, default_value = "0.1", value_parser = amount)]
    ends: f64,
    /// Services that follow the revocation feed, each of their processes
    #[arg(long, default_value_t = 10)]
    services: u64,
    /// How long security events are kept: `retention.audit`
    #[arg(long, default_value = "400d", value_parser = duration::seconds)]
    events: u64,
    /// Cores of each machine
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    cores: u32,
}

impl Plan {
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let (size, load) = (Size::of(&self), Load::of(&self));
        let plan = json!({
            "assumed": {
                "users": self.users, "active": self.active, "ttl_s": self.ttl, "sessions_per_user": self.sessions,
                "sign_ins_per_user_and_day": self.sign_ins, "ends_per_user_and_day": self.ends, "services": self.services,
                "events_kept_s": self.events, "cores": self.cores, "busiest_hour_times_average": PEAK,
            },
            "rows": { "users": size.users, "sessions": size.sessions, "sign_ins": size.sessions, "events": size.events },
            "sqlite": on(&measured::SQLITE, &size, &load),
            "postgresql": on(&measured::POSTGRES, &size, &load),
            "busiest_hour": {
                "refreshes_per_s": load.refreshes, "sign_ins_per_s": load.sign_ins, "ends_per_s": load.ends,
                "transactions_per_s": load.transactions(),
            },
            "feed": {
                "entries": load.entries, "service_memory_bytes": load.service_memory(), "service_bytes_per_s": load.feed_bytes(),
                "all_services_bytes_per_s": load.feed_bytes() * as_f64(self.services),
            },
            "topology": topology::of(&self, &size, &load),
            "measured_on": measured::MACHINE,
        });
        output.show(&plan, told);
        Ok(())
    }
}

fn on(engine: &Engine, size: &Size, load: &Load) -> Value {
    json!({
        "bytes": engine.bytes(size), "written_bytes_per_s": load.refreshes * engine.refresh_written,
        "server_cores": load.server_cores(engine), "database_cores": load.database_cores(engine),
    })
}

fn told(plan: &Value) {
    let (rows, hour, feed) = (&plan["rows"], &plan["busiest_hour"], &plan["feed"]);
    let count = |value: &Value| value.as_f64().map_or_else(String::new, model::count);
    let bytes = |value: &Value| value.as_f64().map_or_else(String::new, model::bytes);
    let cores = |value: &Value| value.as_f64().map_or_else(String::new, |cores| format!("{cores:.2}"));
    say!(
        "rows       {} users, {} sessions with their sign-ins, {} security events",
        count(&rows["users"]),
        count(&rows["sessions"]),
        count(&rows["events"])
    );
    say!(
        "busy hour  {} refreshes/s, {} sign-ins/s, {} ends/s: {} transactions/s",
        count(&hour["refreshes_per_s"]),
        count(&hour["sign_ins_per_s"]),
        count(&hour["ends_per_s"]),
        count(&hour["transactions_per_s"])
    );
    say!(
        "feed       {} entries alive, {} in each service, which reads {}/s; all services together {}/s\n",
        count(&feed["entries"]),
        bytes(&feed["service_memory_bytes"]),
        bytes(&feed["service_bytes_per_s"]),
        bytes(&feed["all_services_bytes_per_s"])
    );
    let row = |name: &str, at: &Value| {
        let written = format!("{}/s", bytes(&at["written_bytes_per_s"]));
        [name.to_owned(), bytes(&at["bytes"]), written, cores(&at["server_cores"]), cores(&at["database_cores"])].into()
    };
    table(
        &["DATABASE", "ON DISK", "WRITTEN", "CORES OF SERVERS", "OF THE DATABASE"],
        &[row("SQLite", &plan["sqlite"]), row("PostgreSQL", &plan["postgresql"])],
    );
    say!();
    for sentence in plan["topology"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        say!("- {sentence}");
    }
    say!(
        "\nThe busiest hour has {PEAK} times the sign-ins of an average one. Bytes and CPU time are those that `cargo xtask bench growth` measured: {}.",
        measured::MACHINE
    );
}

/// `10%` or `0.1`.
fn share(text: &str) -> Result<f64, String> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    parsed.ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "write a share such as 10% or 0.1".to_owned())
}

fn amount(text: &str) -> Result<f64, String> {
    let parsed = text.parse::<f64>().ok().filter(|amount| (0.0..=10_000.0).contains(amount));
    parsed.ok_or_else(|| "write a number from 0 to 10000, such as 0.2".to_owned())
}

fn lifetime(text: &str) -> Result<u64, String> {
    duration::seconds(text).and_then(|seconds| match seconds {
        1..=86_400 => Ok(seconds),
        _ => Err("access tokens live for a second to a day".to_owned()),
    })
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
