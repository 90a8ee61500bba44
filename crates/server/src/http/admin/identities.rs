//! `/api/admin/users/{id}/identities`: who a person is at other providers, and ending that one of them opens their account.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{event, happened, scope, time, users::resolve, write};
use crate::{
    app::App,
    domain::{audit::Event, revocation::Entry, time::Timestamp, upstream::Identity, user::UserId},
    errors,
    http::{body::Json, caller::Administrator, context::Context, error::ApiError},
    store::{
        StoreError,
        dialect::{RowKey, lock_rows},
        revocations, upstreams,
    },
};

/// The body of `POST /api/admin/users/{id}/disconnect`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    /// The other provider's issuer identifier.
    pub issuer: String,
    /// Who the person is there.
    pub subject: String,
}

/// `GET /api/admin/users/{id}/identities`
pub async fn list(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    Ok(Answer(shown(&of(&app, &id).await?)))
}

/// `POST /api/admin/users/{id}/disconnect`: every session of the person ends, because nothing tells which of them began there.
pub async fn disconnect(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<Disconnect>,
) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    let identity = Identity { issuer: body.issuer, subject: body.subject };
    let now = app.clock.now();
    let entry = Entry::user(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(&app, &context, admin.actor(), Event::UserUpdated)?.user(id.as_str());
    let event = event.with("change", "disconnected").with("issuer", identity.issuer.as_str());
    let user = id.clone();
    let unlink = write(&app, event, happened, move |tx| {
        let (user, identity) = (user.clone(), identity.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
            let unlinked = upstreams::unlink(tx, &identity, &user).await?;
            if unlinked {
                revocations::revoke_user(tx, now, user.as_str(), &entry).await?;
            }
            Ok(unlinked)
        })
    });
    if !unlink.await? {
        return Err(ApiError::new(errors::NOT_FOUND).detail("this user is not known by this issuer and subject"));
    }
    Ok(Answer(shown(&of(&app, &id).await?)))
}

pub(in crate::http) async fn of(app: &App, id: &UserId) -> Result<Vec<(Identity, Timestamp)>, StoreError> {
    let id = id.clone();
    let read = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { upstreams::of_user(tx, &id).await })
    });
    read.await
}

pub(in crate::http) fn shown(identities: &[(Identity, Timestamp)]) -> Value {
    let one = |(identity, since): &(Identity, Timestamp)| json!({ "issuer": identity.issuer, "subject": identity.subject, "created_at": time(*since) });
    json!({ "items": identities.iter().map(one).collect::<Vec<_>>(), "next": null })
}
