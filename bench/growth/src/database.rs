//! The database of one site: made, filled, looked at.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio_postgres::NoTls;

use crate::{fill, machine, postgres::Cluster, process, rows::Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// What a user with three sessions and an event takes at most, bytes, to know before how many fit.
    pub fn most_per_user(self) -> u64 {
        match self {
            Self::Sqlite => 3_000,
            Self::Postgres => 3_700,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

pub enum Database {
    Sqlite { file: PathBuf },
    Postgres { cluster: Cluster, url: String },
}

impl Database {
    pub async fn new(engine: Engine, data: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite { file: data.join("countersign.db") },
            Engine::Postgres => {
                // A quarter of the memory is what PostgreSQL's own documentation says to begin with.
                let buffers = machine::memory_kib().expect("/proc/meminfo") / 4;
                let cluster = Cluster::start(&format!(
                    "listen_addresses = ''\nfsync = on\nfull_page_writes = on\nmax_wal_size = 4GB\n\
                     shared_buffers = {buffers}kB\nmaintenance_work_mem = 1GB\n"
                ));
                let url = cluster.create_database().await;
                Self::Postgres { cluster, url }
            }
        }
    }

    /// What the server's `database` is set to; none for the file in its folder.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }

    /// Tables of many rows. What makes that fast here, no server does: nothing is durable before the end, and indices that
    /// guard nothing are made afterwards.
    pub async fn fill(&self, tables: &[Table<'_>]) -> Result<()> {
        let started = Instant::now();
        match self {
            Self::Sqlite { file } => tokio::task::block_in_place(|| fill::sqlite(file, tables))?,
            Self::Postgres { url, .. } => {
                crate::postgres::execute(url, "ALTER SYSTEM SET fsync = off").await;
                crate::postgres::execute(url, "ALTER SYSTEM SET full_page_writes = off").await;
                crate::postgres::execute(url, "SELECT pg_reload_conf()").await;
                fill::postgres(url, tables).await?;
                crate::postgres::execute(url, "VACUUM ANALYZE").await;
                crate::postgres::execute(url, "ALTER SYSTEM RESET ALL").await;
                crate::postgres::execute(url, "SELECT pg_reload_conf()").await;
                crate::postgres::execute(url, "CHECKPOINT").await;
            }
        }
        ensure!(Command::new("sync").status()?.success(), "sync failed");
        let names: Vec<_> = tables.iter().map(|table| table.name).collect();
        eprintln!("  {} after {:.0} s", names.join(", "), started.elapsed().as_secs_f64());
        Ok(())
    }

    /// On disk, indices included; logs are not.
    pub async fn bytes(&self) -> Result<f64> {
        match self {
            Self::Sqlite { file } => {
                const PAGES: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
                Ok(rusqlite::Connection::open(file)?.query_row(PAGES, [], |row| row.get::<_, i64>(0))? as f64)
            }
            Self::Postgres { url, .. } => number(url, "SELECT pg_database_size(current_database())").await,
        }
    }

    /// What was written so far to make changes durable: by the server's process, or to PostgreSQL's log.
    pub async fn written(&self, server: u32) -> Result<f64> {
        match self {
            Self::Sqlite { .. } => {
                let io = fs::read_to_string(format!("/proc/{server}/io"))?;
                let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).context("/proc/pid/io")?;
                Ok(line.trim().parse()?)
            }
            Self::Postgres { url, .. } => number(url, "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").await,
        }
    }

    /// PostgreSQL's own programs: pgbench.
    pub fn program(&self, name: &str) -> Option<Command> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { cluster, .. } => Some(cluster.program(name)),
        }
    }

    /// CPU time of PostgreSQL's processes, of those that have ended too.
    pub fn cpu(&self) -> Result<Duration> {
        let Self::Postgres { cluster, .. } = self else { return Ok(Duration::ZERO) };
        let processes = cluster.processes();
        // One may end in this moment; what it used is its parent's then.
        let alive = processes.iter().filter_map(|pid| process::cpu_time(*pid).ok()).sum::<Duration>();
        Ok(alive + processes.last().map_or(Ok(Duration::ZERO), |postmaster| waited_for(*postmaster))?)
    }

    /// Memory of PostgreSQL's processes, MiB: what they share is counted once.
    pub fn memory_mib(&self) -> f64 {
        let Self::Postgres { cluster, .. } = self else { return 0.0 };
        let shares = cluster.processes().into_iter().filter_map(|pid| {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.trim().trim_end_matches(" kB").parse::<f64>().ok()
        });
        shares.sum::<f64>() / 1024.0
    }
}

pub async fn number(url: &str, sql: &str) -> Result<f64> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let value: i64 = client.query_one(sql, &[]).await?.get(0);
    drop(client);
    connection.await??;
    Ok(value as f64)
}

/// The CPU time of children that have ended.
pub fn waited_for(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').context("/proc/pid/stat")?.1;
    let ticks: u64 = fields.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
