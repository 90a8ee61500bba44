//! Clients that register themselves: the tokens that let them in, and those by which they come back.

use super::{StoreError, Tx};
use crate::domain::{
    client::{ClientId, SecretHash},
    time::Timestamp,
};

/// An initial access token to keep, and what is over is forgotten.
///
/// # Errors
/// As any statement.
pub async fn allow(
    tx: &mut Tx,
    token: &SecretHash,
    uses: u32,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM registration_tokens WHERE expires_at <= $1 OR uses = 0";
    const SQL: &str = "INSERT INTO registration_tokens (id, uses, expires_at, created_at) VALUES ($1, $2, $3, $4)";
    tx.execute(FORGET, &[now.into()]).await?;
    let params = [token.as_bytes().into(), i64::from(uses).into(), until.into(), now.into()];
    tx.execute(SQL, &params).await.map(drop)
}

/// Whether an initial access token lets somebody in at this moment.
///
/// # Errors
/// As any statement.
pub async fn is_good(tx: &mut Tx, token: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM registration_tokens WHERE id = $1 AND uses > 0 AND expires_at > $2";
    Ok(tx.fetch_optional(SQL, &[token.as_bytes().into(), now.into()]).await?.is_some())
}

/// Uses an initial access token once; false if it is unknown, over or used up.
///
/// # Errors
/// As any statement.
pub async fn use_up(tx: &mut Tx, token: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE registration_tokens SET uses = uses - 1 WHERE id = $1 AND uses > 0 AND expires_at > $2";
    Ok(tx.execute(SQL, &[token.as_bytes().into(), now.into()]).await? == 1)
}

/// Notes that a client has registered itself, and by what it comes back.
///
/// # Errors
/// As any statement.
pub async fn mark(tx: &mut Tx, id: &ClientId, token: &SecretHash) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE clients SET registration_hash = $1 WHERE client_id = $2";
    tx.execute(SQL, &[token.as_bytes().into(), id.as_str().into()]).await.map(drop)
}

/// Keeps what a client says of itself that nothing here follows from, a JSON object.
///
/// # Errors
/// As any statement.
pub async fn say(tx: &mut Tx, id: &ClientId, said: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE clients SET said = $1 WHERE client_id = $2";
    tx.execute(SQL, &[said.into(), id.as_str().into()]).await.map(drop)
}

/// What it said.
///
/// # Errors
/// As any statement.
pub async fn said(tx: &mut Tx, id: &ClientId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT said FROM clients WHERE client_id = $1";
    let row = tx.fetch_optional(SQL, &[id.as_str().into()]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// By what a client that registered itself comes back; `None` for every other client.
///
/// # Errors
/// As any statement.
pub async fn token(tx: &mut Tx, id: &ClientId) -> Result<Option<SecretHash>, StoreError> {
    const SQL: &str = "SELECT registration_hash FROM clients \
                       WHERE client_id = $1 AND removed_at IS NULL AND disabled_at IS NULL AND registration_hash IS NOT NULL";
    let row = tx.fetch_optional(SQL, &[id.as_str().into()]).await?;
    row.map(|row| row.get::<[u8; 32]>(0).map(SecretHash::from_bytes)).transpose()
}
