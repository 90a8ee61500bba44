//! `/healthz`: the process lives. `/readyz`: it can serve. A load balancer asks the second, a supervisor the first.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::error::ApiError;
use crate::{app::App, errors};

/// `GET /healthz`
pub async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: the database answers and there is a key to sign with.
pub async fn readyz(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    if app.is_draining() {
        return Err(ApiError::new(errors::UNAVAILABLE).detail("the server is stopping").retry_after(1));
    }
    app.store.ping().await?;
    Ok(Json(json!({ "status": "ready", "database": app.store.kind().as_str() })))
}
