//! `POST /token`: grant types, one handler each (RFC 6749).

mod client;
mod client_credentials;
mod refresh;
mod renew;

pub use client::{AuthenticatedClient, authenticate, authenticate_header};

use axum::{extract::State, response::Response};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::{body::Form, context::Context, error::OAuthError};
use crate::{app::App, errors, secret::PlainSecret};

/// The parameters that `/token` knows; others are ignored (RFC 6749, section 3.2).
pub const PARAMETERS: &[&str] =
    &["grant_type", "client_id", "client_secret", "refresh_token", "next_nonce", "scope", "resource"];

/// The answer of `/token` and `/login` (RFC 6749, section 5.1).
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenResponse {
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// A signed JWT (RFC 9068). Absent where it went into a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Seconds until the access token ends.
    pub expires_in: i64,
    /// Shown to its owner once; each refresh replaces it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    #[schemars(with = "Option<String>")]
    pub refresh_token: Option<PlainSecret>,
    /// Space-separated.
    pub scope: String,
    /// The session's name; not a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// The one place where a refresh token is written out: the answer to its owner.
fn expose<S: serde::Serializer>(secret: &Option<PlainSecret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(PlainSecret::expose).serialize(serializer)
}

/// `POST /token`
pub async fn token(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    match form.get("grant_type") {
        Some("refresh_token") => refresh::refresh(&app, &context, &headers, &form).await,
        Some("client_credentials") => client_credentials::grant(&app, &headers, &form).await,
        Some(_) => Err(errors::UNSUPPORTED_GRANT_TYPE.into()),
        None => Err(OAuthError::new(errors::MISSING_PARAMETER).detail("grant_type is missing")),
    }
}
