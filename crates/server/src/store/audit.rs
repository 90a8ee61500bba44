//! Security events.

use std::sync::LazyLock;

use super::{Param, Row, StoreError, Tx, wide::Wide};
use crate::domain::{
    audit::{AuditEvent, Source},
    time::Timestamp,
    user::UserId,
};

macro_rules! columns {
    () => {
        "id, at, event, actor, user_id, client_id, sid, ip, request_id, detail"
    };
}

/// Adds an event, in the transaction of the change it tells of.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &mut Tx, event: &AuditEvent) -> Result<(), StoreError> {
    insert_all(tx, std::slice::from_ref(event)).await
}

/// Adds many events.
///
/// # Errors
/// As any statement.
pub async fn insert_all(tx: &mut Tx, events: &[AuditEvent]) -> Result<(), StoreError> {
    static INSERT: LazyLock<Wide> =
        LazyLock::new(|| Wide::rows(concat!("INSERT INTO audit (", columns!(), ") VALUES"), 10));
    for (sql, piece) in INSERT.pieces(events) {
        let details: Vec<String> = piece.iter().map(AuditEvent::detail_json).collect();
        let mut params: Vec<Param<'_>> = Vec::with_capacity(10 * piece.len());
        for (event, detail) in piece.iter().zip(&details) {
            let row: [Param<'_>; 10] = [
                (&event.id).into(),
                event.at.into(),
                event.event.as_str().into(),
                (&event.source.actor).into(),
                event.user_id.as_ref().into(),
                event.client_id.as_ref().into(),
                event.sid.as_ref().into(),
                (&event.source.ip).into(),
                (&event.source.request_id).into(),
                detail.into(),
            ];
            params.extend(row);
        }
        tx.send(sql, &params).await?;
    }
    Ok(())
}

/// After every id: the newest events.
const NEWEST: &str = "z";

/// One page of events, the newest first. `before` is the id of the last event of the page before.
///
/// # Errors
/// As any statement.
pub async fn list(tx: &mut Tx, before: Option<&str>, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2");
    let params = [before.unwrap_or(NEWEST).into(), i64::from(limit).into()];
    tx.fetch_all(SQL, &params).await?.iter().map(event).collect()
}

/// One page of the events about a user, the newest first.
///
/// # Errors
/// As any statement.
pub async fn list_by_user(
    tx: &mut Tx,
    user: &UserId,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM audit WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    let params = [user.as_str().into(), before.unwrap_or(NEWEST).into(), i64::from(limit).into()];
    tx.fetch_all(SQL, &params).await?.iter().map(event).collect()
}

fn event(row: &Row) -> Result<AuditEvent, StoreError> {
    let broken = |what: &str| StoreError::Broken(format!("a stored audit event has {what}"));
    Ok(AuditEvent {
        id: row.get(0)?,
        at: row.get::<Timestamp>(1)?,
        event: row.get::<String>(2)?.parse().map_err(|_| broken("an unknown name"))?,
        source: Source { actor: row.get(3)?, ip: row.get(7)?, request_id: row.get(8)? },
        user_id: row.get(4)?,
        client_id: row.get(5)?,
        sid: row.get(6)?,
        detail: serde_json::from_str(&row.get::<String>(9)?).map_err(|_| broken("a detail that is no object"))?,
    })
}
