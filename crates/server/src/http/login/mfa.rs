//! `POST /login/mfa`: the second factor, for whoever has the ticket that a right password got (MFA-03).

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Authenticated, Wants, Way, arrive, destination, enter};
use crate::{
    app::App,
    domain::{
        factor::Kind,
        pending::{FirstFactor, PATIENCE, Pending, Ticket},
        user::UserId,
    },
    errors,
    http::{
        body::Json,
        context::Context,
        cookies::Cookie,
        error::ApiError,
        second_factor::{self, First},
    },
    secret::PlainSecret,
    store::pending,
};

/// The body of `POST /login/mfa`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// From the answer of `POST /login`.
    #[schemars(with = "String")]
    pub ticket: PlainSecret,
    /// Six digits of the authenticator app, or a recovery code.
    #[schemars(with = "String")]
    pub code: PlainSecret,
}

/// `POST /login/mfa`
pub async fn finish(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    Json(body): Json<Finish>,
) -> Result<Response, ApiError> {
    let over = || ApiError::from(errors::MFA_TICKET_INVALID);
    let ticket = Ticket::parse(body.ticket.expose()).ok_or_else(over)?;
    let waits = find(&app, &ticket).await?.ok_or_else(over)?;
    let wants: Option<Wants> = waits.wants.as_deref().and_then(|wants| serde_json::from_str(wants).ok());
    let wants = wants.ok_or_else(|| over().log("a half sign-in without what it is for"))?;
    let way = Way { method: &method, path: "/login/mfa", headers: &headers };
    let (superseded, proof) = arrive(&app, &context, way, wants.transport)?;
    let destination = destination(&app, &wants).await?.proved(proof)?;
    let user = second_factor::whose(&app, &waits.user).await?.ok_or_else(over)?;
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let shown = second_factor::check(&app, &context, &user, &body.code, device.as_deref()).await?;
    let who = Authenticated::finished(user, &waits, shown)?;
    enter(&app, &context, (destination, wants.transport), &who, superseded).await
}

/// Lets a sign-in wait whose password was right: the answer names its ticket, and grants nothing.
///
/// # Errors
/// Those of the store.
pub(super) async fn ask(app: &App, context: &Context, who: Authenticated, wants: &Wants) -> Result<ApiError, ApiError> {
    let (ticket, now) = (Ticket::new(&app.random.bytes()?), app.clock.now());
    let wants = serde_json::to_string(wants).map_err(|error| ApiError::new(errors::INTERNAL).log(error.to_string()))?;
    let waits = Pending {
        id: ticket.id(),
        user: who.user.id,
        auth_time: now,
        auth_rsn: who.auth_rsn,
        first: FirstFactor::Password,
        link: None,
        wants: Some(wants),
        expires_at: now.plus(PATIENCE),
    };
    let methods = methods(app, &waits.user).await?;
    let rehash = who.rehashed.map(|new| (who.user.password_hash.unwrap_or_default(), new));
    second_factor::owe(app, context, waits, First { account: Some(who.account), rehash, mailed: None }).await?;
    Ok(ApiError::new(errors::MFA_REQUIRED).more(json!({
        "ticket": ticket.expose(),
        "expires_in": PATIENCE.as_secs(),
        "methods": methods,
    })))
}

/// What can be shown here: a passkey is shown to a page of the issuer alone.
async fn methods(app: &App, user: &UserId) -> Result<Vec<&'static str>, ApiError> {
    let totp = second_factor::has_kind(app, user, Kind::Totp).await?;
    Ok(totp.then_some(Kind::Totp.as_str()).into_iter().chain(["recovery_code"]).collect())
}

async fn find(app: &App, ticket: &Ticket) -> Result<Option<Pending>, ApiError> {
    let (id, now) = (ticket.id(), app.clock.now());
    Ok(app.store.read(move |tx| Box::pin(async move { pending::find(tx, &id, now).await })).await?)
}
