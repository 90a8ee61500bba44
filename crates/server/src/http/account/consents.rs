//! `/api/account/consents`: what a person has agreed that clients may have, and taking it back.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{audit::Event, client::ClientId},
    errors,
    http::{
        admin::{Page, event, page, time},
        caller::SignedIn,
        context::Context,
        error::ApiError,
    },
    store::{
        audit,
        consents::{self, Consent},
    },
};

/// `GET /api/account/consents`
pub async fn list(State(app): State<App>, caller: SignedIn, query: Page) -> Result<Json<Value>, ApiError> {
    let limit = query.limit();
    let rows = app
        .store
        .read(move |tx| {
            let (user, after) = (caller.user_id.clone(), query.after.clone());
            Box::pin(async move { consents::list(tx, &user, &after, limit).await })
        })
        .await?;
    Ok(Json(page(&rows, limit, shown, |consent| consent.client_id.clone())))
}

/// `DELETE /api/account/consents/{id}`: the client's sessions of this person end, within a second everywhere (REF-11).
pub async fn withdraw(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("there is no consent for this client");
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    if withdraw_one(&app, &context, &caller.user_id, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// Takes back what the user allowed this client; false if that was nothing.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn withdraw_one(
    app: &App,
    context: &Context,
    user: &str,
    id: ClientId,
) -> Result<bool, ApiError> {
    let act = app.act(context, user, app.clock.now())?;
    let event = event(app, context, user, Event::ConsentWithdrawn)?.user(user).client(id.as_str());
    let user = user.to_owned();
    let withdrawn = app.store.write(move |tx| {
        let (user, id, act, event) = (user.clone(), id.clone(), act.clone(), event.clone());
        Box::pin(async move {
            let ended = consents::withdraw(tx, &user, id.as_str(), &act).await?.is_some();
            if ended {
                audit::insert(tx, &event).await?;
            }
            Ok(ended)
        })
    });
    Ok(withdrawn.await?)
}

pub(super) fn shown(consent: &Consent) -> Value {
    json!({
        "client_id": consent.client_id,
        "client_name": consent.client_name,
        "scopes": consent.scope.words().collect::<Vec<_>>(),
        "granted_at": time(consent.granted_at),
        "updated_at": time(consent.updated_at),
    })
}
