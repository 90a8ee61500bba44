//! What the database gives to whoever asks for nothing else: one hot row advanced and one row added, durable. No server, no
//! HTTP, no audit, no state that ends.

use std::{path::Path, time::Duration};

use anyhow::Result;
use futures_util::future::try_join_all;
use rusqlite::params;
use tokio_postgres::Client;

use super::database::{Database, connect};
use crate::{issuer::Lab, time};

const TABLES: &str = "CREATE TABLE bare_head (stream bigint PRIMARY KEY, rsn bigint NOT NULL); \
                      CREATE TABLE bare_log (stream bigint, rsn bigint, kind bigint, id bytea, exp bigint, PRIMARY KEY (stream, rsn)); \
                      INSERT INTO bare_head VALUES (0, 0)";
const ADVANCE: &str = "UPDATE bare_head SET rsn = rsn + 1 WHERE stream = 0 RETURNING rsn";
const ADD: &str = "INSERT INTO bare_log (stream, rsn, kind, id, exp) VALUES (0, $1, 3, $2, 0)";

pub enum Bare {
    /// One connection: SQLite has one writer, whoever queues for it.
    Sqlite(std::path::PathBuf),
    /// As many connections as there are callers.
    Postgres(String),
}

impl Bare {
    /// In the issuer's own PostgreSQL database, or in a SQLite database beside its own with the same settings.
    pub async fn new(lab: &Lab, database: &Database) -> Result<Self> {
        match database {
            Database::Postgres(url) => {
                connect(url).await?.batch_execute(TABLES).await?;
                Ok(Self::Postgres(url.clone()))
            }
            Database::Sqlite(_) => {
                let path = lab.folder.join("bare.db");
                open(&path)?.execute_batch(TABLES)?;
                Ok(Self::Sqlite(path))
            }
        }
    }

    /// Transactions a second.
    pub async fn transactions(&self, callers: usize, span: Duration) -> Result<f64> {
        let until = |began: u64| began + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let (began, done) = match self {
            Self::Sqlite(path) => {
                let connection = open(path)?;
                let began = time::now();
                (began, on_sqlite(&connection, until(began))?)
            }
            Self::Postgres(url) => {
                let clients = try_join_all((0..callers).map(|_| connect(url))).await?;
                let began = time::now();
                let done = try_join_all(clients.iter().map(|client| on_postgres(client, until(began)))).await?;
                (began, done.into_iter().sum())
            }
        };
        Ok(done as f64 / (time::millis(began, time::now()) / 1e3))
    }
}

fn open(path: &Path) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn on_sqlite(connection: &rusqlite::Connection, until: u64) -> Result<usize> {
    let run = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    let mut done = 0;
    while time::now() < until {
        run("BEGIN IMMEDIATE")?;
        let rsn: i64 = connection.prepare_cached(ADVANCE)?.query_row([], |row| row.get(0))?;
        connection.prepare_cached(ADD)?.execute(params![rsn, [0_u8; 16]])?;
        run("COMMIT")?;
        done += 1;
    }
    Ok(done)
}

async fn on_postgres(client: &Client, until: u64) -> Result<usize> {
    let (advance, add) = (client.prepare(ADVANCE).await?, client.prepare(ADD).await?);
    let mut done = 0;
    while time::now() < until {
        client.batch_execute("BEGIN").await?;
        let rsn: i64 = client.query_one(&advance, &[]).await?.get(0);
        client.execute(&add, &[&rsn, &[0_u8; 16].as_slice()]).await?;
        client.batch_execute("COMMIT").await?;
        done += 1;
    }
    Ok(done)
}
