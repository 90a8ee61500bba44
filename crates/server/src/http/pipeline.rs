//! What happens around every request: its id, its context, panics, the rendering of failures, headers, metrics, the log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use tracing::{error, info, warn};

use super::{
    caller,
    context::{Context, Peer},
    cookies::Cookie,
    cors,
    error::{ApiError, Failure},
    front::Ready,
};
use crate::{
    app::App,
    clock::Stopwatch,
    config::Issuer,
    errors::{self, Code},
    routes::Route,
    telemetry::RequestSpan,
};

/// The layer around every row of the route table.
pub async fn row(State((app, route)): State<(App, &'static Route)>, mut request: Request, next: Next) -> Response {
    let exchange = Exchange::begin(&app, &request, peer(&request), route.path);
    let named = (exchange.method, exchange.route);
    let span = RequestSpan::begin(&app, &exchange.context, named, request.headers());
    request.extensions_mut().insert(exchange.context.clone());
    // AUD-06: a panic is an answer like any other failure, and the process goes on.
    let answered = span.around(AssertUnwindSafe(answer(&app, route, request, next)).catch_unwind()).await;
    let response = answered.unwrap_or_else(|panic| broken(&*panic));
    let mut response = exchange.end(&app, response);
    span.end(response.status().as_u16());
    cors::open(route, response.headers_mut());
    response
}

/// The same around a document that lies ready: there is no body to read and no credential to check, and its headers are
/// complete.
pub fn ready<B>(app: &App, ready: &Ready, request: &http::Request<B>, peer: Peer) -> Response {
    let exchange = Exchange::begin(app, request, peer, ready.path);
    if let Some(reason) = ambiguous(request) {
        return exchange.end(app, ApiError::new(errors::MALFORMED_FORM).detail(reason).into_response());
    }
    match catch_unwind(AssertUnwindSafe(|| (ready.answer)(app, request.headers()))) {
        Ok(response) => exchange.close(app, response),
        Err(panic) => exchange.end(app, broken(&*panic)),
    }
}

async fn answer(app: &App, route: &Route, mut request: Request, next: Next) -> Response {
    if let Some(reason) = ambiguous(&request) {
        return ApiError::new(errors::MALFORMED_FORM).detail(reason).into_response();
    }
    match caller::allow(app, route.access, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The answer to a request that no row takes.
pub fn unmatched(app: &App, request: &Request, code: Code) -> Response {
    let exchange = Exchange::begin(app, request, peer(request), "unmatched");
    let refusal = match ambiguous(request) {
        Some(reason) => ApiError::new(errors::MALFORMED_FORM).detail(reason),
        None => code.into(),
    };
    exchange.end(app, refusal.into_response())
}

/// One request on its way through: what its answer, the metrics and the log need of it.
struct Exchange {
    context: Context,
    method: &'static str,
    /// The row's own path, so that no stranger can add a label to the metrics.
    route: &'static str,
    watch: Stopwatch,
}

impl Exchange {
    fn begin<B>(app: &App, request: &http::Request<B>, peer: Peer, route: &'static str) -> Self {
        let watch = Stopwatch::start();
        let context = Context::new(app.request_ids.next(), peer, request, &app.config);
        Self { context, method: label(request.method()), route, watch }
    }

    fn end(self, app: &App, response: Response) -> Response {
        let response = finish(app, &self.context, response);
        self.close(app, response)
    }

    fn close(self, app: &App, mut response: Response) -> Response {
        let Self { context, method, route, watch } = self;
        response.headers_mut().insert(REQUEST_ID, context.request_id.header());
        let status = response.status().as_u16();
        app.metrics.request(method, route, status, watch.elapsed());
        tracing::debug!(request_id = %context.request_id, method, route, status, ip = %context.address, "request");
        response
    }
}

/// Where the request came from; the listener said so.
fn peer(request: &Request) -> Peer {
    request.extensions().get::<Peer>().copied().unwrap_or(Peer::Tcp([0, 0, 0, 0].into()))
}

/// Anybody can invent methods; a label for each would fill the memory.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// A request that two parsers could read differently (NET-05).
fn ambiguous<B>(request: &http::Request<B>) -> Option<&'static str> {
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

fn broken(panic: &(dyn std::any::Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    ApiError::new(errors::INTERNAL).log(format!("panic: {}", text.unwrap_or_default())).into_response()
}

fn finish(app: &App, context: &Context, mut response: Response) -> Response {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let kept = std::mem::take(response.headers_mut());
        log(context, &failure);
        response = failure.render(app, context);
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
    secure(&app.config.issuer, response.headers_mut());
    response
}

fn log(context: &Context, failure: &Failure) {
    let request_id = context.request_id.as_str();
    let (code, ip) = (failure.code.name, context.ip());
    let reason = failure.log.as_deref().or(failure.detail.as_deref()).unwrap_or_default();
    match failure.code.status {
        500 => error!(request_id, code, ip, reason, "request failed"),
        503 => warn!(request_id, code, ip, reason, "request failed"),
        _ => info!(request_id, code, ip, reason, "request refused"),
    }
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an answer says unless its handler said otherwise (CSR-09, CSR-10).
const DEFAULTS: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ),
    (OPENER_POLICY, HeaderValue::from_static("same-origin")),
];

/// An answer is not cached, sniffed, framed or leaked unless its handler said otherwise.
pub fn secure(issuer: &Issuer, headers: &mut HeaderMap) {
    headers.reserve(DEFAULTS.len() + 2);
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(value);
    }
    if issuer.is_https() {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
}
