//! In which form clients, and audiences, get what they are told: by which ids, signed, encrypted.

use countersign_jose::Algorithm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NewClient;
use crate::{
    domain::{
        assurance::Level, audience, client::SignInSettings, encryption::Encryption, redirect::RedirectUri,
        subject::Sector,
    },
    errors,
    http::error::ApiError,
};

/// A public key that tokens are encrypted to.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// A public JWK with its `alg`, e.g. `ECDH-ES+A256KW`.
    pub jwk: Value,
    /// How the content is encrypted; default: `A256GCM`.
    #[serde(default)]
    pub enc: Option<String>,
}

impl Recipient {
    /// As it is shown.
    pub fn of(encryption: Option<&Encryption>) -> Option<Self> {
        serde_json::from_str(&encryption?.to_json()).ok()
    }
}

/// Whom tokens are encrypted to; a key that is null stands for nobody.
///
/// # Errors
/// `invalid-value`, with the name of the field.
pub fn encryption(field: &'static str, to: Option<&Recipient>) -> Result<Option<Encryption>, ApiError> {
    let Some(to) = to.filter(|to| !to.jwk.is_null()) else { return Ok(None) };
    let parsed = Encryption::parse(to.jwk.to_string().as_bytes(), to.enc.as_deref());
    parsed.map(Some).map_err(|error| ApiError::field(errors::INVALID_VALUE, field, error.to_string()))
}

pub(super) fn required_level(body: &NewClient) -> Result<Level, ApiError> {
    let named = body.required_acr.as_deref().filter(|acr| !acr.is_empty());
    let bad = || ApiError::field(errors::INVALID_VALUE, "required_acr", "is 1 or 2");
    named.map_or(Ok(Level::One), |acr| Level::parse(acr).ok_or_else(bad))
}

pub(super) fn userinfo_alg(body: &NewClient) -> Result<Option<Algorithm>, ApiError> {
    let named = body.userinfo_signed_response_alg.as_deref().filter(|name| !name.is_empty());
    let bad = |error: audience::BadAlgorithm| {
        ApiError::field(errors::INVALID_VALUE, "userinfo_signed_response_alg", error.to_string())
    };
    named.map(audience::algorithm).transpose().map_err(bad)
}

/// The sector of a pairwise client; none for a public one.
pub(super) fn sector(body: &NewClient, uris: &[RedirectUri]) -> Result<Option<Sector>, ApiError> {
    let bad = |field, error: &dyn std::fmt::Display| ApiError::field(errors::INVALID_VALUE, field, error.to_string());
    match (body.subject_type.as_deref().unwrap_or("public"), body.sector.as_deref()) {
        ("pairwise", Some(name)) => Sector::parse(name).map(Some).map_err(|error| bad("sector", &error)),
        ("pairwise", None) => Sector::of(uris).map(Some).map_err(|error| bad("sector", &error)),
        ("public", None) => Ok(None),
        ("public", Some(_)) => Err(bad("sector", &"belongs to the subject type pairwise")),
        _ => Err(bad("subject_type", &"is public or pairwise")),
    }
}

pub(super) fn subject_type(settings: &SignInSettings) -> &'static str {
    if settings.sector.is_some() { "pairwise" } else { "public" }
}

/// The sector stays what it was, whatever becomes of the redirect URIs, unless the client stops being pairwise.
pub(super) fn kept_sector(old: &SignInSettings, subject_type: Option<&str>) -> Option<String> {
    let sector = old.sector.as_ref().filter(|_| subject_type != Some("public"));
    sector.map(|sector| sector.as_str().to_owned())
}
