//! `POST /password/change`: a new password, with the old one as proof. Every session of the user ends, everywhere.

pub mod forgot;
pub mod reset;

use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{attempts, body::Json, caller::SignedIn, context::Context, error::ApiError, mail};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        email::Email,
        mail::Letter,
        password::{self, NewPassword, Password, Weakness},
        revocation::{Entry, Scope},
        time::retry_after_secs,
        user::UserId,
    },
    errors,
    passwords::{PoolError, Verdict},
    secret::PlainSecret,
    store::{
        audit, mails,
        users::{self, NewHash},
    },
};

/// The body of `POST /password/change`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[schemars(with = "String")]
    pub current_password: PlainSecret,
    /// At least 15 characters.
    #[schemars(with = "String")]
    pub new_password: PlainSecret,
}

/// `POST /password/change`: 204 after the commit; sign in again with the new password (LOG-04, REF-11).
pub async fn change(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Json(body): Json<Change>,
) -> Result<StatusCode, ApiError> {
    app.limiter.take(context.address, app.clock.now())?;
    let id = UserId::parse(&caller.user_id).ok_or(errors::TOKEN_INVALID)?;
    let wanted = id.clone();
    let found = app
        .store
        .read(move |tx| {
            let id = wanted.clone();
            Box::pin(async move { users::sign_in_state_by_id(tx, &id).await })
        })
        .await?;
    let user = found.user.filter(|user| user.disabled_at.is_none()).ok_or(errors::TOKEN_INVALID)?;
    let current = Password::new(&body.current_password).map_err(|_| errors::INVALID_CREDENTIALS)?;
    let new = checked(&app, "new_password", &body.new_password, Some(&user.email))?;
    let old_hash = user.password_hash.clone();
    let email = Email::parse(&user.email)
        .map_err(|_| ApiError::new(errors::INTERNAL).log("a stored e-mail address is malformed"))?;
    // Whoever has stolen an access token must not guess here what the sign-in would not let them guess.
    let attempt = attempts::begin(&app, &context, email.key(), None).await?;
    if attempt.check(&app, old_hash.clone(), current).await? == Verdict::Wrong {
        failed(&app, &context, &id).await?;
        return Err(errors::INVALID_CREDENTIALS.into());
    }
    let new_hash = app.passwords.hash(new).await?;
    let stored = replace(&app, &context, &id, old_hash, new_hash).await?;
    // Somebody else changed it between the check and the write: this proof is about an older password.
    if stored { Ok(StatusCode::NO_CONTENT) } else { Err(errors::INVALID_CREDENTIALS.into()) }
}

pub(super) async fn failed(app: &App, context: &Context, id: &UserId) -> Result<(), ApiError> {
    let (now, source) = (app.clock.now(), context.source(id.as_str()));
    let event = AuditEvent::new(Event::PasswordChangeFail, now, &source, app.random.bytes()?).user(id.as_str());
    app.store
        .write(move |tx| {
            let event = event.clone();
            Box::pin(async move { audit::insert(tx, &event).await })
        })
        .await?;
    Ok(())
}

/// Stores a new hash, ends everything of the user, and tells them. `old` must still be there, if given.
pub(super) async fn replace(
    app: &App,
    context: &Context,
    id: &UserId,
    old: Option<String>,
    new: String,
) -> Result<bool, ApiError> {
    let now = app.clock.now();
    let scope = Scope { issuer: app.config.issuer.as_str(), tenant: super::TENANT };
    let entry = Entry::user(scope, id.as_str(), now, app.config.access_token_ttl_cap);
    let actor = if context.is_local() { "local" } else { id.as_str() };
    let event =
        AuditEvent::new(Event::PasswordChange, now, &context.source(actor), app.random.bytes()?).user(id.as_str());
    let (id, notice) = (id.clone(), mail::notice(app, context, Letter::PasswordChanged, "")?);
    let stored = app
        .store
        .write(move |tx| {
            let (id, event, old, new) = (id.clone(), event.clone(), old.clone(), new.clone());
            let notice = notice.clone();
            Box::pin(async move {
                let hash = NewHash { user: &id, old: old.as_deref(), new: &new };
                let stored = users::set_password(tx, &hash, &entry, now).await?;
                if stored.is_some() {
                    mails::add(tx, &notice, &id, None).await?;
                    audit::insert(tx, &event).await?;
                }
                Ok(stored.is_some())
            })
        })
        .await?;
    Ok(stored)
}

/// A password that may be set: long enough, not common, not about its owner (LOG-02, LOG-03).
pub(super) fn checked(
    app: &App,
    field: &'static str,
    typed: &PlainSecret,
    email: Option<&str>,
) -> Result<Password, ApiError> {
    let context = password::Context::new(email, app.config.issuer.as_str());
    let password = NewPassword::check(typed, app.config.passwords.min_length, &context);
    password.map(NewPassword::into_password).map_err(|weakness| {
        let code = match weakness {
            Weakness::TooShort { .. } => errors::PASSWORD_TOO_SHORT,
            Weakness::TooLong { .. } => errors::PASSWORD_TOO_LONG,
            Weakness::Repeated { .. } | Weakness::Common | Weakness::Context | Weakness::Sequence => {
                errors::PASSWORD_COMMON
            }
        };
        ApiError::field(code, field, weakness.to_string()).weakness(weakness)
    })
}

impl From<PoolError> for ApiError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Busy { retry_after } => {
                Self::new(errors::OVERLOADED).retry_after(retry_after_secs(retry_after)).log(error.to_string())
            }
            PoolError::Failed(_) => Self::new(errors::INTERNAL).log(error.to_string()),
        }
    }
}
