//! Passkeys: their public keys and counters; and the challenges that were used, each once.

use super::{Row, StoreError, Tx};
use crate::domain::{
    factor::FactorId,
    passkey::{Backup, CredentialId, Known, PublicKey, UserHandle, challenge::Challenge, options::Descriptor},
    time::Timestamp,
    user::UserId,
};

/// A passkey that was made.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    pub id: FactorId,
    pub user: UserId,
    pub name: String,
    pub credential: CredentialId,
    pub key: PublicKey,
    pub count: u32,
    pub backup: Backup,
    /// Space-separated.
    pub transports: String,
    pub aaguid: [u8; 16],
    pub created_at: Timestamp,
}

/// A passkey that can be used.
#[derive(Debug, Clone)]
pub struct Passkey {
    pub id: FactorId,
    pub user: UserId,
    pub name: String,
    pub known: Known,
}

/// How often a passkey was used, and where it lies by now.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    pub count: u32,
    pub backup: Backup,
    pub at: Timestamp,
}

/// Why a passkey is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// Somebody has it already.
    Known,
    /// The account has as many as it may.
    TooMany,
}

/// Keeps a passkey, unless the account has `most`.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, new: &NewPasskey, most: i64) -> Result<Result<(), NotKept>, StoreError> {
    const COUNT: &str = "SELECT COUNT(*) FROM passkeys WHERE user_id = $1";
    const SQL: &str = "INSERT INTO passkeys (factor_id, user_id, name, credential_id, public_key, sign_count, backup, \
                       transports, aaguid, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                       ON CONFLICT (credential_id) DO NOTHING";
    let user = new.user.as_str();
    let count = tx.fetch_optional(COUNT, &[user.into()]).await?.map_or(Ok(0), |row| row.get::<i64>(0))?;
    if count >= most {
        return Ok(Err(NotKept::TooMany));
    }
    let params = [
        new.id.as_str().into(),
        user.into(),
        (&new.name).into(),
        new.credential.as_bytes().into(),
        new.key.as_jwk().into(),
        i64::from(new.count).into(),
        new.backup.as_str().into(),
        (&new.transports).into(),
        new.aaguid.as_slice().into(),
        new.created_at.into(),
    ];
    Ok(if tx.execute(SQL, &params).await? == 1 { Ok(()) } else { Err(NotKept::Known) })
}

/// Whose passkey this is.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, credential: &CredentialId) -> Result<Option<Passkey>, StoreError> {
    const SQL: &str = "SELECT factor_id, user_id, name, public_key, sign_count, backup FROM passkeys \
                       WHERE credential_id = $1";
    tx.fetch_optional(SQL, &[credential.as_bytes().into()]).await?.map(|row| passkey(&row)).transpose()
}

/// The passkeys of a user, as a browser is told of them.
///
/// # Errors
/// As any statement.
pub async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<Descriptor>, StoreError> {
    const SQL: &str =
        "SELECT credential_id, transports FROM passkeys WHERE user_id = $1 ORDER BY created_at, factor_id";
    let rows = tx.fetch_all(SQL, &[user.as_str().into()]).await?;
    let described = |row: &Row| {
        let name: Vec<u8> = row.get(0)?;
        let credential = CredentialId::new(&name).ok_or_else(|| broken("name"))?;
        Ok(Descriptor { credential, transports: row.get(1)? })
    };
    rows.iter().map(described).collect()
}

/// Notes that a passkey was used: false if it is not the user's any more, or was used meanwhile and counts (I-8). A counter goes up, or
/// counts nothing and stays 0.
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, id: &FactorId, user: &UserId, used: Use) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE passkeys SET sign_count = $1, backup = $2, last_used_at = $3 \
                       WHERE factor_id = $4 AND user_id = $5 AND (sign_count < $1 OR sign_count = 0)";
    let params = [
        i64::from(used.count).into(),
        used.backup.as_str().into(),
        used.at.into(),
        id.as_str().into(),
        user.as_str().into(),
    ];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// Uses a challenge up: true for one caller. Of two at the same time the second waits for the first, and is refused if that
/// commits (I-8).
///
/// # Errors
/// As any statement.
pub async fn spend_challenge(tx: &mut Tx, challenge: &Challenge) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO used_challenges (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    Ok(tx.execute(SQL, &[challenge.id().into(), challenge.until().into()]).await? == 1)
}

/// Forgets up to `limit` challenges that are refused for their age by now. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM used_challenges WHERE id IN \
                       (SELECT id FROM used_challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[now.into(), i64::from(limit).into()]).await
}

fn passkey(row: &Row) -> Result<Passkey, StoreError> {
    let (id, user, key): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
    let (count, backup): (i64, String) = (row.get(4)?, row.get(5)?);
    let user = UserId::parse(&user).ok_or_else(|| broken("user"))?;
    let known = Known {
        key: PublicKey::parse(&key).ok_or_else(|| broken("key"))?,
        count: u32::try_from(count).map_err(|_| broken("counter"))?,
        backup: Backup::parse(&backup).ok_or_else(|| broken("backup"))?,
        handle: UserHandle::of(&user),
    };
    Ok(Passkey { id: FactorId::parse(&id).ok_or_else(|| broken("id"))?, user, name: row.get(2)?, known })
}

fn broken(what: &str) -> StoreError {
    StoreError::Broken(format!("a stored passkey has a malformed {what}"))
}
