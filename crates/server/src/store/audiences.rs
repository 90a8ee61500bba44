//! Audiences: the resource servers that tokens are meant for.

use std::time::Duration;

use super::{Row, StoreError, Tx};
use crate::domain::{
    audience::{AudienceRules, ClaimMap},
    audience_id::AudienceId,
    encryption::Encryption,
    rights::Permits,
    roles::Role,
    scope::Scope,
    time::Timestamp,
};

/// A registered audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    pub rules: AudienceRules,
    pub tenant: String,
    pub name: String,
    /// The scopes that it understands.
    pub scopes: Scope,
    /// HS256 only: the secret shared with this audience, sealed by the key provider.
    pub sealed_secret: Option<Vec<u8>>,
    pub created_at: Timestamp,
}

/// What roles permit at an audience `a` whose tokens say that: role and permission in turns.
macro_rules! rules {
    () => {
        "a.audience, a.alg, a.claims, a.required_role, a.access_token_ttl, a.disabled_scopes, a.encryption, a.permissions, \
         CASE WHEN a.permissions = 1 THEN (SELECT string_agg(p.role || ' ' || p.permission, ' ') FROM role_permissions p \
         WHERE p.audience IN ('', a.audience)) END"
    };
}
pub(in crate::store) use rules as rule_columns;

macro_rules! columns {
    () => {
        concat!(rules!(), ", a.tenant, a.name, a.scopes, a.sealed_secret, a.created_at")
    };
}

/// Inserts an audience; false if the name is taken.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, audience: &Audience) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO audiences (audience, alg, claims, required_role, access_token_ttl, disabled_scopes, \
        encryption, permissions, tenant, name, scopes, sealed_secret, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (audience) DO NOTHING";
    let rules = &audience.rules;
    let (claims, scopes) = (rules.claims.to_json(), audience.scopes.to_string());
    let disabled = rules.disabled_scopes.to_string();
    let encryption = rules.encryption.as_ref().map(Encryption::to_json);
    let params = [
        (&rules.audience).into(),
        rules.alg.as_str().into(),
        (&claims).into(),
        rules.required_role.as_deref().into(),
        seconds(rules.access_token_ttl).into(),
        (&disabled).into(),
        encryption.as_deref().into(),
        i64::from(rules.permissions.is_some()).into(),
        (&audience.tenant).into(),
        (&audience.name).into(),
        (&scopes).into(),
        audience.sealed_secret.as_deref().into(),
        audience.created_at.into(),
    ];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// What a token for this audience must obey; `None` if there is no such audience.
///
/// # Errors
/// As any statement.
pub async fn rules(tx: &mut Tx, audience: &str) -> Result<Option<AudienceRules>, StoreError> {
    const SQL: &str = concat!("SELECT ", rules!(), " FROM audiences a WHERE a.audience = $1");
    tx.fetch_optional(SQL, &[audience.into()]).await?.map(|row| rules_of(&row, 0)).transpose()
}

/// One page of audiences in the order of their names; `after` is the last of the page before, empty for the first.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, tenant: &str, after: &str, limit: u32) -> Result<Vec<Audience>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM audiences a WHERE a.tenant = $1 AND a.audience > $2 ORDER BY a.audience LIMIT $3"
    );
    let rows = tx.fetch_all(SQL, &[tenant.into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter().map(audience).collect()
}

/// One audience.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<Audience>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM audiences a WHERE a.audience = $1");
    tx.fetch_optional(SQL, &[name.into()]).await?.map(|row| audience(&row)).transpose()
}

/// What the audiences of a tenant make claims of.
///
/// # Errors
/// As any statement.
pub async fn claim_maps(tx: &mut Tx, tenant: &str) -> Result<Vec<ClaimMap>, StoreError> {
    const SQL: &str = "SELECT claims FROM audiences WHERE tenant = $1 AND claims <> '{}'";
    let rows = tx.fetch_all(SQL, &[tenant.into()]).await?;
    let map = |row: &Row| ClaimMap::parse(&row.get::<String>(0)?).map_err(|_| malformed("claim mapping"));
    rows.iter().map(map).collect()
}

/// The audiences whose tokens say what the roles in them permit.
///
/// # Errors
/// As any statement.
pub async fn hearing_permissions(tx: &mut Tx, tenant: &str) -> Result<Vec<AudienceId>, StoreError> {
    const SQL: &str = "SELECT audience FROM audiences WHERE tenant = $1 AND permissions = 1";
    let rows = tx.fetch_all(SQL, &[tenant.into()]).await?;
    rows.iter().map(|row| AudienceId::parse(&row.get::<String>(0)?).map_err(|_| malformed("name"))).collect()
}

/// The audiences that are only for subjects with this role.
///
/// # Errors
/// As any statement.
pub async fn requiring(tx: &mut Tx, tenant: &str, role: &Role) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT audience FROM audiences WHERE tenant = $1 AND required_role = $2";
    let rows = tx.fetch_all(SQL, &[tenant.into(), role.as_str().into()]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Sets which scopes this audience's tokens carry for nobody. Where there are more of them than before, the caller ends the
/// tokens that are out in the same transaction ([`super::revocations::outdate_clients`]).
///
/// # Errors
/// As any statement.
pub async fn set_disabled_scopes(tx: &mut Tx, name: &str, disabled: &Scope) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE audiences SET disabled_scopes = $1 WHERE audience = $2";
    tx.execute(SQL, &[(&disabled.to_string()).into(), name.into()]).await.map(drop)
}

/// Changes an audience: everything but its name in `aud`, its algorithm and its secret. Where tokens that are out say more
/// than is true then, the caller ends them in the same transaction, as for [`set_disabled_scopes`].
///
/// # Errors
/// As any statement.
pub async fn update(tx: &mut Tx, new: &Audience) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE audiences SET name = $1, scopes = $2, claims = $3, required_role = $4, \
                       access_token_ttl = $5, encryption = $6, permissions = $7 WHERE audience = $8";
    let rules = &new.rules;
    let (claims, scopes) = (rules.claims.to_json(), new.scopes.to_string());
    let encryption = rules.encryption.as_ref().map(Encryption::to_json);
    let params = [
        (&new.name).into(),
        (&scopes).into(),
        (&claims).into(),
        rules.required_role.as_deref().into(),
        seconds(rules.access_token_ttl).into(),
        encryption.as_deref().into(),
        i64::from(rules.permissions.is_some()).into(),
        (&rules.audience).into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// Removes an audience that no client names.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM audiences WHERE audience = $1", &[name.into()]).await.map(drop)
}

fn seconds(span: Option<Duration>) -> Option<i64> {
    span.map(|span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
}

fn audience(row: &Row) -> Result<Audience, StoreError> {
    Ok(Audience {
        rules: rules_of(row, 0)?,
        tenant: row.get(9)?,
        name: row.get(10)?,
        scopes: row.get::<String>(11)?.parse().map_err(|_| malformed("scope"))?,
        sealed_secret: row.get(12)?,
        created_at: row.get(13)?,
    })
}

/// The rules in a row that has them from this column on.
pub(in crate::store) fn rules_of(row: &Row, first: usize) -> Result<AudienceRules, StoreError> {
    let (ttl, encryption): (Option<i64>, Option<String>) = (row.get(first + 4)?, row.get(first + 6)?);
    let permits = |text: Option<String>| {
        let words: Vec<&str> = text.as_deref().unwrap_or_default().split_ascii_whitespace().collect();
        Permits::new(words.chunks_exact(2).map(|pair| (pair[0], pair[1])))
    };
    let permissions = match row.get::<i64>(first + 7)? {
        0 => None,
        _ => Some(permits(row.get(first + 8)?)),
    };
    Ok(AudienceRules {
        permissions,
        audience: row.get(first)?,
        alg: row.get::<String>(first + 1)?.parse().map_err(|_| malformed("algorithm"))?,
        claims: ClaimMap::parse(&row.get::<String>(first + 2)?).map_err(|_| malformed("claim mapping"))?,
        required_role: row.get(first + 3)?,
        disabled_scopes: row.get::<String>(first + 5)?.parse().map_err(|_| malformed("scope"))?,
        access_token_ttl: ttl.map(|ttl| Duration::from_secs(u64::try_from(ttl).unwrap_or(0))),
        encryption: encryption.as_deref().map(Encryption::stored).transpose().map_err(|_| malformed("key"))?,
    })
}

fn malformed(what: &str) -> StoreError {
    StoreError::Broken(format!("a stored audience has a malformed {what}"))
}
