//! `POST /introspect` (RFC 7662): a service asks about a token that it was shown. The answer is made from the same state as
//! the revocation log, so that it agrees with a verifier whose feed is fresh.

use axum::{Json, extract::State};
use countersign_jose::{AccessClaims, Confirmation, Verified, Verifier, b64, profile::AccessToken};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{
    body::Form,
    caller,
    error::OAuthError,
    token::{self, AuthenticatedClient},
};
use crate::{app::App, errors, store::standing};

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
    let policy = Verifier::<AccessToken>::builder()
        .issuer(app.config.issuer.as_str())
        .any_audience()
        .max_lifetime(app.config.access_token_ttl_cap)
        .policy();
    let verified = match caller::signed_by_us(app, token, &policy) {
        // A confirmation that nobody here knows, the service could not check either.
        Ok(verified) if may_ask(client, &verified) && verified.confirmation() != Confirmation::Unknown => verified,
        Ok(_) => return Ok(None),
        Err(error) => {
            tracing::debug!(client = client.id.as_str(), %error, "introspected token is not active");
            return Ok(None);
        }
    };
    let (names, now) = (caller::names(app, &verified), app.steady_now());
    let standing = app.store.read(move |tx| {
        let names = names.clone();
        Box::pin(async move { standing::of_token(tx, &names, now).await })
    });
    let holds = standing.await?.is_some_and(|standing| standing.holds(caller::rsn_of(&verified)));
    Ok(holds.then(|| answer(token)).flatten())
}

/// The service is one of those that the token is meant for.
fn may_ask(client: &AuthenticatedClient, claims: &Verified<AccessClaims>) -> bool {
    client.settings.serves.iter().any(|audience| claims.aud.contains(audience.as_str()))
}

/// The claims as they were signed, and what RFC 7662, section 2.2, adds.
fn answer(token: &str) -> Option<Map<String, Value>> {
    let payload = b64::decode(token.split('.').nth(1)?).ok()?;
    let mut claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.insert("active".to_owned(), Value::Bool(true));
    // RFC 9449, section 6.2: `cnf` is among the claims, and the service must see a proof by that key.
    let token_type = if claims.contains_key("cnf") { "DPoP" } else { "Bearer" };
    claims.insert("token_type".to_owned(), json!(token_type));
    Some(claims)
}
