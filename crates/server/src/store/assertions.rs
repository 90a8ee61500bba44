//! Assertions of clients that were used (RFC 7523, section 3): each once, whichever replica it is shown to, and whatever restarts
//! in between. Rows live for as long as their assertion: [`purge`] removes those that are refused for their age by now.

use super::{StoreError, Tx};
use crate::domain::{client_assertion::UsedAssertion, time::Timestamp};

/// Uses an assertion up: true for exactly one caller (I-8).
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, used: &UsedAssertion) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO used_assertions (client_id, id, exp) VALUES ($1, $2, $3) \
                       ON CONFLICT (client_id, id) DO NOTHING";
    Ok(tx.execute(SQL, &[(&used.client_id).into(), (&used.id).into(), used.until.into()]).await? == 1)
}

/// Forgets `limit` assertions (and those of the same second) that nobody could use again before `now`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM used_assertions WHERE exp <= (SELECT MAX(o.exp) \
                       FROM (SELECT exp FROM used_assertions WHERE exp < $1 ORDER BY exp LIMIT $2) AS o)";
    tx.execute(SQL, &[now.secs().into(), i64::from(limit).into()]).await
}
