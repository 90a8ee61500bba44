//! `POST /email/verify`: the address is mine. What was opened in the account's name before ends: whoever made it may have been
//! somebody else (LOG-13).

use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        email::Email,
        limits::account_key,
        mail::Letter,
        mail_token::Purpose,
        revocation::{Entry, Scope},
        user::UserId,
    },
    errors,
    http::{
        TENANT,
        body::Json,
        context::Context,
        error::ApiError,
        mail::{self, Link},
    },
    secret::PlainSecret,
    store::{audit, login_limits, mail_tokens, users},
};

/// The body of `POST /email/verify`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// From the link of the mail.
    #[schemars(with = "String")]
    pub token: PlainSecret,
}

/// `POST /email/verify`: 204 after the commit.
pub async fn verify(
    State(app): State<App>,
    context: Context,
    Json(body): Json<Verify>,
) -> Result<StatusCode, ApiError> {
    confirm(&app, &context, body.token.expose()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends the mail with the link once more, in place of those before; nothing if the address is confirmed.
///
/// # Errors
/// `too-many-attempts`; those of the store.
pub(in crate::http) async fn again(app: &App, context: &Context, user: &str) -> Result<(), ApiError> {
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let id = UserId::parse(user).ok_or(errors::TOKEN_INVALID)?;
    let (link, limit) = (Link::new(app, context).await?, app.limiter.account);
    let asked = app.store.write(move |tx| {
        let (id, link) = (id.clone(), link.clone());
        Box::pin(async move {
            let user = users::by_id(tx, &id).await?.filter(|user| user.email_verified_at.is_none());
            let Some(email) = user.and_then(|user| Email::parse(&user.email).ok()) else { return Ok(None) };
            if let Some(wait) = mail::count(tx, limit, &mail::counted(email.key()), now).await? {
                return Ok(Some(wait));
            }
            mail_tokens::cancel(tx, &id, Purpose::Verify).await?;
            link.send(tx, Letter::Verify, email.key(), None).await?;
            Ok(None)
        })
    });
    asked.await?.map_or(Ok(()), |wait| Err(mail::too_many(wait)))
}

/// Notes that the address is verified.
///
/// # Errors
/// `mail-link-invalid`; `too-many-attempts`; those of the store.
pub(in crate::http) async fn confirm(app: &App, context: &Context, typed: &str) -> Result<(), ApiError> {
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let (token, standing) = mail::look(app, Purpose::Verify, typed).await?;
    let (id, user) = (token.id(Purpose::Verify), standing.user.as_str());
    let scope = Scope { issuer: app.config.issuer.as_str(), tenant: TENANT };
    let entry = Entry::user(scope, user, now, app.config.access_token_ttl_cap);
    let event = AuditEvent::new(Event::EmailVerified, now, &context.source(user), app.random.bytes()?).user(user);
    let account = Email::parse(&standing.email).map(|email| account_key(TENANT, email.key().as_str()));
    let account = account.map_err(|_| ApiError::new(errors::INTERNAL).log("a stored e-mail address is malformed"))?;
    let confirmed = app.store.write(move |tx| {
        let (standing, account, event) = (standing.clone(), account.clone(), event.clone());
        Box::pin(async move {
            if !mail_tokens::spend(tx, &id, Purpose::Verify, now).await? {
                return Ok(false);
            }
            login_limits::reset(tx, &account).await?;
            if !users::verify_email(tx, &standing.user, standing.version, &entry, now).await? {
                return Ok(false);
            }
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if !confirmed.await? {
        return Err(errors::MAIL_LINK_INVALID.into());
    }
    app.limiter.give_back(context.address, now);
    Ok(())
}
