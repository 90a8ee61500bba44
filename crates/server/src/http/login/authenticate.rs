//! The password check: limits first, then the hash, which costs the same whoever asks.

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event, Source},
        email::{Email, EmailKey},
        mail::Letter,
        password::Password,
        rsn::{self, Rsn},
    },
    errors,
    http::{TENANT, attempts, context::Context, error::ApiError, mail::Link},
    passwords::Verdict,
    secret::PlainSecret,
    store::{
        audit,
        users::{self, Credentials},
    },
};

/// A person whose password was right. Only [`authenticate`] makes one.
#[derive(Debug)]
pub(in crate::http) struct Authenticated {
    pub user: Credentials,
    /// Whose failures are forgotten now.
    pub account: String,
    /// What attempts at the account from anywhere are counted under.
    pub shared: String,
    /// The same password's hash with today's parameters, if the stored one is weaker.
    pub rehashed: Option<String>,
    /// What the sign-in carries for ever (revocation rule R1).
    pub auth_rsn: Rsn,
}

/// Checks the password. An unknown address, a wrong password and a disabled account cost and answer the same (LOG-05).
pub(in crate::http) async fn authenticate(
    app: &App,
    context: &Context,
    email: &str,
    password: &PlainSecret,
    device: Option<&str>,
) -> Result<Authenticated, ApiError> {
    let refuse = || ApiError::from(errors::INVALID_CREDENTIALS);
    let email = Email::parse(email).map_err(|_| refuse())?;
    let password = Password::new(password).map_err(|_| refuse())?;
    let attempt = attempts::begin(app, context, email.key(), device).await?;
    // R1: the head of the log and the user of one moment, before the password is looked at.
    let key = email.key().clone();
    let state = app
        .store
        .read(move |tx| {
            let key = key.clone();
            Box::pin(async move { users::sign_in_state(tx, TENANT, &key).await })
        })
        .await?;
    let user = state.user.clone().filter(|user| user.disabled_at.is_none());
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    match (attempt.check(app, stored, password).await?, user) {
        (Verdict::Right { .. }, Some(user)) if app.config.mail.required && user.email_verified_at.is_none() => {
            unverified(app, context, &user, email.key()).await?;
            Err(refuse())
        }
        (Verdict::Right { rehashed }, Some(user)) => {
            let auth_rsn = rsn::of_sign_in(state.head, user.min_rsn);
            Ok(Authenticated { user, account: attempt.account, shared: attempt.shared, rehashed, auth_rsn })
        }
        (_, user) => {
            failed(app, context, user.as_ref()).await?;
            Err(refuse())
        }
    }
}

/// The password was right, and the address is yet to be verified: its owner gets another link. The answer says nothing of it
/// (LOG-05).
async fn unverified(app: &App, context: &Context, user: &Credentials, email: &EmailKey) -> Result<(), ApiError> {
    app.metrics.signin("unverified");
    let (link, email, now) = (Link::new(app).await?, email.clone(), app.clock.now());
    let source = context.source(Source::ANONYMOUS);
    let event = AuditEvent::new(Event::LoginFail, now, &source, app.random.bytes()?)
        .user(user.id.as_str())
        .with("reason", "unverified");
    let sent = app.store.write(move |tx| {
        let (link, email, event) = (link.clone(), email.clone(), event.clone());
        Box::pin(async move {
            link.send(tx, Letter::Verify, &email, None).await?;
            audit::insert(tx, &event).await
        })
    });
    Ok(sent.await?)
}

async fn failed(app: &App, context: &Context, user: Option<&Credentials>) -> Result<(), ApiError> {
    app.metrics.signin("failure");
    let now = app.clock.now();
    let mut event = AuditEvent::new(Event::LoginFail, now, &context.source(Source::ANONYMOUS), app.random.bytes()?);
    if let Some(user) = user {
        event = event.user(user.id.as_str());
    }
    app.store
        .write(move |tx| {
            let event = event.clone();
            Box::pin(async move { audit::insert(tx, &event).await })
        })
        .await?;
    Ok(())
}
