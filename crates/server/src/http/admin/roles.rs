//! `/api/admin/roles…`: what roles are for, and what they permit. A role that nobody described permits nothing.

use std::collections::BTreeSet;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, description, event, page, time, write};
use crate::{
    app::App,
    domain::{
        assurance::Level,
        audit::{AuditEvent, Event},
        rights::{MAX_IN_ALL, PermissionGrant, takes_away},
        roles::{self, Role},
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
        StoreError, Tx, audiences, audit, clients,
        dialect::{RowKey, lock_rows},
        revocations,
        role_definitions::{self, Definition},
        sessions::Act,
    },
};

/// The body of `POST /api/admin/roles`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    pub role: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// `PERMISSION` everywhere, or `PERMISSION@AUDIENCE` at one audience.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// `2`: only sessions that began with a second factor have it; default: `1`.
    pub required_acr: Option<String>,
}

/// The body of `PUT /api/admin/roles/{id}`: what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    pub description: Option<String>,
    /// All that it permits from now on.
    pub permissions: Option<Vec<String>>,
    /// `1` or `2`.
    pub required_acr: Option<String>,
}

/// A change that was understood.
#[derive(Debug, Clone)]
struct Change {
    description: Option<String>,
    permissions: Option<BTreeSet<PermissionGrant>>,
    required_level: Option<Level>,
}

/// What came of a change.
enum Changed {
    Missing,
    /// All roles would hold more permissions than there may be.
    TooMany,
    To(Definition),
}

/// `GET /api/admin/roles`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let rows = app.store.read(move |tx| {
        let after = query.after.clone();
        Box::pin(async move { role_definitions::list(tx, TENANT, &after, limit).await })
    });
    Ok(Answer(page(&rows.await?, limit, shown, |role| role.role.to_string())))
}

/// `POST /api/admin/roles`
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewRole, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let bad = |error| ApiError::field(errors::INVALID_VALUE, "role", error);
    let new = Definition {
        role: Role::parse(&body.role).map_err(|error| bad(error.to_string()))?,
        tenant: TENANT.to_owned(),
        description: description(&body.description)?,
        permissions: permissions(&body.permissions)?,
        required_level: required_level(body.required_acr.as_deref())?.unwrap_or_default(),
        created_at: app.clock.now(),
    };
    let event = told(event(&app, &context, admin.actor(), Event::PermissionsChanged)?, &new, "described");
    let (stored, act) = (new.clone(), app.act(&context, admin.actor(), app.clock.now())?);
    let inserted = write(
        &app,
        event,
        |inserted| *inserted == Some(true),
        move |tx| {
            let (new, act) = (stored.clone(), act.clone());
            Box::pin(async move {
                lock_rows(tx, &mut [RowKey::Tenant(TENANT)]).await?;
                if too_many(tx, new.permissions.len(), 0).await? {
                    return Ok(None);
                }
                let inserted = role_definitions::insert(tx, &new).await?;
                if inserted && new.required_level > Level::One {
                    // People may have it already, whom nobody asked for more.
                    let clients = clients::of_tenant(tx, TENANT).await?;
                    revocations::outdate_clients(tx, &clients, &act).await?;
                }
                Ok(Some(inserted))
            })
        },
    );
    match inserted.await? {
        None => Err(full()),
        Some(false) => Err(ApiError::new(errors::CONFLICT).detail("this role is described already")),
        Some(true) => Ok((StatusCode::CREATED, Answer(shown(&new)))),
    }
}

/// `GET /api/admin/roles/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let role = Role::parse(&id).map_err(|_| missing())?;
    let found = app.store.read(move |tx| {
        let role = role.clone();
        Box::pin(async move { role_definitions::find(tx, TENANT, &role).await })
    });
    Ok(Answer(shown(&found.await?.ok_or_else(missing)?)))
}

/// `PUT /api/admin/roles/{id}`: tokens with a permission that was taken away, or with a role that asks for more now, die within a second; sessions live on, and their
/// next refresh says what holds now. What was given comes with the next refresh.
pub async fn update(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<RoleChange, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let role = Role::parse(&id).map_err(|_| missing())?;
    let change = Change {
        description: body.description.as_deref().map(description).transpose()?,
        permissions: body.permissions.as_deref().map(permissions).transpose()?,
        required_level: required_level(body.required_acr.as_deref())?,
    };
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let changed = app.store.write(move |tx| {
        let (role, change, act, event) = (role.clone(), change.clone(), act.clone(), event.clone());
        Box::pin(async move { change_role(tx, &role, change, (&act, event)).await })
    });
    match changed.await? {
        Changed::Missing => Err(missing()),
        Changed::TooMany => Err(full()),
        Changed::To(role) => Ok(Answer(shown(&role))),
    }
}

/// `DELETE /api/admin/roles/{id}`: nobody has it any more. Tokens that may say it die within a second, whoever's they are.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let role = Role::parse(&id).map_err(|_| missing())?;
    if role.as_str() == roles::ADMIN {
        return Err(
            ApiError::new(errors::CONFLICT).detail("this role opens the admin API; take it from people one by one")
        );
    }
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let event = event.with("role", role.as_str()).with("change", "removed");
    let removed = app.store.write(move |tx| {
        let (role, act, event) = (role.clone(), act.clone(), event.clone());
        Box::pin(async move { take_away(tx, &role, &act, &event).await })
    });
    let needing = removed.await?.ok_or_else(missing)?;
    if needing.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("take it away from these first: {}", needing.join(", "));
    Err(ApiError::new(errors::CONFLICT).detail(detail))
}

async fn change_role(
    tx: &mut Tx,
    role: &Role,
    change: Change,
    (act, event): (&Act, AuditEvent),
) -> Result<Changed, StoreError> {
    // What is left out stays as it is now, whoever changes it at the same time.
    lock_rows(tx, &mut [RowKey::Tenant(TENANT)]).await?;
    let Some(old) = role_definitions::find(tx, TENANT, role).await? else { return Ok(Changed::Missing) };
    let new = Definition {
        description: change.description.unwrap_or_else(|| old.description.clone()),
        permissions: change.permissions.unwrap_or_else(|| old.permissions.clone()),
        required_level: change.required_level.unwrap_or(old.required_level),
        ..old.clone()
    };
    if new == old {
        return Ok(Changed::To(new));
    }
    if too_many(tx, new.permissions.len(), old.permissions.len()).await? {
        return Ok(Changed::TooMany);
    }
    audit::insert(tx, &told(event, &new, "changed")).await?;
    role_definitions::update(tx, &new).await?;
    if new.required_level > old.required_level {
        // Any token of a weaker session may say it.
        let clients = clients::of_tenant(tx, TENANT).await?;
        revocations::outdate_clients(tx, &clients, act).await?;
    } else if takes_away(&old.permissions, &new.permissions) {
        let mut clients = BTreeSet::new();
        for audience in audiences::hearing_permissions(tx, TENANT).await? {
            let here =
                |grant: &&PermissionGrant| grant.audience.as_deref().is_none_or(|name| name == audience.as_str());
            if old.permissions.difference(&new.permissions).any(|grant| here(&grant)) {
                clients.extend(clients::of_audience(tx, TENANT, &audience).await?);
            }
        }
        revocations::outdate_clients(tx, &Vec::from_iter(clients), act).await?;
    }
    Ok(Changed::To(new))
}

/// `None`: there is no such role. Else the audiences and clients that need it, and stand in the way.
async fn take_away(tx: &mut Tx, role: &Role, act: &Act, event: &AuditEvent) -> Result<Option<Vec<String>>, StoreError> {
    lock_rows(tx, &mut [RowKey::Tenant(TENANT)]).await?;
    if role_definitions::find(tx, TENANT, role).await?.is_none() {
        return Ok(None);
    }
    let mut needing = Vec::new();
    let audiences = audiences::requiring(tx, TENANT, role).await?;
    needing.extend(audiences.iter().map(|name| format!("the audience {name}, which requires it")));
    needing.extend(clients::with_role(tx, TENANT, role).await?.iter().map(|name| format!("the client {name}")));
    if needing.is_empty() {
        audit::insert(tx, event).await?;
        role_definitions::remove(tx, role).await?;
        let clients = clients::of_tenant(tx, TENANT).await?;
        revocations::outdate_clients(tx, &clients, act).await?;
    }
    Ok(Some(needing))
}

async fn too_many(tx: &mut Tx, new: usize, old: usize) -> Result<bool, StoreError> {
    let (new, old) = (i64::try_from(new).unwrap_or(i64::MAX), i64::try_from(old).unwrap_or(0));
    Ok(new > old && role_definitions::count_permissions(tx).await? - old + new > MAX_IN_ALL)
}

fn told(event: AuditEvent, role: &Definition, change: &'static str) -> AuditEvent {
    let permissions: Vec<String> = role.permissions.iter().map(ToString::to_string).collect();
    event
        .with("role", role.role.as_str())
        .with("change", change)
        .with("permissions", permissions.join(" "))
        .with("required_acr", role.required_level.as_str())
}

fn permissions(texts: &[String]) -> Result<BTreeSet<PermissionGrant>, ApiError> {
    let bad = |error| ApiError::field(errors::INVALID_VALUE, "permissions", error);
    PermissionGrant::parse_all(texts).map_err(|error| bad(error.to_string()))
}

fn required_level(acr: Option<&str>) -> Result<Option<Level>, ApiError> {
    let bad = || ApiError::field(errors::INVALID_VALUE, "required_acr", "is 1 or 2");
    acr.map(|acr| Level::parse(acr).ok_or_else(bad)).transpose()
}

fn missing() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("this role is not described")
}

fn full() -> ApiError {
    let words = format!("all roles together have at most {MAX_IN_ALL} permissions");
    ApiError::field(errors::INVALID_VALUE, "permissions", words)
}

fn shown(role: &Definition) -> Value {
    json!({
        "role": role.role.as_str(),
        "description": role.description,
        "permissions": role.permissions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "required_acr": role.required_level.as_str(),
        "created_at": time(role.created_at),
    })
}
