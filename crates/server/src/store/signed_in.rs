//! Where a person is signed in: their open sign-ins, each with what was seen of it last.

use std::collections::BTreeMap;

use super::{
    Row, StoreError, Tx,
    sessions::{self, Act, signin_id},
};
use crate::domain::{session::EndReason, signin::SigninId, time::Timestamp};

/// An open sign-in, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub id: SigninId,
    /// The user agent, at most 256 bytes.
    pub device: String,
    pub ip: String,
    /// When it began; and when it, or one of its open sessions, was seen last.
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// Space-separated, RFC 8176.
    pub amr: String,
    /// The names of the clients that have an open session of it, each once, in order.
    pub clients: Vec<String>,
}

/// The open sign-ins of a user, those that began last first, at most `limit`. One that was idle for longer than `idle_since` and
/// has no open session is over.
///
/// # Errors
/// As any statement.
pub async fn list(
    tx: &mut Tx,
    user_id: &str,
    (now, idle_since): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<SignedIn>, StoreError> {
    const SQL: &str = "SELECT i.id, i.device, i.ip, i.created_at, i.last_seen_at, i.amr, \
        (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.signin_id = i.id AND s.revoked_at IS NULL AND s.expires_at > $1 \
         AND s.idle_expires_at > $1) \
        FROM signins i JOIN users u ON u.user_id = i.user_id JOIN tenants t ON t.tenant = u.tenant \
        WHERE i.user_id = $2 AND i.revoked_at IS NULL AND i.expires_at > $1 AND u.min_rsn <= i.auth_rsn \
        AND t.min_rsn <= i.auth_rsn ORDER BY i.created_at DESC, i.id LIMIT $3";
    let rows = tx.fetch_all(SQL, &[now.into(), user_id.into(), i64::from(limit).into()]).await?;
    let mut found = Vec::new();
    for row in &rows {
        let (signin, used) = signed_in(row)?;
        if used || signin.last_seen_at > idle_since {
            found.push(signin);
        }
    }
    let mut clients = clients(tx, user_id, now, limit).await?;
    for entry in &mut found {
        entry.clients = clients.remove(entry.id.as_bytes()).unwrap_or_default();
    }
    Ok(found)
}

/// Ends one of the user's sign-ins and all its sessions. False if they have none of that id.
///
/// # Errors
/// As any statement.
pub async fn end(tx: &mut Tx, user_id: &str, id: &SigninId, act: &Act) -> Result<bool, StoreError> {
    const OWN: &str = "SELECT user_id FROM signins WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL";
    // ADM-02: another person's sign-in is as unknown as one that does not exist.
    if tx.fetch_optional(OWN, &[id.as_bytes().into(), user_id.into()]).await?.is_none() {
        return Ok(false);
    }
    sessions::end_signin(tx, id, EndReason::Logout, act).await?;
    Ok(true)
}

/// The user's open sign-ins but one, at most `limit`.
///
/// # Errors
/// As any statement.
pub async fn others(
    tx: &mut Tx,
    user_id: &str,
    but: Option<&SigninId>,
    limit: u32,
) -> Result<Vec<SigninId>, StoreError> {
    const SQL: &str =
        "SELECT id FROM signins WHERE user_id = $1 AND revoked_at IS NULL AND id <> $2 ORDER BY id LIMIT $3";
    let but: &[u8] = but.map_or(&[], |id| id.as_bytes());
    let rows = tx.fetch_all(SQL, &[user_id.into(), but.into(), i64::from(limit).into()]).await?;
    rows.iter().map(|row| signin_id(row, 0)).collect()
}

fn signed_in(row: &Row) -> Result<(SignedIn, bool), StoreError> {
    let used: Option<Timestamp> = row.get(6)?;
    let seen: Timestamp = row.get(4)?;
    let signin = SignedIn {
        id: signin_id(row, 0)?,
        device: row.get(1)?,
        ip: row.get(2)?,
        created_at: row.get(3)?,
        last_seen_at: used.map_or(seen, |used| used.max(seen)),
        amr: row.get(5)?,
        clients: Vec::new(),
    };
    Ok((signin, used.is_some()))
}

/// The names of the clients of each of the newest sign-ins, in order.
async fn clients(
    tx: &mut Tx,
    user_id: &str,
    now: Timestamp,
    limit: u32,
) -> Result<BTreeMap<[u8; 32], Vec<String>>, StoreError> {
    const SQL: &str = "SELECT DISTINCT s.signin_id, c.name FROM (SELECT id FROM signins WHERE user_id = $1 \
        AND revoked_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id LIMIT $3) i \
        JOIN sessions s ON s.signin_id = i.id JOIN clients c ON c.client_id = s.client_id \
        WHERE s.revoked_at IS NULL AND s.expires_at > $2 AND s.idle_expires_at > $2 \
        AND c.disabled_at IS NULL AND c.min_rsn <= s.auth_rsn ORDER BY c.name";
    let mut clients: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for row in tx.fetch_all(SQL, &[user_id.into(), now.into(), i64::from(limit).into()]).await? {
        clients.entry(*signin_id(&row, 0)?.as_bytes()).or_default().push(row.get(1)?);
    }
    Ok(clients)
}
