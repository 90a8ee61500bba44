//! Failed sign-ins per account, counted durably before the password is looked at (LOG-06, LOG-07).

use std::time::Duration;

use super::{Param, StoreError, Tx};
use crate::domain::{
    limits::AccountLimit,
    time::{Timestamp, micros},
};

/// Whether an attempt may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It was counted as a failure; [`reset`] takes that back once the password was right. This is the `failures`-th in a
    /// row.
    Counted { failures: i64 },
    /// Too early after failures before: refused, and not counted. 429 with `Retry-After`.
    TooEarly { retry_after: Duration },
}

/// Counts an attempt at an account ([`account_key`](crate::domain::limits::account_key)), unless it comes too early.
///
/// One statement: of attempts at the same time each is counted by itself, and once a delay has begun all others wait. The
/// delay doubles the one before, which is what [`AccountLimit::delay_after`] says. A `free_at` further away than the longest
/// delay was written by a clock that has been set back, and does not count.
///
/// # Errors
/// As any statement.
pub async fn count(tx: &mut Tx, account: &str, limit: AccountLimit, now: Timestamp) -> Result<Attempt, StoreError> {
    const COUNT: &str = "INSERT INTO login_limits (account, failures, free_at, updated_at) VALUES ($1, 1, $2, $3) \
        ON CONFLICT (account) DO UPDATE SET failures = login_limits.failures + 1, updated_at = $3, \
        free_at = CASE WHEN login_limits.failures + 1 < $4 THEN $3 \
            WHEN login_limits.free_at <= login_limits.updated_at THEN $3 + $5 \
            WHEN (login_limits.free_at - login_limits.updated_at) * 2 > $6 THEN $3 + $6 \
            ELSE $3 + (login_limits.free_at - login_limits.updated_at) * 2 END \
        WHERE login_limits.free_at <= $3 OR login_limits.free_at > $3 + $6 RETURNING failures";
    const FREE_AT: &str = "SELECT free_at FROM login_limits WHERE account = $1";
    let params: [Param<'_>; 6] = [
        account.into(),
        now.plus(limit.delay_after(1)).into(),
        now.into(),
        i64::from(limit.free).into(),
        micros(AccountLimit::FIRST_DELAY).into(),
        micros(AccountLimit::MAX_DELAY).into(),
    ];
    if let Some(row) = tx.fetch_optional(COUNT, &params).await? {
        return Ok(Attempt::Counted { failures: row.get(0)? });
    }
    // No row by now: its owner has just signed in.
    let row = tx.fetch_optional(FREE_AT, &[account.into()]).await?;
    let free_at: Timestamp = row.map_or(Ok(now), |row| row.get(0))?;
    Ok(Attempt::TooEarly { retry_after: free_at.since(now).max(Duration::from_millis(1)) })
}

/// Takes back one counted attempt that was not looked at after all: the hashing threads were busy. The next delay doubles
/// the one that was there before it.
///
/// # Errors
/// As any statement.
pub async fn give_back(tx: &mut Tx, account: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE login_limits SET failures = failures - 1, \
                       free_at = updated_at + (free_at - updated_at) / 2 WHERE account = $1 AND failures > 0";
    tx.execute(SQL, &[account.into()]).await.map(drop)
}

/// Notes that an attempt was refused: `Some` with the number of failures before it, the first time in each delay. So an
/// attacker who goes on trying writes one event for each delay and no more.
///
/// # Errors
/// As any statement.
pub async fn lock(tx: &mut Tx, account: &str) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "UPDATE login_limits SET locked_at = updated_at \
                       WHERE account = $1 AND locked_at <> updated_at RETURNING failures";
    tx.fetch_optional(SQL, &[account.into()]).await?.map(|row| row.get(0)).transpose()
}

/// Forgets the failures of an account: its password was right. Returns how many attempts were counted, this one included.
///
/// # Errors
/// As any statement.
pub async fn reset(tx: &mut Tx, account: &str) -> Result<i64, StoreError> {
    const SQL: &str = "DELETE FROM login_limits WHERE account = $1 RETURNING failures";
    tx.fetch_optional(SQL, &[account.into()]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Forgets `limit` accounts (and those of the same moment) at which nothing was tried since `before`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM login_limits WHERE updated_at <= (SELECT MAX(o.updated_at) \
        FROM (SELECT updated_at FROM login_limits WHERE updated_at < $1 ORDER BY updated_at LIMIT $2) AS o)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}
