//! `POST /register`: makes an account. The answer for a known e-mail is the same, so that nobody learns who is here.

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body::Json, context::Context, error::ApiError, mail::Link, password};
use crate::{
    app::App,
    config::Registration,
    domain::{
        audit::{AuditEvent, Event, Source},
        email::Email,
        mail::Letter,
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
    add(&app, (&context, Source::ANONYMOUS), &body.email, &body.password, Known::Write).await?;
    Ok((StatusCode::CREATED, Answer(json!({ "status": "registered" }))))
}

/// What happens if the address has an account already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its owner gets a mail; whoever registers learns nothing.
    Write,
    /// Whoever adds users sees them anyway.
    Say,
}

/// Makes an account, and sends it a link to verify its address; `None` if the address has one already. Hashing comes first, and
/// the statements are the same, so that both cost the same (LOG-05).
pub(super) async fn add(
    app: &App,
    (context, actor): (&Context, &str),
    email: &str,
    typed: &PlainSecret,
    known: Known,
) -> Result<Option<UserId>, ApiError> {
    let email = Email::parse(email).map_err(|bad| ApiError::field(errors::INVALID_EMAIL, "email", bad.to_string()))?;
    let password = password::checked(app, "password", typed, Some(email.as_str()))?;
    let hash = app.passwords.hash(password).await?;
    let link = Link::new(app, context).await?;
    let (now, random, source) = (app.clock.now(), app.random.bytes()?, context.source(actor));
    let id = UserId::new(app.random.bytes()?);
    let event = AuditEvent::new(Event::UserCreated, now, &source, random).user(id.as_str());
    let again = AuditEvent::new(Event::UserCreatedAgain, now, &source, random);
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
            let (user, link, event, again) = (user.clone(), link.clone(), event.clone(), again.clone());
            Box::pin(async move {
                let inserted = users::insert(tx, &user).await?;
                let letter = if inserted { Letter::Verify } else { Letter::Known };
                if inserted || known == Known::Write {
                    let owner = link.send(tx, letter, user.email.key(), None).await?;
                    let again = owner.iter().fold(again, |event, owner| event.user(owner));
                    audit::insert(tx, if inserted { &event } else { &again }).await?;
                }
                Ok(inserted)
            })
        })
        .await?;
    Ok(inserted.then_some(id))
}
