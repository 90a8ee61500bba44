//! `/api/account/delete` and `/api/account/keep`: a person leaves, with some time to think again.

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{ago, audit::Event, mail::Letter, session::EndReason, time::Timestamp, user::UserId},
    errors,
    http::{
        admin::{event, time, users::is_last_admin},
        body::Json,
        caller::SignedIn,
        context::Context,
        email::change::proved,
        error::ApiError,
        mail,
    },
    secret::PlainSecret,
    store::{audit, login_limits, mails, sessions, users_deleted},
};

/// The body of `POST /api/account/delete`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    #[schemars(with = "String")]
    pub password: PlainSecret,
}

/// `POST /api/account/delete`: everything is signed out now, and the account goes after `retention.deletion`.
pub async fn delete(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Json(body): Json<Delete>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let at = ask(&app, &context, &caller.user_id, &body.password).await?;
    Ok((StatusCode::ACCEPTED, Answer(json!({ "delete_at": time(at) }))))
}

/// `POST /api/account/keep`: it stays.
pub async fn keep(State(app): State<App>, context: Context, caller: SignedIn) -> Result<StatusCode, ApiError> {
    if stay(&app, &context, &caller.user_id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(errors::NOT_FOUND).detail("the account was not to be deleted"))
    }
}

/// Ends everything of the user, and says when the account goes. The password is asked for, since a stolen sign-in must not be enough.
///
/// # Errors
/// `invalid-credentials`, `too-many-attempts`, `last-admin`; those of the store.
pub(in crate::http) async fn ask(
    app: &App,
    context: &Context,
    user: &str,
    password: &PlainSecret,
) -> Result<Timestamp, ApiError> {
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let id = UserId::parse(user).ok_or(errors::TOKEN_INVALID)?;
    let (_, account) = proved(app, context, &id, password).await?;
    let at = now.plus(app.config.retention.deletion);
    let notice = mail::notice(app, context, Letter::DeletionAsked, &ago::date(at))?;
    let event = event(app, context, user, Event::UserDeletionAsked)?.user(user);
    let act = app.act(context, user, now)?;
    let asked = app.store.write(move |tx| {
        let (id, account, notice) = (id.clone(), account.clone(), notice.clone());
        let (event, act) = (event.clone(), act.clone());
        Box::pin(async move {
            login_limits::reset(tx, &account).await?;
            if is_last_admin(tx, &id).await? || !users_deleted::ask(tx, &id, at).await? {
                return Ok(false);
            }
            sessions::end_everywhere(tx, id.as_str(), EndReason::LogoutEverywhere, &act).await?;
            mails::add(tx, &notice, &id, None).await?;
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if asked.await? { Ok(at) } else { Err(errors::LAST_ADMIN.into()) }
}

/// The account stays; false if it was not to go.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn stay(app: &App, context: &Context, user: &str) -> Result<bool, ApiError> {
    let id = UserId::parse(user).ok_or(errors::TOKEN_INVALID)?;
    let event = event(app, context, user, Event::UserDeletionCancelled)?.user(user);
    let kept = app.store.write(move |tx| {
        let (id, event) = (id.clone(), event.clone());
        Box::pin(async move {
            let kept = users_deleted::keep(tx, &id).await?;
            if kept {
                audit::insert(tx, &event).await?;
            }
            Ok(kept)
        })
    });
    Ok(kept.await?)
}
