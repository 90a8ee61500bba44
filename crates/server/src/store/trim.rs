//! Removing what nobody needs any more, a little at a time: nothing here waits long, and nothing waits for it.
//!
//! The walk over the log reads it in the order of its positions and says which entries may go; another transaction removes
//! them. What is over stays over, so nobody looks again in between.
//!
//! Nothing walks over sessions and sign-ins, of which there are many millions: each row has a time before which it is not
//! over (`due_at`), and an index finds those whose time has come. Ending one makes it due at once. A refresh keeps a row for
//! longer and does not write that time, so that it costs no page of an index and PostgreSQL may update in place (HOT):
//! whoever trims finds such a row once in each idle period, and notes its next time.

use std::{iter, sync::LazyLock, time::Duration};

use super::{
    FromColumn, Param, Row, StoreError, Tx,
    dialect::{RowKey, lock_rows},
    wide::Wide,
};
use crate::domain::{
    rsn::Rsn,
    time::{Timestamp, micros},
};

/// A piece of a walk over a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<K> {
    /// After which key the next piece begins; `None`: this was the last.
    pub next: Option<K>,
    /// Rows that may go.
    pub over: Vec<K>,
}

/// Rows whose time has come, the first ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due<K> {
    /// Rows that may go.
    pub over: Vec<K>,
    /// Rows that were used since: they have another time.
    pub later: Vec<K>,
    /// Whether there may be more.
    pub more: bool,
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

/// The first `limit` sessions that are due. Those are over that ended, expired or were left alone before this time, their
/// tokens as well.
///
/// # Errors
/// As any statement.
pub async fn sessions(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<Due<String>, StoreError> {
    const SQL: &str = "SELECT sid, CASE WHEN (expires_at < $1 OR idle_expires_at < $1 OR revoked_at < $1) \
                       AND at_exp < $2 THEN 1 ELSE 0 END FROM sessions WHERE due_at < $1 ORDER BY due_at LIMIT $3";
    let params = [before.into(), before.secs().into(), i64::from(limit).into()];
    due(&tx.fetch_all(SQL, &params).await?, limit)
}

/// The first `limit` sign-ins that are due: the same, of those that have no session left. `idle` is how long one may be left
/// alone.
///
/// # Errors
/// As any statement.
pub async fn signins(tx: &mut Tx, before: Timestamp, idle: Duration, limit: u32) -> Result<Due<Vec<u8>>, StoreError> {
    const SQL: &str = "SELECT id, CASE WHEN (expires_at < $1 OR revoked_at < $1 OR last_seen_at < $2) \
                       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.signin_id = signins.id) \
                       THEN 1 ELSE 0 END FROM signins WHERE due_at < $1 ORDER BY due_at LIMIT $3";
    let params = [before.into(), before.minus(idle).into(), i64::from(limit).into()];
    due(&tx.fetch_all(SQL, &params).await?, limit)
}

/// Notes when each of these sessions can be over at the earliest: by what its row says now.
///
/// # Errors
/// As any statement.
pub async fn sessions_later(tx: &mut Tx, sids: &[String], before: Timestamp) -> Result<(), StoreError> {
    static LATER: LazyLock<Wide> = LazyLock::new(|| {
        let head = "UPDATE sessions SET due_at = CASE WHEN revoked_at >= $1 THEN revoked_at \
                    WHEN revoked_at IS NULL AND expires_at >= $1 AND idle_expires_at >= $1 \
                    THEN CASE WHEN expires_at < idle_expires_at THEN expires_at ELSE idle_expires_at END \
                    ELSE (at_exp + 1) * 1000000 END WHERE sid IN";
        Wide::keys(head, 1, "")
    });
    lock_rows(tx, &mut sids.iter().map(|sid| RowKey::Session(sid)).collect::<Vec<_>>()).await?;
    for (sql, piece) in LATER.pieces(sids) {
        let params: Vec<Param<'_>> = iter::once(before.into()).chain(piece.iter().map(Param::from)).collect();
        tx.execute(sql, &params).await?;
    }
    Ok(())
}

/// The same of sign-ins. One that is over and waits for its sessions is due when the last of them is.
///
/// # Errors
/// As any statement.
pub async fn signins_later(tx: &mut Tx, ids: &[Vec<u8>], before: Timestamp, idle: Duration) -> Result<(), StoreError> {
    static LATER: LazyLock<Wide> = LazyLock::new(|| {
        let head = "UPDATE signins SET due_at = CASE WHEN revoked_at >= $1 THEN revoked_at \
                    WHEN revoked_at IS NULL AND expires_at >= $1 AND last_seen_at + CAST($2 AS bigint) >= $1 \
                    THEN CASE WHEN expires_at < last_seen_at + CAST($2 AS bigint) THEN expires_at \
                    ELSE last_seen_at + CAST($2 AS bigint) END \
                    ELSE (SELECT CASE WHEN MAX(s.due_at) > $3 THEN MAX(s.due_at) ELSE $3 END \
                    FROM sessions s WHERE s.signin_id = signins.id) END WHERE id IN";
        Wide::keys(head, 3, "")
    });
    lock_rows(tx, &mut ids.iter().map(|id| RowKey::Signin(id)).collect::<Vec<_>>()).await?;
    // Sessions that are behind with their own time must not be asked for at once again.
    let fixed = [before.into(), micros(idle).into(), before.plus(Duration::from_hours(1)).into()];
    for (sql, piece) in LATER.pieces(ids) {
        let keys = piece.iter().map(|id| Param::from(id.as_slice()));
        tx.execute(sql, &fixed.iter().copied().chain(keys).collect::<Vec<_>>()).await?;
    }
    Ok(())
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

fn due<K: FromColumn>(rows: &[Row], limit: u32) -> Result<Due<K>, StoreError> {
    let (mut over, mut later) = (Vec::new(), Vec::new());
    for row in rows {
        let list = if row.get::<i64>(1)? == 1 { &mut over } else { &mut later };
        list.push(row.get(0)?);
    }
    Ok(Due { over, later, more: usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit) })
}

fn piece<K: FromColumn>(rows: &[Row], limit: u32) -> Result<Piece<K>, StoreError> {
    let full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
    let next = rows.last().filter(|_| full).map(|row| row.get(0)).transpose()?;
    let over = rows.iter().filter(|row| row.get::<i64>(1).is_ok_and(|over| over == 1));
    Ok(Piece { next, over: over.map(|row| row.get(0)).collect::<Result<_, _>>()? })
}
