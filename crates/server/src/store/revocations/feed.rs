//! What the feed reads: a page of the log with the time until which it is complete, and that time's own ticking.
//!
//! `t` proves freshness: everything committed before `t` is at or below the head that was read with it. On PostgreSQL it
//! is raised only by a committed write on the primary, so that a primary that was cut off from its standby, or a standby
//! that lags, has no fresh `t` to show. SQLite has one process: there its clock is the tick.

use std::time::Duration;

use super::{STREAM, StoreError, Tx, head};
use crate::{
    domain::{
        rsn::Rsn,
        time::{Timestamp, micros},
    },
    store::{StoreKind, dialect::now_us},
};

/// An entry in its place, as the feed carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    /// Number of its `revocation::Kind`.
    pub kind: u8,
    pub id: [u8; 16],
    pub rsn: Rsn,
    /// Unix seconds; 0: never expires.
    pub exp: i64,
}

/// Part of the log above a cursor, and where the log stood, all of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    pub head: Rsn,
    pub floor: Rsn,
    /// Everything committed before this time is at or below `head`.
    pub t: Timestamp,
    /// In the order of the log. Expired ones may be among them until they are trimmed.
    pub entries: Vec<LogEntry>,
    /// There are further entries between the last of these and `head`.
    pub more: bool,
}

/// The entries above `after`, at most `limit` of them, with the head of the same snapshot. `now` is the process's clock,
/// read **before** this transaction began; on SQLite it is the tick.
///
/// # Errors
/// As any statement.
pub async fn feed_page(tx: &mut Tx, now: Timestamp, after: Rsn, limit: u32) -> Result<FeedPage, StoreError> {
    const ENTRIES: &str = "SELECT kind, id, rsn, exp FROM rev_log WHERE stream = $1 AND rsn > $2 ORDER BY rsn LIMIT $3";
    let head = head(tx).await?;
    let t = shown(tx, head.t, now);
    let (rsn, floor) = (head.rsn, head.floor_at(t));
    if after >= rsn {
        return Ok(FeedPage { head: rsn, floor, t, entries: Vec::new(), more: false });
    }
    let one_more = i64::from(limit) + 1;
    let rows = tx.fetch_all(ENTRIES, &[STREAM.into(), after.into(), one_more.into()]).await?;
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    Ok(FeedPage { head: rsn, floor, t, entries, more })
}

/// The log's time as the feed shows it: SQLite's is the process's clock.
pub(in crate::store) fn shown(tx: &Tx, t: Timestamp, now: Timestamp) -> Timestamp {
    match tx.kind() {
        StoreKind::Sqlite => t.max(now),
        StoreKind::Postgres => t,
    }
}

/// The time anchor: an instant of the server's time that is not before any `t` it has shown. Call it after the request
/// arrived, with the process's clock as of then.
///
/// # Errors
/// As any statement.
pub async fn time(tx: &mut Tx, now: Timestamp) -> Result<Timestamp, StoreError> {
    let t = head(tx).await?.t;
    Ok(t.max(Timestamp::from_micros(now_us(tx, now).await?)))
}

/// What a tick came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticked {
    /// `rev_head.t` now.
    pub t: Timestamp,
    /// This call raised it; otherwise somebody else had.
    pub raised: bool,
}

/// Raises `t` to the database's clock, if it still is `seen`: of several replicas one raises it, the others see that it is
/// fresh. The clock is read before the head row is locked, hence before anything that is not yet committed by then. While
/// the clock is behind `t` (it was set back), `t` moves on by `step`, which must be less than the time since `seen` was
/// seen: so it never overtakes, and is overtaken in the end.
///
/// # Errors
/// As any statement.
pub async fn tick(tx: &mut Tx, now: Timestamp, seen: Timestamp, step: Duration) -> Result<Ticked, StoreError> {
    const TICK: &str = "UPDATE rev_head SET t = CASE WHEN t + $1 > $2 THEN t + $1 ELSE $2 END \
                        WHERE stream = $3 AND t = $4 RETURNING t";
    let now_us = now_us(tx, now).await?;
    let step = micros(step).max(1);
    match tx.fetch_optional(TICK, &[step.into(), now_us.into(), STREAM.into(), seen.into()]).await? {
        Some(row) => Ok(Ticked { t: row.get(0)?, raised: true }),
        None => Ok(Ticked { t: head(tx).await?.t, raised: false }),
    }
}

fn entry(row: &super::super::Row) -> Result<LogEntry, StoreError> {
    let kind = u8::try_from(row.get::<i64>(0)?);
    let kind = kind.map_err(|_| StoreError::Broken("an entry of the log has no such kind".into()))?;
    Ok(LogEntry { kind, id: row.get(1)?, rsn: row.get(2)?, exp: row.get(3)? })
}
