//! Authorization requests that clients pushed (RFC 9126). A row stays until its request is granted or long over, so that it is
//! granted once.

use super::{StoreError, Tx};
use crate::domain::{pushed::PushedId, time::Timestamp};

/// A request that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    pub id: PushedId,
    pub client_id: String,
    /// The request as a query.
    pub parameters: String,
    pub created_at: Timestamp,
    /// From when on it may be forgotten.
    pub expires_at: Timestamp,
}

/// # Errors
/// `Conflict` if the name exists; otherwise as any statement.
pub async fn insert(tx: &mut Tx, new: &Pushed) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO pushed_requests (id, client_id, parameters, created_at, expires_at) \
                       VALUES ($1, $2, $3, $4, $5)";
    let params = [
        new.id.as_bytes().into(),
        (&new.client_id).into(),
        (&new.parameters).into(),
        new.created_at.into(),
        new.expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// The parameters of a request, if this client pushed it after this time and it was not granted.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, id: &PushedId, client_id: &str, after: Timestamp) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT parameters FROM pushed_requests WHERE id = $1 AND client_id = $2 AND created_at > $3";
    let row = tx.fetch_optional(SQL, &[id.as_bytes().into(), client_id.into(), after.into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Uses a request up: true for exactly one caller (OAU-09, I-8).
///
/// # Errors
/// As any statement.
pub async fn finish(tx: &mut Tx, id: &PushedId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM pushed_requests WHERE id = $1";
    Ok(tx.execute(SQL, &[id.as_bytes().into()]).await? == 1)
}

/// Forgets requests that expired before this time, the oldest `limit` of them. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM pushed_requests WHERE id IN \
                       (SELECT id FROM pushed_requests WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}
