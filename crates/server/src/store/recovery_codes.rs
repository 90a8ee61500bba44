//! Recovery codes, by their hashes.

use super::{StoreError, Tx};
use crate::domain::{recovery::RecoveryHash, time::Timestamp, user::UserId};

/// Gives a user these codes; every other one is worth nothing from here on (MFA-02).
///
/// # Errors
/// As any statement.
pub async fn replace(tx: &mut Tx, user: &UserId, hashes: &[RecoveryHash], now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO recovery_codes (user_id, hash, created_at) VALUES ($1, $2, $3)";
    remove_all(tx, user).await?;
    for hash in hashes {
        tx.execute(SQL, &[user.as_str().into(), hash.as_bytes().into(), now.into()]).await?;
    }
    Ok(())
}

/// Whether a code is one of the user's that was not used.
///
/// # Errors
/// As any statement.
pub async fn stands(tx: &mut Tx, user: &UserId, hash: &RecoveryHash) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM recovery_codes WHERE user_id = $1 AND hash = $2 AND used_at IS NULL";
    Ok(tx.fetch_optional(SQL, &[user.as_str().into(), hash.as_bytes().into()]).await?.is_some())
}

/// How many of a user's codes were not used.
///
/// # Errors
/// As any statement.
pub async fn left(tx: &mut Tx, user: &UserId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
    tx.fetch_optional(SQL, &[user.as_str().into()]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Uses a code: true for one caller (I-8).
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, user: &UserId, hash: &RecoveryHash, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND hash = $3 AND used_at IS NULL";
    Ok(tx.execute(SQL, &[now.into(), user.as_str().into(), hash.as_bytes().into()]).await? == 1)
}

/// # Errors
/// As any statement.
pub async fn remove_all(tx: &mut Tx, user: &UserId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[user.as_str().into()]).await.map(drop)
}
