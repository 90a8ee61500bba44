//! What happens around every request: its id, its context, panics, the rendering of failures, headers, metrics, the log.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Version, header};
use tracing::{error, info, warn};

use super::{
    context::{Context, Peer, client_address, device},
    cookies::Cookie,
    error::{ApiError, Failure},
};
use crate::{app::App, clock::Stopwatch, errors, routes};

/// The outermost layer of the router.
pub async fn pipeline(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let context = context(&app, &request);
    request.extensions_mut().insert(context.clone());
    let method = request.method().clone();
    let mut route = "unmatched";
    let response = if let Some(reason) = ambiguous(&request) {
        ApiError::new(errors::MALFORMED_FORM).detail(reason).into_response()
    } else {
        route = matched(&request);
        // AUD-06: a panic is an answer like any other failure, and the process goes on.
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|panic| ApiError::new(errors::INTERNAL).log(words(&*panic)).into_response())
    };
    let response = finish(&app, &context, response);
    let status = response.status().as_u16();
    app.metrics.request(method.as_str(), route, status, watch.elapsed());
    tracing::debug!(request_id = context.request_id, %method, route, status, ip = %context.ip(), "request");
    response
}

fn context(app: &App, request: &Request) -> Context {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::Tcp([0, 0, 0, 0].into()));
    // An id names a log line and nothing else; a failing random source is noticed where it matters.
    let id = app.random.bytes::<9>().map(countersign_jose::b64::encode).unwrap_or_default();
    let address = client_address(peer, request.headers(), &app.config.trusted_proxies);
    Context { request_id: id, peer, address, device: device(request.headers()) }
}

fn matched(request: &Request) -> &'static str {
    request.extensions().get::<MatchedPath>().and_then(|path| routes::name(path.as_str())).unwrap_or("unmatched")
}

/// A request that two parsers could read differently (NET-05).
fn ambiguous(request: &Request) -> Option<&'static str> {
    if request.version() >= Version::HTTP_2 {
        return None;
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    match hosts {
        _ if request.uri().authority().is_some() => Some("send a path, not an absolute URL"),
        1 => None,
        _ if request.version() == Version::HTTP_10 && hosts == 0 => None,
        _ => Some("send exactly one Host header"),
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

fn finish(app: &App, context: &Context, mut response: Response) -> Response {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let kept = std::mem::take(response.headers_mut());
        log(context, &failure);
        response = failure.render(app.config.issuer.as_str(), &context.request_id);
        response.headers_mut().extend(
            kept.into_iter()
                .filter_map(|(name, value)| Some((name?, value)))
                .filter(|(name, _)| *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE),
        );
        if failure.code == errors::DUPLICATE_COOKIE {
            let cleared = [Cookie::Signin, Cookie::Access].map(|cookie| cookie.clear(&app.config.issuer));
            cleared.into_iter().flatten().for_each(|value| {
                response.headers_mut().append(header::SET_COOKIE, value);
            });
        }
    }
    secure(app, context, &mut response);
    response
}

fn log(context: &Context, failure: &Failure) {
    let Context { request_id, .. } = context;
    let (code, ip) = (failure.code.name, context.ip());
    let reason = failure.log.as_deref().or(failure.detail.as_deref()).unwrap_or_default();
    match failure.code.status {
        500 => error!(request_id, code, ip, reason, "request failed"),
        503 => warn!(request_id, code, ip, reason, "request failed"),
        _ => info!(request_id, code, ip, reason, "request refused"),
    }
}

/// CSR-09, CSR-10: an answer is not cached, sniffed, framed or leaked unless its handler said otherwise.
fn secure(app: &App, context: &Context, response: &mut Response) {
    let headers = response.headers_mut();
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.config.issuer.is_https() {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    if let Ok(id) = HeaderValue::try_from(context.request_id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}
