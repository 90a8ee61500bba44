//! Removing what nobody needs any more, a little at a time: nothing here waits long, and nothing waits for it.
//!
//! Each walk reads a piece of a table in the order of its keys and says which rows may go; another transaction removes
//! them. What is over stays over, so nobody looks again in between.

use std::{sync::LazyLock, time::Duration};

use super::{FromColumn, Param, Row, StoreError, Tx, wide::Wide};
use crate::domain::{rsn::Rsn, time::Timestamp};

/// A piece of a walk over a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<K> {
    /// After which key the next piece begins; `None`: this was the last.
    pub next: Option<K>,
    /// Rows that may go.
    pub over: Vec<K>,
}

/// The next `limit` entries of the revocation log: those that had expired by `t`. A key's entry never does.
///
/// # Errors
/// As any statement.
pub async fn log(tx: &mut Tx, after: Rsn, t: Timestamp, limit: u32) -> Result<Piece<Rsn>, StoreError> {
    const SQL: &str = "SELECT rsn, CASE WHEN exp > 0 AND exp < $1 THEN 1 ELSE 0 END FROM rev_log \
                       WHERE stream = 0 AND rsn > $2 ORDER BY rsn LIMIT $3";
    piece(&tx.fetch_all(SQL, &[t.secs().into(), after.into(), i64::from(limit).into()]).await?, limit)
}

/// The next `limit` sessions: those that ended, expired or were left alone before this time, their tokens as well.
///
/// # Errors
/// As any statement.
pub async fn sessions(tx: &mut Tx, after: &str, before: Timestamp, limit: u32) -> Result<Piece<String>, StoreError> {
    const SQL: &str = "SELECT sid, CASE WHEN (expires_at < $1 OR idle_expires_at < $1 OR revoked_at < $1) \
                       AND at_exp < $2 THEN 1 ELSE 0 END FROM sessions WHERE sid > $3 ORDER BY sid LIMIT $4";
    let params = [before.into(), before.secs().into(), after.into(), i64::from(limit).into()];
    piece(&tx.fetch_all(SQL, &params).await?, limit)
}

/// The next `limit` sign-ins: the same, of those that have no session left. `idle` is how long one may be left alone.
///
/// # Errors
/// As any statement.
pub async fn signins(
    tx: &mut Tx,
    after: &[u8],
    before: Timestamp,
    idle: Duration,
    limit: u32,
) -> Result<Piece<Vec<u8>>, StoreError> {
    const SQL: &str = "SELECT id, CASE WHEN (expires_at < $1 OR revoked_at < $1 OR last_seen_at < $2) \
                       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.signin_id = signins.id) \
                       THEN 1 ELSE 0 END FROM signins WHERE id > $3 ORDER BY id LIMIT $4";
    let params = [before.into(), before.minus(idle).into(), after.into(), i64::from(limit).into()];
    piece(&tx.fetch_all(SQL, &params).await?, limit)
}

/// The oldest `limit` security events that are from before this time.
///
/// # Errors
/// As any statement.
pub async fn audit(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<Piece<String>, StoreError> {
    const SQL: &str = "SELECT id, 1 FROM audit WHERE id < $1 ORDER BY id LIMIT $2";
    // Ids begin with their time (domain/audit.rs).
    let first = format!("{:014x}", u64::try_from(before.micros()).unwrap_or(0));
    piece(&tx.fetch_all(SQL, &[(&first).into(), i64::from(limit).into()]).await?, limit)
}

/// Removes entries of the log.
///
/// # Errors
/// As any statement.
pub async fn remove_entries(tx: &mut Tx, positions: &[Rsn]) -> Result<(), StoreError> {
    static REMOVE: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("DELETE FROM rev_log WHERE stream = 0 AND rsn IN", 0, ""));
    remove(tx, &REMOVE, positions, |rsn| (*rsn).into()).await
}

/// Removes sessions.
///
/// # Errors
/// As any statement.
pub async fn remove_sessions(tx: &mut Tx, sids: &[String]) -> Result<(), StoreError> {
    static REMOVE: LazyLock<Wide> = LazyLock::new(|| Wide::keys("DELETE FROM sessions WHERE sid IN", 0, ""));
    remove(tx, &REMOVE, sids, Param::from).await
}

/// Removes sign-ins.
///
/// # Errors
/// As any statement.
pub async fn remove_signins(tx: &mut Tx, ids: &[Vec<u8>]) -> Result<(), StoreError> {
    static REMOVE: LazyLock<Wide> = LazyLock::new(|| Wide::keys("DELETE FROM signins WHERE id IN", 0, ""));
    remove(tx, &REMOVE, ids, |id| id.as_slice().into()).await
}

/// Removes security events.
///
/// # Errors
/// As any statement.
pub async fn remove_events(tx: &mut Tx, ids: &[String]) -> Result<(), StoreError> {
    static REMOVE: LazyLock<Wide> = LazyLock::new(|| Wide::keys("DELETE FROM audit WHERE id IN", 0, ""));
    remove(tx, &REMOVE, ids, Param::from).await
}

async fn remove<'a, K>(
    tx: &mut Tx,
    remove: &'static Wide,
    keys: &'a [K],
    param: impl Fn(&'a K) -> Param<'a>,
) -> Result<(), StoreError> {
    for (sql, piece) in remove.pieces(keys) {
        tx.execute(sql, &piece.iter().map(&param).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

fn piece<K: FromColumn>(rows: &[Row], limit: u32) -> Result<Piece<K>, StoreError> {
    let full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
    let next = rows.last().filter(|_| full).map(|row| row.get(0)).transpose()?;
    let over = rows.iter().filter(|row| row.get::<i64>(1).is_ok_and(|over| over == 1));
    Ok(Piece { next, over: over.map(|row| row.get(0)).collect::<Result<_, _>>()? })
}
