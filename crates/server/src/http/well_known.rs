//! Metadata and public keys: what a client or a service needs to know before its first request.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{app::App, config::Config, feed, keys::Jwks};

/// Seconds that a JWKS may be cached; the key ring publishes new keys for longer than this before they sign.
const JWKS_MAX_AGE: &str = "public, max-age=300";

/// `GET /.well-known/jwks.json` (RFC 7517): bytes made when the key ring changed, not at each request.
pub async fn jwks(State(app): State<App>, headers: HeaderMap) -> Response {
    key_set(&app.ring.jwks(), &headers)
}

/// A key set as its readers cache it.
pub fn key_set(jwks: &Jwks, headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|sent| sent == jwks.etag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { jwks.body.clone().into_response() };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(JWKS_MAX_AGE));
    answer.insert(header::ETAG, jwks.etag.clone());
    public(answer);
    response
}

/// `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server` (RFC 8414).
/// Only what works is advertised (OAU-16).
pub async fn metadata(State(app): State<App>) -> Response {
    let mut response = app.metadata.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(JWKS_MAX_AGE));
    public(headers);
    response
}

/// The metadata document; made once, at the start.
pub fn document(config: &Config) -> Value {
    let issuer = config.issuer.as_str();
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "token_endpoint": format!("{issuer}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint": format!("{issuer}/revoke"),
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint": format!("{issuer}/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": ["refresh_token", "client_credentials"],
        "response_types_supported": [],
        "service_documentation": format!("{issuer}/docs/errors"),
        "access_token_ttl_cap": config.access_token_ttl_cap.as_secs(),
        "revocation_feed_uri": format!("{issuer}/revocations/{}", feed::STREAM),
        "revocation_feed_jwks_uri": format!("{issuer}/revocations/{}/jwks.json", feed::STREAM),
        "revocation_feed_heartbeat_ms": u64::try_from(feed::HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Any web page may read these: they are public and carry no cookie (CSR-08).
fn public(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
}
