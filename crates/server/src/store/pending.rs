//! Sign-ins that wait for their second factor.

use super::{Row, StoreError, Tx};
use crate::domain::{
    browser::RequestName,
    pending::{FirstFactor, Pending, PendingId},
    time::Timestamp,
    upstream::UpstreamName,
    user::UserId,
};

/// Lets a sign-in wait, in place of another one of the same browser and request.
///
/// # Errors
/// As any statement.
pub async fn keep(tx: &mut Tx, new: &Pending) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO pending_signins (id, user_id, auth_time, auth_rsn, first, upstream, link, wants, \
                       expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET user_id = $2, \
                       auth_time = $3, auth_rsn = $4, first = $5, upstream = $6, link = $7, wants = $8, expires_at = $9";
    let upstream = match &new.first {
        FirstFactor::Upstream(name) => Some(name.as_str()),
        FirstFactor::Password | FirstFactor::Mail => None,
    };
    let params = [
        new.id.as_bytes().into(),
        new.user.as_str().into(),
        new.auth_time.into(),
        new.auth_rsn.into(),
        new.first.as_str().into(),
        upstream.into(),
        new.link.as_ref().map(RequestName::as_str).into(),
        new.wants.as_deref().into(),
        new.expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(drop)
}

/// A sign-in that waits and may go on: its time is not over, and nothing that it rests on was taken back since.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, id: &PendingId, now: Timestamp) -> Result<Option<Pending>, StoreError> {
    const SQL: &str = "SELECT p.user_id, p.auth_time, p.auth_rsn, p.first, p.upstream, p.link, p.wants, p.expires_at \
                       FROM pending_signins p JOIN users u ON u.user_id = p.user_id JOIN tenants t ON t.tenant = u.tenant \
                       WHERE p.id = $1 AND p.expires_at > $2 AND u.disabled_at IS NULL AND u.min_rsn <= p.auth_rsn \
                       AND t.min_rsn <= p.auth_rsn";
    tx.fetch_optional(SQL, &[id.as_bytes().into(), now.into()]).await?.map(|row| pending(&row, *id)).transpose()
}

/// Ends the wait: true for one caller, so that one first factor opens one sign-in (I-8).
///
/// # Errors
/// As any statement.
pub async fn finish(tx: &mut Tx, id: &PendingId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM pending_signins WHERE id = $1", &[id.as_bytes().into()]).await? == 1)
}

/// Forgets those that were over before this time, the oldest `limit` of them. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM pending_signins WHERE id IN \
                       (SELECT id FROM pending_signins WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}

fn pending(row: &Row, id: PendingId) -> Result<Pending, StoreError> {
    let broken = |what: &str| StoreError::Broken(format!("a half sign-in has a malformed {what}"));
    let (user, first, upstream): (String, String, Option<String>) = (row.get(0)?, row.get(3)?, row.get(4)?);
    let first = match (first.as_str(), upstream.and_then(|name| UpstreamName::parse(&name).ok())) {
        ("password", None) => FirstFactor::Password,
        ("mail", None) => FirstFactor::Mail,
        ("upstream", Some(name)) => FirstFactor::Upstream(name),
        _ => return Err(broken("first factor")),
    };
    let link: Option<String> = row.get(5)?;
    Ok(Pending {
        id,
        user: UserId::parse(&user).ok_or_else(|| broken("user"))?,
        auth_time: row.get(1)?,
        auth_rsn: row.get(2)?,
        first,
        link: link.map(|name| RequestName::parse(&name).ok_or_else(|| broken("link"))).transpose()?,
        wants: row.get(6)?,
        expires_at: row.get(7)?,
    })
}
