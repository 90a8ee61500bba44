//! The password check: limits first, then the hash, which costs the same whoever asks.

use crate::{
    app::App,
    domain::{
        assurance::Level,
        audit::{AuditEvent, Event, Source},
        email::{Email, EmailKey},
        mail::Letter,
        password::Password,
        pending::Pending,
        rsn::{self, Rsn},
        time::Timestamp,
    },
    errors,
    http::{
        TENANT,
        attempts::{self, Attempt},
        context::Context,
        error::ApiError,
        mail::Link,
        second_factor::{self, Shown},
    },
    passwords::Verdict,
    secret::PlainSecret,
    store::{
        audit,
        users::{self, Credentials},
    },
};

/// A person whose password was right. Only [`authenticate`] makes one, and [`Authenticated::finished`] of one that had to wait.
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
    /// The second factor, where one is owed; without it nothing is opened.
    pub second: Option<Second>,
}

/// What was shown after the password.
#[derive(Debug)]
pub(in crate::http) struct Second {
    pub shown: Shown,
    /// When the password was.
    pub auth_time: Timestamp,
}

impl Authenticated {
    /// Whether nothing may be opened yet.
    pub fn owes_second_factor(&self) -> bool {
        self.user.second_factor && self.second.is_none()
    }

    /// How strong their sign-in is.
    pub fn level(&self) -> Level {
        if self.second.is_some() { Level::Two } else { Level::One }
    }

    /// Somebody who has come back with the second factor.
    pub fn finished(user: Credentials, waits: &Pending, shown: Shown) -> Result<Self, ApiError> {
        let shared = second_factor::shared(&user)?;
        let second = Second { shown: shown.finishing(waits), auth_time: waits.auth_time };
        Ok(Self {
            user,
            account: shared.clone(),
            shared,
            rehashed: None,
            auth_rsn: waits.auth_rsn,
            second: Some(second),
        })
    }
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
            let Attempt { account, shared, .. } = attempt;
            Ok(Authenticated { user, account, shared, rehashed, auth_rsn, second: None })
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
    let (link, email, now) = (Link::new(app, context).await?, email.clone(), app.clock.now());
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
