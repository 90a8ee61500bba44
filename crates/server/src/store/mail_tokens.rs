//! Tokens that were sent by mail, by their hashes.

use super::{StoreError, Tx};
use crate::domain::{
    email::EmailKey,
    mail_token::{AT_ONCE, Purpose, TokenId},
    time::Timestamp,
    user::UserId,
};

/// A token to be kept.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub id: TokenId,
    pub purpose: Purpose,
    pub tenant: &'a str,
    /// Whose it is, if they have an account.
    pub account: &'a EmailKey,
    /// Where it is sent to, if not to the account's own address.
    pub address: Option<&'a str>,
    pub now: Timestamp,
}

/// A token that stands: not used, not too old, and its account has the password and the address that it had.
#[derive(Debug, Clone)]
pub struct Standing {
    pub user: UserId,
    /// The `credential_version` that it is bound to.
    pub version: i64,
    /// Where it was sent to.
    pub address: String,
    /// The account's address.
    pub email: String,
}

/// Keeps a token for the account with this address, unless there is none, it is disabled, or it has enough of them: then
/// `None`. One to sign in with goes to no address that nobody has shown to be
/// theirs, and however many there are: a stranger's do not keep the owner's from being sent. The statement is the same in every case (LOG-05).
///
/// # Errors
/// As any statement.
pub async fn issue(tx: &mut Tx, token: &NewToken<'_>) -> Result<Option<String>, StoreError> {
    const SQL: &str = "INSERT INTO mail_tokens (id, purpose, address, created_at, expires_at, user_id, version) \
        SELECT $1, $2, COALESCE($3, u.email), CAST($4 AS bigint), CAST($5 AS bigint), u.user_id, u.credential_version \
        FROM users u WHERE u.tenant = $6 AND u.email_key = $7 AND u.disabled_at IS NULL \
        AND ($2 <> 'signin' OR u.email_verified_at IS NOT NULL) AND ($2 = 'signin' OR (SELECT COUNT(*) FROM mail_tokens t WHERE t.user_id = u.user_id AND t.purpose = $2 AND t.expires_at > $4) < $8) \
        RETURNING user_id";
    let params = [
        (&token.id).into(),
        token.purpose.as_str().into(),
        token.address.into(),
        token.now.into(),
        token.now.plus(token.purpose.lifetime()).into(),
        token.tenant.into(),
        token.account.as_str().into(),
        AT_ONCE.into(),
    ];
    tx.fetch_optional(SQL, &params).await?.map(|row| row.get(0)).transpose()
}

/// Looks at a token without using it.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, id: &TokenId, purpose: Purpose, now: Timestamp) -> Result<Option<Standing>, StoreError> {
    const SQL: &str = "SELECT t.user_id, t.version, t.address, u.email FROM mail_tokens t JOIN users u ON u.user_id = t.user_id \
                       AND u.credential_version = t.version AND u.disabled_at IS NULL \
                       WHERE t.id = $1 AND t.purpose = $2 AND t.expires_at > $3";
    let Some(row) = tx.fetch_optional(SQL, &[id.into(), purpose.as_str().into(), now.into()]).await? else {
        return Ok(None);
    };
    let user = UserId::parse(&row.get::<String>(0)?);
    let user = user.ok_or_else(|| StoreError::Broken("a stored user id is malformed".into()))?;
    Ok(Some(Standing { user, version: row.get(1)?, address: row.get(2)?, email: row.get(3)? }))
}

/// Uses a token, once: false if it is not there any more (I-8).
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, id: &TokenId, purpose: Purpose, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM mail_tokens WHERE id = $1 AND purpose = $2 AND expires_at > $3";
    Ok(tx.execute(SQL, &[id.into(), purpose.as_str().into(), now.into()]).await? == 1)
}

/// Takes back the tokens of one purpose that an account has: another one is about to replace them.
///
/// # Errors
/// As any statement.
pub async fn cancel(tx: &mut Tx, user: &UserId, purpose: Purpose) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM mail_tokens WHERE user_id = $1 AND purpose = $2";
    tx.execute(SQL, &[user.as_str().into(), purpose.as_str().into()]).await.map(drop)
}

/// Removes up to `limit` tokens that had expired by `before`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM mail_tokens WHERE id IN \
                       (SELECT id FROM mail_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}
