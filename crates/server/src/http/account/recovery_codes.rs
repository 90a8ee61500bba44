//! `/api/account/recovery-codes`: new ones, in place of all others.

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::{Value, json};

use super::factors::{may_change, totp::shown};
use crate::{
    app::App,
    domain::{
        audit::Event,
        mail::Letter,
        recovery::{COUNT, RecoveryCode},
    },
    errors,
    http::{admin::event, caller::SignedIn, context::Context, error::ApiError, mail},
    store::{
        audit,
        dialect::{RowKey, lock_rows},
        factors, mails, recovery_codes,
    },
};

/// `POST /api/account/recovery-codes`: shown once; the old ones are worth nothing (MFA-02).
pub async fn make(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let codes = renew(&app, &context, &caller).await?;
    Ok((StatusCode::CREATED, Json(json!({ "recovery_codes": shown(&codes) }))))
}

/// New codes in place of the caller's.
///
/// # Errors
/// `invalid-value` without a second factor; `sign-in-stale`, `step-up-needed`
pub(in crate::http) async fn renew(
    app: &App,
    context: &Context,
    caller: &SignedIn,
) -> Result<[RecoveryCode; COUNT], ApiError> {
    let user = may_change(app, caller).await?;
    let (codes, now) = (drawn(app)?, app.clock.now());
    let hashes = codes.iter().map(|code| code.hash(&user)).collect::<Vec<_>>();
    let event = event(app, context, user.as_str(), Event::RecoveryCodesMade)?.user(user.as_str());
    let notice = mail::notice(app, context, Letter::RecoveryMade, "")?;
    let made = app.store.write(move |tx| {
        let (user, hashes, event, notice) = (user.clone(), hashes.clone(), event.clone(), notice.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
            if !factors::any(tx, &user).await? {
                return Ok(false);
            }
            recovery_codes::replace(tx, &user, &hashes, now).await?;
            mails::add(tx, &notice, &user, None).await?;
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if !made.await? {
        let words = "recovery codes stand in for a second factor; add one first";
        return Err(ApiError::new(errors::INVALID_VALUE).detail(words));
    }
    Ok(codes)
}

/// Ten new ones.
///
/// # Errors
/// The random source failed.
pub(super) fn drawn(app: &App) -> Result<[RecoveryCode; COUNT], ApiError> {
    let mut codes = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        codes.push(RecoveryCode::new(&app.random.bytes()?));
    }
    codes.try_into().map_err(|_| ApiError::new(errors::INTERNAL).log("another number of codes"))
}
