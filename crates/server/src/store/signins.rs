//! Sign-ins, known by the hash of their cookie.

use super::{
    Row, StoreError, Tx,
    dialect::{RowKey, lock_rows},
    factors::second_factors,
};
use crate::domain::{
    rsn::{MinRsn, Rsn},
    session::Sid,
    signin::{Signin, SigninId},
    time::Timestamp,
};

/// A sign-in to store.
#[derive(Debug, Clone)]
pub struct NewSignin {
    pub id: SigninId,
    pub user_id: String,
    pub auth_time: Timestamp,
    /// Space-separated, RFC 8176.
    pub amr: String,
    pub acr: String,
    /// R1: [`crate::domain::rsn::of_sign_in`].
    pub auth_rsn: Rsn,
    /// The user agent, at most 256 bytes.
    pub device: String,
    pub ip: String,
    /// Now: who signed in elsewhere, or allows a device, may have done so long before.
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Stores a sign-in.
///
/// # Errors
/// `Conflict` if the id exists; otherwise as any statement.
pub async fn insert(tx: &mut Tx, new: &NewSignin) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO signins (id, user_id, auth_time, amr, acr, auth_rsn, device, ip, created_at, \
                       last_seen_at, expires_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $9)";
    let params = [
        new.id.as_bytes().into(),
        (&new.user_id).into(),
        new.auth_time.into(),
        (&new.amr).into(),
        (&new.acr).into(),
        new.auth_rsn.get().into(),
        (&new.device).into(),
        (&new.ip).into(),
        new.created_at.into(),
        new.expires_at.into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}

/// The sign-in of a cookie, whatever its state: `Signin::live` says whether it still counts.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, id: &SigninId) -> Result<Option<Signin>, StoreError> {
    const SQL: &str = concat!(
        "SELECT i.id, i.user_id, i.auth_time, i.amr, i.acr, i.auth_rsn, i.device, i.ip, i.created_at, \
         i.last_seen_at, i.expires_at, i.revoked_at, u.tenant, u.disabled_at, u.min_rsn, t.min_rsn, ",
        second_factors!("u"),
        " FROM signins i JOIN users u ON u.user_id = i.user_id JOIN tenants t ON t.tenant = u.tenant WHERE i.id = $1"
    );
    tx.fetch_optional(SQL, &[id.as_bytes().into()]).await?.map(|row| signin(&row)).transpose()
}

/// The sign-in that a session belongs to.
///
/// # Errors
/// As any statement.
pub async fn of_session(tx: &mut Tx, sid: &Sid) -> Result<Option<SigninId>, StoreError> {
    const SQL: &str = "SELECT signin_id FROM sessions WHERE sid = $1";
    tx.fetch_optional(SQL, &[sid.as_str().into()]).await?.map(|row| id(&row, 0)).transpose()
}

/// Notes that the sign-in was seen. Changes nothing if it was seen after `unless_since`: a busy browser costs one write
/// now and then.
///
/// # Errors
/// As any statement.
pub async fn touch(tx: &mut Tx, id: &SigninId, now: Timestamp, unless_since: Timestamp) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE signins SET last_seen_at = $1 WHERE id = $2 AND last_seen_at <= $3 AND revoked_at IS NULL";
    tx.execute(SQL, &[now.into(), id.as_bytes().into(), unless_since.into()]).await.map(|_| ())
}

/// Gives an open sign-in a new id: its sessions follow, the old cookie is dead (CSR-03). False if there is no open sign-in
/// of that id.
///
/// # Errors
/// As any statement.
pub async fn rotate_id(tx: &mut Tx, old: &SigninId, new: &SigninId) -> Result<bool, StoreError> {
    const RENAME: &str = "UPDATE signins SET id = $1 WHERE id = $2 AND revoked_at IS NULL";
    // The sign-in first: no session is opened under the old id from here on.
    if tx.execute(RENAME, &[new.as_bytes().into(), old.as_bytes().into()]).await? == 0 {
        return Ok(false);
    }
    follow(tx, old, new).await?;
    Ok(true)
}

/// The same person has signed in again in the same browser: the sign-in goes on under a new id and says from now on how and
/// when that was; its sessions follow and keep what they say (MFA-06). Its `auth_rsn` is never raised. False if there is no
/// open sign-in of that id and user.
///
/// # Errors
/// As any statement.
pub async fn renew(tx: &mut Tx, old: &SigninId, new: &NewSignin) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE signins SET id = $1, auth_time = $2, last_seen_at = $3, amr = $4, acr = $5, device = $6, \
                       ip = $7, expires_at = $8 WHERE id = $9 AND user_id = $10 AND revoked_at IS NULL AND expires_at > $3";
    let params = [
        new.id.as_bytes().into(),
        new.auth_time.into(),
        new.created_at.into(),
        (&new.amr).into(),
        (&new.acr).into(),
        (&new.device).into(),
        (&new.ip).into(),
        new.expires_at.into(),
        old.as_bytes().into(),
        (&new.user_id).into(),
    ];
    if tx.execute(SQL, &params).await? == 0 {
        return Ok(false);
    }
    follow(tx, old, &new.id).await?;
    Ok(true)
}

/// Everything that belongs to a sign-in belongs to its new id.
async fn follow(tx: &mut Tx, old: &SigninId, new: &SigninId) -> Result<(), StoreError> {
    const SESSIONS: &str = "SELECT sid FROM sessions WHERE signin_id = $1 ORDER BY sid";
    const FOLLOW: &str = "UPDATE sessions SET signin_id = $1 WHERE signin_id = $2";
    const CODES: &str = "UPDATE codes SET signin_id = $1 WHERE signin_id = $2 AND redeemed_at IS NULL";
    let rows = tx.fetch_all(SESSIONS, &[old.as_bytes().into()]).await?;
    let sids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
    lock_rows(tx, &mut sids.iter().map(|sid| RowKey::Session(sid)).collect::<Vec<_>>()).await?;
    tx.execute(FOLLOW, &[new.as_bytes().into(), old.as_bytes().into()]).await?;
    tx.execute(CODES, &[new.as_bytes().into(), old.as_bytes().into()]).await?;
    Ok(())
}

fn signin(row: &Row) -> Result<Signin, StoreError> {
    Ok(Signin {
        id: id(row, 0)?,
        user_id: row.get(1)?,
        auth_time: row.get(2)?,
        amr: row.get(3)?,
        acr: row.get(4)?,
        auth_rsn: Rsn::new(row.get(5)?),
        device: row.get(6)?,
        ip: row.get(7)?,
        created_at: row.get(8)?,
        last_seen_at: row.get(9)?,
        expires_at: row.get(10)?,
        revoked: row.get::<Option<i64>>(11)?.is_some(),
        tenant: row.get(12)?,
        disabled: row.get::<Option<i64>>(13)?.is_some(),
        min_rsn: MinRsn { user: Rsn::new(row.get(14)?), client: Rsn::default(), tenant: Rsn::new(row.get(15)?) },
        second_factor: row.get::<i64>(16)? > 0,
    })
}

fn id(row: &Row, index: usize) -> Result<SigninId, StoreError> {
    SigninId::from_bytes(&row.get::<Vec<u8>>(index)?)
        .ok_or_else(|| StoreError::Broken("a stored sign-in id is malformed".into()))
}
