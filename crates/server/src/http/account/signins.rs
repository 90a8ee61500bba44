//! `/api/account/signins`: the devices on which a person is signed in, and signing them out.

use axum::{
    Json,
    extract::{Path, State},
};
use countersign_jose::b64;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{
        language::Language,
        signin::{SigninId, SigninSecret},
        time::Timestamp,
        user_agent,
    },
    errors,
    http::{admin::time, caller::SignedIn, context::Context, cookies::Cookie, error::ApiError, ui::words::words},
    store::{
        signed_in::{self, SignedIn as Entry},
        signins,
    },
};

/// The most sign-ins that are shown, and that one request ends.
pub(in crate::http) const MAX: u32 = 500;

/// `GET /api/account/signins`: at most 500, those that began last first.
pub async fn list(State(app): State<App>, headers: HeaderMap, caller: SignedIn) -> Result<Json<Value>, ApiError> {
    let own = own(&app, &headers, &caller).await?;
    let rows = load(&app, &caller.user_id, app.clock.now()).await?;
    let items: Vec<_> = rows.iter().map(|entry| shown(entry, own == Some(entry.id))).collect();
    Ok(Json(json!({ "items": items })))
}

/// `DELETE /api/account/signins/{id}`: its sessions end, and their tokens are dead within a second.
pub async fn end(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("you have no such sign-in");
    let id = parse(&id).ok_or_else(missing)?;
    if end_one(&app, &context, &caller.user_id, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// `POST /api/account/signins/end-others`: every sign-in but the caller's own.
pub async fn end_others(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    caller: SignedIn,
) -> Result<Json<Value>, ApiError> {
    let own = own(&app, &headers, &caller).await?;
    let ended = end_all_but(&app, &context, &caller.user_id, own).await?;
    Ok(Json(json!({ "ended": ended })))
}

/// The id of a sign-in, as lists and forms carry it.
pub(in crate::http) fn name(id: &SigninId) -> String {
    b64::encode(id.as_bytes())
}

/// See [`name`].
pub(in crate::http) fn parse(name: &str) -> Option<SigninId> {
    SigninId::from_bytes(&b64::decode_array::<32>(name).ok()?)
}

/// The open sign-ins of a user.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn load(app: &App, user: &str, now: Timestamp) -> Result<Vec<Entry>, ApiError> {
    let (user, times) = (user.to_owned(), (now, now.minus(app.config.refresh.idle)));
    let rows = app.store.read(move |tx| {
        let user = user.clone();
        Box::pin(async move { signed_in::list(tx, &user, times, MAX).await })
    });
    Ok(rows.await?)
}

/// Ends one of the user's sign-ins; false if there is none of that id.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn end_one(app: &App, context: &Context, user: &str, id: SigninId) -> Result<bool, ApiError> {
    let act = app.act(context, user, app.clock.now())?;
    let user = user.to_owned();
    let ended = app.store.write(move |tx| {
        let (user, act) = (user.clone(), act.clone());
        Box::pin(async move { signed_in::end(tx, &user, &id, &act).await })
    });
    Ok(ended.await?)
}

/// Ends the user's sign-ins but one, each in a transaction of its own, and says how many; at most [`MAX`].
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn end_all_but(
    app: &App,
    context: &Context,
    user: &str,
    own: Option<SigninId>,
) -> Result<u32, ApiError> {
    let whose = user.to_owned();
    let others = app.store.read(move |tx| {
        let user = whose.clone();
        Box::pin(async move { signed_in::others(tx, &user, own.as_ref(), MAX).await })
    });
    let mut ended = 0;
    for id in others.await? {
        ended += u32::from(end_one(app, context, user, id).await?);
    }
    Ok(ended)
}

/// The sign-in that the caller speaks from: that of the cookie, or of the access token's session.
async fn own(app: &App, headers: &HeaderMap, caller: &SignedIn) -> Result<Option<SigninId>, ApiError> {
    let Some(sid) = caller.sid.clone() else {
        let cookie = Cookie::Signin.read(&app.config.issuer, headers)?;
        return Ok(cookie.as_deref().and_then(SigninSecret::parse).map(|secret| secret.id()));
    };
    let found = app.store.read(move |tx| {
        let sid = sid.clone();
        Box::pin(async move { signins::of_session(tx, &sid).await })
    });
    Ok(found.await?)
}

pub(super) fn shown(entry: &Entry, own: bool) -> Value {
    json!({
        "id": name(&entry.id),
        "current": own,
        "device": (words(Language::English).program)(user_agent::program(&entry.device)),
        "user_agent": entry.device,
        "ip": entry.ip,
        "created_at": time(entry.created_at),
        "last_seen_at": time(entry.last_seen_at),
        "amr": entry.amr.split_whitespace().collect::<Vec<_>>(),
        "clients": entry.clients,
    })
}
