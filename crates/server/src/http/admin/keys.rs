//! `/api/admin/keys…`: states of the key ring. No private part is reachable from here (KEY-01).

use axum::{Json as Answer, extract::State};
use countersign_jose::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::time;
use crate::{
    app::App,
    domain::key_ring::{KeyState, Slot},
    errors,
    http::{
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    keys::{KeyInfo, KeyRingError, When},
};

/// The body of `POST /api/admin/keys/rotate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Default: every algorithm that signs.
    pub alg: Option<String>,
    /// Sign with the new key at once, before every cache can know it.
    #[serde(default)]
    pub now: bool,
}

/// `GET /api/admin/keys`
pub async fn list(State(app): State<App>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer(all(&app).await?))
}

/// `POST /api/admin/keys/rotate`: the ring as it is afterwards.
pub async fn rotate(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<Rotate, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let bad = |_| ApiError::field(errors::INVALID_VALUE, "alg", "no such algorithm");
    let named = body.alg.as_deref().map(str::parse::<Algorithm>).transpose().map_err(bad)?;
    let algs = named.map_or_else(|| app.ring.snapshot().algorithms(), |alg| vec![alg]);
    let when = if body.now { When::Now } else { When::Published };
    for alg in algs {
        app.ring.rotate(Slot::token(alg), when, &context.source(admin.actor())).await?;
    }
    Ok(Answer(all(&app).await?))
}

async fn all(app: &App) -> Result<Value, ApiError> {
    let keys = app.ring.list().await?;
    Ok(json!({ "items": keys.iter().map(shown).collect::<Vec<_>>(), "next": null }))
}

pub(super) fn shown(info: &KeyInfo) -> Value {
    let since = match info.key.state {
        KeyState::Staged | KeyState::Removed => Value::Null,
        KeyState::Published { since } | KeyState::Active { since } | KeyState::Retiring { since } => time(since),
    };
    json!({
        "kid": info.key.kid,
        "purpose": info.key.slot.purpose.as_str(),
        "alg": info.key.slot.alg.as_str(),
        "state": info.key.state.as_str(),
        "since": since,
        "created_at": time(info.created_at),
    })
}

impl From<KeyRingError> for ApiError {
    fn from(error: KeyRingError) -> Self {
        match error {
            KeyRingError::Store(error) => error.into(),
            KeyRingError::NoSigner(_) | KeyRingError::NoSuchKey(_) => {
                Self::new(errors::NOT_FOUND).detail(error.to_string())
            }
            KeyRingError::Contended => Self::new(errors::UNAVAILABLE).retry_after(1).log(error.to_string()),
            other => Self::new(errors::INTERNAL).log(other.to_string()),
        }
    }
}
