//! Ending sessions: each of these locks what it will change, appends its entries to the revocation log, and writes its
//! reason, in one transaction. What has ended before is left alone and appends nothing.

use super::{
    super::dialect::{RowKey, lock_rows},
    Act, StoreError, Tx,
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
    store::{audit, revocations},
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

/// Signs out here: the sign-in and all its sessions.
///
/// # Errors
/// As any statement.
pub async fn end_signin(tx: &mut Tx, id: &SigninId, reason: EndReason, act: &Act) -> Result<Ended, StoreError> {
    const END: &str = "UPDATE signins SET revoked_at = $1, revoked_reason = $2 WHERE id = $3 AND revoked_at IS NULL \
                       RETURNING user_id";
    const SESSIONS: &str = concat!(
        "SELECT sid, tenant, CASE WHEN ",
        super::stands!(),
        " THEN 1 ELSE 0 END FROM sessions WHERE signin_id = $1 AND revoked_at IS NULL ORDER BY sid"
    );
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

/// Ends one session.
///
/// # Errors
/// As any statement.
pub async fn end_session(tx: &mut Tx, sid: &Sid, reason: EndReason, act: &Act) -> Result<Ended, StoreError> {
    const SESSION: &str = concat!(
        "SELECT sid, tenant, CASE WHEN ",
        super::stands!(),
        " THEN 1 ELSE 0 END, user_id, client_id FROM sessions WHERE sid = $1 AND revoked_at IS NULL"
    );
    let Some(row) = tx.fetch_optional(SESSION, &[sid.as_str().into()]).await? else { return Ok(Ended::default()) };
    let open = OpenSession { sid: row.get(0)?, tenant: row.get(1)?, stands: row.get::<i64>(2)? == 1 };
    let (user_id, client_id): (String, String) = (row.get(3)?, row.get(4)?);
    let whose = Whose { user_id: &user_id, client_id: Some(&client_id), sid: Some(sid.as_str()) };
    let event = events::ended(act, reason, whose);
    let ended = end_all(tx, &[open], reason, &event, act).await?;
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
    const SESSIONS: &str = concat!(
        "SELECT sid, tenant, CASE WHEN ",
        super::stands!(),
        " THEN 1 ELSE 0 END FROM sessions WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL ORDER BY sid"
    );
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

struct OpenSession {
    sid: String,
    tenant: String,
    /// Not dead already through a `min_rsn` or a disabled user: only then do its tokens need an entry.
    stands: bool,
}

async fn open_sessions(
    tx: &mut Tx,
    sql: &'static str,
    params: &[super::super::Param<'_>],
) -> Result<Vec<OpenSession>, StoreError> {
    let rows = tx.fetch_all(sql, params).await?;
    let open =
        |row: &super::Row| Ok(OpenSession { sid: row.get(0)?, tenant: row.get(1)?, stands: row.get::<i64>(2)? == 1 });
    rows.iter().map(open).collect()
}

/// Ends these sessions, in the order of their sids: all rows are locked before the log's head is.
async fn end_all(
    tx: &mut Tx,
    open: &[OpenSession],
    reason: EndReason,
    event: &AuditEvent,
    act: &Act,
) -> Result<Ended, StoreError> {
    const END: &str = "UPDATE sessions SET revoked_at = $1, revoked_reason = $2, revoked_detail = $3 \
                       WHERE sid = $4 AND revoked_at IS NULL RETURNING at_exp";
    let mut locks: Vec<_> = open.iter().map(|session| RowKey::Session(&session.sid)).collect();
    lock_rows(tx, &mut locks).await?;
    let detail = event.clone().with("actor", &*act.source.actor).with("ip", &*act.source.ip).detail_json();
    let (mut sessions, mut entries) = (0, Vec::new());
    for session in open {
        let params = [act.now.into(), reason.as_str().into(), (&detail).into(), (&session.sid).into()];
        let Some(row) = tx.fetch_optional(END, &params).await? else { continue };
        sessions += 1;
        let entry = Entry::session(act.scope(&session.tenant), &session.sid, row.get(0)?);
        // Tokens that are over, or dead through an entry of their user's, client's or tenant's, need none.
        if session.stands && entry.exp > act.now.secs() {
            entries.push(entry);
        }
    }
    if entries.is_empty() {
        return Ok(Ended { sessions, rsn: None });
    }
    let rsn = revocations::append(tx, act.now, &entries).await?;
    Ok(Ended { sessions, rsn: Some(rsn) })
}
