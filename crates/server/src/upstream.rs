//! Calls to upstreams: their metadata, a code's tokens, and who they say has come back.

use base64_simd::STANDARD;
use countersign_jose::JwkSet;
use form_urlencoded::byte_serialize;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    app::App,
    domain::{
        time::Timestamp,
        upstream::{
            Arrival, EmailClaims, Metadata, Refused, SecretGoes, Trip, Upstream, UpstreamName, arrival, metadata_uri,
            secret_context, short,
        },
    },
    keys::SealError,
    outbound::{CallError, Called},
    secret::PlainSecret,
};

/// Why an upstream could not be asked, or told nothing.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("our secret there does not open: {0}")]
    Secret(#[from] SealError),
    #[error("our secret there is no text")]
    SecretText,
}

/// The token endpoint's answer.
#[derive(Deserialize)]
struct Tokens {
    id_token: PlainSecret,
    access_token: Option<PlainSecret>,
}

/// Where an upstream's people come back: an address for each, so that the answer of one is never taken for that of another,
/// whether or not they say who they are (mix-up; RFC 9700 §4.4.2).
pub fn redirect_uri(app: &App, upstream: &UpstreamName) -> String {
    format!("{}/ui/upstream/callback/{upstream}", app.config.issuer.as_str())
}

/// What an issuer says of itself, now: asked once for each sign-in, when its person leaves.
///
/// # Errors
/// [`UpstreamError`]
pub async fn discover(app: &App, issuer: &str) -> Result<Metadata, UpstreamError> {
    let called = app.outbound.get(&metadata_uri(issuer), None).await?;
    if called.status != StatusCode::OK {
        return Err(Refused::Metadata(format!("status {}", called.status)).into());
    }
    Ok(Metadata::read(&called.body, issuer)?)
}

/// Redeems the code of somebody who came back, and checks what it says of them.
///
/// # Errors
/// [`UpstreamError`]
pub async fn redeem(app: &App, upstream: &Upstream, trip: &Trip, code: &str) -> Result<Arrival, UpstreamError> {
    let metadata = &trip.metadata;
    let tokens = tokens(app, upstream, trip, code).await?;
    let set: Called = app.outbound.get(&metadata.jwks_uri, None).await?;
    let keys = JwkSet::parse(&set.body).map_err(Refused::IdToken)?;
    let came = arrival(tokens.id_token.expose(), &keys, upstream, trip, app.clock.now())?;
    match (&came.email, &metadata.userinfo_endpoint, &tokens.access_token) {
        (None, Some(endpoint), Some(token)) => Ok(came.with(&userinfo(app, endpoint, token.expose()).await?)),
        _ => Ok(came),
    }
}

async fn tokens(app: &App, upstream: &Upstream, trip: &Trip, code: &str) -> Result<Tokens, UpstreamError> {
    let metadata = &trip.metadata;
    let redirect_uri = redirect_uri(app, &upstream.name);
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", &trip.verifier),
    ];
    let secret = secret(app, upstream).await?;
    let mut authorization = None;
    match (&secret, metadata.secret_goes()) {
        (Some(secret), SecretGoes::InHeader) => authorization = Some(basic(&upstream.client_id, secret)?),
        (Some(secret), SecretGoes::InForm) => {
            form.extend([("client_id", &*upstream.client_id), ("client_secret", secret)]);
        }
        (None, _) => form.push(("client_id", &upstream.client_id)),
    }
    let called = app.outbound.post_form_as(&metadata.token_endpoint, &form, authorization.as_ref()).await?;
    if called.status != StatusCode::OK {
        let error = serde_json::from_slice::<serde_json::Value>(&called.body).unwrap_or_default();
        let name = short(error["error"].as_str().unwrap_or("no error's name"));
        return Err(Refused::Declined(format!("{name} ({})", called.status)).into());
    }
    Ok(read(&called)?)
}

async fn userinfo(app: &App, endpoint: &str, token: &str) -> Result<EmailClaims, UpstreamError> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Refused::Answer("an access token that no header carries".to_owned()))?;
    bearer.set_sensitive(true);
    let called = app.outbound.get(endpoint, Some(&bearer)).await?;
    // Signed or encrypted, or refused: there is no address to be had from it then.
    Ok(if called.status == StatusCode::OK { read(&called).unwrap_or_default() } else { EmailClaims::default() })
}

fn read<T: DeserializeOwned>(called: &Called) -> Result<T, Refused> {
    // The words could quote a token.
    serde_json::from_slice(&called.body)
        .map_err(|error| Refused::Answer(format!("{:?} error at column {}", error.classify(), error.column())))
}

async fn secret(app: &App, upstream: &Upstream) -> Result<Option<Zeroizing<String>>, UpstreamError> {
    let Some(sealed) = &upstream.sealed_secret else { return Ok(None) };
    let plain = app.ring.provider().unseal(sealed, &secret_context(&upstream.name)).await?;
    let text = std::str::from_utf8(&plain).map_err(|_| UpstreamError::SecretText)?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// RFC 6749 §2.3.1: both parts are form-encoded first.
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, Refused> {
    let encode = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
    let pair = Zeroizing::new(format!("{}:{}", *encode(client_id), *encode(secret)));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode_to_string(pair.as_bytes())));
    let mut value = HeaderValue::try_from(&*text).map_err(|error| Refused::Answer(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// When somebody who leaves at `now` must be back.
pub fn until(now: Timestamp) -> Timestamp {
    now.plus(crate::domain::upstream::PATIENCE)
}
