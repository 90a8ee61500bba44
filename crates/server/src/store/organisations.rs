//! Organisations, their members, and what members may do by them.

use std::collections::BTreeSet;

use super::{
    Row, StoreError, Tx,
    groups::{Member, grants},
};
use crate::domain::{organisation::OrganisationId, roles::RoleGrant, time::Timestamp, user::UserId};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    pub id: OrganisationId,
    pub tenant: String,
    /// For people.
    pub name: String,
    pub created_at: Timestamp,
    /// How many members it has; nothing sets it.
    pub members: i64,
}

/// An organisation that somebody belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub organisation: String,
    pub name: String,
    pub joined_at: Timestamp,
    pub roles: BTreeSet<RoleGrant>,
}

macro_rules! columns {
    () => {
        "o.organisation, o.tenant, o.name, o.created_at, \
         (SELECT COUNT(*) FROM organisation_members m WHERE m.organisation = o.organisation)"
    };
}

macro_rules! roles_of {
    () => {
        "(SELECT string_agg(r.role || '@' || r.audience, ' ') FROM organisation_roles r \
         WHERE r.user_id = m.user_id AND r.organisation = m.organisation)"
    };
}

/// Inserts an organisation; false if the id is taken.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, new: &Organisation) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO organisations (organisation, tenant, name, created_at) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (organisation) DO NOTHING";
    let params = [new.id.as_str().into(), (&new.tenant).into(), (&new.name).into(), new.created_at.into()];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// One organisation.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, tenant: &str, id: &OrganisationId) -> Result<Option<Organisation>, StoreError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM organisations o WHERE o.tenant = $1 AND o.organisation = $2");
    tx.fetch_optional(SQL, &[tenant.into(), id.as_str().into()]).await?.map(|row| organisation(&row)).transpose()
}

/// One page of organisations in the order of their ids; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, tenant: &str, after: &str, limit: u32) -> Result<Vec<Organisation>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM organisations o WHERE o.tenant = $1 AND o.organisation > $2 ORDER BY o.organisation LIMIT $3"
    );
    let rows = tx.fetch_all(SQL, &[tenant.into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter().map(organisation).collect()
}

/// Gives it another name.
///
/// # Errors
/// As any statement.
pub async fn rename(tx: &mut Tx, id: &OrganisationId, name: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE organisations SET name = $1 WHERE organisation = $2";
    tx.execute(SQL, &[name.into(), id.as_str().into()]).await.map(drop)
}

/// Removes an organisation with all that belongs to it. The caller ends the members' tokens in the same transaction.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, id: &OrganisationId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM organisation_roles WHERE organisation = $1",
        "DELETE FROM organisation_members WHERE organisation = $1",
        "DELETE FROM invitations WHERE organisation = $1",
        "DELETE FROM organisations WHERE organisation = $1",
    ] {
        tx.execute(sql, &[id.as_str().into()]).await?;
    }
    Ok(())
}

/// One page of members in the order of their ids; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn members(tx: &mut Tx, id: &OrganisationId, after: &str, limit: u32) -> Result<Vec<Member>, StoreError> {
    const SQL: &str = concat!(
        "SELECT m.user_id, u.email, m.joined_at, ",
        roles_of!(),
        " FROM organisation_members m JOIN users u ON u.user_id = m.user_id \
         WHERE m.organisation = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"
    );
    let rows = tx.fetch_all(SQL, &[id.as_str().into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter().map(of_row).collect()
}

/// One member.
///
/// # Errors
/// As any statement.
pub async fn member(tx: &mut Tx, id: &OrganisationId, user: &UserId) -> Result<Option<Member>, StoreError> {
    const SQL: &str = concat!(
        "SELECT m.user_id, u.email, m.joined_at, ",
        roles_of!(),
        " FROM organisation_members m JOIN users u ON u.user_id = m.user_id WHERE m.organisation = $1 AND m.user_id = $2"
    );
    let row = tx.fetch_optional(SQL, &[id.as_str().into(), user.as_str().into()]).await?;
    row.map(|row| of_row(&row)).transpose()
}

/// The ids of all members; an organisation has at most [`MAX_MEMBERS`](crate::domain::organisation::MAX_MEMBERS).
///
/// # Errors
/// As any statement.
pub async fn member_ids(tx: &mut Tx, id: &OrganisationId) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT user_id FROM organisation_members WHERE organisation = $1";
    tx.fetch_all(SQL, &[id.as_str().into()]).await?.iter().map(|row| row.get(0)).collect()
}

/// Whether somebody is a member.
///
/// # Errors
/// As any statement.
pub async fn is_member(tx: &mut Tx, id: &str, user_id: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM organisation_members WHERE user_id = $1 AND organisation = $2";
    Ok(tx.fetch_optional(SQL, &[user_id.into(), id.into()]).await?.is_some())
}

/// The organisations of a user, by their ids; at most [`MAX_OF_USER`](crate::domain::organisation::MAX_OF_USER).
///
/// # Errors
/// As any statement.
pub async fn of_user(tx: &mut Tx, user_id: &str) -> Result<Vec<Membership>, StoreError> {
    const SQL: &str = concat!(
        "SELECT m.organisation, o.name, m.joined_at, ",
        roles_of!(),
        " FROM organisation_members m JOIN organisations o ON o.organisation = m.organisation \
         WHERE m.user_id = $1 ORDER BY m.organisation"
    );
    let membership = |row: &Row| {
        let roles = grants(row.get::<Option<String>>(3)?.as_deref())?;
        Ok(Membership { organisation: row.get(0)?, name: row.get(1)?, joined_at: row.get(2)?, roles })
    };
    tx.fetch_all(SQL, &[user_id.into()]).await?.iter().map(membership).collect()
}

/// Makes somebody a member with exactly these roles, or gives a member exactly these. The caller ends the person's tokens in the
/// same transaction.
///
/// # Errors
/// As any statement.
pub async fn set_member(
    tx: &mut Tx,
    id: &OrganisationId,
    user: &UserId,
    roles: &BTreeSet<RoleGrant>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const JOIN: &str = "INSERT INTO organisation_members (user_id, organisation, joined_at) VALUES ($1, $2, $3) \
                        ON CONFLICT (user_id, organisation) DO NOTHING";
    const GIVE: &str = "INSERT INTO organisation_roles (user_id, organisation, audience, role) VALUES ($1, $2, $3, $4)";
    tx.execute(JOIN, &[user.as_str().into(), id.as_str().into(), now.into()]).await?;
    take_roles(tx, id, user).await?;
    for RoleGrant { audience, role } in roles {
        let audience = audience.as_deref().unwrap_or_default();
        let params = [user.as_str().into(), id.as_str().into(), audience.into(), role.as_str().into()];
        tx.execute(GIVE, &params).await?;
    }
    Ok(())
}

/// Takes a member out; false if they were none. The caller ends the person's tokens in the same transaction.
///
/// # Errors
/// As any statement.
pub async fn remove_member(tx: &mut Tx, id: &OrganisationId, user: &UserId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM organisation_members WHERE user_id = $1 AND organisation = $2";
    take_roles(tx, id, user).await?;
    Ok(tx.execute(SQL, &[user.as_str().into(), id.as_str().into()]).await? == 1)
}

async fn take_roles(tx: &mut Tx, id: &OrganisationId, user: &UserId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM organisation_roles WHERE user_id = $1 AND organisation = $2";
    tx.execute(SQL, &[user.as_str().into(), id.as_str().into()]).await.map(drop)
}

fn of_row(row: &Row) -> Result<Member, StoreError> {
    let roles = grants(row.get::<Option<String>>(3)?.as_deref())?;
    Ok(Member { user_id: row.get(0)?, email: row.get(1)?, joined_at: row.get(2)?, roles })
}

fn organisation(row: &Row) -> Result<Organisation, StoreError> {
    let id = OrganisationId::parse(&row.get::<String>(0)?);
    Ok(Organisation {
        id: id.ok_or_else(|| StoreError::Broken("a stored organisation is malformed".into()))?,
        tenant: row.get(1)?,
        name: row.get(2)?,
        created_at: row.get(3)?,
        members: row.get(4)?,
    })
}
