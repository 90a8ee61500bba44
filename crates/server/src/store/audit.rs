//! Security events, written in the transaction of the change they tell of.

use super::{StoreError, Tx};
use crate::domain::audit::AuditEvent;

/// Writes an event.
///
/// # Errors
/// `Conflict` if its id exists; otherwise as any statement.
pub async fn append(tx: &mut Tx, event: &AuditEvent) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO audit (id, at, event, actor, user_id, client_id, sid, ip, request_id, detail) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let detail = event.detail_json();
    let params = [
        (&event.id).into(),
        event.at.into(),
        event.event.as_str().into(),
        (&event.source.actor).into(),
        event.user_id.as_deref().into(),
        event.client_id.as_deref().into(),
        event.sid.as_deref().into(),
        (&event.source.ip).into(),
        (&event.source.request_id).into(),
        (&detail).into(),
    ];
    tx.execute(SQL, &params).await.map(|_| ())
}
