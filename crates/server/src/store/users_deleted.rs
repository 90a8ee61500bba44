//! Accounts whose people want them gone: asked for, taken back, gone.

use super::{
    StoreError, Tx,
    dialect::{RowKey, lock_rows},
    sessions::{self, Act},
};
use crate::domain::{session::EndReason, time::Timestamp, user::UserId};

/// What goes with an account. What stays: security events, which keep the id for as long as `retention.audit` says, and messages
/// that are on their way.
const GONE: [&str; 19] = [
    "DELETE FROM user_roles WHERE user_id = $1",
    "DELETE FROM group_members WHERE user_id = $1",
    "DELETE FROM organisation_roles WHERE user_id = $1",
    "DELETE FROM organisation_members WHERE user_id = $1",
    "DELETE FROM totps WHERE user_id = $1",
    "DELETE FROM passkeys WHERE user_id = $1",
    "DELETE FROM recovery_codes WHERE user_id = $1",
    "DELETE FROM pending_signins WHERE user_id = $1",
    "DELETE FROM codes WHERE user_id = $1",
    "DELETE FROM sessions WHERE user_id = $1",
    "DELETE FROM signins WHERE user_id = $1",
    "DELETE FROM identities WHERE user_id = $1",
    "DELETE FROM upstream_links WHERE user_id = $1",
    "DELETE FROM devices WHERE user_id = $1",
    "DELETE FROM consents WHERE user_id = $1",
    "DELETE FROM mail_tokens WHERE user_id = $1",
    "DELETE FROM mails WHERE user_id = $1 AND dead_at IS NOT NULL",
    "DELETE FROM invitations WHERE email_key IN (SELECT u.email_key FROM users u WHERE u.user_id = $1)",
    "DELETE FROM users WHERE user_id = $1",
];

/// Notes that the account goes at that time. False if there is no such user, or they are disabled.
///
/// # Errors
/// As any statement.
pub async fn ask(tx: &mut Tx, id: &UserId, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET delete_at = $1 WHERE user_id = $2 AND disabled_at IS NULL";
    Ok(tx.execute(SQL, &[at.into(), id.as_str().into()]).await? == 1)
}

/// The account stays. False if it was not to go.
///
/// # Errors
/// As any statement.
pub async fn keep(tx: &mut Tx, id: &UserId) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET delete_at = NULL WHERE user_id = $1 AND delete_at IS NOT NULL";
    Ok(tx.execute(SQL, &[id.as_str().into()]).await? == 1)
}

/// When the account goes, if it does.
///
/// # Errors
/// As any statement.
pub async fn when(tx: &mut Tx, id: &UserId) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "SELECT delete_at FROM users WHERE user_id = $1";
    let row = tx.fetch_optional(SQL, &[id.as_str().into()]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Accounts whose time has come, at most `limit`.
///
/// # Errors
/// As any statement.
pub async fn due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError> {
    const SQL: &str = "SELECT user_id FROM users WHERE delete_at <= $1 ORDER BY delete_at LIMIT $2";
    let rows = tx.fetch_all(SQL, &[now.into(), i64::from(limit).into()]).await?;
    let broken = || StoreError::Broken("a stored user id is malformed".into());
    rows.iter().map(|row| UserId::parse(&row.get::<String>(0)?).ok_or_else(broken)).collect()
}

/// Removes an account and all that belongs to it, once whatever its person holds has ended; for good. With `due`, only if its time
/// has come. False if there is nothing to remove.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, id: &UserId, due: Option<Timestamp>, act: &Act) -> Result<bool, StoreError> {
    // Whoever wants to keep it comes before or after, not in between.
    lock_rows(tx, &mut [RowKey::User(id.as_str())]).await?;
    if let Some(now) = due
        && when(tx, id).await?.is_none_or(|at| at > now)
    {
        return Ok(false);
    }
    if sessions::end_everywhere(tx, id.as_str(), EndReason::UserDeleted, act).await?.is_none() {
        return Ok(false);
    }
    for sql in GONE {
        tx.execute(sql, &[id.as_str().into()]).await?;
    }
    Ok(true)
}
