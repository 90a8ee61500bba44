//! Invitations to organisations, by the hashes of their links.

use std::collections::BTreeSet;

use super::{Row, StoreError, Tx, groups::grants};
use crate::domain::{
    mail_token::TokenId,
    organisation::OrganisationId,
    roles::{Role, RoleGrant},
    time::Timestamp,
    user::UserId,
};

/// An invitation that nobody has answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// By which it is taken back.
    pub name: String,
    pub organisation: OrganisationId,
    /// The organisation's name for people.
    pub organisation_name: String,
    pub address: String,
    /// The form of the address that is compared.
    pub email_key: String,
    /// What whoever accepts may do by it.
    pub roles: BTreeSet<RoleGrant>,
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

macro_rules! columns {
    () => {
        "i.name, i.organisation, o.name, i.address, i.email_key, i.roles, i.invited_by, i.created_at, i.expires_at \
         FROM invitations i JOIN organisations o ON o.organisation = i.organisation"
    };
}

/// Keeps an invitation in place of any other of the same address to the same organisation.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, id: &TokenId, new: &Invitation) -> Result<(), StoreError> {
    const REPLACE: &str = "DELETE FROM invitations WHERE organisation = $1 AND email_key = $2";
    const SQL: &str = "INSERT INTO invitations (id, name, organisation, address, email_key, roles, invited_by, created_at, \
                       expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let stored = |grant: &RoleGrant| format!("{}@{}", grant.role, grant.audience.as_deref().unwrap_or_default());
    let roles: Vec<String> = new.roles.iter().map(stored).collect();
    let roles = roles.join(" ");
    tx.execute(REPLACE, &[new.organisation.as_str().into(), (&new.email_key).into()]).await?;
    let params = [
        id.into(),
        (&new.name).into(),
        new.organisation.as_str().into(),
        (&new.address).into(),
        (&new.email_key).into(),
        (&roles).into(),
        (&new.invited_by).into(),
        new.created_at.into(),
        new.expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// The invitation of a link, if it stands: not used, not taken back, not too old.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, id: &TokenId, now: Timestamp) -> Result<Option<Invitation>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " WHERE i.id = $1 AND i.expires_at > $2");
    tx.fetch_optional(SQL, &[id.into(), now.into()]).await?.map(|row| invitation(&row)).transpose()
}

/// Those of an organisation that stand, in the order of their names; it has at most
/// [`MAX_INVITATIONS`](crate::domain::organisation::MAX_INVITATIONS).
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, organisation: &OrganisationId, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " WHERE i.organisation = $1 AND i.expires_at > $2 ORDER BY i.name");
    let rows = tx.fetch_all(SQL, &[organisation.as_str().into(), now.into()]).await?;
    rows.iter().map(invitation).collect()
}

/// Uses an invitation, once: false if it is not there any more (I-8).
///
/// # Errors
/// As any statement.
pub async fn spend(tx: &mut Tx, id: &TokenId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM invitations WHERE id = $1", &[id.into()]).await? == 1)
}

/// Takes an invitation back; false if there is none of this name.
///
/// # Errors
/// As any statement.
pub async fn take_back(tx: &mut Tx, organisation: &OrganisationId, name: &str) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM invitations WHERE organisation = $1 AND name = $2";
    Ok(tx.execute(SQL, &[organisation.as_str().into(), name.into()]).await? == 1)
}

/// Takes back whatever a user was invited to an organisation with: they are not to come back by a link that lies in their mailbox.
///
/// # Errors
/// As any statement.
pub async fn take_back_of(tx: &mut Tx, organisation: &OrganisationId, user: &UserId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM invitations WHERE organisation = $1 \
                       AND email_key IN (SELECT u.email_key FROM users u WHERE u.user_id = $2)";
    tx.execute(SQL, &[organisation.as_str().into(), user.as_str().into()]).await.map(drop)
}

/// Takes back every invitation that gives a role, in whichever organisation: there are few of them, and roles are removed seldom.
///
/// # Errors
/// As any statement.
pub async fn take_back_naming(tx: &mut Tx, role: &Role) -> Result<(), StoreError> {
    const ALL: &str = "SELECT id, roles FROM invitations WHERE roles <> ''";
    const ONE: &str = "DELETE FROM invitations WHERE id = $1";
    for row in tx.fetch_all(ALL, &[]).await? {
        let (id, roles): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
        if grants(Some(&roles))?.iter().any(|grant| grant.role == *role) {
            tx.execute(ONE, &[id.as_slice().into()]).await?;
        }
    }
    Ok(())
}

/// Removes up to `limit` invitations that had expired by `before`; returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM invitations WHERE id IN \
                       (SELECT id FROM invitations WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}

fn invitation(row: &Row) -> Result<Invitation, StoreError> {
    let organisation = OrganisationId::parse(&row.get::<String>(1)?);
    Ok(Invitation {
        name: row.get(0)?,
        organisation: organisation.ok_or_else(|| StoreError::Broken("a stored organisation is malformed".into()))?,
        organisation_name: row.get(2)?,
        address: row.get(3)?,
        email_key: row.get(4)?,
        roles: grants(Some(&row.get::<String>(5)?))?,
        invited_by: row.get(6)?,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
    })
}
