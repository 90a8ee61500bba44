//! `POST /password/forgot`: a mail with a link to set a new password, if there is an account. The answer, and what it takes to
//! give it, are the same if there is none (LOG-05).

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event, Source},
        email::Email,
        mail::Letter,
    },
    errors,
    http::{
        body::Json,
        context::Context,
        error::ApiError,
        mail::{self, Link},
    },
    store::audit,
};

/// The body of `POST /password/forgot`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgot {
    pub email: String,
}

/// `POST /password/forgot`
pub async fn forgot(
    State(app): State<App>,
    context: Context,
    Json(body): Json<Forgot>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    ask(&app, &context, &body.email).await?;
    Ok((StatusCode::ACCEPTED, Answer(json!({ "status": "accepted" }))))
}

/// Sends the mail, if there is somebody to send it to.
///
/// # Errors
/// `invalid-email`; `too-many-attempts`, from here or for this address; those of the store.
pub(in crate::http) async fn ask(app: &App, context: &Context, typed: &str) -> Result<(), ApiError> {
    let email = Email::parse(typed).map_err(|bad| ApiError::field(errors::INVALID_EMAIL, "email", bad.to_string()))?;
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let link = Link::new(app, context).await?;
    let source = context.source(Source::ANONYMOUS);
    let event = AuditEvent::new(Event::PasswordResetAsked, now, &source, app.random.bytes()?);
    let (limit, key) = (app.limiter.account, email.key().clone());
    let asked = app.store.write(move |tx| {
        let (key, link, event) = (key.clone(), link.clone(), event.clone());
        Box::pin(async move {
            if let Some(wait) = mail::count(tx, limit, &mail::counted(&key), now).await? {
                return Ok(Some(wait));
            }
            let event = match link.send(tx, Letter::Reset, &key, None).await? {
                Some(user) => event.user(&user),
                None => event,
            };
            audit::insert(tx, &event).await?;
            Ok(None)
        })
    });
    match asked.await? {
        Some(wait) => Err(mail::too_many(wait)),
        None => Ok(()),
    }
}
