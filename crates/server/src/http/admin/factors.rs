//! `/api/admin/users/{id}/factors`: a user's second factors, and taking them all away for somebody who has lost them.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{event, scope, users::resolve};
use crate::{
    app::App,
    domain::{audit::Event, mail::Letter, revocation::Entry},
    http::{
        account::factors::{listed, of},
        caller::Administrator,
        context::Context,
        error::ApiError,
        mail,
    },
    store::{
        audit,
        dialect::{RowKey, lock_rows},
        factors, mails, revocations,
    },
};

/// `GET /api/admin/users/{id}/factors`
pub async fn list(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    let (factors, left) = of(&app, &id).await?;
    Ok(Answer(listed(&factors, left)))
}

/// `DELETE /api/admin/users/{id}/factors`: every session of the person ends, and they hear of it (MFA-05).
pub async fn reset(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    let now = app.clock.now();
    let entry = Entry::user(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(&app, &context, admin.actor(), Event::FactorsReset)?.user(id.as_str());
    let notice = mail::notice(&app, &context, Letter::FactorsReset, "")?;
    let user = id.clone();
    let reset = app.store.write(move |tx| {
        let (user, event, notice) = (user.clone(), event.clone(), notice.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
            let removed = factors::remove_all(tx, &user).await?;
            if removed > 0 {
                mails::add(tx, &notice, &user, None).await?;
                audit::insert(tx, &event).await?;
                revocations::revoke_user(tx, now, user.as_str(), &entry).await?;
            }
            Ok(removed)
        })
    });
    let removed = reset.await?;
    let (factors, left) = of(&app, &id).await?;
    let mut answer = listed(&factors, left);
    answer["removed"] = json!(removed);
    Ok(Answer(answer))
}
