//! `/api/admin/clients…`

use std::time::Duration;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use countersign_jose::Algorithm;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, event, maybe_time, page, scope, seconds, time};
use crate::{
    app::App,
    domain::{
        audience,
        audience_id::AudienceId,
        audit::Event,
        client::{ClientId, ClientSettings, Grant, Grants, SecretHash},
        revocation::Entry,
        roles::Role,
        scope::Scope,
    },
    errors,
    http::{
        TENANT,
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    store::{
        audit,
        clients::{self, Client, Removal},
    },
};

/// The body of `POST /api/admin/clients`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    pub client_id: String,
    /// For people; default: the id.
    pub name: Option<String>,
    /// A program that cannot keep a secret.
    #[serde(default)]
    pub public: bool,
    /// `client_credentials`, `refresh_token`, `first_party`.
    pub grants: Vec<String>,
    /// What it may get tokens for; the first is its default.
    pub audiences: Vec<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Roles of the client itself.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What signs its access tokens; default: what the audience says.
    pub alg: Option<String>,
    /// Seconds.
    pub access_token_ttl: Option<u64>,
    /// Seconds.
    pub refresh_idle: Option<u64>,
    /// Seconds.
    pub refresh_absolute: Option<u64>,
}

/// `GET /api/admin/clients`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let rows = app
        .store
        .read(move |tx| {
            let after = query.after.clone();
            Box::pin(async move { clients::list(tx, TENANT, &after, limit).await })
        })
        .await?;
    Ok(Answer(page(&rows, limit, shown, |client| client.id.to_string())))
}

/// `POST /api/admin/clients`: the secret is in this answer and nowhere else.
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewClient, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let bad = |error: &dyn std::fmt::Display| ApiError::field(errors::INVALID_VALUE, "client_id", error.to_string());
    let id = ClientId::parse(&body.client_id).map_err(|error| bad(&error))?;
    let settings = settings(&body)?;
    let (plain, hash) = match body.public {
        true => (None, None),
        false => {
            let (plain, hash) = SecretHash::generate(app.random.bytes()?);
            (Some(plain), Some(hash))
        }
    };
    let checked = settings.check(hash.is_some());
    checked.map_err(|error| ApiError::new(errors::INVALID_VALUE).detail(error.to_string()))?;
    within_caps(&app, &settings)?;
    if let Some(alg) = settings.alg {
        app.ring.ensure_alg(alg, &context.source(admin.actor())).await?;
    }
    let event = event(&app, &context, admin.actor(), Event::ClientCreated)?.client(id.as_str());
    let client = clients::NewClient {
        id: id.clone(),
        tenant: TENANT.to_owned(),
        settings,
        secret: hash,
        builtin: false,
        created_at: app.clock.now(),
    };
    let inserted = app
        .store
        .write(move |tx| {
            let (client, event) = (client.clone(), event.clone());
            Box::pin(async move {
                let inserted = clients::insert(tx, &client).await?;
                if inserted {
                    audit::insert(tx, &event).await?;
                }
                Ok(inserted)
            })
        })
        .await?;
    if !inserted {
        return Err(
            ApiError::new(errors::CONFLICT).detail("this client id is taken, now or before: ids are never given again")
        );
    }
    let mut answer = shown(&found(&app, &id).await?);
    answer["client_secret"] = json!(plain.as_ref().map(crate::secret::PlainSecret::expose));
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// `POST /api/admin/clients/{id}/secret`
pub async fn rotate_secret(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let (plain, hash) = SecretHash::generate(app.random.bytes()?);
    let event = event(&app, &context, admin.actor(), Event::ClientSecretRotated)?.client(id.as_str());
    let client = id.clone();
    let rotated = app
        .store
        .write(move |tx| {
            let (id, hash, event) = (client.clone(), hash.clone(), event.clone());
            Box::pin(async move {
                let rotated = clients::rotate_secret(tx, &id, &hash).await?;
                if rotated {
                    audit::insert(tx, &event).await?;
                }
                Ok(rotated)
            })
        })
        .await?;
    if !rotated {
        return Err(missing().detail("there is no such client, or it is public and has no secret"));
    }
    Ok(Answer(json!({ "client_id": id.as_str(), "client_secret": plain.expose() })))
}

/// `DELETE /api/admin/clients/{id}`
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let now = app.clock.now();
    let entry = Entry::client(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(&app, &context, admin.actor(), Event::ClientDeleted)?.client(id.as_str());
    let removal = app
        .store
        .write(move |tx| {
            let (id, event) = (id.clone(), event.clone());
            Box::pin(async move {
                let removal = clients::remove(tx, &id, &entry, now).await?;
                if matches!(removal, Removal::Removed { .. }) {
                    audit::insert(tx, &event).await?;
                }
                Ok(removal)
            })
        })
        .await?;
    match removal {
        Removal::NoClient => Err(missing()),
        Removal::Builtin => Err(ApiError::new(errors::CONFLICT).detail("this client belongs to Countersign itself")),
        Removal::Removed { .. } => Ok(StatusCode::NO_CONTENT),
    }
}

fn settings(body: &NewClient) -> Result<ClientSettings, ApiError> {
    let bad = |field: &'static str, error: &dyn std::fmt::Display| {
        ApiError::field(errors::INVALID_VALUE, field, error.to_string())
    };
    let audience = |text: &String| AudienceId::parse(text).map_err(|error| bad("audiences", &error));
    let role = |text: &String| Role::parse(text).map_err(|error| bad("roles", &error));
    let grant = |text: &String| text.parse::<Grant>().map_err(|error| bad("grants", &error));
    let span = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    let alg = body.alg.as_deref().map(audience::algorithm).transpose().map_err(|error| bad("alg", &error))?;
    Ok(ClientSettings {
        name: body.name.clone().unwrap_or_else(|| body.client_id.clone()),
        scopes: body.scopes.join(" ").parse::<Scope>().map_err(|error| bad("scopes", &error))?,
        audiences: body.audiences.iter().map(audience).collect::<Result<_, _>>()?,
        grants: body.grants.iter().map(grant).collect::<Result<Grants, _>>()?,
        roles: body.roles.iter().map(role).collect::<Result<_, _>>()?,
        alg,
        access_token_ttl: span(body.access_token_ttl),
        refresh_idle: span(body.refresh_idle),
        refresh_absolute: span(body.refresh_absolute),
    })
}

/// A lifetime beyond the issuer's would be cut silently, or outlive the keys that its tokens need.
fn within_caps(app: &App, settings: &ClientSettings) -> Result<(), ApiError> {
    let caps = [
        ("access_token_ttl", settings.access_token_ttl, app.config.access_token_ttl_cap, "access_token_ttl_cap"),
        ("refresh_idle", settings.refresh_idle, app.config.refresh.absolute, "refresh.absolute"),
        ("refresh_absolute", settings.refresh_absolute, app.config.refresh.absolute, "refresh.absolute"),
    ];
    match caps.into_iter().find(|(_, wanted, cap, _)| wanted.is_some_and(|wanted| wanted > *cap)) {
        Some((field, _, _, key)) => {
            Err(ApiError::field(errors::INVALID_VALUE, field, format!("is longer than the issuer's {key}")))
        }
        None => Ok(()),
    }
}

fn missing() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("there is no such client")
}

async fn found(app: &App, id: &ClientId) -> Result<Client, ApiError> {
    let id = id.clone();
    let found = app
        .store
        .read(move |tx| {
            let id = id.clone();
            Box::pin(async move { clients::by_id(tx, &id).await })
        })
        .await?;
    found.ok_or_else(missing)
}

fn shown(client: &Client) -> Value {
    let settings = &client.settings;
    json!({
        "client_id": client.id.as_str(),
        "name": settings.name,
        "public": client.secret.is_none(),
        "grants": settings.grants.iter().map(Grant::as_str).collect::<Vec<_>>(),
        "audiences": settings.audiences.iter().map(AudienceId::as_str).collect::<Vec<_>>(),
        "scopes": settings.scopes.words().collect::<Vec<_>>(),
        "roles": settings.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
        "alg": settings.alg.map(Algorithm::as_str),
        "access_token_ttl": seconds(settings.access_token_ttl),
        "refresh_idle": seconds(settings.refresh_idle),
        "refresh_absolute": seconds(settings.refresh_absolute),
        "builtin": client.builtin,
        "created_at": time(client.created_at),
        "disabled_at": maybe_time(client.disabled_at),
    })
}
