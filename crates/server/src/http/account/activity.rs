//! `/api/account/activity`: what happened to a person's account: sign-ins, failures, why they were signed out.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{activity, audit::AuditEvent, language::Language, user::UserId},
    errors,
    http::{
        admin::{Page, page, time},
        caller::SignedIn,
        error::ApiError,
        ui::words::words,
    },
    store::audit,
};

/// `GET /api/account/activity`: the newest first. `words` is null for what only operators understand.
pub async fn list(State(app): State<App>, caller: SignedIn, query: Page) -> Result<Json<Value>, ApiError> {
    let limit = query.limit();
    let rows = load(&app, &caller.user_id, query.after(), limit).await?;
    Ok(Json(page(&rows, limit, shown, |event| event.id.clone())))
}

/// The events about a user, the newest first.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn load(
    app: &App,
    user: &str,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<AuditEvent>, ApiError> {
    let (user, before) = (UserId::parse(user).ok_or(errors::TOKEN_INVALID)?, before.map(str::to_owned));
    let rows = app.store.read(move |tx| {
        let (user, before) = (user.clone(), before.clone());
        Box::pin(async move { audit::list_by_user(tx, &user, before.as_deref(), limit).await })
    });
    Ok(rows.await?)
}

pub(super) fn shown(event: &AuditEvent) -> Value {
    json!({
        "id": event.id,
        "at": time(event.at),
        "event": event.event.as_str(),
        "words": activity::words(event, &words(Language::English).happened),
        "ip": event.source.ip,
        "client_id": event.client_id,
        "sid": event.sid,
        "detail": event.detail,
    })
}
