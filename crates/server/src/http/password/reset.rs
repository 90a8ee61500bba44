//! `POST /password/reset`: a new password, with the link of a mail as proof. Whoever had the account before is signed out,
//! everywhere; whoever resets it is not signed in (LOG-11).

use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::checked;
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        email::Email,
        limits::account_key,
        mail::Letter,
        mail_token::{MailToken, Purpose, TokenId},
        revocation::{Entry, Scope},
        time::Timestamp,
    },
    errors,
    http::{TENANT, body::Json, context::Context, error::ApiError, mail},
    secret::PlainSecret,
    store::{
        StoreError, Tx, audit, login_limits,
        mail_tokens::{self, Standing},
        mails::{self, NewMail},
        users::{self, NewHash},
    },
};

/// The body of `POST /password/reset`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// From the link of the mail.
    #[schemars(with = "String")]
    pub token: PlainSecret,
    /// At least 15 characters.
    #[schemars(with = "String")]
    pub new_password: PlainSecret,
}

/// Everything that the transaction writes.
#[derive(Debug, Clone)]
struct Writes {
    token: TokenId,
    standing: Standing,
    hash: String,
    account: String,
    entry: Entry,
    mail: NewMail,
    event: AuditEvent,
    now: Timestamp,
}

/// `POST /password/reset`: 204 after the commit; sign in with the new password.
pub async fn reset(State(app): State<App>, context: Context, Json(body): Json<Reset>) -> Result<StatusCode, ApiError> {
    set(&app, &context, body.token.expose(), &body.new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the password. A link is used up by that alone: a password that is refused leaves it as it was.
///
/// # Errors
/// `mail-link-invalid`; what is wrong with the password; `too-many-attempts`; `overloaded`; those of the store.
pub(in crate::http) async fn set(
    app: &App,
    context: &Context,
    typed: &str,
    password: &PlainSecret,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let (token, standing) = mail::look(app, Purpose::Reset, typed).await?;
    let password = checked(app, "new_password", password, Some(&standing.email))?;
    let hash = app.passwords.hash(password).await?;
    let writes = writes(app, context, (&token, standing), hash)?;
    let set = app.store.write(move |tx| {
        let writes = writes.clone();
        Box::pin(async move { write(tx, &writes).await })
    });
    if !set.await? {
        return Err(errors::MAIL_LINK_INVALID.into());
    }
    app.limiter.give_back(context.address, now);
    Ok(())
}

fn writes(
    app: &App,
    context: &Context,
    (token, standing): (&MailToken, Standing),
    hash: String,
) -> Result<Writes, ApiError> {
    let (now, user) = (app.clock.now(), standing.user.as_str());
    let scope = Scope { issuer: app.config.issuer.as_str(), tenant: TENANT };
    let email = Email::parse(&standing.email)
        .map_err(|_| ApiError::new(errors::INTERNAL).log("a stored e-mail address is malformed"))?;
    Ok(Writes {
        token: token.id(Purpose::Reset),
        hash,
        account: account_key(TENANT, email.key().as_str()),
        entry: Entry::user(scope, user, now, app.config.access_token_ttl_cap),
        mail: mail::notice(app, context, Letter::ResetDone, "")?,
        event: AuditEvent::new(Event::PasswordReset, now, &context.source(user), app.random.bytes()?).user(user),
        now,
        standing,
    })
}

/// False if the link was used, or the account changed, since it was looked at.
async fn write(tx: &mut Tx, writes: &Writes) -> Result<bool, StoreError> {
    let Writes { standing, now, .. } = writes;
    if !mail_tokens::spend(tx, &writes.token, Purpose::Reset, *now).await? {
        return Ok(false);
    }
    login_limits::reset(tx, &writes.account).await?;
    let hash = NewHash { user: &standing.user, old: None, new: &writes.hash };
    if users::reset_password(tx, &hash, standing.version, &writes.entry, *now).await?.is_none() {
        return Ok(false);
    }
    mails::add(tx, &writes.mail, &standing.user, None).await?;
    audit::insert(tx, &writes.event).await?;
    Ok(true)
}
