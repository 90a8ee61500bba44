//! Where every request arrives: documents that lie ready are answered here, everything else by the router.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use tower::ServiceExt;
use tracing::warn;

use super::{
    context::{Cut, Peer},
    pipeline,
};
use crate::app::App;

/// Time for a handler to answer (NET-03).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A public row whose answer lies ready. Finding its way through the router, boxed a dozen times, would cost more than the
/// answer itself; services ask for these again and again.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    pub path: &'static str,
    pub answer: fn(&App, &HeaderMap) -> Response,
}

/// The router, and before it what lies ready. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Front {
    router: Router,
    ready: Option<(App, Arc<[Ready]>)>,
}

impl From<Router> for Front {
    fn from(router: Router) -> Self {
        Self { router, ready: None }
    }
}

impl Front {
    pub fn new(app: &App, router: Router, ready: impl Iterator<Item = Ready>) -> Self {
        Self { router, ready: Some((app.clone(), ready.collect())) }
    }

    /// Answers one request that came from this peer. `cut` ends its connection.
    pub async fn answer<B>(&self, request: Request<B>, peer: Peer, cut: Option<&Cut>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        if let Some((app, ready)) = self.ready.as_ref().filter(|_| request.method() == Method::GET) {
            let path = request.uri().path();
            if let Some(ready) = ready.iter().find(|ready| ready.path == path) {
                return pipeline::ready(app, ready, &request, peer);
            }
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        if let Some(cut) = cut {
            request.extensions_mut().insert(cut.clone());
        }
        match tokio::time::timeout(ANSWER_TIMEOUT, self.router.clone().oneshot(request)).await {
            Ok(answered) => answered.unwrap_or_else(|never| match never {}),
            Err(_) => {
                warn!("a request took longer than {ANSWER_TIMEOUT:?}");
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from_static("1"))])
                    .into_response()
            }
        }
    }
}
