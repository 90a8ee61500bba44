//! `/healthz`: the process lives. `/readyz`: it can serve. A load balancer asks the second, a supervisor the first.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::error::ApiError;
use crate::{app::App, errors};

/// `GET /healthz`
pub async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: the database answers, there is a key to sign with, and a certificate if one is fetched.
pub async fn readyz(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    if app.is_draining() {
        return Err(ApiError::new(errors::UNAVAILABLE).detail("the server is stopping").retry_after(1));
    }
    if app.config.acme.is_some() && app.metrics.certificate_expires().is_none() {
        return Err(ApiError::new(errors::UNAVAILABLE).detail("no certificate has been fetched yet").retry_after(10));
    }
    app.store.ping().await?;
    Ok(Json(json!({ "status": "ready", "database": app.store.kind().as_str() })))
}
