//! `/api/account/settings`: the language and the look that a person wants, on the pages and in mails.

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{
        audit::Event,
        language::Language,
        preferences::{Preferences, Theme},
        user::UserId,
    },
    errors,
    http::{admin::event, body::Json, caller::SignedIn, context::Context, error::ApiError},
    store::{audit, users},
};

/// The body of `PUT /api/account/settings`: all of them. What is null, or left out, is for the browser to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// One of `ui_locales_supported` in the metadata.
    #[serde(default)]
    pub language: Option<String>,
    /// `light` or `dark`.
    #[serde(default)]
    pub theme: Option<String>,
}

/// `GET /api/account/settings`
pub async fn show(State(app): State<App>, caller: SignedIn) -> Result<Answer<Value>, ApiError> {
    let user = UserId::parse(&caller.user_id).ok_or(errors::TOKEN_INVALID)?;
    Ok(Answer(shown(of(&app, &user).await?)))
}

/// `PUT /api/account/settings`
pub async fn change(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Json(body): Json<Settings>,
) -> Result<StatusCode, ApiError> {
    let bad = |field, detail| ApiError::field(errors::INVALID_VALUE, field, detail);
    let language = body.language.map(|text| Language::parse(&text).ok_or(text)).transpose();
    let theme = body.theme.map(|text| Theme::parse(&text).ok_or(text)).transpose();
    let known = Language::ALL.map(Language::as_str).join(", ");
    let chosen = Preferences {
        language: language.map_err(|_| bad("language", format!("is one of {known}, or null")))?,
        theme: theme.map_err(|_| bad("theme", "is light, dark or null".to_owned()))?,
    };
    choose(&app, &context, &caller.user_id, chosen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What somebody has chosen.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn of(app: &App, user: &UserId) -> Result<Preferences, ApiError> {
    let user = user.clone();
    let found = app.store.read(move |tx| {
        let user = user.clone();
        Box::pin(async move { users::by_id(tx, &user).await })
    });
    Ok(found.await?.map(|user| user.preferences).unwrap_or_default())
}

/// Notes what somebody wants from now on.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn choose(
    app: &App,
    context: &Context,
    user: &str,
    chosen: Preferences,
) -> Result<(), ApiError> {
    let id = UserId::parse(user).ok_or(errors::TOKEN_INVALID)?;
    let event = event(app, context, user, Event::UserUpdated)?
        .user(user)
        .with("language", chosen.language.map(Language::as_str))
        .with("theme", chosen.theme.map(Theme::as_str));
    let noted = app.store.write(move |tx| {
        let (id, event) = (id.clone(), event.clone());
        Box::pin(async move {
            if users::set_preferences(tx, &id, chosen).await? {
                audit::insert(tx, &event).await?;
            }
            Ok(())
        })
    });
    Ok(noted.await?)
}

fn shown(chosen: Preferences) -> Value {
    json!({ "language": chosen.language.map(Language::as_str), "theme": chosen.theme.map(Theme::as_str) })
}
