//! Medians of the rounds, as a table and as data.

use std::{collections::BTreeMap, fmt, fs, path::Path, process::Command};

use anyhow::Result;
use serde::Serialize;

use crate::{GROUPS, work::Sample};

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Store,
    Plain,
    SqlxNoSavepoint,
    Sqlx,
    Postgres,
    Read,
    PostgresRead,
}

impl Row {
    fn name(self) -> &'static str {
        match self {
            Self::Store => "Countersign's store, SQLite: that many callers",
            Self::Plain => "rusqlite on one thread, a savepoint per member",
            Self::SqlxNoSavepoint => "sqlx 0.9, SQLite, no savepoint",
            Self::Sqlx => "sqlx 0.9, SQLite, a savepoint per member",
            Self::Postgres => "Countersign's store, PostgreSQL: that many callers (CPU of the client only)",
            Self::Read => "a snapshot of one row, Countersign's store, SQLite",
            Self::PostgresRead => "a snapshot of one row, Countersign's store, PostgreSQL (CPU of the client only)",
        }
    }
}

#[derive(Debug)]
pub struct Report {
    rounds: usize,
    seconds: f64,
    samples: BTreeMap<(Row, u64), Vec<Sample>>,
}

#[derive(Serialize)]
struct Cell {
    what: &'static str,
    group: u64,
    cpu_us: f64,
    per_second: f64,
}

#[derive(Serialize)]
struct Document<'a> {
    bench: &'a str,
    /// When, on what, and of which commit.
    setting: String,
    rounds: usize,
    seconds_each: f64,
    cores: usize,
    cells: Vec<Cell>,
}

impl Report {
    pub fn new(rounds: usize, seconds: f64) -> Self {
        Self { rounds, seconds, samples: BTreeMap::new() }
    }

    pub fn add(&mut self, row: Row, group: u64, sample: Sample) {
        self.samples.entry((row, group)).or_default().push(sample);
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        let document = Document {
            bench: "store",
            setting: setting(),
            rounds: self.rounds,
            seconds_each: self.seconds,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            cells: self.samples.keys().map(|&(row, group)| self.cell(row, group)).collect(),
        };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, serde_json::to_string_pretty(&document)? + "\n")?;
        Ok(())
    }

    /// The part of the book's page.
    pub fn page(&self) -> String {
        format!("## The store\n\n{}. A durable rotation of a refresh token, {self}\n", setting())
    }

    fn cell(&self, row: Row, group: u64) -> Cell {
        let samples = self.samples.get(&(row, group)).map_or(&[][..], Vec::as_slice);
        Cell {
            what: row.name(),
            group,
            cpu_us: median(samples.iter().map(|s| s.cpu_seconds * 1e6 / s.rotations as f64)),
            per_second: median(samples.iter().map(|s| s.rotations as f64 / s.seconds)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "CPU µs each (per second); medians of {} rounds of {} s.\n", self.rounds, self.seconds)?;
        writeln!(f, "| | one commit each | groups of 32 | groups of 128 |\n|---|---|---|---|")?;
        let rows: Vec<Row> = self.samples.keys().map(|&(row, _)| row).collect();
        for (index, &row) in rows.iter().enumerate() {
            if index > 0 && rows[index - 1] == row {
                continue;
            }
            write!(f, "| {} |", row.name())?;
            for group in GROUPS {
                let cell = self.cell(row, group);
                write!(f, " {:.1} ({:.0}) |", cell.cpu_us, cell.per_second)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn setting() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let date = answer("date", &["-u", "+%F"]);
    let commit = answer("git", &["describe", "--always", "--dirty", "--exclude=*"]);
    format!("{date}: {cpu}, {cores} cores, commit {commit}, {}", answer("rustc", &["--version"]))
}

fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
