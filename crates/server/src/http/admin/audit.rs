//! `/api/admin/audit`: the security events, the newest first.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Page, page, time, users};
use crate::{app::App, domain::audit::AuditEvent, http::error::ApiError, store::audit};

/// `GET /api/admin/audit?user=…`
pub async fn list(State(app): State<App>, query: Page) -> Result<Json<Value>, ApiError> {
    let limit = query.limit();
    let user = if query.user.is_empty() { None } else { Some(users::resolve(&app, &query.user).await?) };
    let rows = app
        .store
        .read(move |tx| {
            let (user, query) = (user.clone(), query.clone());
            Box::pin(async move {
                match &user {
                    Some(user) => audit::list_by_user(tx, user, query.after(), limit).await,
                    None => audit::list(tx, query.after(), limit).await,
                }
            })
        })
        .await?;
    Ok(Json(page(&rows, limit, shown, |event| event.id.clone())))
}

fn shown(event: &AuditEvent) -> Value {
    json!({
        "id": event.id,
        "at": time(event.at),
        "event": event.event.as_str(),
        "actor": event.source.actor,
        "ip": event.source.ip,
        "request_id": event.source.request_id,
        "user_id": event.user_id,
        "client_id": event.client_id,
        "sid": event.sid,
        "detail": event.detail,
    })
}
