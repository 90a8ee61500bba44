//! Sessions: opening one under R2's condition, renewing it without a refresh token, and telling about it.
//! Refreshing is in `refresh.rs`, ending in `end.rs`, what an access token may say in `authority.rs`.

mod authority;
mod basis;
pub(in crate::store) mod end;
pub(in crate::store) mod events;
mod granted;
mod list;
mod refresh;

pub use authority::{Authority, authority};
pub use basis::{Basis, basis};
pub use end::{Ended, end_client_sessions, end_everywhere, end_others, end_session, end_signin};
pub use granted::{Granted, granted};
pub use list::{Cursor, SessionInfo, find, list};
pub use refresh::{Refresh, Refreshed, Rotated, Successor, grant, refresh};

use std::time::Duration;

use super::{Row, StoreError, Tx};
use crate::domain::{
    audit::Source,
    revocation::Scope,
    rsn::Rsn,
    session::{Nonce, Sid},
    signin::SigninId,
    time::Timestamp,
};

/// Who does something, from where, and when: what a change to sessions leaves in the log and in the audit trail.
#[derive(Debug, Clone)]
pub struct Act {
    /// The issuer's URL (`iss`), part of every entry's name in the revocation log.
    pub issuer: String,
    /// The longest life of any access token (`access_token_ttl_cap`).
    pub ttl_cap: Duration,
    pub source: Source,
    pub device: String,
    /// Makes the ids of its events.
    pub random: [u8; 16],
    pub now: Timestamp,
}

impl Act {
    pub(in crate::store) fn scope<'a>(&'a self, tenant: &'a str) -> Scope<'a> {
        Scope { issuer: &self.issuer, tenant }
    }
}

/// R2 and "nobody is disabled", as a condition on a row of `sessions`. A refresh that waits for the row's lock while
/// somebody signs out everywhere may still see the old values: therefore `authority` asks again after the commit.
macro_rules! stands {
    () => {
        "EXISTS (SELECT 1 FROM users u WHERE u.user_id = sessions.user_id AND u.disabled_at IS NULL \
                 AND u.min_rsn <= sessions.auth_rsn) \
         AND EXISTS (SELECT 1 FROM clients c WHERE c.client_id = sessions.client_id AND c.disabled_at IS NULL \
                 AND c.min_rsn <= sessions.auth_rsn) \
         AND EXISTS (SELECT 1 FROM tenants t WHERE t.tenant = sessions.tenant AND t.min_rsn <= sessions.auth_rsn)"
    };
}
use stands;

/// A session to open. User, `auth_rsn` and the right to open one at all come from the sign-in.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub sid: Sid,
    pub signin: SigninId,
    pub client_id: String,
    pub tenant: String,
    /// Space-separated.
    pub scope: String,
    /// Space-separated.
    pub audience: String,
    pub dpop_jkt: Option<String>,
    /// The organisation that it speaks for. Whether its person is a member, `authority` says.
    pub organisation: Option<String>,
    /// The nonce of the first refresh token (generation 0).
    pub nonce: Nonce,
    /// `exp` of the first access token, Unix seconds.
    pub at_exp: i64,
    pub expires_at: Timestamp,
    pub idle_expires_at: Timestamp,
    pub now: Timestamp,
}

/// An opened session: whose it is, and the number its tokens inherit (R3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub user_id: String,
    pub auth_rsn: Rsn,
}

/// Opens a session of a live sign-in; `None` if the sign-in has ended, user or client are disabled, or one of user,
/// client and tenant was signed out everywhere since (R2). The sign-in's row is locked, so that a sign-out either sees the
/// new session or prevents it.
///
/// # Errors
/// `Conflict` if the sid exists; otherwise as any statement.
pub async fn open(tx: &mut Tx, new: &NewSession) -> Result<Option<Opened>, StoreError> {
    const ADMIT: &str = "UPDATE signins SET last_seen_at = $1 \
        WHERE id = $2 AND revoked_at IS NULL AND expires_at > $1 \
        AND EXISTS (SELECT 1 FROM users u WHERE u.user_id = signins.user_id AND u.tenant = $3 \
                    AND u.disabled_at IS NULL AND u.min_rsn <= signins.auth_rsn) \
        AND EXISTS (SELECT 1 FROM clients c WHERE c.client_id = $4 AND c.tenant = $3 \
                    AND c.disabled_at IS NULL AND c.min_rsn <= signins.auth_rsn) \
        AND EXISTS (SELECT 1 FROM tenants t WHERE t.tenant = $3 AND t.min_rsn <= signins.auth_rsn) \
        RETURNING user_id, auth_rsn, auth_time, amr, acr";
    const INSERT: &str = "INSERT INTO sessions (sid, signin_id, user_id, client_id, tenant, scope, audience, auth_rsn, \
        auth_time, amr, acr, nonce, prev_nonce, at_exp, created_at, last_seen_at, expires_at, idle_expires_at, dpop_jkt, \
        organisation, due_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18, $19, $20)";
    let admit = [new.now.into(), new.signin.as_bytes().into(), (&new.tenant).into(), (&new.client_id).into()];
    let Some(row) = tx.fetch_optional(ADMIT, &admit).await? else { return Ok(None) };
    let opened = Opened { user_id: row.get(0)?, auth_rsn: Rsn::new(row.get(1)?) };
    // Kept with the session: a later sign-in of the same browser says nothing about this one (MFA-06).
    let (auth_time, amr, acr): (Timestamp, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let insert = [
        new.sid.as_str().into(),
        new.signin.as_bytes().into(),
        (&opened.user_id).into(),
        (&new.client_id).into(),
        (&new.tenant).into(),
        (&new.scope).into(),
        (&new.audience).into(),
        opened.auth_rsn.get().into(),
        auth_time.into(),
        (&amr).into(),
        (&acr).into(),
        new.nonce.expose().into(),
        (&[0; Nonce::BYTES]).into(),
        new.at_exp.into(),
        new.now.into(),
        new.expires_at.into(),
        new.idle_expires_at.into(),
        new.dpop_jkt.as_deref().into(),
        new.organisation.as_deref().into(),
        new.expires_at.min(new.idle_expires_at).into(),
    ];
    tx.execute(INSERT, &insert).await?;
    Ok(Some(opened))
}

/// Notes what UserInfo tells the session's client besides the claims of its scope: names, space-separated.
///
/// # Errors
/// As any statement.
pub async fn tell(tx: &mut Tx, sid: &Sid, claims: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE sessions SET claims = $1 WHERE sid = $2";
    tx.execute(SQL, &[claims.into(), sid.as_str().into()]).await.map(|_| ())
}

/// Notes for which organisation the session speaks from now on.
///
/// # Errors
/// As any statement.
pub async fn speak_for(tx: &mut Tx, sid: &Sid, organisation: Option<&str>) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE sessions SET organisation = $1 WHERE sid = $2";
    tx.execute(SQL, &[organisation.into(), sid.as_str().into()]).await.map(|_| ())
}

/// A renewal without a refresh token: the browser's sign-in cookie asks for a new access token of its session.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// A sign-in that was found good in this transaction.
    pub signin: SigninId,
    pub client_id: String,
    pub at_exp: i64,
    pub idle_expires_at: Timestamp,
    pub now: Timestamp,
}

/// Renews the oldest open session of a sign-in at a client: its access tokens may live until `at_exp` now. Rotates
/// nothing. `None` if there is none that stands.
///
/// # Errors
/// As any statement.
pub async fn renew(tx: &mut Tx, renewal: &Renewal) -> Result<Option<Sid>, StoreError> {
    const SQL: &str = concat!(
        "UPDATE sessions SET at_exp = CASE WHEN at_exp < $1 THEN $1 ELSE at_exp END, last_seen_at = $2, \
         idle_expires_at = $3 WHERE sid = (SELECT s.sid FROM sessions s WHERE s.signin_id = $4 AND s.client_id = $5 \
         AND s.revoked_at IS NULL AND s.expires_at > $2 AND s.idle_expires_at > $2 ORDER BY s.created_at, s.sid LIMIT 1) \
         AND revoked_at IS NULL AND ",
        stands!(),
        " RETURNING sid"
    );
    let params = [
        renewal.at_exp.into(),
        renewal.now.into(),
        renewal.idle_expires_at.into(),
        renewal.signin.as_bytes().into(),
        (&renewal.client_id).into(),
    ];
    let Some(row) = tx.fetch_optional(SQL, &params).await? else { return Ok(None) };
    let sid =
        Sid::parse(&row.get::<String>(0)?).ok_or_else(|| StoreError::Broken("a stored sid is malformed".into()))?;
    Ok(Some(sid))
}

pub(in crate::store) fn signin_id(row: &Row, index: usize) -> Result<SigninId, StoreError> {
    SigninId::from_bytes(&row.get::<Vec<u8>>(index)?)
        .ok_or_else(|| StoreError::Broken("a stored sign-in id is malformed".into()))
}
