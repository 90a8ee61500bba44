//! Devices that wait for their person (RFC 8628). Each change is one guarded statement, so that one grant is answered once and
//! redeemed once (OAU-17, I-8).

use super::{Row, StoreError, Tx};
use crate::domain::{
    code::CodeHash,
    device::{Answer, Approval, DeviceGrant, UserCode},
    session::Sid,
    time::{Timestamp, micros},
};
use std::time::Duration;

/// A device that begins to wait.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Hash of its `device_code`.
    pub id: CodeHash,
    pub user_code: UserCode,
    pub client_id: String,
    /// Space-separated.
    pub scope: String,
    pub audience: String,
    pub pace: Duration,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A device that waits, as its person is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: CodeHash,
    pub user_code: String,
    pub client_id: String,
    /// Space-separated.
    pub scope: String,
}

/// How fast a device may ask.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub slack: Duration,
    pub slower: Duration,
}

macro_rules! grant_columns {
    () => {
        "client_id, scope, audience, expires_at, hasty, sid, answered_at, user_id, auth_time, amr, acr, auth_rsn"
    };
}

/// False if the user code is in use.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, new: &NewDevice) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO devices (id, user_code, client_id, scope, audience, pace, created_at, expires_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_code) DO NOTHING";
    let params = [
        new.id.as_bytes().into(),
        new.user_code.as_str().into(),
        (&new.client_id).into(),
        (&new.scope).into(),
        (&new.audience).into(),
        micros(new.pace).into(),
        new.created_at.into(),
        new.expires_at.into(),
    ];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// The device that shows this code, if it waits and nobody has answered.
///
/// # Errors
/// As any statement.
pub async fn waiting(tx: &mut Tx, code: &UserCode, now: Timestamp) -> Result<Option<Waiting>, StoreError> {
    const SQL: &str = "SELECT id, user_code, client_id, scope FROM devices \
                       WHERE user_code = $1 AND expires_at > $2 AND answered_at IS NULL";
    tx.fetch_optional(SQL, &[code.as_str().into(), now.into()]).await?.map(|row| read_waiting(&row)).transpose()
}

/// The same by the id.
///
/// # Errors
/// As any statement.
pub async fn waiting_by_id(tx: &mut Tx, id: &CodeHash, now: Timestamp) -> Result<Option<Waiting>, StoreError> {
    const SQL: &str = "SELECT id, user_code, client_id, scope FROM devices \
                       WHERE id = $1 AND expires_at > $2 AND answered_at IS NULL";
    tx.fetch_optional(SQL, &[id.as_bytes().into(), now.into()]).await?.map(|row| read_waiting(&row)).transpose()
}

/// Notes what the person answered: true for exactly one answer, and none after the device's time.
///
/// # Errors
/// As any statement.
pub async fn answer(tx: &mut Tx, id: &CodeHash, answer: &Answer, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE devices SET answered_at = $1, user_id = $2, auth_time = $3, amr = $4, acr = $5, \
                       auth_rsn = $6 WHERE id = $7 AND answered_at IS NULL AND expires_at > $1";
    let by = match answer {
        Answer::Denied => None,
        Answer::Allowed(approval) => Some(approval),
    };
    let params = [
        now.into(),
        by.map(|by| by.user_id.as_str()).into(),
        by.map(|by| by.auth_time).into(),
        by.map(|by| by.amr.as_str()).into(),
        by.map(|by| by.acr.as_str()).into(),
        by.map(|by| by.auth_rsn.get()).into(),
        id.as_bytes().into(),
    ];
    Ok(tx.execute(SQL, &params).await? == 1)
}

/// The device asks: what it waits for, and whether it came too soon, which makes its pace slower.
///
/// # Errors
/// As any statement.
pub async fn poll(
    tx: &mut Tx,
    (id, client_id): (&CodeHash, &str),
    pace: Pace,
    now: Timestamp,
) -> Result<Option<DeviceGrant>, StoreError> {
    const SQL: &str = concat!(
        "UPDATE devices SET hasty = CASE WHEN polled_at + pace > $1 THEN 1 ELSE 0 END, \
         pace = CASE WHEN polled_at + pace > $1 THEN pace + $2 ELSE pace END, polled_at = $3 \
         WHERE id = $4 AND client_id = $5 RETURNING ",
        grant_columns!()
    );
    let params =
        [now.plus(pace.slack).into(), micros(pace.slower).into(), now.into(), id.as_bytes().into(), client_id.into()];
    tx.fetch_optional(SQL, &params).await?.map(|row| grant(&row)).transpose()
}

/// Redeems what was allowed: true for exactly one caller.
///
/// # Errors
/// As any statement.
pub async fn redeem(tx: &mut Tx, id: &CodeHash, sid: &Sid, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE devices SET sid = $1 \
                       WHERE id = $2 AND sid IS NULL AND user_id IS NOT NULL AND expires_at > $3";
    Ok(tx.execute(SQL, &[sid.as_str().into(), id.as_bytes().into(), now.into()]).await? == 1)
}

/// The session that a device was redeemed for.
///
/// # Errors
/// As any statement.
pub async fn redeemed(tx: &mut Tx, id: &CodeHash) -> Result<Option<Sid>, StoreError> {
    const SQL: &str = "SELECT sid FROM devices WHERE id = $1";
    let Some(row) = tx.fetch_optional(SQL, &[id.as_bytes().into()]).await? else { return Ok(None) };
    session(&row, 0)
}

/// Forgets devices that expired before this time, the oldest `limit` of them. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM devices WHERE id IN \
                       (SELECT id FROM devices WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(SQL, &[before.into(), i64::from(limit).into()]).await
}

fn read_waiting(row: &Row) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        id: CodeHash::from_bytes(row.get(0)?),
        user_code: row.get(1)?,
        client_id: row.get(2)?,
        scope: row.get(3)?,
    })
}

fn grant(row: &Row) -> Result<DeviceGrant, StoreError> {
    let answered: Option<i64> = row.get(6)?;
    let user: Option<String> = row.get(7)?;
    let answer = match (answered, user) {
        (None, _) => None,
        (Some(_), None) => Some(Answer::Denied),
        (Some(_), Some(user_id)) => Some(Answer::Allowed(Approval {
            user_id,
            auth_time: row.get(8)?,
            amr: row.get(9)?,
            acr: row.get(10)?,
            auth_rsn: row.get(11)?,
        })),
    };
    Ok(DeviceGrant {
        client_id: row.get(0)?,
        scope: row.get(1)?,
        audience: row.get(2)?,
        expires_at: row.get(3)?,
        answer,
        hasty: row.get::<i64>(4)? != 0,
        redeemed: session(row, 5)?,
    })
}

fn session(row: &Row, index: usize) -> Result<Option<Sid>, StoreError> {
    let sid: Option<String> = row.get(index)?;
    let broken = || StoreError::Broken("a device has a malformed session".to_owned());
    sid.map(|sid| Sid::parse(&sid).ok_or_else(broken)).transpose()
}
