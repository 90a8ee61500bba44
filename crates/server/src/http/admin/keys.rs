//! `/api/admin/keys…`: states of the key ring. No private part is reachable from here (KEY-01).

use axum::{Json as Answer, extract::State};
use countersign_jose::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::time;
use crate::{
    app::App,
    domain::{
        key_ring::{KeyState, Slot},
        key_store::{KeyPlace, StoreName},
        time::retry_after_secs,
    },
    errors,
    http::{
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    keys::{KeyInfo, KeyRingError, ProviderError, When},
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

/// The body of `POST /api/admin/keys/move`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// `file`, `transit`, `pkcs11` or `kms`. How it is reached is in the configuration alone: a request must not choose who
    /// gets the key.
    pub to: String,
}

/// `POST /api/admin/keys/move`: another guard gets the key-encryption key beside the present one.
pub async fn guard_with(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<Move, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let bad = || ApiError::field(errors::INVALID_VALUE, "to", "must be file, transit, pkcs11 or kms");
    let to = KeyPlace::parse(&body.to).ok_or_else(bad)?;
    let wrapped = app.ring.guard_with(to, &context.source(admin.actor())).await?;
    Ok(Answer(json!({ "to": to.as_str(), "place": wrapped.place, "kek": wrapped.kek_id })))
}

/// The body of `POST /api/admin/keys/move/finish`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// The guard that stays, as the caller's configuration names it: the server may run with an older one.
    pub keep: String,
}

/// `POST /api/admin/keys/move/finish`: every guard but the configured one is forgotten.
pub async fn keep_one_guard(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<Finish, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let runs = app.config.keys.place.as_str();
    if body.keep != runs {
        let detail = format!("this server runs with keys.store = {runs}; restart it with the new configuration first");
        return Err(ApiError::field(errors::INVALID_VALUE, "keep", &detail));
    }
    let done = app.ring.keep_one_guard(&context.source(admin.actor())).await?;
    Ok(Answer(json!({ "kept": done.kept, "forgotten": done.forgotten, "left": done.left })))
}

/// What guards the keys, for `countersign doctor`. The guard is asked.
pub(super) async fn guards(app: &App) -> Result<Value, ApiError> {
    let wraps = app.ring.wraps().await?;
    let problem = match app.config.keys.place {
        KeyPlace::File => None,
        KeyPlace::Store(_) => app.ring.probe().await.err().map(|error| error.to_string()),
    };
    let stores = app.ring.stores().iter().map(|store| {
        let wrapped = wraps.iter().find(|wrap| wrap.store == store.name());
        json!({
            "store": store.name().as_str(),
            "place": store.place(),
            "breaker": store.standing().as_str(),
            "wrapped_at": wrapped.map(|wrap| time(wrap.created_at)),
        })
    });
    Ok(json!({
        "place": app.config.keys.place.as_str(),
        "sign": if app.config.keys.sign_there { "there" } else { "here" },
        "problem": problem,
        "stores": stores.collect::<Vec<_>>(),
    }))
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
        "store": info.store.map(StoreName::as_str),
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
            KeyRingError::Remote(error) => {
                // Whoever administers needs the words; the place is no secret to them.
                let retry_after = retry_after_secs(error.retry_after());
                Self::new(errors::KEY_STORE).retry_after(retry_after).detail(error.to_string())
            }
            KeyRingError::NotSetUp { .. }
            | KeyRingError::NotWrapped { .. }
            | KeyRingError::StillSigning { .. }
            | KeyRingError::NoKeysThere { .. }
            | KeyRingError::Provider(ProviderError::Kek(_)) => {
                Self::new(errors::INVALID_VALUE).detail(error.to_string())
            }
            KeyRingError::Contended => Self::new(errors::UNAVAILABLE).retry_after(1).log(error.to_string()),
            other => Self::new(errors::INTERNAL).log(other.to_string()),
        }
    }
}
