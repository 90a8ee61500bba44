//! Authorization requests that wait for their person to sign in or to agree.

use super::{Row, StoreError, Tx};
use crate::domain::{browser::RequestName, code::CodeHash, pushed::PushedId, time::Timestamp};

/// A request that begins to wait.
#[derive(Debug, Clone)]
pub struct NewAuthorization {
    pub name: RequestName,
    /// Hash of the browser's pre-session.
    pub browser: [u8; 32],
    pub client_id: String,
    /// The request as a query.
    pub parameters: String,
    /// The pushed request that it is.
    pub pushed: Option<PushedId>,
    /// The device that it is about: it is no request then.
    pub device: Option<CodeHash>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub client_id: String,
    pub parameters: String,
    pub pushed: Option<PushedId>,
    pub device: Option<CodeHash>,
    pub created_at: Timestamp,
}

/// # Errors
/// `Conflict` if the name exists; otherwise as any statement.
pub async fn insert(tx: &mut Tx, new: &NewAuthorization) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO authorizations (id, browser, client_id, parameters, pushed, device, created_at, \
                       expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let id = new.name.hash();
    let params = [
        (&id).into(),
        (&new.browser).into(),
        (&new.client_id).into(),
        (&new.parameters).into(),
        new.pushed.as_ref().map(PushedId::as_bytes).into(),
        new.device.as_ref().map(CodeHash::as_bytes).into(),
        new.created_at.into(),
        new.expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// The request of this name, if it is this browser's and has not expired.
///
/// # Errors
/// As any statement.
pub async fn find(
    tx: &mut Tx,
    name: &RequestName,
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Authorization>, StoreError> {
    const SQL: &str = "SELECT client_id, parameters, created_at, pushed, device FROM authorizations \
                       WHERE id = $1 AND browser = $2 AND expires_at > $3";
    let id = name.hash();
    let row = tx.fetch_optional(SQL, &[(&id).into(), browser.into(), now.into()]).await?;
    let found = |row: Row| {
        let pushed = row.get::<Option<[u8; 32]>>(3)?.map(PushedId::from_bytes);
        Ok::<_, StoreError>(Authorization {
            client_id: row.get(0)?,
            parameters: row.get(1)?,
            pushed,
            device: row.get::<Option<[u8; 32]>>(4)?.map(CodeHash::from_bytes),
            created_at: row.get(2)?,
        })
    };
    row.map(found).transpose()
}

/// Ends the wait: true for exactly one caller, so that one request is answered once (I-8).
///
/// # Errors
/// As any statement.
pub async fn finish(tx: &mut Tx, name: &RequestName) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM authorizations WHERE id = $1";
    let id = name.hash();
    Ok(tx.execute(SQL, &[(&id).into()]).await? == 1)
}

/// Forgets requests that expired before this time, the oldest `limit` of them. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM authorizations WHERE id IN \
                       (SELECT id FROM authorizations WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}
