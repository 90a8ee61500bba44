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
    /// `token` (default), or `feed`: the keys of the revocation feed, which have one algorithm.
    pub purpose: Option<String>,
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
    let when = if body.now { When::Now } else { When::Published };
    for slot in slots(&app, &body)? {
        app.ring.rotate(slot, when, &context.source(admin.actor())).await?;
    }
    Ok(Answer(all(&app).await?))
}

fn slots(app: &App, body: &Rotate) -> Result<Vec<Slot>, ApiError> {
    let bad = |field, detail: &str| ApiError::field(errors::INVALID_VALUE, field, detail);
    let named = body.alg.as_deref().map(str::parse::<Algorithm>).transpose();
    let named = named.map_err(|_| bad("alg", "no such algorithm"))?;
    match body.purpose.as_deref() {
        None | Some("token") => {
            let algs = named.map_or_else(|| app.ring.snapshot().algorithms(), |alg| vec![alg]);
            Ok(algs.into_iter().map(Slot::token).collect())
        }
        Some("feed") if named.is_none_or(|alg| alg == Slot::FEED.alg) => Ok(vec![Slot::FEED]),
        Some("feed") => Err(bad("alg", "the feed is signed with ES256")),
        Some(_) => Err(bad("purpose", "must be token or feed")),
    }
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
        "verifiers": info.verifiers.as_ref().map(|known| {
            json!({ "knowing": known.knowing, "lagging": known.lagging, "who": known.who })
        }),
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
