//! Telling about sessions: to their owner, to an administrator, to support.

use std::str::FromStr;

use super::{Row, StoreError, Tx};
use crate::domain::{session::Sid, signin::SigninId, time::Timestamp};

/// A session as its owner and an administrator may see it: no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    pub sid: String,
    pub signin: SigninId,
    pub user_id: String,
    pub client_id: String,
    /// Space-separated.
    pub scope: String,
    /// Space-separated.
    pub audience: String,
    pub generation: i64,
    /// Shares of the current generation, and generations in which anything was shared.
    pub shares: i64,
    pub shared_gens: i64,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub idle_expires_at: Timestamp,
    /// When it was ended, the word of `EndReason`, and "why was I signed out?" as a JSON object.
    pub revoked_at: Option<Timestamp>,
    pub revoked_reason: Option<String>,
    pub revoked_detail: Option<String>,
    /// The user, the client or the tenant has been signed out everywhere since, or is disabled.
    pub signed_out: bool,
    /// Device and address of the sign-in.
    pub device: String,
    pub ip: String,
}

/// Where a page of sessions ends and the next begins: newest first, by the time they were opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    created_at: Timestamp,
    sid: String,
}

impl Cursor {
    /// The cursor behind this session, for `?after=`.
    pub fn behind(session: &SessionInfo) -> Self {
        Self { created_at: session.created_at, sid: session.sid.clone() }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.created_at.micros(), self.sid)
    }
}

/// The text is not a cursor that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (created_at, sid) = text.split_once('.').ok_or(BadCursor)?;
        let micros: i64 = created_at.parse().map_err(|_| BadCursor)?;
        let sid = Sid::parse(sid).ok_or(BadCursor)?;
        Ok(Self { created_at: Timestamp::from_micros(micros), sid: sid.as_str().to_owned() })
    }
}

macro_rules! columns {
    () => {
        "SELECT sessions.sid, signin_id, sessions.user_id, client_id, scope, audience, gen, shares, shared_gens, \
         sessions.created_at, sessions.last_seen_at, sessions.expires_at, idle_expires_at, sessions.revoked_at, \
         sessions.revoked_reason, revoked_detail, CASE WHEN "
    };
}

macro_rules! from {
    () => {
        " THEN 0 ELSE 1 END, COALESCE(i.device, ''), COALESCE(i.ip, '') \
         FROM sessions LEFT JOIN signins i ON i.id = sessions.signin_id WHERE "
    };
}

/// A user's sessions, the newest first, ended ones included; at most `limit` behind the cursor.
///
/// # Errors
/// As any statement.
pub async fn list(
    tx: &mut Tx,
    user_id: &str,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<SessionInfo>, StoreError> {
    const SQL: &str = concat!(
        columns!(),
        super::stands!(),
        from!(),
        "sessions.user_id = $1 AND (sessions.created_at < $2 OR (sessions.created_at = $2 AND sessions.sid < $3)) \
         ORDER BY sessions.created_at DESC, sessions.sid DESC LIMIT $4"
    );
    let (created_at, sid) = after.map_or((i64::MAX, ""), |cursor| (cursor.created_at.micros(), &*cursor.sid));
    let rows = tx.fetch_all(SQL, &[user_id.into(), created_at.into(), sid.into(), limit.into()]).await?;
    rows.iter().map(info).collect()
}

/// One session.
///
/// # Errors
/// As any statement.
pub async fn find(tx: &mut Tx, sid: &Sid) -> Result<Option<SessionInfo>, StoreError> {
    const SQL: &str = concat!(columns!(), super::stands!(), from!(), "sessions.sid = $1");
    tx.fetch_optional(SQL, &[sid.as_str().into()]).await?.map(|row| info(&row)).transpose()
}

fn info(row: &Row) -> Result<SessionInfo, StoreError> {
    Ok(SessionInfo {
        sid: row.get(0)?,
        signin: super::signin_id(row, 1)?,
        user_id: row.get(2)?,
        client_id: row.get(3)?,
        scope: row.get(4)?,
        audience: row.get(5)?,
        generation: row.get(6)?,
        shares: row.get(7)?,
        shared_gens: row.get(8)?,
        created_at: row.get(9)?,
        last_seen_at: row.get(10)?,
        expires_at: row.get(11)?,
        idle_expires_at: row.get(12)?,
        revoked_at: row.get(13)?,
        revoked_reason: row.get(14)?,
        revoked_detail: row.get(15)?,
        signed_out: row.get::<i64>(16)? == 1,
        device: row.get(17)?,
        ip: row.get(18)?,
    })
}
