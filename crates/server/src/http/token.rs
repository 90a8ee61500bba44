//! `POST /token`: grant types, one handler each (RFC 6749).

mod assertion;
mod client;
mod client_credentials;
mod code;
mod device;
mod exchange;
mod refresh;
mod renew;

pub use client::{AuthenticatedClient, authenticate, authenticate_header};

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{HeaderMap, Method};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    body::Form,
    context::Context,
    dpop::{self, Asked},
    error::OAuthError,
};
use crate::{app::App, domain::client::Grant, errors, secret::PlainSecret};

/// The parameters that `/token` knows; others are ignored (RFC 6749, section 3.2).
pub const PARAMETERS: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "code_verifier",
    "device_code",
    "redirect_uri",
    "refresh_token",
    "next_nonce",
    "scope",
    "resource",
    "organization",
    "audience",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
];

/// The answer of `/token` and `/login` (RFC 6749, section 5.1).
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenResponse {
    /// `Bearer`, or `DPoP` for an access token that is bound to a key (RFC 9449).
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
    let proof = dpop::read(&app, Asked { method: &Method::POST, path: "/token", headers: &headers })?;
    let wanted = form.require("grant_type")?;
    let grant = match Grant::ALL.into_iter().find(|grant| grant.grant_type() == Some(wanted)) {
        Some(Grant::AuthorizationCode) => code::exchange(&app, &context, (&headers, proof.as_ref()), &form).await,
        Some(Grant::RefreshToken) => refresh::refresh(&app, &context, (&headers, proof.as_ref()), &form).await,
        Some(Grant::ClientCredentials) => client_credentials::grant(&app, &headers, proof.as_ref(), &form).await,
        Some(Grant::DeviceCode) => device::poll(&app, &context, (&headers, proof.as_ref()), &form).await,
        Some(Grant::TokenExchange) => exchange::exchange(&app, &context, (&headers, proof.as_ref()), &form).await,
        Some(Grant::FirstParty) | None => Err(errors::UNSUPPORTED_GRANT_TYPE.into()),
    };
    let nonce = proof.and_then(|_| dpop::next_nonce(&app)).map(|nonce| (dpop::NONCE, nonce));
    grant.map(|answer| (AppendHeaders(nonce), answer).into_response())
}
