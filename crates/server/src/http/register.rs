//! `POST /register`: makes an account. The answer for a known e-mail is the same, so that nobody learns who is here.

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body::Json, context::Context, error::ApiError, password};
use crate::{
    app::App,
    config::Registration,
    domain::{
        audit::{AuditEvent, Event, Source},
        email::Email,
        user::UserId,
    },
    errors,
    secret::PlainSecret,
    store::{
        audit,
        users::{self, NewUser},
    },
};

/// The body of `POST /register`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    pub email: String,
    /// At least 15 characters.
    #[schemars(with = "String")]
    pub password: PlainSecret,
}

/// `POST /register`
pub async fn register(
    State(app): State<App>,
    context: Context,
    Json(body): Json<Register>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    if app.config.registration == Registration::Closed {
        return Err(errors::REGISTRATION_CLOSED.into());
    }
    app.limiter.take(context.address, app.clock.now())?;
    add(&app, &context.source(Source::ANONYMOUS), &body.email, &body.password).await?;
    Ok((StatusCode::CREATED, Answer(json!({ "status": "registered" }))))
}

/// Makes an account; `None` if the address has one already. Hashing comes first, so that both cost the same (LOG-05).
pub(super) async fn add(
    app: &App,
    source: &Source,
    email: &str,
    typed: &PlainSecret,
) -> Result<Option<UserId>, ApiError> {
    let email = Email::parse(email).map_err(|bad| ApiError::field(errors::INVALID_EMAIL, "email", bad.to_string()))?;
    let password = password::checked(app, "password", typed, Some(email.as_str()))?;
    let hash = app.passwords.hash(password).await?;
    let now = app.clock.now();
    let id = UserId::new(app.random.bytes()?);
    let event = AuditEvent::new(Event::UserCreated, now, source, app.random.bytes()?).user(id.as_str());
    let user = NewUser {
        id: id.clone(),
        tenant: super::TENANT.to_owned(),
        email,
        email_verified_at: None,
        password_hash: Some(hash),
        created_at: now,
    };
    let inserted = app
        .store
        .write(move |tx| {
            let (user, event) = (user.clone(), event.clone());
            Box::pin(async move {
                let inserted = users::insert(tx, &user).await?;
                if inserted {
                    audit::insert(tx, &event).await?;
                }
                Ok(inserted)
            })
        })
        .await?;
    Ok(inserted.then_some(id))
}
