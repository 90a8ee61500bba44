//! The rotation of `bench/store` with sqlx's SQLite driver. Arguments: database, members of a group, seconds, and
//! `savepoint` or `none`. Prints one JSON sample.

#[path = "../../../store/src/work.rs"]
mod work;

use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use sqlx::{
    Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use work::{CLIENT, GRACE, IDLE, ROTATE, SESSIONS, Watch, nonce, session, sid};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, group, seconds, mode] = arguments.as_slice() else {
        anyhow::bail!("usage: bench-peer-sqlx DATABASE GROUP SECONDS savepoint|none");
    };
    let (group, savepoint): (u64, bool) = (group.parse()?, mode == "savepoint" && group != "1");
    let options = SqliteConnectOptions::new()
        .filename(database)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-8192");
    let mut connection = SqliteConnection::connect_with(&options).await?;

    let mut generations = vec![0_u64; usize::try_from(SESSIONS)?];
    let mut done = 0;
    let watch = Watch::start(seconds.parse()?);
    while !watch.is_over() {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        for _ in 0..group {
            if savepoint {
                sqlx::query("SAVEPOINT member").execute(&mut connection).await?;
            }
            let session = session(done);
            let generation = &mut generations[usize::try_from(session)?];
            rotate(&mut connection, session, *generation).await?;
            *generation += 1;
            done += 1;
            if savepoint {
                sqlx::query("RELEASE member").execute(&mut connection).await?;
            }
        }
        sqlx::query("COMMIT").execute(&mut connection).await?;
    }
    println!("{}", serde_json::to_string(&watch.stop(done))?);
    Ok(())
}

async fn rotate(connection: &mut SqliteConnection, session: u64, generation: u64) -> Result<()> {
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros())?;
    let presented = i64::try_from(generation)?;
    let (sid, old, new) = (sid(session), nonce(session, generation), nonce(session, generation + 1));
    let row = sqlx::query(ROTATE)
        .bind(presented)
        .bind(now)
        .bind(GRACE)
        .bind(&new[..])
        .bind(now / 1_000_000 + 600)
        .bind(IDLE)
        .bind(&sid)
        .bind(CLIENT)
        .bind(None::<String>)
        .bind(&old[..])
        .fetch_optional(connection)
        .await?
        .context("no row")?;
    ensure!(row.get::<i64, _>(0) == presented + 1, "session {session} did not rotate");
    Ok(())
}
