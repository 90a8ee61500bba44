//! Roles that somebody described, and what they permit.

use std::collections::BTreeSet;

use super::{Row, StoreError, Tx, invitations};
use crate::domain::{
    assurance::Level,
    rights::{Permission, PermissionGrant},
    roles::Role,
    time::Timestamp,
};

/// A role as it is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub role: Role,
    pub tenant: String,
    pub description: String,
    pub permissions: BTreeSet<PermissionGrant>,
    /// Sessions that began with less do not have it.
    pub required_level: Level,
    pub created_at: Timestamp,
}

macro_rules! columns {
    () => {
        "r.role, r.tenant, r.description, r.created_at, (SELECT string_agg(p.permission || '@' || p.audience, ' ') \
         FROM role_permissions p WHERE p.role = r.role), r.required_acr"
    };
}

/// Inserts a role with what it permits; false if it is described already.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, new: &Definition) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO roles (role, tenant, description, created_at, required_acr) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (role) DO NOTHING";
    let params = [
        new.role.as_str().into(),
        (&new.tenant).into(),
        (&new.description).into(),
        new.created_at.into(),
        required(new).into(),
    ];
    if tx.execute(SQL, &params).await? == 0 {
        return Ok(false);
    }
    set_permissions(tx, new).await?;
    Ok(true)
}

/// One role.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, tenant: &str, role: &Role) -> Result<Option<Definition>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM roles r WHERE r.tenant = $1 AND r.role = $2");
    tx.fetch_optional(SQL, &[tenant.into(), role.as_str().into()]).await?.map(|row| definition(&row)).transpose()
}

/// One page of roles in the order of their names; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, tenant: &str, after: &str, limit: u32) -> Result<Vec<Definition>, StoreError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM roles r WHERE r.tenant = $1 AND r.role > $2 ORDER BY r.role LIMIT $3");
    let rows = tx.fetch_all(SQL, &[tenant.into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter().map(definition).collect()
}

/// Changes description, permissions and required level. Where something was taken away, the caller ends the tokens that say it in the same
/// transaction ([`super::revocations::outdate_clients`]).
///
/// # Errors
/// As any statement.
pub async fn update(tx: &mut Tx, new: &Definition) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE roles SET description = $1, required_acr = $2 WHERE role = $3";
    const CLEAR: &str = "DELETE FROM role_permissions WHERE role = $1";
    tx.execute(SQL, &[(&new.description).into(), required(new).into(), new.role.as_str().into()]).await?;
    tx.execute(CLEAR, &[new.role.as_str().into()]).await?;
    set_permissions(tx, new).await
}

/// Removes a role from wherever it stands: its description, people, groups, organisations, and the invitations that name it. The caller ends the tokens that say it.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, role: &Role) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM user_roles WHERE role = $1",
        "DELETE FROM group_roles WHERE role = $1",
        "DELETE FROM organisation_roles WHERE role = $1",
        "DELETE FROM role_permissions WHERE role = $1",
        "DELETE FROM roles WHERE role = $1",
    ] {
        tx.execute(sql, &[role.as_str().into()]).await?;
    }
    // Whoever accepts one of these would bring it back.
    invitations::take_back_naming(tx, role).await
}

/// How many permissions all roles hold together.
///
/// # Errors
/// As any statement.
pub async fn count_permissions(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx.fetch_optional("SELECT COUNT(*) FROM role_permissions", &[]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

fn required(new: &Definition) -> Option<&'static str> {
    Some(new.required_level).filter(|level| *level > Level::One).map(Level::as_str)
}

async fn set_permissions(tx: &mut Tx, new: &Definition) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO role_permissions (role, audience, permission) VALUES ($1, $2, $3)";
    for PermissionGrant { audience, permission } in &new.permissions {
        let audience = audience.as_deref().unwrap_or_default();
        tx.execute(SQL, &[new.role.as_str().into(), audience.into(), permission.as_str().into()]).await?;
    }
    Ok(())
}

fn definition(row: &Row) -> Result<Definition, StoreError> {
    let broken = || StoreError::Broken("a stored role is malformed".into());
    let grant = |text: &str| {
        let (permission, audience) = text.split_once('@')?;
        let audience = Some(audience.to_owned()).filter(|name| !name.is_empty());
        Some(PermissionGrant { audience, permission: Permission::parse(permission).ok()? })
    };
    let held: Option<String> = row.get(4)?;
    let held = held.as_deref().unwrap_or_default().split_ascii_whitespace();
    Ok(Definition {
        role: Role::parse(&row.get::<String>(0)?).map_err(|_| broken())?,
        tenant: row.get(1)?,
        description: row.get(2)?,
        created_at: row.get(3)?,
        required_level: row.get::<Option<String>>(5)?.as_deref().map(Level::of).unwrap_or_default(),
        permissions: held.map(grant).collect::<Option<_>>().ok_or_else(broken)?,
    })
}
