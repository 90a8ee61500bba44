//! What a relay answers: the feed and its keys from memory, the time from upstream.

use std::{net::IpAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    FEED,
    follow::Keys,
    upstream::{Upstream, UpstreamError},
};
use crate::{
    clock::Clock,
    feed::{self, Ask, Hub, Refused, Said, Who},
    http::{
        context::{Cut, Peer, client_address},
        metrics::Metrics,
    },
    random::Random,
};

/// Bytes of an anchor.
const MAX_ANCHOR: usize = 16 * 1024;
/// Bytes of the metadata.
const MAX_METADATA: usize = 256 * 1024;

/// What the handlers reach.
#[derive(Debug, Clone)]
pub struct Relay {
    pub hub: Arc<Hub>,
    pub upstream: Arc<Upstream>,
    pub keys: Arc<ArcSwapOption<Keys>>,
    pub issuer: String,
    pub url: String,
    pub metrics: Arc<Metrics>,
    pub anchors: Arc<Semaphore>,
    pub clock: Clock,
}

/// A refusal in words. A relay has no pages of its own.
struct Plain(StatusCode, String);

impl IntoResponse for Plain {
    fn into_response(self) -> Response {
        let mut response = (self.0, format!("{}\n", self.1)).into_response();
        if self.0 == StatusCode::TOO_MANY_REQUESTS || self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

pub fn router(relay: Relay) -> Router {
    Router::new()
        .route("/revocations/{stream}", get(lines))
        .route("/revocations/{stream}/time", get(time))
        .route("/revocations/{stream}/jwks.json", get(jwks))
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .layer(axum::middleware::map_response(guard))
        .with_state(relay)
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

async fn lines(State(relay): State<Relay>, Path(stream): Path<String>, request: Request) -> Result<Response, Plain> {
    known(&stream)?;
    let ask = Ask::read(request.uri().query().unwrap_or_default(), request.headers())?;
    // It spreads the ends of streams, no more.
    let [spread] = Random.bytes().unwrap_or_default();
    let cut = request.extensions().get::<Cut>().map(|cut| cut.0.clone());
    // A relay asks nobody who they are.
    let address = Some(address(&request));
    let said = Said::read(request.headers(), address, None);
    let who = Who { address, cut, spread, reader: None, said };
    Ok(feed::answer(&relay.hub, ask, who).await?)
}

/// Never from memory: the answer proves that it was asked now.
async fn time(State(relay): State<Relay>, Path(stream): Path<String>, request: Request) -> Result<Response, Plain> {
    known(&stream)?;
    let Ok(_place) = relay.anchors.try_acquire() else {
        return Err(Plain(StatusCode::SERVICE_UNAVAILABLE, "too many questions for the time".to_owned()));
    };
    let query = request.uri().query().unwrap_or_default();
    let answer = relay.upstream.whole(&format!("{FEED}/time?{query}"), MAX_ANCHOR).await?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], answer).into_response())
}

/// As the upstream shows them.
async fn jwks(State(relay): State<Relay>, Path(stream): Path<String>) -> Result<Response, Plain> {
    known(&stream)?;
    let keys = relay.keys.load_full().ok_or_else(|| Plain::from(Refused::Dark))?;
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=60")];
    Ok((headers, keys.body.clone()).into_response())
}

/// The issuer's metadata, with this relay in the place of the feed.
async fn metadata(State(relay): State<Relay>) -> Result<Response, Plain> {
    let body = relay.upstream.whole("/.well-known/oauth-authorization-server", MAX_METADATA).await?;
    let mut document: Value = serde_json::from_slice(&body).unwrap_or_default();
    if document["issuer"] != relay.issuer.as_str() {
        let other = format!("the upstream belongs to the issuer {}, not to {}", document["issuer"], relay.issuer);
        return Err(Plain(StatusCode::BAD_GATEWAY, other));
    }
    document["revocation_feed_uri"] = json!(format!("{}{FEED}", relay.url));
    document["revocation_feed_jwks_uri"] = json!(format!("{}{FEED}/jwks.json", relay.url));
    Ok(Json(document).into_response())
}

async fn readyz(State(relay): State<Relay>) -> Result<Json<Value>, Plain> {
    if relay.hub.is_fresh() { Ok(Json(json!({ "status": "ready" }))) } else { Err(Refused::Dark.into()) }
}

async fn metrics(State(relay): State<Relay>) -> Response {
    if let Some(latest) = relay.hub.latest() {
        relay.metrics.feed(relay.hub.view(), latest.head, relay.clock.now().since(latest.time));
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], Bytes::from(relay.metrics.text())).into_response()
}

fn known(stream: &str) -> Result<(), Plain> {
    let unknown = || Plain(StatusCode::NOT_FOUND, "there is one stream, 0".to_owned());
    (stream == feed::STREAM).then_some(()).ok_or_else(unknown)
}

fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::Tcp([0, 0, 0, 0].into()));
    client_address(peer, request.headers(), &[])
}

impl From<Refused> for Plain {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::Cursor(_) | Refused::Wait | Refused::Parameter => StatusCode::BAD_REQUEST,
            Refused::Full(_) => StatusCode::TOO_MANY_REQUESTS,
            Refused::Dark => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, refused.to_string())
    }
}

impl From<UpstreamError> for Plain {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Status { status, .. } if status.is_client_error() && status != StatusCode::UNAUTHORIZED => {
                Self(status, "the upstream refused this".to_owned())
            }
            other => {
                tracing::debug!(error = %other, "the upstream could not be asked");
                Self(StatusCode::SERVICE_UNAVAILABLE, "the upstream does not answer".to_owned())
            }
        }
    }
}
