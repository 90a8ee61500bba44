//! `/api/admin/sessions…`: what a user's sessions are, and why the ended ones ended.

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{Page, maybe_time, page, time, users};
use crate::{
    app::App,
    domain::session::{EndReason, Sid},
    errors,
    http::{caller::Administrator, context::Context, error::ApiError},
    store::sessions::{self, Cursor, SessionInfo},
};

/// `GET /api/admin/sessions?user=…`
pub async fn list(State(app): State<App>, query: Page) -> Result<Json<Value>, ApiError> {
    let limit = query.limit();
    let bad = |_| ApiError::new(errors::MALFORMED_FORM).detail("after is not a cursor of this list");
    let after = query.after().map(str::parse::<Cursor>).transpose().map_err(bad)?;
    let user = users::resolve(&app, &query.user).await?;
    let rows = app
        .store
        .read(move |tx| {
            let (user, after) = (user.clone(), after.clone());
            Box::pin(async move { sessions::list(tx, user.as_str(), after.as_ref(), i64::from(limit)).await })
        })
        .await?;
    Ok(Json(page(&rows, limit, shown, |session| Cursor::behind(session).to_string())))
}

/// `DELETE /api/admin/sessions/{sid}`
pub async fn revoke(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(sid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("there is no such session");
    let sid = Sid::parse(&sid).ok_or_else(missing)?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let id = sid.clone();
    let found = app
        .store
        .write(move |tx| {
            let (sid, act) = (id.clone(), act.clone());
            Box::pin(async move {
                sessions::end_session(tx, &sid, EndReason::Admin, &act).await?;
                sessions::find(tx, &sid).await
            })
        })
        .await?;
    Ok(Json(shown(&found.ok_or_else(missing)?)))
}

fn shown(session: &SessionInfo) -> Value {
    let detail = session.revoked_detail.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "sid": session.sid,
        "user_id": session.user_id,
        "client_id": session.client_id,
        "scope": session.scope,
        "audience": session.audience,
        "generation": session.generation,
        "shares": session.shares,
        "device": session.device,
        "ip": session.ip,
        "created_at": time(session.created_at),
        "last_seen_at": time(session.last_seen_at),
        "expires_at": time(session.expires_at),
        "idle_expires_at": time(session.idle_expires_at),
        "ended_at": maybe_time(session.revoked_at),
        "ended_reason": session.revoked_reason.clone().or_else(|| session.signed_out.then(|| "signed_out".to_owned())),
        "ended_detail": detail,
    })
}
