//! `POST /api/admin/registration-tokens`: lets programs register themselves as clients.

use std::time::Duration;

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{event, time};
use crate::{
    app::App,
    domain::{audit::Event, client::SecretHash},
    errors,
    http::{body::Json, caller::Administrator, context::Context, error::ApiError},
    store::{audit, registrations},
};

/// The longest life of an initial access token.
const MAX_LIFE: Duration = Duration::from_hours(24 * 90);
const MAX_USES: u32 = 1_000;

/// The body of `POST /api/admin/registration-tokens`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// How many clients may register with it; default: one.
    #[serde(default = "one")]
    pub uses: u32,
    /// Seconds; default: a day.
    #[serde(default = "day")]
    pub expires_in: u64,
}

const fn one() -> u32 {
    1
}

const fn day() -> u64 {
    86_400
}

/// The token is in this answer and nowhere else.
pub async fn allow(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewToken>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    if !app.config.clients.registration {
        return Err(ApiError::new(errors::CONFLICT).detail("registration is off: set clients.registration = \"token\""));
    }
    if !(1..=MAX_USES).contains(&body.uses) {
        return Err(ApiError::field(errors::INVALID_VALUE, "uses", format!("is 1 to {MAX_USES}")));
    }
    let life = Duration::from_secs(body.expires_in);
    if life.is_zero() || life > MAX_LIFE {
        return Err(ApiError::field(errors::INVALID_VALUE, "expires_in", "is at most 90 days"));
    }
    let (plain, hash) = SecretHash::generate_as("cit_", app.random.bytes()?);
    let (now, uses) = (app.clock.now(), body.uses);
    let until = now.plus(life);
    let event = event(&app, &context, admin.actor(), Event::RegistrationAllowed)?.with("uses", uses);
    let written = app.store.write(move |tx| {
        let (hash, event) = (hash.clone(), event.clone());
        Box::pin(async move {
            registrations::allow(tx, &hash, uses, until, now).await?;
            audit::insert(tx, &event).await
        })
    });
    written.await?;
    let answer = json!({ "token": plain.expose(), "uses": uses, "expires_at": time(until) });
    Ok((StatusCode::CREATED, Answer(answer)))
}
