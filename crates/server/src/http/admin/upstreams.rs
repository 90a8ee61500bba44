//! `/api/admin/upstreams…`: other OpenID providers that people sign in with.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{event, page, time};
use crate::{
    app::App,
    domain::{
        audit::Event,
        upstream::{Upstream, UpstreamName, is_callable, secret_context},
    },
    errors,
    http::{
        TENANT,
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    secret::PlainSecret,
    store::{audit, upstreams},
    upstream::{discover, redirect_uri},
};

/// The longest label, characters.
const MAX_LABEL: usize = 60;

/// The body of `POST /api/admin/upstreams`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpstream {
    /// 1 to 40 of `a-z`, `0-9` and `-`.
    pub upstream: String,
    /// For people: "Continue with …"; default: the name.
    pub label: Option<String>,
    /// Its issuer identifier, exactly as its metadata have it.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there; without: we are a public client.
    #[schemars(with = "Option<String>")]
    pub secret: Option<PlainSecret>,
    /// Whether a person who is not known yet gets an account; default: true. Registration must be open, too.
    pub signup: Option<bool>,
}

/// `GET /api/admin/upstreams`
pub async fn list(State(app): State<App>) -> Result<Answer<Value>, ApiError> {
    let rows = app.store.read(|tx| Box::pin(upstreams::list(tx, TENANT))).await?;
    let limit = u32::try_from(rows.len()).unwrap_or(u32::MAX).saturating_add(1);
    Ok(Answer(page(&rows, limit, |upstream| shown(&app, upstream), |upstream| upstream.name.to_string())))
}

/// `POST /api/admin/upstreams`: it is asked for its metadata first, so that a mistake is found now and not by a person who
/// signs in.
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewUpstream, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let new = upstream(&app, &body).await?;
    let event = event(&app, &context, admin.actor(), Event::UpstreamCreated)?;
    let event = event.with("upstream", new.name.as_str()).with("issuer", new.issuer.as_str());
    let stored = new.clone();
    let inserted = app
        .store
        .write(move |tx| {
            let (new, event) = (stored.clone(), event.clone());
            Box::pin(async move {
                let inserted = upstreams::insert(tx, TENANT, &new).await?;
                if inserted {
                    audit::insert(tx, &event).await?;
                }
                Ok(inserted)
            })
        })
        .await?;
    if !inserted {
        return Err(ApiError::new(errors::CONFLICT).detail("an upstream of this name exists"));
    }
    Ok((StatusCode::CREATED, Answer(shown(&app, &new))))
}

/// `DELETE /api/admin/upstreams/{id}`
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::new(errors::NOT_FOUND).detail("there is no such upstream");
    let name = UpstreamName::parse(&name).map_err(|_| missing())?;
    let event = event(&app, &context, admin.actor(), Event::UpstreamDeleted)?.with("upstream", name.as_str());
    let removed = app
        .store
        .write(move |tx| {
            let (name, event) = (name.clone(), event.clone());
            Box::pin(async move {
                let removed = upstreams::remove(tx, &name).await?;
                if removed {
                    audit::insert(tx, &event).await?;
                }
                Ok(removed)
            })
        })
        .await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

async fn upstream(app: &App, body: &NewUpstream) -> Result<Upstream, ApiError> {
    let bad = |field, words: &str| ApiError::field(errors::INVALID_VALUE, field, words);
    let name = UpstreamName::parse(&body.upstream).map_err(|error| bad("upstream", &error.to_string()))?;
    let label = body.label.clone().unwrap_or_else(|| name.to_string());
    if label.trim().is_empty() || label.chars().count() > MAX_LABEL {
        return Err(bad("label", "must be 1 to 60 characters"));
    }
    if body.client_id.is_empty() || body.client_id.len() > 255 {
        return Err(bad("client_id", "must be 1 to 255 bytes"));
    }
    if !is_callable(&body.issuer) {
        return Err(bad("issuer", "must be https://, or http:// on a loopback host"));
    }
    if let Err(error) = discover(app, &body.issuer).await {
        return Err(bad("issuer", &format!("{} cannot be asked: {error}", body.issuer)));
    }
    let sealed_secret = match &body.secret {
        Some(secret) => {
            let sealed = app.ring.provider().seal(secret.expose().as_bytes(), &secret_context(&name)).await;
            Some(sealed.map_err(|error| ApiError::new(errors::INTERNAL).log(error.to_string()))?)
        }
        None => None,
    };
    Ok(Upstream {
        name,
        label,
        issuer: body.issuer.clone(),
        client_id: body.client_id.clone(),
        sealed_secret,
        signup: body.signup.unwrap_or(true),
        created_at: app.clock.now(),
    })
}

fn shown(app: &App, upstream: &Upstream) -> Value {
    json!({
        "upstream": upstream.name.as_str(),
        "label": upstream.label,
        "issuer": upstream.issuer,
        "client_id": upstream.client_id,
        "confidential": upstream.sealed_secret.is_some(),
        "signup": upstream.signup,
        // What has to be registered there.
        "redirect_uri": redirect_uri(app, &upstream.name),
        "created_at": time(upstream.created_at),
    })
}
