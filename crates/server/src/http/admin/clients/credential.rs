//! What clients prove themselves with: secrets that are made here and shown once, and keys that their owners made.

use std::time::Duration;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NewClient, event, happened, missing, write};
use crate::{
    app::App,
    domain::{
        audit::Event,
        client::{ClientId, SecretHash},
        credential::{ClientKeys, Credential, Keys, KeysUri},
    },
    errors,
    http::{body::Json, caller::Administrator, context::Context, error::ApiError},
    secret::PlainSecret,
    store::clients,
};

/// The longest time for which two secrets are good.
const MAX_OVERLAP: Duration = Duration::from_hours(24 * 90);

/// The body of `POST /api/admin/clients/{id}/secret`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// Seconds for which the old secret stays good beside the new one; default: none.
    #[serde(default)]
    pub overlap: u64,
}

/// `POST /api/admin/clients/{id}/secret`
pub async fn rotate_secret(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<NewSecret>,
) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let overlap = Duration::from_secs(body.overlap);
    if overlap > MAX_OVERLAP {
        return Err(ApiError::field(errors::INVALID_VALUE, "overlap", "is at most 90 days"));
    }
    let (plain, hash) = SecretHash::generate(app.random.bytes()?);
    let event = event(&app, &context, admin.actor(), Event::ClientSecretRotated)?.client(id.as_str());
    let (client, until) = (id.clone(), app.clock.now().plus(overlap));
    let rotate = write(&app, event, happened, move |tx| {
        let (id, hash) = (client.clone(), hash.clone());
        Box::pin(async move { clients::rotate_secret(tx, &id, &hash, until).await })
    });
    if !rotate.await? {
        return Err(missing().detail("there is no such client, or it has no secret"));
    }
    Ok(Answer(json!({ "client_id": id.as_str(), "client_secret": plain.expose() })))
}

/// What a new client proves itself with, and its secret, if it gets one.
pub(super) fn of_new(app: &App, body: &NewClient) -> Result<(Credential, Option<PlainSecret>), ApiError> {
    match (keys(body.jwks.as_ref(), body.jwks_uri.as_deref())?, body.public) {
        (Some(_), true) => Err(no_keys()),
        (Some(keys), false) => Ok((Credential::Keys(keys), None)),
        (None, true) => Ok((Credential::None, None)),
        (None, false) => {
            let (plain, hash) = SecretHash::generate(app.random.bytes()?);
            Ok((Credential::Secret(hash.into()), Some(plain)))
        }
    }
}

/// The keys that a client is to have from now on, if it is to have others.
pub(super) fn changed(old: &Credential, jwks: Option<&Value>, uri: Option<&str>) -> Result<Option<Keys>, ApiError> {
    let keys = keys(jwks, uri)?;
    if keys.is_some() && !old.is_confidential() { Err(no_keys()) } else { Ok(keys) }
}

/// The keys as they are shown.
pub(super) fn shown(credential: &Credential) -> Option<Value> {
    match credential {
        Credential::Keys(Keys::Registered(keys)) => serde_json::from_str(keys.as_str()).ok(),
        Credential::Keys(Keys::Published(_)) | Credential::None | Credential::Secret(_) => None,
    }
}

/// Where it publishes them.
pub(super) fn published_at(credential: &Credential) -> Option<&str> {
    match credential {
        Credential::Keys(Keys::Published(uri)) => Some(uri.as_str()),
        Credential::Keys(Keys::Registered(_)) | Credential::None | Credential::Secret(_) => None,
    }
}

fn no_keys() -> ApiError {
    ApiError::field(errors::INVALID_VALUE, "jwks", "a public client has no keys")
}

fn keys(jwks: Option<&Value>, uri: Option<&str>) -> Result<Option<Keys>, ApiError> {
    let bad = |field, error: &dyn std::fmt::Display| ApiError::field(errors::INVALID_VALUE, field, error.to_string());
    match (jwks, uri) {
        (None, None) => Ok(None),
        (Some(jwks), None) => {
            let parsed = ClientKeys::parse(jwks.to_string().as_bytes());
            parsed.map(|keys| Some(Keys::Registered(keys))).map_err(|error| bad("jwks", &error))
        }
        (None, Some(uri)) => {
            KeysUri::parse(uri).map(|uri| Some(Keys::Published(uri))).map_err(|error| bad("jwks_uri", &error))
        }
        (Some(_), Some(_)) => Err(bad("jwks_uri", &"excludes jwks: the keys are here or there")),
    }
}
