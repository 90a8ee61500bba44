//! Roles of users.

use super::{
    StoreError, Tx,
    dialect::{RowKey, lock_rows},
    revocations,
};
use crate::domain::{
    revocation::Entry,
    roles::{Role, RoleGrant},
    rsn::Rsn,
    time::Timestamp,
    user::UserId,
};

/// All roles that a user was given themselves, at every audience.
///
/// # Errors
/// As any statement.
pub async fn of_user(tx: &mut Tx, id: &UserId) -> Result<Vec<RoleGrant>, StoreError> {
    const SQL: &str = "SELECT audience, role FROM user_roles WHERE user_id = $1 ORDER BY audience, role";
    let rows = tx.fetch_all(SQL, &[id.as_str().into()]).await?;
    let grant = |row: &super::Row| {
        let audience: String = row.get(0)?;
        let role =
            Role::parse(&row.get::<String>(1)?).map_err(|_| StoreError::Broken("a stored role is malformed".into()))?;
        Ok(RoleGrant { audience: Some(audience).filter(|name| !name.is_empty()), role })
    };
    rows.iter().map(grant).collect()
}

/// What came of setting roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolesSet {
    /// There is no such user.
    NoUser,
    /// They had exactly these: nothing was appended to the log.
    Unchanged,
    /// Tokens below this position are dead; sessions live on, and their next refresh carries the new roles.
    Changed { rsn: Rsn },
}

/// Gives a user exactly these roles.
///
/// # Errors
/// As any statement.
pub async fn set(
    tx: &mut Tx,
    id: &UserId,
    wanted: &[RoleGrant],
    entry: &Entry,
    now: Timestamp,
) -> Result<RolesSet, StoreError> {
    const USER: &str = "SELECT user_id FROM users WHERE user_id = $1";
    const CLEAR: &str = "DELETE FROM user_roles WHERE user_id = $1";
    lock_rows(tx, &mut [RowKey::User(id.as_str())]).await?;
    if tx.fetch_optional(USER, &[id.as_str().into()]).await?.is_none() {
        return Ok(RolesSet::NoUser);
    }
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut had = of_user(tx, id).await?;
    had.sort_unstable();
    if had == wanted {
        return Ok(RolesSet::Unchanged);
    }
    let rsn = revocations::outdate_user_tokens(tx, now, id.as_str(), entry).await?;
    tx.execute(CLEAR, &[id.as_str().into()]).await?;
    give(tx, id, &wanted).await?;
    Ok(RolesSet::Changed { rsn })
}

/// Gives roles to a user who has no tokens yet.
///
/// # Errors
/// As any statement.
pub async fn give(tx: &mut Tx, id: &UserId, roles: &[RoleGrant]) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO user_roles (user_id, audience, role) VALUES ($1, $2, $3) \
                       ON CONFLICT (user_id, audience, role) DO NOTHING";
    for RoleGrant { audience, role } in roles {
        let audience = audience.as_deref().unwrap_or_default();
        tx.execute(ADD, &[id.as_str().into(), audience.into(), role.as_str().into()]).await?;
    }
    Ok(())
}

/// How many enabled users other than `id`, who want to stay, have a role everywhere or at `audience`: the last administrator stays (ADM-07).
///
/// # Errors
/// As any statement.
pub async fn count_others(tx: &mut Tx, id: &UserId, audience: &str, role: &Role) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(DISTINCT u.user_id) FROM user_roles r JOIN users u ON u.user_id = r.user_id \
                       WHERE r.user_id <> $1 AND r.audience IN ('', $2) AND r.role = $3 AND u.disabled_at IS NULL \
                       AND u.delete_at IS NULL";
    let row = tx.fetch_optional(SQL, &[id.as_str().into(), audience.into(), role.as_str().into()]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}
