//! The refresh: rule A and rule B of `domain/refresh.rs` as one guarded statement each, and what a refusal writes.
//!
//! A statement that matches has decided and acted at once, whoever else shows a token at the same moment. Where none
//! matches, the row is read, the rule says why, and only a theft changes anything.

use std::{sync::LazyLock, time::Duration};

use super::{super::Param, Act, Row, StoreError, Tx, events, stands};
use crate::domain::{
    refresh::{Attempt, Family, Grant, Outcome, Reason, Refusal, Reuse, Session, decide},
    refresh_token::Presented,
    revocation::Entry,
    rsn::{MinRsn, Rsn},
    session::{EndReason, Nonce},
    signin::SigninId,
    time::{Timestamp, micros},
};
use crate::store::{
    audit,
    each::{Each, Kind},
    notices, revocations,
};

/// One use of a refresh token, with all that its transaction needs.
#[derive(Debug, Clone)]
pub struct Refresh {
    pub presented: Presented,
    /// The client that was authenticated or, if public, named.
    pub client_id: String,
    /// Thumbprint of the key of the DPoP proof that came along.
    pub dpop_jkt: Option<String>,
    pub successor: Successor,
    /// `refresh.grace`; 0: every token is good for one use.
    pub grace: Duration,
    /// How long the session may now be left alone.
    pub idle: Duration,
    /// `exp` of the access token that will be signed, Unix seconds; it may be smaller in the end, never larger.
    pub at_exp: i64,
    pub act: Act,
}

/// The nonce of the successor, should one be needed.
#[derive(Debug, Clone)]
pub enum Successor {
    /// Drawn by the server (rule A).
    Drawn(Nonce),
    /// What the client's `next_nonce` commits it to (rule B): [`Nonce::from_next_nonce`].
    Committed(Nonce),
}

impl Successor {
    fn nonce(&self) -> &Nonce {
        match self {
            Self::Drawn(nonce) | Self::Committed(nonce) => nonce,
        }
    }

    fn committed(&self) -> Option<&Nonce> {
        match self {
            Self::Drawn(_) => None,
            Self::Committed(nonce) => Some(nonce),
        }
    }
}

/// What a refresh came to. Both are committed.
#[derive(Debug, Clone)]
pub enum Refreshed {
    Granted(Box<Rotated>),
    Refused(Refusal),
}

/// A granted refresh: the token that the client holds from now on, and the session it belongs to.
#[derive(Debug, Clone)]
pub struct Rotated {
    pub grant: Grant,
    pub generation: i64,
    pub nonce: Nonce,
    pub user_id: String,
    pub tenant: String,
    pub signin: SigninId,
    /// Space-separated.
    pub scope: String,
    /// Space-separated.
    pub audience: String,
    pub auth_rsn: Rsn,
    pub dpop_jkt: Option<String>,
    pub expires_at: Timestamp,
}

/// How often a refusal is looked at again because the session changed in between. Each time, somebody else succeeded.
const ATTEMPTS: usize = 8;

/// Uses a refresh token, if it is granted; `None`, and nothing is changed, if it is refused: [`refresh`] then says why, and
/// does what a refusal does.
///
/// # Errors
/// As any statement.
pub async fn grant(tx: &mut Tx, refresh: &Refresh) -> Result<Option<Box<Rotated>>, StoreError> {
    let Some(rotated) = rotate(tx, refresh).await? else { return Ok(None) };
    events::shared(tx, &refresh.act, &refresh.presented, &rotated).await?;
    Ok(Some(Box::new(rotated.session)))
}

/// Uses a refresh token. Whatever it comes to must be committed: a refusal may have ended the session.
///
/// # Errors
/// As any statement; `Unavailable` if the session changes faster than it can be read.
pub async fn refresh(tx: &mut Tx, refresh: &Refresh) -> Result<Refreshed, StoreError> {
    for _ in 0..ATTEMPTS {
        if let Some(rotated) = grant(tx, refresh).await? {
            return Ok(Refreshed::Granted(rotated));
        }
        if let Some(refusal) = refuse(tx, refresh).await? {
            return Ok(Refreshed::Refused(refusal));
        }
    }
    Err(StoreError::unavailable("a session changes faster than it can be read"))
}

macro_rules! returning {
    () => {
        " RETURNING outcome, gen, nonce, user_id, tenant, signin_id, scope, audience, auth_rsn, dpop_jkt, expires_at, \
         shares, shared_gens"
    };
}

/// Rule A. `outcome` is [`Grant::code`]. Between `$2` and `$3`, one grace before and after now, the last rotation counts as
/// young; with a grace of 0 none does. (One that seems to lie further ahead was written by a clock that was set back.)
const RULE_A: &str = concat!(
    "UPDATE sessions SET \
     outcome = CASE WHEN rotated_at > $1 AND rotated_at < $2 THEN CASE WHEN gen = $3 THEN 2 ELSE 3 END \
               WHEN gen = $3 THEN 1 ELSE 4 END, \
     gen = CASE WHEN rotated_at > $1 AND rotated_at < $2 THEN gen ELSE $3 + 1 END, \
     prev_nonce = CASE WHEN rotated_at > $1 AND rotated_at < $2 THEN prev_nonce ELSE $4 END, \
     nonce = CASE WHEN rotated_at > $1 AND rotated_at < $2 THEN nonce ELSE $5 END, \
     used = CASE WHEN NOT (rotated_at > $1 AND rotated_at < $2) THEN 0 WHEN gen = $3 THEN 1 ELSE used END, \
     shared_gens = CASE WHEN rotated_at > $1 AND rotated_at < $2 AND gen <> $3 AND shares = 0 THEN shared_gens + 1 \
                   ELSE shared_gens END, \
     shares = CASE WHEN rotated_at > $1 AND rotated_at < $2 THEN CASE WHEN gen = $3 THEN shares ELSE shares + 1 END \
              WHEN gen = $3 THEN 0 ELSE shares END, \
     rotated_at = CASE WHEN rotated_at > $1 AND rotated_at < $2 THEN rotated_at ELSE $6 END, \
     at_exp = CASE WHEN at_exp < $7 THEN $7 ELSE at_exp END, last_seen_at = $6, idle_expires_at = $8 \
     WHERE sid = $9 AND client_id = $10 AND revoked_at IS NULL AND expires_at > $6 AND idle_expires_at > $6 \
     AND (dpop_jkt IS NULL OR dpop_jkt = $11) AND committed = 0 \
     AND ((gen = $3 AND nonce = $4) \
          OR (gen = $3 + 1 AND prev_nonce = $4 \
              AND ((rotated_at > $1 AND rotated_at < $2) OR (used = 0 AND $1 < $6)))) AND ",
    stands!(),
    returning!()
);

/// Rule B: the client named its successor. The current token rotates at any time; its parent gets the successor it named
/// before. On a session that was not committed yet, a parent is still served as rule A serves it.
const RULE_B: &str = concat!(
    "UPDATE sessions SET \
     outcome = CASE WHEN rotated_at > $1 AND rotated_at < $2 AND committed = 0 AND gen <> $3 THEN 3 \
               WHEN gen = $3 THEN 1 WHEN committed = 1 THEN 5 ELSE 4 END, \
     gen = $3 + 1, prev_nonce = $4, \
     nonce = CASE WHEN gen <> $3 AND committed = 0 AND rotated_at > $1 AND rotated_at < $2 THEN nonce ELSE $5 END, \
     used = CASE WHEN gen <> $3 AND (committed = 1 OR (rotated_at > $1 AND rotated_at < $2)) THEN used ELSE 0 END, \
     shared_gens = CASE WHEN gen <> $3 AND committed = 0 AND rotated_at > $1 AND rotated_at < $2 AND shares = 0 \
                   THEN shared_gens + 1 ELSE shared_gens END, \
     shares = CASE WHEN gen = $3 THEN 0 \
              WHEN committed = 0 AND rotated_at > $1 AND rotated_at < $2 THEN shares + 1 ELSE shares END, \
     rotated_at = CASE WHEN gen <> $3 AND (committed = 1 OR (rotated_at > $1 AND rotated_at < $2)) THEN rotated_at \
                  ELSE $6 END, \
     committed = CASE WHEN gen <> $3 AND rotated_at > $1 AND rotated_at < $2 THEN committed ELSE 1 END, \
     at_exp = CASE WHEN at_exp < $7 THEN $7 ELSE at_exp END, last_seen_at = $6, idle_expires_at = $8 \
     WHERE sid = $9 AND client_id = $10 AND revoked_at IS NULL AND expires_at > $6 AND idle_expires_at > $6 \
     AND (dpop_jkt IS NULL OR dpop_jkt = $11) \
     AND ((gen = $3 AND nonce = $4) \
          OR (gen = $3 + 1 AND prev_nonce = $4 \
              AND ((committed = 1 AND nonce = $5) \
                   OR (committed = 0 AND ((rotated_at > $1 AND rotated_at < $2) OR (used = 0 AND $1 < $6)))))) AND ",
    stands!(),
    returning!()
);

/// What the parameters of both rules are.
const KINDS: [Kind; 11] = {
    use Kind::{Blob, Int, Text};
    [Int, Int, Int, Blob, Blob, Int, Int, Int, Text, Text, Text]
};

/// A row that a guarded statement changed.
pub(super) struct RotatedRow {
    pub session: Rotated,
    pub shares: i64,
    pub shared_gens: i64,
}

async fn rotate(tx: &mut Tx, refresh: &Refresh) -> Result<Option<RotatedRow>, StoreError> {
    static A: LazyLock<Each> = LazyLock::new(|| Each::new(RULE_A, &KINDS));
    static B: LazyLock<Each> = LazyLock::new(|| Each::new(RULE_B, &KINDS));
    let rule = match refresh.successor {
        Successor::Drawn(_) => &A,
        Successor::Committed(_) => &B,
    };
    let (now, grace) = (refresh.act.now.micros(), micros(refresh.grace));
    let params: [Param<'_>; 11] = [
        now.saturating_sub(grace).into(),
        now.saturating_add(grace).into(),
        refresh.presented.generation().into(),
        refresh.presented.nonce().expose().into(),
        refresh.successor.nonce().expose().into(),
        now.into(),
        refresh.at_exp.into(),
        refresh.act.now.plus(refresh.idle).into(),
        refresh.presented.sid().as_str().into(),
        (&refresh.client_id).into(),
        refresh.dpop_jkt.as_deref().into(),
    ];
    tx.fetch_each(rule, &params).await?.map(|row| rotated(&row)).transpose()
}

fn rotated(row: &Row) -> Result<RotatedRow, StoreError> {
    let session = Rotated {
        grant: Grant::from_code(row.get(0)?).ok_or_else(|| StoreError::Broken("unknown refresh outcome".into()))?,
        generation: row.get(1)?,
        nonce: Nonce::new(row.get(2)?),
        user_id: row.get(3)?,
        tenant: row.get(4)?,
        signin: super::signin_id(row, 5)?,
        scope: row.get(6)?,
        audience: row.get(7)?,
        auth_rsn: Rsn::new(row.get(8)?),
        dpop_jkt: row.get(9)?,
        expires_at: row.get(10)?,
    };
    Ok(RotatedRow { session, shares: row.get(11)?, shared_gens: row.get(12)? })
}

/// Why no statement matched, and the end of the session if it was a theft; `None` if the session changed in between.
async fn refuse(tx: &mut Tx, refresh: &Refresh) -> Result<Option<Refusal>, StoreError> {
    let Some(stored) = stored(tx, refresh.presented.sid().as_str()).await? else {
        return Ok(Some(Reason::Unknown.into()));
    };
    let attempt = Attempt {
        presented: &refresh.presented,
        client_id: &refresh.client_id,
        dpop_jkt: refresh.dpop_jkt.as_deref(),
        next: refresh.successor.committed(),
        now: refresh.act.now,
    };
    let Outcome::Refuse(refusal) = decide(&stored.session, &attempt, refresh.grace) else { return Ok(None) };
    let settled = match &refusal.revoke {
        Some(reuse) => kill(tx, refresh, &stored, reuse).await?,
        None => true,
    };
    match refusal.reason {
        Reason::Future => events::future(tx, &refresh.act, &refresh.presented, &stored).await?,
        Reason::OtherKey => events::other_key(tx, &refresh.act, &refresh.presented, &stored).await?,
        _ => {}
    }
    Ok(settled.then_some(refusal))
}

/// A session as it is stored, for the rule to decide about.
pub(super) struct Stored {
    pub session: Session,
    pub user_id: String,
    pub tenant: String,
}

async fn stored(tx: &mut Tx, sid: &str) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "SELECT s.client_id, s.dpop_jkt, s.revoked_at, s.auth_rsn, s.expires_at, s.idle_expires_at, s.gen, \
        s.nonce, s.prev_nonce, s.used, s.shares, s.shared_gens, s.rotated_at, s.committed, s.user_id, s.tenant, \
        u.min_rsn, u.disabled_at, c.min_rsn, c.disabled_at, t.min_rsn \
        FROM sessions s LEFT JOIN users u ON u.user_id = s.user_id LEFT JOIN clients c ON c.client_id = s.client_id \
        LEFT JOIN tenants t ON t.tenant = s.tenant WHERE s.sid = $1";
    let Some(row) = tx.fetch_optional(SQL, &[sid.into()]).await? else { return Ok(None) };
    // Without its row nobody has authority: as good as disabled.
    let of = |index| row.get::<Option<i64>>(index);
    let (user, client, tenant) = (of(16)?, of(18)?, of(20)?);
    let gone = user.is_none() || client.is_none() || tenant.is_none();
    let rsn = |value: Option<i64>| Rsn::new(value.unwrap_or(i64::MAX));
    let session = Session {
        client_id: row.get(0)?,
        dpop_jkt: row.get(1)?,
        revoked: of(2)?.is_some(),
        disabled: gone || of(17)?.is_some() || of(19)?.is_some(),
        auth_rsn: Rsn::new(row.get(3)?),
        min_rsn: MinRsn { user: rsn(user), client: rsn(client), tenant: rsn(tenant) },
        expires_at: row.get(4)?,
        idle_expires_at: row.get(5)?,
        family: family(&row)?,
    };
    Ok(Some(Stored { session, user_id: row.get(14)?, tenant: row.get(15)? }))
}

fn family(row: &Row) -> Result<Family, StoreError> {
    Ok(Family {
        generation: row.get(6)?,
        nonce: Nonce::new(row.get(7)?),
        prev_nonce: Nonce::new(row.get(8)?),
        used: row.get::<i64>(9)? != 0,
        shares: row.get(10)?,
        shared_gens: row.get(11)?,
        rotated_at: row.get(12)?,
        committed: row.get::<i64>(13)? != 0,
    })
}

/// Ends a session whose token was reused: guarded by the state that was judged, in one transaction with its entry in the
/// revocation log and its security event. False if the session changed since it was read.
async fn kill(tx: &mut Tx, refresh: &Refresh, stored: &Stored, reuse: &Reuse) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE sessions SET revoked_at = $1, due_at = $1, revoked_reason = $2, revoked_detail = $3 \
        WHERE sid = $4 AND gen = $5 AND nonce = $6 AND used = $7 AND revoked_at IS NULL RETURNING at_exp";
    let (act, sid) = (&refresh.act, refresh.presented.sid().as_str());
    let family = &stored.session.family;
    let event = events::reused(act, &refresh.presented, stored, reuse);
    let detail = event.detail_json();
    let params = [
        act.now.into(),
        EndReason::Reuse.as_str().into(),
        (&detail).into(),
        sid.into(),
        family.generation.into(),
        family.nonce.expose().into(),
        i64::from(family.used).into(),
    ];
    let Some(row) = tx.fetch_optional(SQL, &params).await? else { return Ok(false) };
    notices::add(tx, &[sid], act.now).await?;
    let entry = Entry::session(act.scope(&stored.tenant), sid, row.get(0)?);
    // Tokens that are over need no entry.
    if entry.exp > act.now.secs() {
        revocations::append(tx, act.now, &[entry]).await?;
    }
    audit::insert(tx, &event).await?;
    Ok(true)
}
