//! The second factors of a user, of whatever kind.

use super::{Row, StoreError, Tx, passkeys, recovery_codes, totps};
use crate::domain::{
    factor::{Factor, FactorId, Kind, Used},
    time::Timestamp,
    user::UserId,
};

/// How many second factors a user has, as a column; `$alias` names the table that has their `user_id`.
macro_rules! second_factors {
    ($alias:literal) => {
        concat!(
            "((SELECT COUNT(*) FROM totps f WHERE f.user_id = ",
            $alias,
            ".user_id AND f.confirmed_at IS NOT NULL) + (SELECT COUNT(*) FROM passkeys k WHERE k.user_id = ",
            $alias,
            ".user_id))"
        )
    };
}
pub(in crate::store) use second_factors;

/// Whether a user has a second factor. Recovery codes alone are none.
///
/// # Errors
/// As any statement.
pub async fn any(tx: &mut Tx, user: &UserId) -> Result<bool, StoreError> {
    const SQL: &str = concat!("SELECT ", second_factors!("u"), " FROM users u WHERE u.user_id = $1");
    let row = tx.fetch_optional(SQL, &[user.as_str().into()]).await?;
    Ok(row.map_or(Ok(0), |row| row.get::<i64>(0))? > 0)
}

/// A user's factors, the oldest first: there are few.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, user: &UserId) -> Result<Vec<Factor>, StoreError> {
    const SQL: &str = "SELECT factor_id, name, created_at, last_used_at, 'totp' FROM totps \
                       WHERE user_id = $1 AND confirmed_at IS NOT NULL UNION ALL \
                       SELECT factor_id, name, created_at, last_used_at, 'passkey' FROM passkeys WHERE user_id = $1 \
                       ORDER BY 3, 1";
    tx.fetch_all(SQL, &[user.as_str().into()]).await?.iter().map(factor).collect()
}

/// Takes one factor away, and the recovery codes with the last one; `None` if the user has none of this name.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, id: &FactorId, user: &UserId) -> Result<Option<Kind>, StoreError> {
    const TOTP: &str = "DELETE FROM totps WHERE factor_id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL";
    const PASSKEY: &str = "DELETE FROM passkeys WHERE factor_id = $1 AND user_id = $2";
    for (sql, kind) in [(TOTP, Kind::Totp), (PASSKEY, Kind::Passkey)] {
        if tx.execute(sql, &[id.as_str().into(), user.as_str().into()]).await? > 0 {
            if !any(tx, user).await? {
                recovery_codes::remove_all(tx, user).await?;
            }
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

/// Takes every factor away, and the recovery codes; returns how many factors there were.
///
/// # Errors
/// As any statement.
pub async fn remove_all(tx: &mut Tx, user: &UserId) -> Result<u64, StoreError> {
    const TOTPS: &str = "DELETE FROM totps WHERE user_id = $1";
    const PASSKEYS: &str = "DELETE FROM passkeys WHERE user_id = $1";
    recovery_codes::remove_all(tx, user).await?;
    let totps = tx.execute(TOTPS, &[user.as_str().into()]).await?;
    Ok(totps + tx.execute(PASSKEYS, &[user.as_str().into()]).await?)
}

/// Uses what was shown, once: false if somebody was faster, or it is not the user's any more (I-8).
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, user: &UserId, used: &Used, now: Timestamp) -> Result<bool, StoreError> {
    match used {
        Used::Totp { factor, step } => totps::spend(tx, factor, user, *step, now).await,
        Used::Recovery(hash) => recovery_codes::spend(tx, user, hash, now).await,
        Used::Passkey { factor, challenge, count, backup } => {
            let used = passkeys::Use { count: *count, backup: *backup, at: now };
            Ok(passkeys::spend_challenge(tx, challenge).await? && passkeys::spend(tx, factor, user, used).await?)
        }
    }
}

fn factor(row: &Row) -> Result<Factor, StoreError> {
    let (id, kind): (String, String) = (row.get(0)?, row.get(4)?);
    let kind = Kind::parse(&kind).ok_or_else(|| StoreError::Broken("a factor of no known kind".into()))?;
    let id = FactorId::parse(&id).ok_or_else(|| StoreError::Broken("a stored factor's id is malformed".into()))?;
    Ok(Factor { id, kind, name: row.get(1)?, created_at: row.get(2)?, last_used_at: row.get(3)? })
}
