//! What a mail to sign in with is bound to: the browser and the request that asked for it, and how often its code was tried (MFA-07).

use super::{StoreError, Tx};
use crate::domain::{
    mail_token::{TRIES, TokenId},
    pending::PendingId,
    time::Timestamp,
};

/// A code to be kept.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// The token that the same mail carries.
    pub token: TokenId,
    pub bound: PendingId,
    /// The request, as its pages call it.
    pub request: String,
    /// [`code_hash`](crate::domain::mail_token::code_hash)
    pub code: [u8; 32],
}

/// A code that somebody tries, counted.
#[derive(Debug, Clone)]
pub struct Tried {
    pub token: TokenId,
    /// The hash of the right one.
    pub code: Vec<u8>,
}

/// Takes back what this browser has asked for at this request: another mail is about to replace it.
///
/// # Errors
/// As any statement.
pub async fn replace(tx: &mut Tx, bound: &PendingId) -> Result<(), StoreError> {
    const TOKENS: &str = "DELETE FROM mail_tokens WHERE id IN (SELECT token_id FROM mail_codes WHERE bound = $1)";
    const CODES: &str = "DELETE FROM mail_codes WHERE bound = $1";
    tx.execute(TOKENS, &[bound.as_bytes().into()]).await?;
    tx.execute(CODES, &[bound.as_bytes().into()]).await.map(drop)
}

/// Keeps a code, if its token was kept in this transaction.
///
/// # Errors
/// As any statement.
pub async fn keep(tx: &mut Tx, new: &NewCode) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mail_codes (bound, request, code, token_id, tries, expires_at) \
                       SELECT $1, $2, $3, t.id, 0, t.expires_at FROM mail_tokens t WHERE t.id = $4";
    let params = [new.bound.as_bytes().into(), new.request.as_str().into(), (&new.code).into(), (&new.token).into()];
    tx.execute(SQL, &params).await.map(drop)
}

/// Counts a try, before anything is compared (LOG-07); `None` if there is no code, or it was tried often enough.
///
/// # Errors
/// As any statement.
pub async fn attempt(tx: &mut Tx, bound: &PendingId, now: Timestamp) -> Result<Option<Tried>, StoreError> {
    const SQL: &str = "UPDATE mail_codes SET tries = tries + 1 WHERE bound = $1 AND expires_at > $2 AND tries < $3 \
                       RETURNING token_id, code";
    let row = tx.fetch_optional(SQL, &[bound.as_bytes().into(), now.into(), TRIES.into()]).await?;
    row.map(|row| Ok(Tried { token: id(row.get(0)?)?, code: row.get(1)? })).transpose()
}

/// What the token of a link is bound to, and the request as its pages call it.
///
/// # Errors
/// As any statement.
pub async fn of_token(tx: &mut Tx, token: &TokenId) -> Result<Option<([u8; 32], String)>, StoreError> {
    const SQL: &str = "SELECT bound, request FROM mail_codes WHERE token_id = $1";
    let row = tx.fetch_optional(SQL, &[token.into()]).await?;
    row.map(|row| Ok((id(row.get(0)?)?, row.get(1)?))).transpose()
}

/// Removes up to `limit` codes that had expired by `before`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM mail_codes WHERE bound IN \
                       (SELECT bound FROM mail_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}

fn id(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Broken("a stored hash has another length".into()))
}
