//! `POST /introspect` (RFC 7662): a service asks about a token that it was shown. The answer is made from the same state as
//! the revocation log, so that it agrees with a verifier whose feed is fresh.

mod reference;

use axum::{Json, extract::State};
use countersign_jose::{AccessClaims, Claims as _, Confirmation, b64};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{
    access_token::{self, Shown, Wanted},
    body::Form,
    error::OAuthError,
    token::{self, AuthenticatedClient},
};
use crate::{
    app::App,
    domain::{audience_id::AudienceId, opaque_token::Reference},
    errors,
};

/// The parameters that `/introspect` knows.
pub const PARAMETERS: &[&str] =
    &["token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// `POST /introspect`: every claim of a token that is active and meant for the service that asks, else `active: false` and
/// nothing more (OAU-15).
pub async fn introspect(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Json<Value>, OAuthError> {
    let client = token::authenticate(&app, &headers, &form).await?;
    if !client.credential.is_confidential() {
        return Err(
            OAuthError::new(errors::INVALID_CLIENT).detail("introspection needs a client with a secret or keys")
        );
    }
    let token = form.require("token")?;
    match active(&app, &client, token).await? {
        Some(claims) => Ok(Json(Value::Object(claims))),
        None => Ok(Json(json!({ "active": false }))),
    }
}

async fn active(
    app: &App,
    client: &AuthenticatedClient,
    token: &str,
) -> Result<Option<Map<String, Value>>, OAuthError> {
    // A service that shares a secret with the issuer asks about what is signed with it.
    let served: Vec<&str> = client.settings.serves.iter().map(AudienceId::as_str).collect();
    let shown = match Shown::read(app, token, Wanted { shared_with: &served, ..Wanted::default() }) {
        Ok(shown) => shown,
        Err(error) => {
            tracing::debug!(client = client.id.as_str(), %error, "introspected token is not active");
            return Ok(None);
        }
    };
    // A confirmation that nobody here knows, the service could not check either; a lifetime beyond the cap no verifier accepts.
    let cap = i64::try_from(app.config.access_token_ttl_cap.as_secs()).unwrap_or(i64::MAX);
    if !may_ask(client, &shown) || shown.confirmation() == Confirmation::Unknown || shown.lifetime() > cap {
        return Ok(None);
    }
    let (names, now) = (shown.names(app), app.steady_now());
    let opaque = match &shown {
        Shown::Opaque(reference) => Some(reference.clone()),
        Shown::Signed(_) => None,
    };
    let found = app.store.read(move |tx| {
        let (names, opaque) = (names.clone(), opaque.clone());
        Box::pin(async move {
            let behind = match &opaque {
                Some(reference) => reference::load(tx, reference).await?,
                None => None,
            };
            Ok((access_token::stand(tx, &names, now).await?, behind))
        })
    });
    let (stands, behind) = found.await?;
    if !stands {
        return Ok(None);
    }
    let payload = match (&shown, behind) {
        (Shown::Signed(_), _) => token.split('.').nth(1).and_then(|part| b64::decode(part).ok()),
        (Shown::Opaque(reference), Some(behind)) => reference::payload(app, reference, &behind)?,
        (Shown::Opaque(_), None) => None,
    };
    let mut claims = payload.and_then(|payload| answer(&payload));
    // A service that knows people by pairwise ids is told whom it knows.
    if let (Some(claims), Some(_)) = (&mut claims, shown.sid())
        && let Some(sub) = claims.get("sub").and_then(Value::as_str)
    {
        let sub = app.subjects.for_client(&client.settings, sub);
        claims.insert("sub".to_owned(), sub.into());
    }
    Ok(claims)
}

/// The claims that an opaque access token stands for now, whether or not it was ended; `None` if nobody would be given such a token
/// any more.
///
/// # Errors
/// `internal`; those of the store.
pub async fn claims_of(app: &App, reference: &Reference) -> Result<Option<AccessClaims>, OAuthError> {
    let wanted = reference.clone();
    let behind = app.store.read(move |tx| {
        let reference = wanted.clone();
        Box::pin(async move { reference::load(tx, &reference).await })
    });
    let Some(behind) = behind.await? else { return Ok(None) };
    let payload = reference::payload(app, reference, &behind)?;
    Ok(payload.and_then(|payload| AccessClaims::from_json(&payload).ok()))
}

/// The service is one of those that the token is meant for.
fn may_ask(client: &AuthenticatedClient, shown: &Shown) -> bool {
    shown.audiences().iter().any(|audience| client.settings.serves.iter().any(|serves| serves.as_str() == *audience))
}

/// The claims as they were signed, or as they would be, and what RFC 7662, section 2.2, adds.
fn answer(payload: &[u8]) -> Option<Map<String, Value>> {
    let mut claims: Map<String, Value> = serde_json::from_slice(payload).ok()?;
    claims.insert("active".to_owned(), Value::Bool(true));
    // RFC 9449, section 6.2: `cnf` is among the claims, and the service must see a proof by that key.
    let token_type = if claims.contains_key("cnf") { "DPoP" } else { "Bearer" };
    claims.insert("token_type".to_owned(), json!(token_type));
    Some(claims)
}
