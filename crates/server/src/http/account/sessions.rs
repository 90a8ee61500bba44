//! `/api/account/sessions`: where a person is signed in, and ending one of these sessions.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::session::{EndReason, Sid},
    errors,
    http::{
        admin::{Page, maybe_time, page, time},
        caller::SignedIn,
        context::Context,
        error::ApiError,
    },
    store::sessions::{self, Cursor, SessionInfo},
};

/// `GET /api/account/sessions`: the newest first, ended ones with their reason.
pub async fn list(State(app): State<App>, caller: SignedIn, query: Page) -> Result<Json<Value>, ApiError> {
    let limit = query.limit();
    let bad = |_| ApiError::new(errors::MALFORMED_FORM).detail("after is not a cursor of this list");
    let after = query.after().map(str::parse::<Cursor>).transpose().map_err(bad)?;
    let user = caller.user_id.clone();
    let rows = app
        .store
        .read(move |tx| {
            let (user, after) = (user.clone(), after.clone());
            Box::pin(async move { sessions::list(tx, &user, after.as_ref(), i64::from(limit)).await })
        })
        .await?;
    let own = caller.sid.as_ref().map(Sid::as_str);
    Ok(Json(page(&rows, limit, |session| shown(session, own), |session| Cursor::behind(session).to_string())))
}

/// `DELETE /api/account/sessions/{sid}`: its tokens are dead within a second, and its client hears of it.
pub async fn end(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Path(sid): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("you have no such session");
    let sid = Sid::parse(&sid).ok_or_else(missing)?;
    let act = app.act(&context, &caller.user_id, app.clock.now())?;
    let ended = app.store.write(move |tx| {
        let (user, sid, act) = (caller.user_id.clone(), sid.clone(), act.clone());
        Box::pin(async move {
            // ADM-02: another person's session is as unknown as one that does not exist.
            if sessions::find(tx, &sid).await?.is_none_or(|session| session.user_id != user) {
                return Ok(false);
            }
            sessions::end_session(tx, &sid, EndReason::Logout, &act).await?;
            Ok(true)
        })
    });
    if ended.await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

pub(super) fn shown(session: &SessionInfo, own: Option<&str>) -> Value {
    json!({
        "sid": session.sid,
        "current": own == Some(session.sid.as_str()),
        "client_id": session.client_id,
        "scope": session.scope,
        "audience": session.audience,
        "device": session.device,
        "ip": session.ip,
        "created_at": time(session.created_at),
        "last_seen_at": time(session.last_seen_at),
        "expires_at": time(session.expires_at),
        "ended_at": maybe_time(session.revoked_at),
        "ended_reason": session.revoked_reason.clone().or_else(|| session.signed_out.then(|| "signed_out".to_owned())),
    })
}
