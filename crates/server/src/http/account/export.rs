//! `/api/account/export`: all that is kept about a person, for that person, as one JSON document.

use axum::{Json, extract::State, response::IntoResponse};
use http::header;
use serde_json::{Value, json};

use super::{activity, consents, factors, organisations, sessions, signins};
use crate::{
    app::App,
    http::{
        admin::{identities, time, users},
        caller::SignedIn,
        error::ApiError,
    },
    store::{consents as stored_consents, groups, organisations as stored_organisations, sessions as stored_sessions},
};

/// The most rows of each list; the lists themselves go on behind them.
const MAX: u32 = 1_000;

/// `GET /api/account/export`: saved as a file by a browser.
pub async fn export(State(app): State<App>, caller: SignedIn) -> Result<impl IntoResponse, ApiError> {
    let saved = [(header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\"")];
    Ok((saved, Json(document(&app, &caller.user_id).await?)))
}

async fn document(app: &App, user: &str) -> Result<Value, ApiError> {
    let now = app.clock.now();
    let account = users::look_up(app, user).await?;
    let identities = identities::shown(&identities::of(app, &users::resolve(app, user).await?).await?);
    let signins = signins::load(app, user, now).await?;
    let (whose, id) = (user.to_owned(), users::resolve(app, user).await?);
    let (consents, sessions, belongs, groups) = app
        .store
        .read(move |tx| {
            let (user, id) = (whose.clone(), id.clone());
            Box::pin(async move {
                let consents = stored_consents::list(tx, &user, "", MAX).await?;
                let sessions = stored_sessions::list(tx, &user, None, i64::from(MAX)).await?;
                let belongs = stored_organisations::of_user(tx, &user).await?;
                Ok((consents, sessions, belongs, groups::of_user(tx, &id).await?))
            })
        })
        .await?;
    let (factors, left) = factors::of(app, &users::resolve(app, user).await?).await?;
    let events = activity::load(app, user, None, MAX).await?;
    Ok(json!({
        "exported_at": time(now),
        "account": account,
        "identities": identities,
        "organisations": belongs.iter().map(organisations::shown).collect::<Vec<_>>(),
        "groups": groups,
        "factors": factors::listed(&factors, left)["items"],
        "signins": signins.iter().map(|entry| signins::shown(entry, false)).collect::<Vec<_>>(),
        "consents": consents.iter().map(consents::shown).collect::<Vec<_>>(),
        "sessions": sessions.iter().map(|session| sessions::shown(session, None)).collect::<Vec<_>>(),
        "activity": events.iter().map(activity::shown).collect::<Vec<_>>(),
    }))
}
