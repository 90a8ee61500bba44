//! Ending sessions: each of these locks what it will change, appends its entries to the revocation log, and writes its
//! reason, in one transaction. What has ended before is left alone and appends nothing.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    super::{
        Param,
        dialect::{RowKey, lock_rows},
        wide::Wide,
    },
    Act, Row, StoreError, Tx,
    events::{self, Whose},
};
use crate::{
    domain::{
        audit::AuditEvent,
        revocation::Entry,
        rsn::Rsn,
        session::{EndReason, Sid},
        signin::SigninId,
    },
    store::{audit, notices, revocations},
};

/// What was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ended {
    /// How many sessions ended now; those that had ended before do not count. 0 for a sign-out everywhere, which ends
    /// them all without looking at them.
    pub sessions: usize,
    /// Position of the newest entry that was appended; `None` if no token was left to end.
    pub rsn: Option<Rsn>,
}

macro_rules! columns {
    () => {
        concat!(
            "SELECT sid, tenant, CASE WHEN ",
            super::stands!(),
            " THEN 1 ELSE 0 END, user_id, client_id, revoked_at, (SELECT COUNT(c.backchannel_logout_uri) FROM clients c \
             WHERE c.client_id = sessions.client_id) FROM sessions "
        )
    };
}

/// Signs out here: the sign-in and all its sessions.
///
/// # Errors
/// As any statement.
pub async fn end_signin(tx: &mut Tx, id: &SigninId, reason: EndReason, act: &Act) -> Result<Ended, StoreError> {
    const END: &str = "UPDATE signins SET revoked_at = $1, due_at = $1, revoked_reason = $2 WHERE id = $3 AND revoked_at IS NULL \
                       RETURNING user_id";
    const SESSIONS: &str = concat!(columns!(), "WHERE signin_id = $1 AND revoked_at IS NULL ORDER BY sid");
    let params = [act.now.into(), reason.as_str().into(), id.as_bytes().into()];
    // This locks the sign-in: no session is opened from here on.
    let Some(row) = tx.fetch_optional(END, &params).await? else { return Ok(Ended::default()) };
    let user_id: String = row.get(0)?;
    let open = open_sessions(tx, SESSIONS, &[id.as_bytes().into()]).await?;
    let whose = Whose { user_id: &user_id, client_id: None, sid: None };
    let event = events::ended(act, reason, whose);
    let ended = end_all(tx, &open, reason, &event, act).await?;
    audit::insert(tx, &event.with("sessions", ended.sessions)).await?;
    Ok(ended)
}

/// Ends every sign-in of a user but one, with all their sessions.
///
/// # Errors
/// As any statement.
pub async fn end_others(
    tx: &mut Tx,
    user_id: &str,
    kept: &SigninId,
    reason: EndReason,
    act: &Act,
) -> Result<Ended, StoreError> {
    const END: &str = "UPDATE signins SET revoked_at = $1, due_at = $1, revoked_reason = $2 \
                       WHERE user_id = $3 AND id <> $4 AND revoked_at IS NULL";
    const SESSIONS: &str =
        concat!(columns!(), "WHERE user_id = $1 AND signin_id <> $2 AND revoked_at IS NULL ORDER BY sid");
    lock_rows(tx, &mut [RowKey::User(user_id)]).await?;
    // This locks the sign-ins: no session is opened under them from here on.
    tx.execute(END, &[act.now.into(), reason.as_str().into(), user_id.into(), kept.as_bytes().into()]).await?;
    let open = open_sessions(tx, SESSIONS, &[user_id.into(), kept.as_bytes().into()]).await?;
    let event = events::ended(act, reason, Whose { user_id, client_id: None, sid: None });
    let ended = end_all(tx, &open, reason, &event, act).await?;
    audit::insert(tx, &event.with("sessions", ended.sessions)).await?;
    Ok(ended)
}

/// Ends one session.
///
/// # Errors
/// As any statement.
pub async fn end_session(tx: &mut Tx, sid: &Sid, reason: EndReason, act: &Act) -> Result<Ended, StoreError> {
    const SESSION: &str = concat!(columns!(), "WHERE sid = $1 AND revoked_at IS NULL");
    let Some(row) = tx.fetch_optional(SESSION, &[sid.as_str().into()]).await? else { return Ok(Ended::default()) };
    let open = open_session(&row)?;
    let event = events::ended(act, reason, open.whose());
    let ended = end_all(tx, std::slice::from_ref(&open), reason, &event, act).await?;
    if ended.sessions > 0 {
        audit::insert(tx, &event).await?;
    }
    Ok(ended)
}

/// Ends a user's sessions at one client: consent was withdrawn.
///
/// # Errors
/// As any statement.
pub async fn end_client_sessions(
    tx: &mut Tx,
    user_id: &str,
    client_id: &str,
    reason: EndReason,
    act: &Act,
) -> Result<Ended, StoreError> {
    const SESSIONS: &str =
        concat!(columns!(), "WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL ORDER BY sid");
    let open = open_sessions(tx, SESSIONS, &[user_id.into(), client_id.into()]).await?;
    let event = events::ended(act, reason, Whose { user_id, client_id: Some(client_id), sid: None });
    let ended = end_all(tx, &open, reason, &event, act).await?;
    if ended.sessions > 0 {
        audit::insert(tx, &event.with("sessions", ended.sessions)).await?;
    }
    Ok(ended)
}

/// Signs a user out everywhere: raises `min_rsn` and appends one entry, however many sessions there are. `None` if there
/// is no such user.
///
/// # Errors
/// As any statement.
pub async fn end_everywhere(
    tx: &mut Tx,
    user_id: &str,
    reason: EndReason,
    act: &Act,
) -> Result<Option<Ended>, StoreError> {
    const TENANT: &str = "SELECT tenant FROM users WHERE user_id = $1";
    let Some(row) = tx.fetch_optional(TENANT, &[user_id.into()]).await? else { return Ok(None) };
    let tenant: String = row.get(0)?;
    let entry = Entry::user(act.scope(&tenant), user_id, act.now, act.ttl_cap);
    let rsn = revocations::revoke_user(tx, act.now, user_id, &entry).await?;
    audit::insert(tx, &events::ended(act, reason, Whose { user_id, client_id: None, sid: None })).await?;
    Ok(Some(Ended { sessions: 0, rsn: Some(rsn) }))
}

/// A session that is about to end.
pub(in crate::store) struct OpenSession {
    sid: String,
    tenant: String,
    /// Not dead already through a `min_rsn` or a disabled user: only then do its tokens need an entry.
    stands: bool,
    user_id: String,
    client_id: String,
    over: bool,
    /// Its client wants to be told.
    hears: bool,
}

impl OpenSession {
    pub(in crate::store) fn sid(&self) -> &str {
        &self.sid
    }

    /// It has ended before.
    pub(in crate::store) fn is_over(&self) -> bool {
        self.over
    }

    pub(in crate::store) fn whose(&self) -> Whose<'_> {
        Whose { user_id: &self.user_id, client_id: Some(&self.client_id), sid: Some(&self.sid) }
    }
}

/// Those of these sessions that exist, ended ones included.
pub(in crate::store) async fn by_sids(tx: &mut Tx, sids: &[String]) -> Result<Vec<OpenSession>, StoreError> {
    static FIND: LazyLock<Wide> = LazyLock::new(|| Wide::keys(concat!(columns!(), "WHERE sid IN"), 0, ""));
    let mut found = Vec::with_capacity(sids.len());
    for (sql, piece) in FIND.pieces(sids) {
        let keys: Vec<Param<'_>> = piece.iter().map(Param::from).collect();
        found.extend(open_sessions(tx, sql, &keys).await?);
    }
    Ok(found)
}

/// Ends sessions whose rows are locked, and returns the entries that must be appended in this transaction: one for each
/// session that ends now and may have tokens out. The first number is how many end now.
pub(in crate::store) async fn mark(
    tx: &mut Tx,
    open: &[OpenSession],
    reason: EndReason,
    event: &AuditEvent,
    act: &Act,
) -> Result<(usize, Vec<Entry>), StoreError> {
    static END: LazyLock<Wide> = LazyLock::new(|| {
        let head = "UPDATE sessions SET revoked_at = $1, due_at = $1, revoked_reason = $2, revoked_detail = $3 \
                    WHERE revoked_at IS NULL AND sid IN";
        Wide::keys(head, 3, " RETURNING sid, at_exp")
    });
    let detail = event.clone().with("actor", &*act.source.actor).with("ip", &*act.source.ip).detail_json();
    let mut at_exp: HashMap<String, i64> = HashMap::with_capacity(open.len());
    for (sql, piece) in END.pieces(open) {
        let mut params: Vec<Param<'_>> = vec![act.now.into(), reason.as_str().into(), (&detail).into()];
        params.extend(piece.iter().map(|session| Param::from(&session.sid)));
        for row in tx.fetch_all(sql, &params).await? {
            at_exp.insert(row.get(0)?, row.get(1)?);
        }
    }
    let hear = open.iter().filter(|session| session.hears && session.stands && at_exp.contains_key(&session.sid));
    notices::add(tx, &hear.map(OpenSession::sid).collect::<Vec<_>>(), act.now).await?;
    // Tokens that are over, or dead through an entry of their user's, client's or tenant's, need none.
    let entry = |session: &OpenSession| {
        let at_exp = at_exp.get(&session.sid).filter(|_| session.stands)?;
        let entry = Entry::session(act.scope(&session.tenant), &session.sid, *at_exp);
        (entry.exp > act.now.secs()).then_some(entry)
    };
    Ok((at_exp.len(), open.iter().filter_map(entry).collect()))
}

async fn open_sessions(tx: &mut Tx, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<OpenSession>, StoreError> {
    tx.fetch_all(sql, params).await?.iter().map(open_session).collect()
}

fn open_session(row: &Row) -> Result<OpenSession, StoreError> {
    Ok(OpenSession {
        sid: row.get(0)?,
        tenant: row.get(1)?,
        stands: row.get::<i64>(2)? == 1,
        user_id: row.get(3)?,
        client_id: row.get(4)?,
        over: row.get::<Option<i64>>(5)?.is_some(),
        hears: row.get::<i64>(6)? > 0,
    })
}

/// Ends these sessions: all rows are locked before the log's head is.
async fn end_all(
    tx: &mut Tx,
    open: &[OpenSession],
    reason: EndReason,
    event: &AuditEvent,
    act: &Act,
) -> Result<Ended, StoreError> {
    let mut locks: Vec<_> = open.iter().map(|session| RowKey::Session(&session.sid)).collect();
    lock_rows(tx, &mut locks).await?;
    let (sessions, entries) = mark(tx, open, reason, event, act).await?;
    if entries.is_empty() {
        return Ok(Ended { sessions, rsn: None });
    }
    let rsn = revocations::append(tx, act.now, &entries).await?;
    Ok(Ended { sessions, rsn: Some(rsn) })
}
