//! `POST /email/change` and `/email/change/confirm`: another address for an account. It is asked for with the password, and
//! confirmed from the new address with the password again, so that nobody who reads a mail by mistake gets the account. The old
//! address hears of both, and a new password cancels it (LOG-12).

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        email::{Email, EmailKey},
        mail::Letter,
        mail_token::Purpose,
        password::Password,
        user::UserId,
    },
    errors,
    http::{
        attempts,
        body::Json,
        caller::SignedIn,
        context::Context,
        error::ApiError,
        mail::{self, Link},
        password,
    },
    passwords::Verdict,
    secret::PlainSecret,
    store::{
        audit, login_limits, mail_tokens, mails,
        users::{self, Credentials},
    },
};

/// The body of `POST /email/change`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub new_email: String,
    #[schemars(with = "String")]
    pub password: PlainSecret,
}

/// The body of `POST /email/change/confirm`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// From the link of the mail.
    #[schemars(with = "String")]
    pub token: PlainSecret,
    #[schemars(with = "String")]
    pub password: PlainSecret,
}

/// `POST /email/change`: a mail to the new address, and one to the old. The answer does not say whether somebody else has the
/// new one.
pub async fn ask(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Json(body): Json<Change>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    begin(&app, &context, &caller.user_id, &body).await?;
    Ok((StatusCode::ACCEPTED, Answer(json!({ "status": "accepted" }))))
}

/// Sends the mails.
///
/// # Errors
/// `invalid-email`, `invalid-credentials`; `too-many-attempts`; those of the store.
pub(in crate::http) async fn begin(app: &App, context: &Context, user: &str, body: &Change) -> Result<(), ApiError> {
    let new = Email::parse(&body.new_email)
        .map_err(|bad| ApiError::field(errors::INVALID_EMAIL, "new_email", bad.to_string()))?;
    app.limiter.take(context.address, app.clock.now())?;
    let id = UserId::parse(user).ok_or(errors::TOKEN_INVALID)?;
    let (user, account) = proved(app, context, &id, &body.password).await?;
    let (now, link) = (app.clock.now(), Link::new(app, context).await?);
    let notice = mail::notice(app, context, Letter::ChangeAsked, new.as_str())?;
    let event = AuditEvent::new(Event::EmailChangeAsked, now, &context.source(id.as_str()), app.random.bytes()?)
        .user(id.as_str());
    let (limit, key) = (app.limiter.account, key(&user)?);
    let asked = app.store.write(move |tx| {
        let (new, key, account) = (new.clone(), key.clone(), account.clone());
        let (id, link, notice, event) = (id.clone(), link.clone(), notice.clone(), event.clone());
        Box::pin(async move {
            login_limits::reset(tx, &account).await?;
            if let Some(wait) = mail::count(tx, limit, &mail::counted(new.key()), now).await? {
                return Ok(Some(wait));
            }
            // The wish of today replaces the one of yesterday.
            mail_tokens::cancel(tx, &id, Purpose::Change).await?;
            link.send(tx, Letter::Change, &key, Some(new.as_str())).await?;
            mails::add(tx, &notice, &id, None).await?;
            audit::insert(tx, &event).await?;
            Ok(None)
        })
    });
    asked.await?.map_or(Ok(()), |wait| Err(mail::too_many(wait)))
}

/// `POST /email/change/confirm`: 204 after the commit. Sessions live on.
pub async fn confirm(
    State(app): State<App>,
    context: Context,
    Json(body): Json<Confirm>,
) -> Result<StatusCode, ApiError> {
    finish(&app, &context, body.token.expose(), &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the account its new address.
///
/// # Errors
/// `mail-link-invalid`; `invalid-credentials`, which leaves the link as it was; `too-many-attempts`; those of the store.
pub(in crate::http) async fn finish(
    app: &App,
    context: &Context,
    typed: &str,
    password: &PlainSecret,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let (token, standing) = mail::look(app, Purpose::Change, typed).await?;
    let new = Email::parse(&standing.address)
        .map_err(|_| ApiError::new(errors::INTERNAL).log("a stored e-mail address is malformed"))?;
    let (user, account) = proved(app, context, &standing.user, password).await?;
    let notice = mail::notice(app, context, Letter::ChangeDone, new.as_str())?;
    let (id, name) = (token.id(Purpose::Change), user.id.as_str());
    let event = AuditEvent::new(Event::EmailChanged, now, &context.source(name), app.random.bytes()?).user(name);
    let changed = app.store.write(move |tx| {
        let (standing, new, account) = (standing.clone(), new.clone(), account.clone());
        let (notice, event) = (notice.clone(), event.clone());
        Box::pin(async move {
            login_limits::reset(tx, &account).await?;
            if !mail_tokens::spend(tx, &id, Purpose::Change, now).await?
                || !users::change_email(tx, &standing.user, standing.version, &new, now).await?
            {
                return Ok(false);
            }
            mails::add(tx, &notice, &standing.user, Some(&standing.email)).await?;
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if changed.await? { Ok(()) } else { Err(errors::MAIL_LINK_INVALID.into()) }
}

/// The user, whose password this is, and what the attempt at it was counted under.
///
/// # Errors
/// `invalid-credentials`, `too-many-attempts`; those of the store.
pub(in crate::http) async fn proved(
    app: &App,
    context: &Context,
    id: &UserId,
    typed: &PlainSecret,
) -> Result<(Credentials, String), ApiError> {
    let wanted = id.clone();
    let found = app.store.read(move |tx| {
        let id = wanted.clone();
        Box::pin(async move { users::sign_in_state_by_id(tx, &id).await })
    });
    let user = found.await?.user.filter(|user| user.disabled_at.is_none()).ok_or(errors::TOKEN_INVALID)?;
    let password = Password::new(typed).map_err(|_| errors::INVALID_CREDENTIALS)?;
    // Whoever has stolen an access token, or a mail, must not guess here what the sign-in would not let them guess.
    let attempt = attempts::begin(app, context, &key(&user)?, None).await?;
    match attempt.check(app, user.password_hash.clone(), password).await? {
        Verdict::Right { .. } => Ok((user, attempt.account)),
        Verdict::Wrong => {
            password::failed(app, context, id).await?;
            Err(errors::INVALID_CREDENTIALS.into())
        }
    }
}

fn key(user: &Credentials) -> Result<EmailKey, ApiError> {
    let email = Email::parse(&user.email);
    let email = email.map_err(|_| ApiError::new(errors::INTERNAL).log("a stored e-mail address is malformed"))?;
    Ok(email.key().clone())
}
