//! Users: their addresses, passwords and attributes. What ends their sessions takes the revocation entry to append.

use std::fmt;

use super::{
    Row, StoreError, Tx,
    factors::{self, second_factors},
    revocations, upstreams,
};
use crate::domain::{
    email::{Email, EmailKey},
    language::Language,
    preferences::{Preferences, Theme},
    revocation::Entry,
    rsn::Rsn,
    time::Timestamp,
    user::{Attributes, UserId},
};

/// A user to insert.
#[derive(Clone)]
pub struct NewUser {
    pub id: UserId,
    pub tenant: String,
    pub email: Email,
    pub email_verified_at: Option<Timestamp>,
    /// PHC string; a user without one cannot sign in by password.
    pub password_hash: Option<String>,
    pub created_at: Timestamp,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A user, without secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub tenant: String,
    pub email: String,
    pub email_verified_at: Option<Timestamp>,
    pub has_password: bool,
    pub password_changed_at: Option<Timestamp>,
    pub attributes: Attributes,
    pub preferences: Preferences,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub min_rsn: Rsn,
    pub token_rsn: Rsn,
}

/// What a sign-in needs, in one read (revocation rule R1): where the log stood, and the user as of then.
#[derive(Debug, Clone)]
pub struct SignInState {
    pub head: Rsn,
    pub user: Option<Credentials>,
}

/// A user who may be signing in.
#[derive(Clone)]
pub struct Credentials {
    pub id: UserId,
    pub email: String,
    pub email_verified_at: Option<Timestamp>,
    /// PHC string.
    pub password_hash: Option<String>,
    pub disabled_at: Option<Timestamp>,
    pub min_rsn: Rsn,
    /// They have a second factor, which every sign-in owes.
    pub second_factor: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).field("min_rsn", &self.min_rsn).finish_non_exhaustive()
    }
}

/// Which users to list.
#[derive(Debug, Clone)]
pub struct Listing {
    pub tenant: String,
    /// The beginning of their e-mail keys ([`EmailKey::prefix`]); empty: all.
    pub prefix: String,
    /// The e-mail key of the last user of the page before; empty: the first page.
    pub after: String,
    pub limit: u32,
}

macro_rules! columns {
    () => {
        "user_id, tenant, email, email_verified_at, CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END, \
         password_changed_at, attributes, disabled_at, created_at, min_rsn, token_rsn, \
         language, theme"
    };
}

macro_rules! sign_in_columns {
    () => {
        concat!(
            "h.rsn, u.user_id, u.email, u.email_verified_at, u.password_hash, u.disabled_at, u.min_rsn, ",
            second_factors!("u")
        )
    };
}

/// Inserts a user; false if the tenant has one with this e-mail key already.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, user: &NewUser) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO users (user_id, tenant, email, email_key, email_verified_at, password_hash, \
                       password_changed_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                       ON CONFLICT (tenant, email_key) DO NOTHING";
    let password_changed_at = user.password_hash.as_ref().map(|_| user.created_at);
    let params = [
        user.id.as_str().into(),
        (&user.tenant).into(),
        user.email.as_str().into(),
        user.email.key().as_str().into(),
        user.email_verified_at.into(),
        user.password_hash.as_ref().into(),
        password_changed_at.into(),
        user.created_at.into(),
    ];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// What a sign-in with this address needs. The statement is one, so head and user are of one moment.
///
/// # Errors
/// As any statement.
pub async fn sign_in_state(tx: &mut Tx, tenant: &str, email: &EmailKey) -> Result<SignInState, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        sign_in_columns!(),
        " FROM rev_head h LEFT JOIN users u ON u.tenant = $1 AND u.email_key = $2 WHERE h.stream = 0"
    );
    state(tx.fetch_optional(SQL, &[tenant.into(), email.as_str().into()]).await?)
}

/// The same for a user who is known by id: to confirm a password.
///
/// # Errors
/// As any statement.
pub async fn sign_in_state_by_id(tx: &mut Tx, id: &UserId) -> Result<SignInState, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        sign_in_columns!(),
        " FROM rev_head h LEFT JOIN users u ON u.user_id = $1 WHERE h.stream = 0"
    );
    state(tx.fetch_optional(SQL, &[id.as_str().into()]).await?)
}

/// # Errors
/// As any statement.
pub async fn by_id(tx: &mut Tx, id: &UserId) -> Result<Option<User>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM users WHERE user_id = $1");
    tx.fetch_optional(SQL, &[id.as_str().into()]).await?.map(|row| user(&row)).transpose()
}

/// # Errors
/// As any statement.
pub async fn by_email(tx: &mut Tx, tenant: &str, email: &EmailKey) -> Result<Option<User>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM users WHERE tenant = $1 AND email_key = $2");
    tx.fetch_optional(SQL, &[tenant.into(), email.as_str().into()]).await?.map(|row| user(&row)).transpose()
}

/// One page of users in the order of their e-mail keys.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<User>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE tenant = $1 AND email_key > $2 AND substr(email_key, 1, length(CAST($3 AS text))) = $3 \
         ORDER BY email_key LIMIT $4"
    );
    let Listing { tenant, prefix, after, limit } = listing;
    let params = [tenant.into(), after.into(), prefix.into(), i64::from(*limit).into()];
    tx.fetch_all(SQL, &params).await?.iter().map(user).collect()
}

/// Disables a user: whatever they hold ends now. `None` if there is no such user or they are disabled already.
///
/// # Errors
/// As any statement.
pub async fn disable(tx: &mut Tx, id: &UserId, entry: &Entry, now: Timestamp) -> Result<Option<Rsn>, StoreError> {
    const SQL: &str = "UPDATE users SET disabled_at = $1 WHERE user_id = $2 AND disabled_at IS NULL";
    if tx.execute(SQL, &[now.into(), id.as_str().into()]).await? == 0 {
        return Ok(None);
    }
    revocations::revoke_user(tx, now, id.as_str(), entry).await.map(Some)
}

/// Lets a disabled user sign in again; what they held stays dead. False if there is no such user or they are not disabled.
///
/// # Errors
/// As any statement.
pub async fn enable(tx: &mut Tx, id: &UserId) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET disabled_at = NULL WHERE user_id = $1 AND disabled_at IS NOT NULL";
    Ok(tx.execute(SQL, &[id.as_str().into()]).await? == 1)
}

/// A new password hash for a user.
#[derive(Clone)]
pub struct NewHash<'a> {
    pub user: &'a UserId,
    /// The hash that must still be there: the one the old password was checked against. `None`: whatever is there.
    pub old: Option<&'a str>,
    pub new: &'a str,
}

impl fmt::Debug for NewHash<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewHash").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Sets another password: every session of the user ends, everywhere, and other providers that were let in by the old one. `None` if the old hash is not there any more.
///
/// # Errors
/// As any statement.
pub async fn set_password(
    tx: &mut Tx,
    hash: &NewHash<'_>,
    entry: &Entry,
    now: Timestamp,
) -> Result<Option<Rsn>, StoreError> {
    const SQL: &str = "UPDATE users SET password_hash = $1, password_changed_at = $2, \
                       credential_version = credential_version + 1 \
                       WHERE user_id = $3 AND (CAST($4 AS text) IS NULL OR password_hash = $4)";
    let params = [hash.new.into(), now.into(), hash.user.as_str().into(), hash.old.into()];
    if tx.execute(SQL, &params).await? == 0 {
        return Ok(None);
    }
    upstreams::forget_by_password(tx, hash.user).await?;
    revocations::revoke_user(tx, now, hash.user.as_str(), entry).await.map(Some)
}

/// Sets another password for whoever shows that the address is theirs, which is verified by that: every session of the user
/// ends, everywhere, and other providers open the account no more. `None` if the account has another password or address
/// since, or is disabled.
///
/// # Errors
/// As any statement.
pub async fn reset_password(
    tx: &mut Tx,
    hash: &NewHash<'_>,
    version: i64,
    entry: &Entry,
    now: Timestamp,
) -> Result<Option<Rsn>, StoreError> {
    const SQL: &str = "UPDATE users SET password_hash = $1, password_changed_at = $2, \
                       email_verified_at = COALESCE(email_verified_at, $2), delete_at = NULL, \
                       credential_version = credential_version + 1 WHERE user_id = $3 AND credential_version = $4 AND disabled_at IS NULL";
    let user = hash.user.as_str();
    let verified = by_id(tx, hash.user).await?.is_some_and(|user| user.email_verified_at.is_some());
    if tx.execute(SQL, &[hash.new.into(), now.into(), user.into(), version.into()]).await? == 0 {
        return Ok(None);
    }
    // A second factor stays (LOG-11), unless it is that of somebody who never showed that the address is theirs (LOG-13).
    if !verified {
        factors::remove_all(tx, hash.user).await?;
    }
    upstreams::unlink_all(tx, hash.user).await?;
    revocations::revoke_user(tx, now, user, entry).await.map(Some)
}

/// Notes that an address is its user's. What was opened before, by whomever, ends: sessions, the ways in by other providers,
/// second factors, and what links of other mails would change (LOG-13). False if it was verified before, has changed since, or the user is disabled.
///
/// # Errors
/// As any statement.
pub async fn verify_email(
    tx: &mut Tx,
    id: &UserId,
    version: i64,
    entry: &Entry,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET email_verified_at = $1, credential_version = credential_version + 1 \
                       WHERE user_id = $2 AND credential_version = $3 AND disabled_at IS NULL AND email_verified_at IS NULL";
    if tx.execute(SQL, &[now.into(), id.as_str().into(), version.into()]).await? == 0 {
        return Ok(false);
    }
    upstreams::unlink_all(tx, id).await?;
    factors::remove_all(tx, id).await?;
    revocations::revoke_user(tx, now, id.as_str(), entry).await?;
    Ok(true)
}

/// Gives a user another address, which they have shown to be theirs. False if somebody else has it, the user has another
/// password or address since, or is disabled.
///
/// # Errors
/// As any statement.
pub async fn change_email(
    tx: &mut Tx,
    id: &UserId,
    version: i64,
    email: &Email,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET email = $1, email_key = $2, email_verified_at = $3, \
                       credential_version = credential_version + 1 WHERE user_id = $4 AND credential_version = $5 \
                       AND disabled_at IS NULL AND NOT EXISTS (SELECT 1 FROM users o WHERE o.tenant = users.tenant \
                       AND o.email_key = $2 AND o.user_id <> users.user_id)";
    let params = [email.as_str().into(), email.key().as_str().into(), now.into(), id.as_str().into(), version.into()];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// Stores the same password's hash with newer parameters; sessions live on. False if another hash is there by now.
///
/// # Errors
/// As any statement.
pub async fn renew_hash(tx: &mut Tx, hash: &NewHash<'_>) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET password_hash = $1 WHERE user_id = $2 AND password_hash = $3";
    let params = [hash.new.into(), hash.user.as_str().into(), hash.old.into()];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// Replaces a user's attributes; tokens carry the new ones from the next refresh on. False if there is no such user. Where
/// a claim is made of what changes, the caller ends the old tokens in the same transaction
/// ([`revocations::outdate_user_tokens`]).
///
/// # Errors
/// As any statement.
pub async fn set_attributes(tx: &mut Tx, id: &UserId, attributes: &Attributes) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET attributes = $1 WHERE user_id = $2";
    Ok(tx.execute(SQL, &[(&attributes.to_json()).into(), id.as_str().into()]).await? == 1)
}

/// Notes how a user wants pages and mails; false if there is no such user.
///
/// # Errors
/// As any statement.
pub async fn set_preferences(tx: &mut Tx, id: &UserId, chosen: Preferences) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET language = $1, theme = $2 WHERE user_id = $3";
    let (language, theme) = (chosen.language.map(Language::as_str), chosen.theme.map(Theme::as_str));
    Ok(tx.execute(SQL, &[language.into(), theme.into(), id.as_str().into()]).await? == 1)
}

fn state(row: Option<Row>) -> Result<SignInState, StoreError> {
    let row = row.ok_or_else(|| StoreError::Broken("the revocation log has no head row".into()))?;
    let user = match row.get::<Option<String>>(1)? {
        None => None,
        Some(id) => Some(Credentials {
            id: user_id(&id)?,
            email: row.get(2)?,
            email_verified_at: row.get(3)?,
            password_hash: row.get(4)?,
            disabled_at: row.get(5)?,
            min_rsn: row.get(6)?,
            second_factor: row.get::<i64>(7)? > 0,
        }),
    };
    Ok(SignInState { head: row.get(0)?, user })
}

fn user(row: &Row) -> Result<User, StoreError> {
    let attributes = Attributes::parse(&row.get::<String>(6)?)
        .map_err(|reason| StoreError::Broken(format!("stored attributes of a user: {reason}")))?;
    Ok(User {
        id: user_id(&row.get::<String>(0)?)?,
        tenant: row.get(1)?,
        email: row.get(2)?,
        email_verified_at: row.get(3)?,
        has_password: row.get::<i64>(4)? == 1,
        password_changed_at: row.get(5)?,
        attributes,
        disabled_at: row.get(7)?,
        created_at: row.get(8)?,
        min_rsn: row.get(9)?,
        token_rsn: row.get(10)?,
        preferences: preferences(row)?,
    })
}

/// What a newer version knew is left open.
fn preferences(row: &Row) -> Result<Preferences, StoreError> {
    let (language, theme): (Option<String>, Option<String>) = (row.get(11)?, row.get(12)?);
    Ok(Preferences {
        language: language.as_deref().and_then(Language::parse),
        theme: theme.as_deref().and_then(Theme::parse),
    })
}

fn user_id(text: &str) -> Result<UserId, StoreError> {
    UserId::parse(text).ok_or_else(|| StoreError::Broken("a stored user id is malformed".into()))
}
