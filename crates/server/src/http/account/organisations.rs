//! `/api/account/organisations`: which ones a person belongs to, and leaving one.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{organisation::OrganisationId, user::UserId},
    errors,
    http::{
        admin::{organisations::members, time},
        caller::SignedIn,
        context::Context,
        error::ApiError,
    },
    store::organisations::{self, Membership},
};

/// `GET /api/account/organisations`: all of them; a person belongs to a few at most.
pub async fn list(State(app): State<App>, caller: SignedIn) -> Result<Json<Value>, ApiError> {
    let found = app.store.read(move |tx| {
        let user = caller.user_id.clone();
        Box::pin(async move { organisations::of_user(tx, &user).await })
    });
    Ok(Json(json!({ "items": found.await?.iter().map(shown).collect::<Vec<_>>(), "next": null })))
}

/// `DELETE /api/account/organisations/{id}`: tokens that speak for it die within a second.
pub async fn leave(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("you belong to no such organisation");
    let id = OrganisationId::parse(&id).ok_or_else(missing)?;
    let user = UserId::parse(&caller.user_id).ok_or_else(missing)?;
    members::take_out(&app, &context, &caller.user_id, (id, user)).await
}

pub(super) fn shown(membership: &Membership) -> Value {
    json!({
        "organisation": membership.organisation,
        "name": membership.name,
        "roles": membership.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "joined_at": time(membership.joined_at),
    })
}
