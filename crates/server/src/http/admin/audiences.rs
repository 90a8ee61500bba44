//! `/api/admin/audiences…`

mod change;

use std::{collections::BTreeMap, fmt::Display, time::Duration};

pub use change::{AudienceChange, remove, update};

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use countersign_jose::Algorithm;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Page,
    clients::{Recipient, encryption},
    event, page, seconds, time,
};
use crate::{
    app::App,
    domain::{
        audience::{self, AudienceRules, ClaimMap},
        audience_id::AudienceId,
        audit::{Event, Source},
        rights::Permits,
        roles::Role,
        scope::{BadScope, Scope},
    },
    errors,
    http::{
        TENANT,
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    keys::NewAudienceSecret,
    store::{
        audiences::{self, Audience},
        audit, clients, revocations,
    },
};

/// The body of `POST /api/admin/audiences`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAudience {
    pub audience: String,
    /// For people; default: the audience.
    pub name: Option<String>,
    /// `ES256` unless told. `HS256` makes a secret, shown once.
    pub alg: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Claim name → user attribute.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    pub required_role: Option<String>,
    /// Seconds.
    pub access_token_ttl: Option<u64>,
    /// Whether its tokens say what the roles in them permit.
    #[serde(default)]
    pub permissions: bool,
    /// Its key, for clients whose access tokens are encrypted.
    pub encryption: Option<Recipient>,
}

/// The body of `PUT /api/admin/audiences/{id}/disabled-scopes`: all that are disabled from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisabledScopes {
    pub scopes: Vec<String>,
}

/// `GET /api/admin/audiences`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let rows = app
        .store
        .read(move |tx| {
            let after = query.after.clone();
            Box::pin(async move { audiences::list(tx, TENANT, &after, limit).await })
        })
        .await?;
    Ok(Answer(page(&rows, limit, shown, |audience| audience.rules.audience.clone())))
}

/// `POST /api/admin/audiences`: the secret of an HS256 audience is in this answer and nowhere else.
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewAudience, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let (mut audience, secret) = (audience(&app, &body)?, secret(&app, &body, &context.source(admin.actor())).await?);
    audience.sealed_secret = secret.as_ref().map(|secret| secret.sealed.clone());
    let event = event(&app, &context, admin.actor(), Event::AudienceCreated)?;
    let event = event.with("audience", body.audience.as_str());
    let new = audience.clone();
    let inserted = app
        .store
        .write(move |tx| {
            let (new, event) = (new.clone(), event.clone());
            Box::pin(async move {
                let inserted = audiences::insert(tx, &new).await?;
                if inserted {
                    audit::insert(tx, &event).await?;
                }
                Ok(inserted)
            })
        })
        .await?;
    if !inserted {
        return Err(ApiError::new(errors::CONFLICT).detail("an audience of this name exists"));
    }
    // The ring must know the secret before the first token is asked for.
    app.ring.reload().await?;
    let mut answer = shown(&audience);
    if let Some(NewAudienceSecret { kid, secret, .. }) = &secret {
        (answer["kid"], answer["secret"]) = (json!(kid), json!(secret.expose()));
    }
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// `GET /api/admin/audiences/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { audiences::find(tx, &id).await })
    });
    Ok(Answer(shown(&found.await?.ok_or_else(missing)?)))
}

/// `PUT /api/admin/audiences/{id}/disabled-scopes`: tokens with a scope that is disabled now die within a second; sessions
/// live on, and their next refresh leaves it out.
pub async fn disable_scopes(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<DisabledScopes, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let id = AudienceId::parse(&id).map_err(|_| missing())?;
    let bad = |error: BadScope| ApiError::field(errors::INVALID_VALUE, "scopes", error.to_string());
    let disabled = body.scopes.join(" ").parse::<Scope>().map_err(bad)?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::AudienceUpdated)?.with("audience", id.as_str());
    let event = event.with("disabled_scopes", disabled.to_string());
    let changed = app
        .store
        .write(move |tx| {
            let (id, disabled, act, event) = (id.clone(), disabled.clone(), act.clone(), event.clone());
            Box::pin(async move {
                let Some(audience) = audiences::find(tx, id.as_str()).await? else { return Ok(None) };
                if audience.rules.disabled_scopes == disabled {
                    return Ok(Some(audience));
                }
                audiences::set_disabled_scopes(tx, id.as_str(), &disabled).await?;
                if !disabled.is_subset(&audience.rules.disabled_scopes) {
                    let clients = clients::of_audience(tx, &audience.tenant, &id).await?;
                    revocations::outdate_clients(tx, &clients, &act).await?;
                }
                audit::insert(tx, &event).await?;
                audiences::find(tx, id.as_str()).await
            })
        })
        .await?;
    Ok(Answer(shown(&changed.ok_or_else(missing)?)))
}

fn missing() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("there is no such audience")
}

fn bad(field: &'static str, error: &dyn Display) -> ApiError {
    ApiError::field(errors::INVALID_VALUE, field, error.to_string())
}

/// A lifetime of access tokens that the issuer allows.
fn lifetime(app: &App, seconds: u64) -> Result<Duration, ApiError> {
    let ttl = Duration::from_secs(seconds);
    let words = "must be at least a second and at most the issuer's access_token_ttl_cap";
    if ttl.is_zero() || ttl > app.config.access_token_ttl_cap { Err(bad("access_token_ttl", &words)) } else { Ok(ttl) }
}

fn audience(app: &App, body: &NewAudience) -> Result<Audience, ApiError> {
    let id = AudienceId::parse(&body.audience).map_err(|error| bad("audience", &error))?;
    let role =
        body.required_role.as_deref().map(Role::parse).transpose().map_err(|error| bad("required_role", &error))?;
    let ttl = body.access_token_ttl.map(|seconds| lifetime(app, seconds)).transpose()?;
    let rules = AudienceRules {
        audience: id.to_string(),
        alg: alg(body)?,
        claims: ClaimMap::new(body.claims.clone()).map_err(|error| bad("claims", &error))?,
        required_role: role.map(|role| role.to_string()),
        disabled_scopes: Scope::default(),
        permissions: body.permissions.then(Permits::default),
        access_token_ttl: ttl,
        encryption: encryption("encryption", body.encryption.as_ref())?,
    };
    Ok(Audience {
        rules,
        tenant: TENANT.to_owned(),
        name: body.name.clone().unwrap_or_else(|| body.audience.clone()),
        scopes: body.scopes.join(" ").parse::<Scope>().map_err(|error| bad("scopes", &error))?,
        sealed_secret: None,
        created_at: app.clock.now(),
    })
}

fn alg(body: &NewAudience) -> Result<Algorithm, ApiError> {
    let text = body.alg.as_deref().unwrap_or(Algorithm::ES256.as_str());
    audience::algorithm(text).map_err(|error| ApiError::field(errors::INVALID_VALUE, "alg", error.to_string()))
}

/// Makes the key that the audience's tokens will be signed with: a secret of its own, or one of the issuer's.
async fn secret(app: &App, body: &NewAudience, by: &Source) -> Result<Option<NewAudienceSecret>, ApiError> {
    let alg = alg(body)?;
    if alg.is_symmetric() {
        return Ok(Some(app.ring.new_audience_secret(&body.audience).await?));
    }
    app.ring.ensure_alg(alg, by).await?;
    Ok(None)
}

fn shown(audience: &Audience) -> Value {
    let rules = &audience.rules;
    json!({
        "audience": rules.audience,
        "name": audience.name,
        "alg": rules.alg.as_str(),
        // What its tokens can travel by; a browser's cookie has no room for the longest signatures.
        "transports": if audience::fits_a_cookie(rules.alg) { &["bearer", "cookie"][..] } else { &["bearer"] },
        "scopes": audience.scopes.words().collect::<Vec<_>>(),
        "disabled_scopes": rules.disabled_scopes.words().collect::<Vec<_>>(),
        "claims": serde_json::from_str::<Value>(&rules.claims.to_json()).unwrap_or(Value::Null),
        "required_role": rules.required_role,
        "permissions": rules.permissions.is_some(),
        "access_token_ttl": seconds(rules.access_token_ttl),
        "encryption": Recipient::of(rules.encryption.as_ref()),
        "created_at": time(audience.created_at),
    })
}
