//! What was measured, as data, as a table, and as a part of the book.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    database::Engine,
    feed::Feed,
    machine::{self, Machine},
    stats::median,
};

/// A refresh or a sign-in may cost this much more CPU time than on the small database.
const MAX_RATIO: f64 = 1.5;
/// A start may take this long, ms.
const MAX_START: f64 = 1000.0;

/// On disk, bytes, indices included.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sizes {
    pub bytes: f64,
    pub per_user: f64,
    /// With the sign-in that it belongs to.
    pub per_session: f64,
    pub per_event: f64,
}

/// One round on one database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Round {
    pub ready_ms: f64,
    /// CPU time of the server (on SQLite the database is in it), and of the database.
    pub refresh_us: f64,
    pub refresh_database_us: f64,
    pub refresh_rate: f64,
    /// Bytes per refresh: what the server wrote to the disk, or the log of PostgreSQL.
    pub refresh_written: f64,
    /// CPU time of both.
    pub sign_in_ms: f64,
    pub idle_mib: f64,
    pub peak_mib: f64,
    pub database_mib: f64,
}

/// The medians on one database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    engine: Engine,
    users: u64,
    sizes: Sizes,
    median: Round,
}

impl Measured {
    pub fn new((engine, users): (Engine, u64), sizes: Sizes, rounds: &[Round]) -> Self {
        let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of));
        let median = Round {
            ready_ms: middle(|round| round.ready_ms),
            refresh_us: middle(|round| round.refresh_us),
            refresh_database_us: middle(|round| round.refresh_database_us),
            refresh_rate: middle(|round| round.refresh_rate),
            refresh_written: middle(|round| round.refresh_written),
            sign_in_ms: middle(|round| round.sign_in_ms),
            idle_mib: middle(|round| round.idle_mib),
            peak_mib: middle(|round| round.peak_mib),
            database_mib: middle(|round| round.database_mib),
        };
        Self { engine, users, sizes, median }
    }

    fn refresh_us(&self) -> f64 {
        self.median.refresh_us + self.median.refresh_database_us
    }
}

/// One engine, whenever it was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    date: String,
    countersign: String,
    machine: Machine,
    rounds: usize,
    /// By size.
    pub measured: Vec<Measured>,
}

impl Run {
    pub fn new(machine: Machine, program: &Path, rounds: usize, measured: Vec<Measured>) -> Self {
        let versions = machine::versions(Some(program), String::new());
        Self { date: machine::today(), countersign: versions.countersign, machine, rounds, measured }
    }

    /// Sizes that this run has not.
    fn keep(&mut self, earlier: Vec<Measured>) {
        let new: Vec<u64> = self.measured.iter().map(|one| one.users).collect();
        self.measured.extend(earlier.into_iter().filter(|one| !new.contains(&one.users)));
        self.measured.sort_by_key(|one| one.users);
    }

    fn engine(&self) -> Option<Engine> {
        self.measured.first().map(|one| one.engine)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    bench: String,
    feed: Feed,
    runs: Vec<Run>,
}

impl Report {
    /// With what an earlier report has of other engines and sizes.
    pub fn new(feed: Feed, mut runs: Vec<Run>, earlier: Option<Self>) -> Self {
        for kept in earlier.into_iter().flat_map(|earlier| earlier.runs) {
            match runs.iter_mut().find(|run| run.engine() == kept.engine()) {
                Some(run) => run.keep(kept.measured),
                None => runs.push(kept),
            }
        }
        runs.sort_by_key(|run| run.engine().map(|engine| engine as u8));
        Self { bench: "growth".to_owned(), feed, runs }
    }

    pub fn page(&self) -> String {
        let mut settings = String::new();
        for run in &self.runs {
            let Run { date, countersign, machine, rounds, .. } = run;
            let engine = run.engine().map(|engine| engine.to_string()).unwrap_or_default();
            let Machine { cpu, cores, memory_gib, kernel, filesystem, fdatasync_us } = machine;
            settings += &format!(
                "{engine}, {date}: {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {filesystem} with a median `fdatasync` of {fdatasync_us:.0} µs, \
                 {countersign}, {rounds} rounds. "
            );
        }
        format!(
            "## Growth\n\n{}\n\n\
             Each user has a password, three sessions with their sign-ins, and a security event. The server is started anew for each round, \
             the sizes of a run take turns, and each number is the median of the rounds: 6,000 refreshes of sessions that lie anywhere (each rotates), 60 sign-ins. \
             Rows are written past the server, as it would write them; indices that guard nothing are made afterwards and lie closer than they \
             would after years. PostgreSQL has `fsync` on and 512 MB of shared buffers; it, the server and what asks share the machine, \
             so that rates say less than CPU time.\n\n{self}",
            settings.trim()
        )
    }

    fn targets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| target | reached |\n|---|---|")?;
        for Run { measured, .. } in &self.runs {
            let Some((small, larger)) = measured.split_first() else { continue };
            larger.iter().try_for_each(|large| target(f, small, large))?;
        }
        Ok(())
    }
}

fn target(f: &mut fmt::Formatter<'_>, small: &Measured, large: &Measured) -> fmt::Result {
    let (engine, many, few) = (large.engine, thousands(large.users), thousands(small.users));
    let ratios = [
        ("a refresh", large.refresh_us() / small.refresh_us()),
        ("a sign-in", large.median.sign_in_ms / small.median.sign_in_ms),
    ];
    for (what, ratio) in ratios {
        let reached = yes(ratio <= MAX_RATIO);
        writeln!(
            f,
            "| {engine}: {what} with {many} users costs at most {MAX_RATIO} times the CPU time of one with {few} | {ratio:.2}: {reached} |"
        )?;
    }
    let (start, reached) = (large.median.ready_ms, yes(large.median.ready_ms <= MAX_START));
    writeln!(f, "| {engine}: with {many} users the server is ready within a second | {start:.0} ms: {reached} |")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.targets(f)?;
        writeln!(f, "\n| database | users | sessions | on disk, GB | bytes per user | per session | per event |")?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for one in self.runs.iter().flat_map(|run| &run.measured) {
            let Sizes { bytes, per_user, per_session, per_event } = one.sizes;
            let (users, sessions) = (thousands(one.users), thousands(one.users * crate::rows::SESSIONS));
            writeln!(
                f,
                "| {} | {users} | {sessions} | {:.2} | {per_user:.0} | {per_session:.0} | {per_event:.0} |",
                one.engine,
                bytes / 1e9
            )?;
        }
        writeln!(
            f,
            "\n| database | users | start, ms | refresh, µs of CPU time: server, database | written, bytes | refreshes/s | sign-in, ms of CPU time | \
             memory when ready, at most, MiB | of PostgreSQL |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        for one in self.runs.iter().flat_map(|run| &run.measured) {
            let Round { ready_ms, refresh_us, refresh_database_us, refresh_rate, refresh_written, .. } = &one.median;
            let Round { sign_in_ms, idle_mib, peak_mib, database_mib, .. } = &one.median;
            writeln!(
                f,
                "| {} | {} | {ready_ms:.0} | {refresh_us:.0}, {refresh_database_us:.0} | {refresh_written:.0} | {} | {sign_in_ms:.1} | \
                 {idle_mib:.1}, {peak_mib:.1} | {database_mib:.0} |",
                one.engine,
                thousands(one.users),
                thousands(*refresh_rate as u64)
            )?;
        }
        let Feed { quiet_bytes_per_s, lone_entry_bytes, entry_bytes } = self.feed;
        writeln!(
            f,
            "\nA service that follows the revocation feed takes {quiet_bytes_per_s:.0} bytes/s while nothing is revoked, {lone_entry_bytes:.0} for a \
             revocation that comes alone, {entry_bytes:.0} for one of many."
        )
    }
}

pub fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    (!head.is_empty()).then(|| head.to_owned()).into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn digits_in_groups() {
        let all = [0, 12, 123, 1_234, 123_456, 10_000_000].map(thousands);
        assert_eq!(all, ["0", "12", "123", "1,234", "123,456", "10,000,000"]);
    }
}
