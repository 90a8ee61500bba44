//! The limits around every check of a password: no handler checks one without them (LOG-06, LOG-07, LOG-08).

use std::net::IpAddr;

use super::{TENANT, context::Context, error::ApiError};
use crate::{
    app::App,
    domain::{email::EmailKey, limits::account_key, password::Password, time::retry_after_secs},
    errors,
    passwords::{PoolError, Verdict},
    store::login_limits::{self, Attempt as Counted},
};

/// An attempt at an account's password that was counted. Only [`begin`] makes one, and only one of these checks a password.
#[derive(Debug)]
pub struct Attempt {
    /// Whose failures are forgotten once the attempt was a good one.
    pub account: String,
    address: IpAddr,
}

/// Counts an attempt before its hash is computed, so that guesses at the same time cannot exceed the limit.
///
/// # Errors
/// 503 if no hashing thread will be free soon (nothing was counted), 429 if the account must wait.
pub async fn begin(app: &App, context: &Context, email: &EmailKey) -> Result<Attempt, ApiError> {
    app.passwords.room()?;
    let account = account_key(TENANT, email.as_str());
    let (limit, now, key) = (app.limiter.account, app.clock.now(), account.clone());
    let counted = app
        .store
        .write(move |tx| {
            let key = key.clone();
            Box::pin(async move { login_limits::count(tx, &key, limit, now).await })
        })
        .await?;
    match counted {
        Counted::Counted { .. } => Ok(Attempt { account, address: context.address }),
        Counted::TooEarly { retry_after } => {
            app.metrics.signin("locked");
            let error = ApiError::new(errors::TOO_MANY_ATTEMPTS).log(format!("account locked, from {}", context.ip()));
            Err(error.retry_after(retry_after_secs(retry_after)))
        }
    }
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
