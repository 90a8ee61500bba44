//! Authenticator apps: the seeds, sealed, and the last step of each whose code was used.

use super::{Row, StoreError, Tx};
use crate::domain::{factor::FactorId, time::Timestamp, user::UserId};

/// An app that is being added: it counts once a code of it was shown.
#[derive(Debug, Clone)]
pub struct NewTotp {
    pub id: FactorId,
    pub user: UserId,
    pub name: String,
    /// The seed, sealed for [`seal_context`].
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// An app whose codes can be checked.
#[derive(Debug, Clone)]
pub struct Totp {
    pub id: FactorId,
    pub sealed: Vec<u8>,
    /// The newest step whose code was used.
    pub last_step: i64,
}

/// What a seed is sealed for.
pub fn seal_context(id: &FactorId) -> String {
    format!("totp|{id}")
}

/// Adds an app that is yet to be confirmed, in place of any other such; false if the account has `most` confirmed ones.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, new: &NewTotp, most: i64) -> Result<bool, StoreError> {
    const OTHERS: &str = "DELETE FROM totps WHERE user_id = $1 AND confirmed_at IS NULL";
    const COUNT: &str = "SELECT COUNT(*) FROM totps WHERE user_id = $1";
    const SQL: &str = "INSERT INTO totps (factor_id, user_id, name, sealed, created_at) VALUES ($1, $2, $3, $4, $5)";
    let user = new.user.as_str();
    tx.execute(OTHERS, &[user.into()]).await?;
    let count = tx.fetch_optional(COUNT, &[user.into()]).await?.map_or(Ok(0), |row| row.get::<i64>(0))?;
    if count >= most {
        return Ok(false);
    }
    let params =
        [new.id.as_str().into(), user.into(), (&new.name).into(), new.sealed.as_slice().into(), new.created_at.into()];
    tx.execute(SQL, &params).await?;
    Ok(true)
}

/// An app of this user that was begun after `after` and is not confirmed.
///
/// # Errors
/// As any statement.
pub async fn unconfirmed(
    tx: &mut Tx,
    id: &FactorId,
    user: &UserId,
    after: Timestamp,
) -> Result<Option<Totp>, StoreError> {
    const SQL: &str = "SELECT factor_id, sealed, last_step FROM totps \
                       WHERE factor_id = $1 AND user_id = $2 AND confirmed_at IS NULL AND created_at > $3";
    let row = tx.fetch_optional(SQL, &[id.as_str().into(), user.as_str().into(), after.into()]).await?;
    row.map(|row| totp(&row)).transpose()
}

/// It counts from now on, and the step of the code that showed it is used; false if it counted before.
///
/// # Errors
/// As any statement.
pub async fn confirm(tx: &mut Tx, id: &FactorId, user: &UserId, step: i64, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE totps SET confirmed_at = $1, last_used_at = $1, last_step = $2 \
                       WHERE factor_id = $3 AND user_id = $4 AND confirmed_at IS NULL";
    Ok(tx.execute(SQL, &[now.into(), step.into(), id.as_str().into(), user.as_str().into()]).await? == 1)
}

/// The apps of a user that count.
///
/// # Errors
/// As any statement.
pub async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<Totp>, StoreError> {
    const SQL: &str = "SELECT factor_id, sealed, last_step FROM totps \
                       WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY created_at, factor_id";
    tx.fetch_all(SQL, &[user.as_str().into()]).await?.iter().map(totp).collect()
}

/// Uses the code of a step: true for one caller, and for no step that is not newer than the last (MFA-01, I-8).
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, id: &FactorId, user: &UserId, step: i64, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE totps SET last_step = $1, last_used_at = $2 \
                       WHERE factor_id = $3 AND user_id = $4 AND confirmed_at IS NOT NULL AND last_step < $1";
    Ok(tx.execute(SQL, &[step.into(), now.into(), id.as_str().into(), user.as_str().into()]).await? == 1)
}

/// Forgets up to `limit` apps that were begun before this time and never confirmed. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM totps WHERE factor_id IN (SELECT factor_id FROM totps \
                       WHERE confirmed_at IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}

fn totp(row: &Row) -> Result<Totp, StoreError> {
    let id: String = row.get(0)?;
    let id = FactorId::parse(&id).ok_or_else(|| StoreError::Broken("a stored factor's id is malformed".into()))?;
    Ok(Totp { id, sealed: row.get(1)?, last_step: row.get(2)? })
}
