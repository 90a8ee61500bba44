//! Plain rusqlite on one thread: what the store could reach at best.

use std::path::Path;

use anyhow::{Result, ensure};
use rusqlite::{Connection, params};

use crate::{
    ours::now_us,
    work::{CLIENT, GRACE, IDLE, ROTATE, SESSIONS, Sample, Watch, nonce, session, sid},
};

/// Rotates in groups of `group`, each member in a savepoint.
pub fn rotate(path: &Path, group: u64, seconds: f64) -> Result<Sample> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192")?;
    let mut generations = vec![0_u64; usize::try_from(SESSIONS)?];
    let mut done = 0;
    let watch = Watch::start(seconds);
    while !watch.is_over() {
        connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        for _ in 0..group {
            if group > 1 {
                connection.prepare_cached("SAVEPOINT member")?.raw_execute()?;
            }
            let session = session(done);
            let generation = &mut generations[usize::try_from(session)?];
            rotate_one(&connection, session, *generation)?;
            *generation += 1;
            done += 1;
            if group > 1 {
                connection.prepare_cached("RELEASE member")?.raw_execute()?;
            }
        }
        connection.prepare_cached("COMMIT")?.raw_execute()?;
    }
    Ok(watch.stop(done))
}

fn rotate_one(connection: &Connection, session: u64, generation: u64) -> Result<()> {
    let now = now_us();
    let presented = i64::try_from(generation)?;
    let mut statement = connection.prepare_cached(ROTATE)?;
    let mut rows = statement.query(params![
        presented,
        now,
        GRACE,
        nonce(session, generation + 1),
        now / 1_000_000 + 600,
        IDLE,
        sid(session),
        CLIENT,
        None::<String>,
        nonce(session, generation),
    ])?;
    let rotated: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
    ensure!(rotated == Some(presented + 1), "session {session} did not rotate");
    ensure!(rows.next()?.is_none(), "two rows");
    Ok(())
}
