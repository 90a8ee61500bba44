//! What people have agreed that clients may have.

use super::{
    Row, StoreError, Tx,
    sessions::{self, Act, Ended},
};
use crate::domain::{scope::Scope, session::EndReason, time::Timestamp};

/// One person's consent to one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub client_id: String,
    /// The client's name for people.
    pub client_name: String,
    pub scope: Scope,
    /// The first time.
    pub granted_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What this person has agreed to for this client.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, user_id: &str, client_id: &str) -> Result<Option<Scope>, StoreError> {
    const SQL: &str = "SELECT scope FROM consents WHERE user_id = $1 AND client_id = $2";
    let row = tx.fetch_optional(SQL, &[user_id.into(), client_id.into()]).await?;
    row.map(|row| scope(&row, 0)).transpose()
}

/// Remembers that this person has agreed to all of `scope`.
///
/// # Errors
/// As any statement.
pub async fn remember(
    tx: &mut Tx,
    user_id: &str,
    client_id: &str,
    scope: &Scope,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO consents (user_id, client_id, scope, granted_at, updated_at) \
                       VALUES ($1, $2, $3, $4, $4) \
                       ON CONFLICT (user_id, client_id) DO UPDATE SET scope = $3, updated_at = $4";
    let scope = scope.to_string();
    let params = [user_id.into(), client_id.into(), (&scope).into(), now.into()];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// Remembers that this person has agreed to `scope`, too.
///
/// # Errors
/// As any statement.
pub async fn add(tx: &mut Tx, user_id: &str, client_id: &str, scope: &Scope, now: Timestamp) -> Result<(), StoreError> {
    let before = find(tx, user_id, client_id).await?.unwrap_or_default();
    remember(tx, user_id, client_id, &before.union(scope), now).await
}

/// What a person has agreed to, in the order of the clients' ids; at most `limit` behind `after`.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, user_id: &str, after: &str, limit: u32) -> Result<Vec<Consent>, StoreError> {
    const SQL: &str = "SELECT o.client_id, c.name, o.scope, o.granted_at, o.updated_at FROM consents o \
                       JOIN clients c ON c.client_id = o.client_id \
                       WHERE o.user_id = $1 AND o.client_id > $2 ORDER BY o.client_id LIMIT $3";
    let rows = tx.fetch_all(SQL, &[user_id.into(), after.into(), i64::from(limit).into()]).await?;
    let consent = |row: &Row| {
        Ok(Consent {
            client_id: row.get(0)?,
            client_name: row.get(1)?,
            scope: scope(row, 2)?,
            granted_at: row.get(3)?,
            updated_at: row.get(4)?,
        })
    };
    rows.iter().map(consent).collect()
}

/// Takes a consent back: codes and allowed devices that wait are worth nothing any more, and the client's sessions of this person end. `None`
/// if there is none.
///
/// # Errors
/// As any statement.
pub async fn withdraw(tx: &mut Tx, user_id: &str, client_id: &str, act: &Act) -> Result<Option<Ended>, StoreError> {
    const FORGET: &str = "DELETE FROM consents WHERE user_id = $1 AND client_id = $2";
    const CODES: &str = "DELETE FROM codes WHERE user_id = $1 AND client_id = $2 AND redeemed_at IS NULL";
    const DEVICES: &str = "DELETE FROM devices WHERE user_id = $1 AND client_id = $2 AND sid IS NULL";
    let who = [user_id.into(), client_id.into()];
    if tx.execute(FORGET, &who).await? == 0 {
        return Ok(None);
    }
    tx.execute(CODES, &who).await?;
    tx.execute(DEVICES, &who).await?;
    sessions::end_client_sessions(tx, user_id, client_id, EndReason::ConsentWithdrawn, act).await.map(Some)
}

fn scope(row: &Row, index: usize) -> Result<Scope, StoreError> {
    let text: String = row.get(index)?;
    text.parse().map_err(|_| StoreError::Broken("a stored consent has a malformed scope".to_owned()))
}
