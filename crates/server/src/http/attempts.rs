//! The limits around every check of a password: no handler checks one without them (LOG-06, LOG-07, LOG-08).

use std::net::IpAddr;

use http::HeaderValue;

use super::{TENANT, context::Context, cookies::Cookie, error::ApiError};
use crate::{
    app::App,
    domain::{
        assurance::Level,
        audit::{AuditEvent, Event, Source},
        email::EmailKey,
        known_device,
        limits::account_key,
        password::Password,
        time::retry_after_secs,
    },
    errors,
    passwords::{PoolError, Verdict},
    store::{
        StoreError, Tx, audit,
        login_limits::{self, Attempt as Counted},
        users,
    },
};

/// An attempt at an account's password that was counted. Only [`begin`] makes one, and only one of these checks a password.
#[derive(Debug)]
pub struct Attempt {
    /// What it was counted under: these failures are forgotten once the attempt was a good one.
    pub account: String,
    /// What attempts at this account from anywhere are counted under.
    pub shared: String,
    address: IpAddr,
}

/// How long a browser is known that has signed in, seconds: as long as browsers keep a cookie.
const KNOWN_FOR: u64 = 400 * 24 * 3600;

/// Counts an attempt before its hash is computed, so that guesses at the same time cannot exceed the limit. `device` is the
/// cookie of a known device, if there is one: it is counted apart.
///
/// # Errors
/// 503 if no hashing thread will be free soon (nothing was counted), 429 if the account must wait.
pub async fn begin(app: &App, context: &Context, email: &EmailKey, device: Option<&str>) -> Result<Attempt, ApiError> {
    app.passwords.room()?;
    let shared = account_key(TENANT, email.as_str());
    let account = known_device::counted_as(app.ring.snapshot().mac_keys(), &shared, device, Level::One);
    let (limit, now) = (app.limiter.account, app.clock.now());
    let (key, email) = (account.clone(), email.clone());
    let event = AuditEvent::new(Event::LoginLock, now, &context.source(Source::ANONYMOUS), app.random.bytes()?);
    let counted = app
        .store
        .write(move |tx| {
            let (key, email, event) = (key.clone(), email.clone(), event.clone());
            Box::pin(async move {
                let counted = login_limits::count(tx, &key, limit, now).await?;
                if let Counted::TooEarly { .. } = counted {
                    tell(tx, &key, &email, event).await?;
                }
                Ok(counted)
            })
        })
        .await?;
    match counted {
        Counted::Counted { .. } => Ok(Attempt { account, shared, address: context.address }),
        Counted::TooEarly { retry_after } => {
            app.metrics.signin("locked");
            let error = ApiError::new(errors::TOO_MANY_ATTEMPTS).log(format!("account locked, from {}", context.ip()));
            Err(error.retry_after(retry_after_secs(retry_after)))
        }
    }
}

/// The cookie of a device that has signed in to this account, and how strongly.
///
/// # Errors
/// The random source failed.
pub fn remember(app: &App, shared: &str, level: Level) -> Result<Option<HeaderValue>, ApiError> {
    let value = known_device::seal(app.ring.snapshot().mac_keys(), shared, level, app.random.bytes()?);
    Ok(Cookie::Device.set(&app.config.issuer, &value, KNOWN_FOR))
}

/// Tells of an attempt that was refused because too many had failed before, once for each delay.
async fn tell(tx: &mut Tx, account: &str, email: &EmailKey, event: AuditEvent) -> Result<(), StoreError> {
    let Some(failures) = login_limits::lock(tx, account).await? else { return Ok(()) };
    let mut event = event.with("failures", failures);
    if let Some(user) = users::by_email(tx, TENANT, email).await? {
        event = event.user(user.id.as_str());
    }
    audit::insert(tx, &event).await
}

impl Attempt {
    /// Compares the password with the stored hash. A right one does not count against its address: offices of many people
    /// share one. What the hashing threads had no room for was no attempt.
    ///
    /// # Errors
    /// 503 if they have none; 500 if hashing failed.
    pub async fn check(&self, app: &App, stored: Option<String>, password: Password) -> Result<Verdict, ApiError> {
        let verdict = app.passwords.verify(stored, password).await;
        match verdict {
            Ok(Verdict::Right { .. }) => app.limiter.give_back(self.address, app.clock.now()),
            Err(PoolError::Busy { .. }) => self.take_back(app).await?,
            Ok(Verdict::Wrong) | Err(PoolError::Failed(_)) => {}
        }
        Ok(verdict?)
    }

    async fn take_back(&self, app: &App) -> Result<(), ApiError> {
        let account = self.account.clone();
        app.store
            .write(move |tx| {
                let account = account.clone();
                Box::pin(async move { login_limits::give_back(tx, &account).await })
            })
            .await?;
        Ok(())
    }
}
