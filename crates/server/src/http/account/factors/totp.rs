//! `/api/account/factors/totp`: an authenticator app. Its seed is drawn here, shown once, and counts when a code of it was shown.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Change, may_change};
use crate::{
    app::App,
    domain::{
        assurance::FRESH,
        audit::Event,
        factor::{FactorId, FactorName, Kind, MAX_TOTPS, Used},
        mail::Letter,
        otp::{Code, Seed},
        recovery::{COUNT, RecoveryCode},
        time::Timestamp,
        user::UserId,
    },
    errors,
    http::{body::Json, caller::SignedIn, context::Context, error::ApiError, mail, second_factor},
    qr,
    secret::PlainSecret,
    store::{
        dialect::{RowKey, lock_rows},
        factors, recovery_codes,
        totps::{self, Totp, seal_context},
        users,
    },
};

/// What an app is called whose owner says nothing.
const NAME: &str = "Authenticator app";

/// The body of `POST /api/account/factors/totp`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTotp {
    /// What its owner calls it; default: "Authenticator app".
    pub name: Option<String>,
}

/// The body of `POST /api/account/factors/totp/{id}/confirm`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The six digits that the app shows now.
    #[schemars(with = "String")]
    pub code: PlainSecret,
    /// Sign everybody out but this sign-in; default: false.
    #[serde(default)]
    pub end_other_sessions: bool,
}

/// `POST /api/account/factors/totp`: the seed is in this answer and nowhere else. It takes the place of one that was not
/// confirmed.
pub async fn begin(
    State(app): State<App>,
    caller: SignedIn,
    Json(body): Json<NewTotp>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let (begun, name) = start(&app, &caller, body.name.as_deref()).await?;
    let answer = json!({
        "id": begun.id.as_str(),
        "name": name.as_str(),
        "secret": *begun.seed.base32(),
        "otpauth_uri": *begun.uri,
        "qr_svg": *begun.square()?,
        "expires_in": FRESH.as_secs(),
    });
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// An app that is being added: what it is told, and nobody else.
pub(in crate::http) struct Begun {
    pub id: FactorId,
    pub seed: Seed,
    uri: Zeroizing<String>,
}

impl Begun {
    /// What its camera reads, as SVG.
    ///
    /// # Errors
    /// `internal`: the names are too long for any square.
    pub fn square(&self) -> Result<Zeroizing<String>, ApiError> {
        qr::svg(&self.uri).ok_or_else(|| ApiError::new(errors::INTERNAL).log("the square has no room"))
    }
}

/// Draws a seed for an app of the caller's.
///
/// # Errors
/// `invalid-value`: its name, or one app too many; `sign-in-stale`, `step-up-needed`
pub(in crate::http) async fn start(
    app: &App,
    caller: &SignedIn,
    name: Option<&str>,
) -> Result<(Begun, FactorName), ApiError> {
    let name = FactorName::parse(name.unwrap_or(NAME));
    let name = name.map_err(|bad| ApiError::field(errors::INVALID_VALUE, "name", bad.to_string()))?;
    let user = may_change(app, caller).await?;
    let (id, seed) = (FactorId::new(app.random.bytes()?), Seed::new(app.random.bytes()?));
    let sealed = app.ring.provider().seal(seed.expose(), &seal_context(&id)).await;
    let sealed = sealed.map_err(|error| ApiError::new(errors::INTERNAL).log(error.to_string()))?;
    let new =
        totps::NewTotp { id: id.clone(), user, name: name.as_str().to_owned(), sealed, created_at: app.clock.now() };
    let begun = app.store.write(move |tx| {
        let new = new.clone();
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(new.user.as_str())]).await?;
            let Some(user) = users::by_id(tx, &new.user).await? else { return Ok(None) };
            Ok(totps::insert(tx, &new, MAX_TOTPS).await?.then_some(user.email))
        })
    });
    let Some(email) = begun.await? else {
        let words = format!("an account has at most {MAX_TOTPS} authenticator apps; take one away first");
        return Err(ApiError::new(errors::INVALID_VALUE).detail(words));
    };
    let uri = seed.uri(app.config.issuer.host(), &email);
    Ok((Begun { id, seed, uri }, name))
}

/// `POST /api/account/factors/totp/{id}/confirm`: it counts from now on. With the first factor come ten recovery codes, which are
/// in this answer and nowhere else.
pub async fn confirm(
    State(app): State<App>,
    context: Context,
    caller: SignedIn,
    Path(id): Path<String>,
    Json(body): Json<Confirm>,
) -> Result<Answer<Value>, ApiError> {
    let codes = finish(&app, &context, &caller, &id, &body).await?;
    Ok(Answer(json!({ "recovery_codes": codes.as_ref().map(shown) })))
}

/// The app counts from now on; with the first factor come recovery codes.
///
/// # Errors
/// `not-found`, `second-factor-wrong`, `sign-in-stale`, `step-up-needed`, 429
pub(in crate::http) async fn finish(
    app: &App,
    context: &Context,
    caller: &SignedIn,
    id: &str,
    body: &Confirm,
) -> Result<Option<[RecoveryCode; COUNT]>, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("no authenticator app is being added here");
    let id = FactorId::parse(id).ok_or_else(missing)?;
    let code = Code::parse(body.code.expose()).ok_or(errors::SECOND_FACTOR_WRONG)?;
    let user = may_change(app, caller).await?;
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let begun = unconfirmed(app, &id, &user, now).await?.ok_or_else(missing)?;
    let used = second_factor::matching(app.ring.provider(), vec![begun], &code, now).await?;
    let Some(Used::Totp { step, .. }) = used else { return Err(errors::SECOND_FACTOR_WRONG.into()) };
    app.limiter.give_back(context.address, now);
    let codes = super::super::recovery_codes::drawn(app)?;
    let change = Change::new(app, context, (&user, caller), Event::FactorAdded, body.end_other_sessions)?;
    let notice = mail::notice(app, context, Letter::FactorAdded, "")?;
    let hashes = codes.iter().map(|code| code.hash(&user)).collect::<Vec<_>>();
    let confirmed = app.store.write(move |tx| {
        let (id, user, change, notice, hashes) =
            (id.clone(), user.clone(), change.clone(), notice.clone(), hashes.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
            let first = !factors::any(tx, &user).await?;
            if !totps::confirm(tx, &id, &user, step, now).await? {
                return Ok(None);
            }
            if first {
                recovery_codes::replace(tx, &user, &hashes, now).await?;
            }
            change.write(tx, &notice, Kind::Totp).await?;
            Ok(Some(first))
        })
    });
    let first = confirmed.await?.ok_or_else(missing)?;
    Ok(first.then_some(codes))
}

/// The codes as their owner writes them down.
pub(in crate::http) fn shown(codes: &[RecoveryCode; COUNT]) -> Vec<String> {
    codes.iter().map(|code| code.shown().to_string()).collect()
}

/// The app that is being added, once more.
///
/// # Errors
/// `not-found` if it is over; `internal`: its seed does not open.
pub(in crate::http) async fn again(app: &App, caller: &SignedIn, id: &str) -> Result<Begun, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("no authenticator app is being added here");
    let broken = |error: &dyn std::fmt::Display| ApiError::new(errors::INTERNAL).log(format!("a seed: {error}"));
    let id = FactorId::parse(id).ok_or_else(missing)?;
    let user = may_change(app, caller).await?;
    let begun = unconfirmed(app, &id, &user, app.clock.now()).await?.ok_or_else(missing)?;
    let opened: Zeroizing<Vec<u8>> =
        app.ring.provider().unseal(&begun.sealed, &seal_context(&id)).await.map_err(|error| broken(&error))?;
    let seed = Seed::from_bytes(&opened).ok_or_else(|| broken(&"it has another length"))?;
    let email = app.store.read(move |tx| {
        let user = user.clone();
        Box::pin(async move { Ok(users::by_id(tx, &user).await?.map(|user| user.email)) })
    });
    let uri = seed.uri(app.config.issuer.host(), &email.await?.ok_or_else(missing)?);
    Ok(Begun { id, seed, uri })
}

async fn unconfirmed(app: &App, id: &FactorId, user: &UserId, now: Timestamp) -> Result<Option<Totp>, ApiError> {
    let (id, user) = (id.clone(), user.clone());
    let found = app.store.read(move |tx| {
        let (id, user) = (id.clone(), user.clone());
        Box::pin(async move { totps::unconfirmed(tx, &id, &user, now.minus(FRESH)).await })
    });
    Ok(found.await?)
}
