//! The router, made from the table.

use axum::{
    Router,
    extract::{Request, State},
    middleware::from_fn_with_state,
    routing::get,
};
use http::{HeaderMap, StatusCode};

use super::{ROUTES, row::Handler};
use crate::{
    app::App,
    errors,
    http::{
        cors,
        pipeline::{self, unmatched},
    },
};

/// What answers the rows that do not lie ready.
pub(super) fn of(app: &App) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let row = match route.handler {
            Handler::Router(handler) => handler(),
            // What the front leaves: HEAD, and methods that are refused.
            Handler::Ready(answer) => {
                get(move |State(app): State<App>, headers: HeaderMap| async move { answer(&app, &headers) })
            }
        };
        // A browser asks once per path before it sends what a form cannot.
        let first =
            !ROUTES.iter().take_while(|other| !std::ptr::eq(*other, route)).any(|other| other.path == route.path);
        let row = if route.any_origin && first {
            row.options(|| async { (StatusCode::NO_CONTENT, cors::preflight(route.path)) })
        } else {
            row
        };
        router = router.route(route.path, row.layer(from_fn_with_state((app.clone(), route), pipeline::row)));
    }
    let refuse = |code| move |State(app): State<App>, request: Request| async move { unmatched(&app, &request, code) };
    router
        .fallback(refuse(errors::NOT_FOUND))
        .method_not_allowed_fallback(refuse(errors::METHOD_NOT_ALLOWED))
        .with_state(app.clone())
}
