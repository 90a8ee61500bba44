//! `/api/account/factors`: a person's second factors. Whoever changes them has signed in a moment ago, and with the second
//! factor if there is one; the person hears of it by mail (MFA-05).

pub mod passkeys;
pub mod totp;

use axum::{
    Json,
    extract::{FromRequestParts, Path, Query, State},
};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{
        assurance::{Level, NotEnough, may_change_factors},
        audit::{AuditEvent, Event},
        factor::{Factor, FactorId, Kind},
        mail::Letter,
        session::EndReason,
        user::UserId,
    },
    errors,
    http::{
        admin::{event, maybe_time, time},
        caller::SignedIn,
        context::Context,
        error::ApiError,
        mail, second_factor,
    },
    store::{
        StoreError, Tx, audit,
        dialect::{RowKey, lock_rows},
        factors,
        mails::{self, NewMail},
        recovery_codes,
        sessions::{self, Act},
        signins,
    },
};

/// What a removal is asked with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Removal {
    /// Sign everybody out but this sign-in.
    pub end_other_sessions: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Removal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let wish = Query::from_request_parts(parts, state).await;
        wish.map(|Query(wish)| wish).map_err(|error| ApiError::new(errors::MALFORMED_FORM).detail(error.body_text()))
    }
}

/// `GET /api/account/factors`
pub async fn list(State(app): State<App>, caller: SignedIn) -> Result<Json<Value>, ApiError> {
    let user = UserId::parse(&caller.user_id).ok_or(errors::TOKEN_INVALID)?;
    let (factors, left) = of(&app, &user).await?;
    let needed = if factors.is_empty() { Level::One } else { Level::Two };
    let now = app.clock.now();
    let mut shown = listed(&factors, left);
    shown["may_change"] = json!(may_change_factors(caller.level, caller.auth_time, needed, now).is_ok());
    Ok(Json(shown))
}

/// `DELETE /api/account/factors/{id}`: with the last one the recovery codes go, too.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Path(id): Path<String>,
    wish: Removal,
) -> Result<StatusCode, ApiError> {
    if remove_one(&app, &context, &caller, &id, wish.end_other_sessions).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::new(errors::NOT_FOUND).detail("you have no such factor"))
}

/// Takes one of the caller's factors away; false if they have none of this name.
///
/// # Errors
/// `sign-in-stale`, `step-up-needed`
pub(in crate::http) async fn remove_one(
    app: &App,
    context: &Context,
    caller: &SignedIn,
    id: &str,
    end_others: bool,
) -> Result<bool, ApiError> {
    let Some(id) = FactorId::parse(id) else { return Ok(false) };
    let user = may_change(app, caller).await?;
    let change = Change::new(app, context, (&user, caller), Event::FactorRemoved, end_others)?;
    let notice = mail::notice(app, context, Letter::FactorRemoved, "")?;
    let removed = app.store.write(move |tx| {
        let (id, user, change, notice) = (id.clone(), user.clone(), change.clone(), notice.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
            let Some(kind) = factors::remove(tx, &id, &user).await? else { return Ok(false) };
            change.write(tx, &notice, kind).await?;
            Ok(true)
        })
    });
    Ok(removed.await?)
}

/// The caller, who may change what opens the account.
///
/// # Errors
/// `sign-in-stale`, `step-up-needed`
pub(super) async fn may_change(app: &App, caller: &SignedIn) -> Result<UserId, ApiError> {
    let user = UserId::parse(&caller.user_id).ok_or(errors::TOKEN_INVALID)?;
    let needed = if second_factor::has(app, &caller.user_id).await? { Level::Two } else { Level::One };
    match may_change_factors(caller.level, caller.auth_time, needed, app.clock.now()) {
        Ok(()) => Ok(user),
        Err(NotEnough::Stale) => Err(errors::SIGN_IN_STALE.into()),
        Err(NotEnough::Weak) => Err(errors::STEP_UP_NEEDED.into()),
    }
}

/// A change of somebody's factors, with all that is told of it and ended by it.
#[derive(Debug, Clone)]
pub(super) struct Change {
    user: UserId,
    event: AuditEvent,
    /// All sign-ins but the caller's end.
    end_others: bool,
    caller: SignedIn,
    act: Act,
}

impl Change {
    pub fn new(
        app: &App,
        context: &Context,
        (user, caller): (&UserId, &SignedIn),
        what: Event,
        end_others: bool,
    ) -> Result<Self, ApiError> {
        let event = event(app, context, user.as_str(), what)?.user(user.as_str());
        let act = app.act(context, user.as_str(), app.clock.now())?;
        Ok(Self { user: user.clone(), event, end_others, caller: caller.clone(), act })
    }

    /// Tells of it, in its transaction, and ends the other sign-ins if that was asked for: last, as it appends to the log.
    ///
    /// # Errors
    /// As any statement.
    pub async fn write(&self, tx: &mut Tx, notice: &NewMail, kind: Kind) -> Result<(), StoreError> {
        let notice = NewMail { detail: kind.as_str().to_owned(), ..notice.clone() };
        mails::add(tx, &notice, &self.user, None).await?;
        audit::insert(tx, &self.event.clone().with("kind", kind.as_str())).await?;
        if !self.end_others {
            return Ok(());
        }
        let own = match (&self.caller.signin, &self.caller.sid) {
            (Some(own), _) => Some(*own),
            (None, Some(sid)) => signins::of_session(tx, sid).await?,
            (None, None) => None,
        };
        if let Some(own) = own {
            sessions::end_others(tx, self.user.as_str(), &own, EndReason::FactorsChanged, &self.act).await?;
        }
        Ok(())
    }
}

/// A user's factors, and how many recovery codes are left.
///
/// # Errors
/// Those of the store.
pub(in crate::http) async fn of(app: &App, user: &UserId) -> Result<(Vec<Factor>, i64), StoreError> {
    let user = user.clone();
    let read = app.store.read(move |tx| {
        let user = user.clone();
        Box::pin(async move { Ok((factors::list(tx, &user).await?, recovery_codes::left(tx, &user).await?)) })
    });
    read.await
}

/// Factors as they are shown.
pub(in crate::http) fn listed(factors: &[Factor], recovery_codes_left: i64) -> Value {
    let one = |factor: &Factor| {
        json!({
            "id": factor.id.as_str(),
            "kind": factor.kind.as_str(),
            "name": factor.name,
            "created_at": time(factor.created_at),
            "last_used_at": maybe_time(factor.last_used_at),
        })
    };
    let items: Vec<Value> = factors.iter().map(one).collect();
    json!({ "items": items, "next": null, "recovery_codes_left": recovery_codes_left })
}
