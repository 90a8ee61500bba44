//! Clients that must hear that a session of theirs has ended, until they have (RLO-04): a row is written in the transaction
//! that ends the session, so none is forgotten.

use std::{sync::LazyLock, time::Duration};

use super::{
    Param, StoreError, Tx,
    outbox::{NOTICES, Turn},
    wide::Wide,
};
use crate::domain::{subject::Sector, time::Timestamp};

/// A client that is about to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub sid: String,
    pub user_id: String,
    pub client_id: String,
    /// Where it takes logout tokens; `None`: it does not any more.
    pub uri: Option<String>,
    /// JWS algorithm of its ID tokens, and so of its logout tokens.
    pub alg: Option<String>,
    /// It knows people by pairwise ids of this sector.
    pub sector: Option<Sector>,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// Notes that the clients of these sessions must be told, those that want to be.
///
/// # Errors
/// As any statement.
pub(in crate::store) async fn add(tx: &mut Tx, sids: &[&str], now: Timestamp) -> Result<(), StoreError> {
    static ADD: LazyLock<Wide> = LazyLock::new(|| {
        let head = "INSERT INTO notices (next_at, created_at, attempts, sid, user_id, client_id) \
                    SELECT CAST($1 AS bigint), CAST($1 AS bigint), 0, s.sid, s.user_id, s.client_id FROM sessions s \
                    JOIN clients c ON c.client_id = s.client_id \
                    WHERE c.backchannel_logout_uri IS NOT NULL AND s.sid IN";
        Wide::keys(head, 1, " ON CONFLICT (sid) DO NOTHING")
    });
    each(tx, &ADD, sids, now).await
}

/// The same for every session of these users, before all of them end at once. It begins with the clients that want to hear, and
/// so costs the same however many sessions a user has.
///
/// # Errors
/// As any statement.
pub(in crate::store) async fn add_of_users(tx: &mut Tx, users: &[&str], now: Timestamp) -> Result<(), StoreError> {
    // PostgreSQL plans the join below anew each time, which takes four times as long as this question.
    const ANY: &str = "SELECT client_id FROM clients WHERE backchannel_logout_uri > '' LIMIT 1";
    static ADD: LazyLock<Wide> = LazyLock::new(|| {
        let head = "INSERT INTO notices (next_at, created_at, attempts, sid, user_id, client_id) \
                    SELECT CAST($1 AS bigint), CAST($1 AS bigint), 0, s.sid, s.user_id, s.client_id FROM clients c \
                    CROSS JOIN sessions s CROSS JOIN users u WHERE c.backchannel_logout_uri > '' \
                    AND s.client_id = c.client_id AND u.user_id = s.user_id AND s.revoked_at IS NULL AND s.expires_at > $1 \
                    AND s.auth_rsn >= u.min_rsn AND s.user_id IN";
        Wide::keys(head, 1, " ON CONFLICT (sid) DO NOTHING")
    });
    if users.is_empty() || tx.fetch_optional(ANY, &[]).await?.is_none() {
        return Ok(());
    }
    each(tx, &ADD, users, now).await
}

async fn each(tx: &mut Tx, add: &'static Wide, keys: &[&str], now: Timestamp) -> Result<(), StoreError> {
    for (sql, piece) in add.pieces(keys) {
        let mut params: Vec<Param<'_>> = vec![now.into()];
        params.extend(piece.iter().map(|key| Param::from(*key)));
        tx.send(sql, &params).await?;
    }
    Ok(())
}

/// Takes up to `limit` notices that are due, for this caller to deliver. Each is due again later, n² steps after the n-th
/// attempt, unless it is done; so whoever takes one and dies loses nothing.
///
/// # Errors
/// As any statement.
pub async fn take(tx: &mut Tx, now: Timestamp, step: Duration, limit: u32) -> Result<Vec<Notice>, StoreError> {
    static FIND: LazyLock<Wide> = LazyLock::new(|| {
        let head = "SELECT n.sid, n.user_id, n.client_id, c.backchannel_logout_uri, c.id_token_alg, n.attempts, c.sector \
                    FROM notices n LEFT JOIN clients c ON c.client_id = n.client_id AND c.disabled_at IS NULL \
                    WHERE n.sid IN";
        Wide::keys(head, 0, "")
    });
    let sids = NOTICES.take(tx, Turn { now, lease: Duration::ZERO, step, limit }).await?;
    let mut notices = Vec::with_capacity(sids.len());
    for (sql, piece) in FIND.pieces(&sids) {
        for row in tx.fetch_all(sql, &piece.iter().map(Param::from).collect::<Vec<_>>()).await? {
            let sector: Option<String> = row.get(6)?;
            let sector = sector.as_deref().map(Sector::parse).transpose();
            notices.push(Notice {
                sector: sector.map_err(|_| StoreError::Broken("a stored sector is malformed".into()))?,
                sid: row.get(0)?,
                user_id: row.get(1)?,
                client_id: row.get(2)?,
                uri: row.get(3)?,
                alg: row.get(4)?,
                attempts: row.get(5)?,
            });
        }
    }
    Ok(notices)
}

/// A client cannot be reached: whatever else it should hear waits until `until`, so that it does not hold up the others.
///
/// # Errors
/// As any statement.
pub async fn put_off(tx: &mut Tx, client_id: &str, until: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE notices SET next_at = $1 WHERE client_id = $2 AND next_at < $1";
    tx.execute(SQL, &[until.into(), client_id.into()]).await.map(drop)
}
