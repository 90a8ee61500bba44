//! Metadata and public keys: what a client or a service needs to know before its first request.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use countersign_jose::{
    Algorithm,
    dpop::algorithms,
    jwe::{ContentAlgorithm, KeyAlgorithm},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{cors, pipeline};
use crate::{
    app::App,
    config::Config,
    domain::{
        assurance::Level,
        authorize::{self, Prompt, ResponseMode},
        client::Grant,
        encryption,
        language::Language,
        person,
    },
    feed,
    keys::Jwks,
};

/// Seconds that a JWKS may be cached; the key ring publishes new keys for longer than this before they sign.
const JWKS_MAX_AGE: &str = "public, max-age=300";

/// What these answers are made of, put together once: every header but the request's id and the entity tag.
#[derive(Debug)]
pub struct Documents {
    key_set: HeaderMap,
    metadata: HeaderMap,
    /// The metadata document (RFC 8414).
    pub metadata_body: Bytes,
}

impl Documents {
    pub fn new(config: &Config) -> Self {
        Self {
            key_set: headers(config, "application/jwk-set+json"),
            metadata: headers(config, "application/json"),
            metadata_body: Bytes::from(document(config).to_string()),
        }
    }
}

/// `GET /.well-known/jwks.json` (RFC 7517): bytes made when the key ring changed, not at each request.
pub fn jwks(app: &App, asked: &HeaderMap) -> Response {
    key_set(app, &app.ring.jwks(), asked)
}

/// A key set as its readers cache it.
pub fn key_set(app: &App, jwks: &Jwks, asked: &HeaderMap) -> Response {
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|sent| sent == jwks.etag);
    let mut response = Response::new(if known { Body::empty() } else { Body::from(jwks.body.clone()) });
    *response.headers_mut() = app.documents.key_set.clone();
    response.headers_mut().insert(header::ETAG, jwks.etag.clone());
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

/// `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server` (RFC 8414).
/// Only what works is advertised (OAU-16).
pub fn metadata(app: &App, _: &HeaderMap) -> Response {
    let mut response = Response::new(Body::from(app.documents.metadata_body.clone()));
    *response.headers_mut() = app.documents.metadata.clone();
    response
}

/// The metadata document; made once, at the start.
fn document(config: &Config) -> Value {
    let parts = [standard(config), requests(config), forms(), own(config)];
    let members = parts.into_iter().filter_map(|part| match part {
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    });
    let mut document = Value::Object(members.flatten().collect());
    if config.clients.registration {
        document["registration_endpoint"] = json!(format!("{}/clients", config.issuer.as_str()));
    }
    document
}

/// What authorization requests may be (RFC 9101, RFC 9126).
fn requests(config: &Config) -> Value {
    let issuer = config.issuer.as_str();
    json!({
        "pushed_authorization_request_endpoint": format!("{issuer}/par"),
        "require_pushed_authorization_requests": false,
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": public_algs(),
        "require_signed_request_object": false,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": Prompt::ALL.map(Prompt::as_str),
    })
}

/// What no standard names: the revocation feed, and how long tokens live at most.
fn own(config: &Config) -> Value {
    let issuer = config.issuer.as_str();
    json!({
        "access_token_ttl_cap": config.access_token_ttl_cap.as_secs(),
        "revocation_feed_uri": format!("{issuer}/revocations/{}", feed::STREAM),
        "revocation_feed_jwks_uri": format!("{issuer}/revocations/{}/jwks.json", feed::STREAM),
        "revocation_feed_heartbeat_ms": u64::try_from(feed::HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
    })
}

fn standard(config: &Config) -> Value {
    let issuer = config.issuer.as_str();
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "device_authorization_endpoint": format!("{issuer}/device"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "token_endpoint": format!("{issuer}/token"),
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": public_algs(),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": public_algs(),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "introspection_endpoint_auth_methods_supported": &AUTH_METHODS[..3],
        "introspection_endpoint_auth_signing_alg_values_supported": public_algs(),
        "grant_types_supported": Grant::ALL.into_iter().filter_map(Grant::grant_type).collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.map(ResponseMode::as_str),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": authorize::IDENTITY_SCOPES,
        "claims_supported": claims(),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": true,
        "acr_values_supported": Level::ALL.map(Level::as_str),
        "ui_locales_supported": Language::ALL.map(Language::as_str),
        "dpop_signing_alg_values_supported": algorithms().collect::<Vec<_>>(),
        "service_documentation": format!("{issuer}/docs/errors"),
    })
}

/// In which form clients can be told who somebody is.
fn forms() -> Value {
    json!({
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": public_algs(),
        "id_token_encryption_alg_values_supported":
            encryption::key_algorithms().map(KeyAlgorithm::as_str).collect::<Vec<_>>(),
        "id_token_encryption_enc_values_supported":
            ContentAlgorithm::all().map(ContentAlgorithm::as_str).collect::<Vec<_>>(),
        "userinfo_signing_alg_values_supported": public_algs(),
    })
}

/// How clients prove themselves; the last is for public ones.
const AUTH_METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

/// A client may choose any algorithm with a public key for its ID tokens, and the issuer makes the key when it does; or for its
/// own assertions.
fn public_algs() -> Vec<&'static str> {
    Algorithm::all().filter(|alg| !alg.is_symmetric()).map(Algorithm::as_str).collect()
}

fn claims() -> Vec<&'static str> {
    let of_sign_in = ["iss", "aud", "iat", "exp", "nonce", "auth_time", "acr", "amr", "sid", "at_hash"];
    of_sign_in.into_iter().chain(person::names()).collect()
}

/// Any web page may read these: they are public and carry no cookie (CSR-08).
fn headers(config: &Config, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(JWKS_MAX_AGE));
    cors::allow(&mut headers);
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    pipeline::secure(&config.issuer, &mut headers);
    headers
}
