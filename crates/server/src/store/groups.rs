//! Groups, their members and their roles.

use std::collections::BTreeSet;

use super::{Row, StoreError, Tx};
use crate::domain::{
    group::GroupId,
    roles::{Role, RoleGrant},
    time::Timestamp,
    user::UserId,
};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub tenant: String,
    pub description: String,
    pub roles: BTreeSet<RoleGrant>,
    pub created_at: Timestamp,
    /// How many members it has; nothing sets it.
    pub members: i64,
}

/// Somebody in a group or an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user_id: String,
    pub email: String,
    pub joined_at: Timestamp,
    /// The roles that they have by it.
    pub roles: BTreeSet<RoleGrant>,
}

macro_rules! columns {
    () => {
        "g.group_id, g.tenant, g.description, g.created_at, \
         (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.group_id), \
         (SELECT string_agg(r.role || '@' || r.audience, ' ') FROM group_roles r WHERE r.group_id = g.group_id)"
    };
}

/// Inserts a group with its roles; false if the id is taken.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, new: &Group) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO user_groups (group_id, tenant, description, created_at) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (group_id) DO NOTHING";
    let params = [new.id.as_str().into(), (&new.tenant).into(), (&new.description).into(), new.created_at.into()];
    if tx.execute(SQL, &params).await? == 0 {
        return Ok(false);
    }
    give(tx, new).await?;
    Ok(true)
}

/// One group.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, tenant: &str, id: &GroupId) -> Result<Option<Group>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM user_groups g WHERE g.tenant = $1 AND g.group_id = $2");
    tx.fetch_optional(SQL, &[tenant.into(), id.as_str().into()]).await?.map(|row| group(&row)).transpose()
}

/// One page of groups in the order of their ids; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, tenant: &str, after: &str, limit: u32) -> Result<Vec<Group>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM user_groups g WHERE g.tenant = $1 AND g.group_id > $2 ORDER BY g.group_id LIMIT $3"
    );
    let rows = tx.fetch_all(SQL, &[tenant.into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter().map(group).collect()
}

/// Changes description and roles. Where a role was taken away, the caller ends the members' tokens in the same transaction.
///
/// # Errors
/// As any statement.
pub async fn update(tx: &mut Tx, new: &Group) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE user_groups SET description = $1 WHERE group_id = $2";
    const CLEAR: &str = "DELETE FROM group_roles WHERE group_id = $1";
    tx.execute(SQL, &[(&new.description).into(), new.id.as_str().into()]).await?;
    tx.execute(CLEAR, &[new.id.as_str().into()]).await?;
    give(tx, new).await
}

/// Removes a group with its memberships. The caller ends the members' tokens in the same transaction.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, id: &GroupId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM group_members WHERE group_id = $1",
        "DELETE FROM group_roles WHERE group_id = $1",
        "DELETE FROM user_groups WHERE group_id = $1",
    ] {
        tx.execute(sql, &[id.as_str().into()]).await?;
    }
    Ok(())
}

/// One page of members in the order of their ids; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn members(tx: &mut Tx, id: &GroupId, after: &str, limit: u32) -> Result<Vec<Member>, StoreError> {
    const SQL: &str = "SELECT m.user_id, u.email, m.joined_at FROM group_members m JOIN users u ON u.user_id = m.user_id \
                       WHERE m.group_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3";
    let rows = tx.fetch_all(SQL, &[id.as_str().into(), after.into(), i64::from(limit).into()]).await?;
    let member = |row: &Row| {
        let (user_id, email, joined_at) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Member { user_id, email, joined_at, roles: BTreeSet::new() })
    };
    rows.iter().map(member).collect()
}

/// The ids of all members; a group has at most [`MAX_MEMBERS`](crate::domain::group::MAX_MEMBERS).
///
/// # Errors
/// As any statement.
pub async fn member_ids(tx: &mut Tx, id: &GroupId) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT user_id FROM group_members WHERE group_id = $1";
    tx.fetch_all(SQL, &[id.as_str().into()]).await?.iter().map(|row| row.get(0)).collect()
}

/// The groups of a user, by their ids.
///
/// # Errors
/// As any statement.
pub async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT group_id FROM group_members WHERE user_id = $1 ORDER BY group_id";
    tx.fetch_all(SQL, &[user.as_str().into()]).await?.iter().map(|row| row.get(0)).collect()
}

/// Adds a member; false if they were one.
///
/// # Errors
/// As any statement.
pub async fn join(tx: &mut Tx, id: &GroupId, user: &UserId, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO group_members (user_id, group_id, joined_at) VALUES ($1, $2, $3) \
                       ON CONFLICT (user_id, group_id) DO NOTHING";
    Ok(tx.execute(SQL, &[user.as_str().into(), id.as_str().into(), now.into()]).await? == 1)
}

/// Takes a member out; false if they were none.
///
/// # Errors
/// As any statement.
pub async fn leave(tx: &mut Tx, id: &GroupId, user: &UserId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM group_members WHERE user_id = $1 AND group_id = $2";
    Ok(tx.execute(SQL, &[user.as_str().into(), id.as_str().into()]).await? == 1)
}

async fn give(tx: &mut Tx, group: &Group) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO group_roles (group_id, audience, role) VALUES ($1, $2, $3)";
    for RoleGrant { audience, role } in &group.roles {
        let audience = audience.as_deref().unwrap_or_default();
        tx.execute(SQL, &[group.id.as_str().into(), audience.into(), role.as_str().into()]).await?;
    }
    Ok(())
}

fn group(row: &Row) -> Result<Group, StoreError> {
    let id = GroupId::parse(&row.get::<String>(0)?);
    Ok(Group {
        id: id.ok_or_else(|| StoreError::Broken("a stored group is malformed".into()))?,
        tenant: row.get(1)?,
        description: row.get(2)?,
        created_at: row.get(3)?,
        members: row.get(4)?,
        roles: grants(row.get::<Option<String>>(5)?.as_deref())?,
    })
}

/// Roles as `ROLE@AUDIENCE`, separated by spaces; nothing behind the @ is everywhere.
pub(super) fn grants(text: Option<&str>) -> Result<BTreeSet<RoleGrant>, StoreError> {
    let grant = |word: &str| {
        let (role, audience) = word.split_once('@')?;
        let audience = Some(audience.to_owned()).filter(|name| !name.is_empty());
        Some(RoleGrant { audience, role: Role::parse(role).ok()? })
    };
    let grants = text.unwrap_or_default().split_ascii_whitespace().map(grant).collect::<Option<_>>();
    grants.ok_or_else(|| StoreError::Broken("a stored role is malformed".into()))
}
