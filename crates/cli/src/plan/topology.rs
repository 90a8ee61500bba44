//! Which machines, in words.

use super::{
    Plan, as_f64,
    measured::{POSTGRES, SQLITE},
    model::{Load, Size, bytes},
};

/// How busy a machine may be in the busiest hour: the rest is for what nobody foresaw, and for a machine that fails.
const BUSY: f64 = 0.5;
/// A backup of a file of this size still takes minutes, not hours.
const ONE_FILE: f64 = 100e9;
/// Followers of one issuer, beyond which relays share the work.
const FOLLOWERS: u64 = 1_000;

/// Sentences, the recommendation first.
pub fn of(plan: &Plan, size: &Size, load: &Load) -> Vec<String> {
    let cores = f64::from(plan.cores) * BUSY;
    let replicas = (load.server_cores(&POSTGRES) / cores).ceil().max(1.0) + 1.0;
    let database = (load.database_cores(&POSTGRES) / BUSY).ceil().max(2.0);
    let cluster = format!(
        "{replicas:.0} replicas with {} cores each behind a load balancer (one of them may fail), and PostgreSQL with {database:.0} cores or more, {} of disk and a \
         synchronous standby (docs/clusters.md)",
        plan.cores,
        bytes(POSTGRES.bytes(size) * 2.0),
    );
    let (used, disk) = (load.server_cores(&SQLITE), SQLITE.bytes(size));
    let mut said = if used <= cores && disk <= ONE_FILE {
        vec![
            format!(
                "one server with SQLite is enough: {used:.2} of its {} cores are busy in the busiest hour; give it {} of disk, and a backup each day (docs/backup.md)",
                plan.cores,
                bytes(disk * 2.0)
            ),
            format!("if signing in must survive the loss of a machine: {cluster}"),
        ]
    } else {
        vec![cluster]
    };
    if plan.services > FOLLOWERS {
        let relays = (as_f64(plan.services) / as_f64(FOLLOWERS)).ceil();
        said.push(format!(
            "{relays:.0} relays, each for {FOLLOWERS} services: `countersign relay` (docs/operations.md)"
        ));
    }
    said.push("services check tokens by themselves: their requests cost the issuer nothing".to_owned());
    said
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn first(arguments: &[&str]) -> String {
        let matches = Plan::augment_args(clap::Command::new("plan"))
            .try_get_matches_from([&["plan"], arguments].concat())
            .unwrap();
        let plan = Plan::from_arg_matches(&matches).unwrap();
        of(&plan, &Size::of(&plan), &Load::of(&plan)).remove(0)
    }

    #[test]
    fn small_ones_need_one_server_and_large_ones_several() {
        assert!(first(&["--users", "10000"]).starts_with("one server with SQLite"));
        assert!(first(&["--users", "200000000"]).contains(" replicas with 2 cores each"));
        assert!(first(&["--users", "1000000", "--active", "100%", "--ttl", "10s"]).contains(" replicas "));
    }
}
