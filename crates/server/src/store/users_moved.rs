//! Accounts that come from another program or leave for one.

use std::fmt;

use super::{
    StoreError, Tx, roles,
    users::{self, NewUser},
};
use crate::domain::{
    roles::RoleGrant,
    time::Timestamp,
    user::{Attributes, UserId},
};

/// An account that is to be inserted as it was elsewhere.
#[derive(Clone)]
pub struct MovedUser {
    pub user: NewUser,
    pub roles: Vec<RoleGrant>,
    pub attributes: Attributes,
    pub disabled_at: Option<Timestamp>,
}

impl fmt::Debug for MovedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.user, f)
    }
}

/// What came of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Added,
    /// Its address or its id is somebody's: they stay as they are.
    Known,
}

/// Inserts accounts, and says of each what came of it.
///
/// # Errors
/// As any statement.
pub async fn add(tx: &mut Tx, accounts: &[MovedUser]) -> Result<Vec<Came>, StoreError> {
    const DISABLE: &str = "UPDATE users SET disabled_at = $1 WHERE user_id = $2";
    let mut came = Vec::with_capacity(accounts.len());
    for MovedUser { user, roles, attributes, disabled_at } in accounts {
        if is_known(tx, user).await? || !users::insert(tx, user).await? {
            came.push(Came::Known);
            continue;
        }
        if !attributes.as_map().is_empty() {
            users::set_attributes(tx, &user.id, attributes).await?;
        }
        // Nobody new has anything that could end.
        if disabled_at.is_some() {
            tx.execute(DISABLE, &[(*disabled_at).into(), user.id.as_str().into()]).await?;
        }
        roles::give(tx, &user.id, roles).await?;
        came.push(Came::Added);
    }
    Ok(came)
}

/// What would come of each.
///
/// # Errors
/// As any statement.
pub async fn look(tx: &mut Tx, accounts: &[MovedUser]) -> Result<Vec<Came>, StoreError> {
    let mut came = Vec::with_capacity(accounts.len());
    for MovedUser { user, .. } in accounts {
        let known = is_known(tx, user).await? || users::by_email(tx, &user.tenant, user.email.key()).await?.is_some();
        came.push(if known { Came::Known } else { Came::Added });
    }
    Ok(came)
}

/// The hash of a user's password, for who takes their accounts elsewhere.
///
/// # Errors
/// As any statement.
pub async fn hash(tx: &mut Tx, id: &UserId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT password_hash FROM users WHERE user_id = $1";
    tx.fetch_optional(SQL, &[id.as_str().into()]).await?.map_or(Ok(None), |row| row.get(0))
}

async fn is_known(tx: &mut Tx, user: &NewUser) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM users WHERE user_id = $1";
    Ok(tx.fetch_optional(SQL, &[user.id.as_str().into()]).await?.is_some())
}
