//! `/api/admin/organisations…`: people who act for something together.

pub mod invitations;
pub mod members;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, event, page, time, write};
use crate::{
    app::App,
    domain::{
        audit::{Event, is_hostile},
        group::NAME_RULE,
        organisation::{MAX_NAME, OrganisationId},
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
        dialect::{RowKey, lock_rows},
        organisations::{self, Organisation},
        revocations,
    },
};

/// The body of `POST /api/admin/organisations`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Its id, which tokens say: lower-case letters, digits, `.`, `_`, `-`.
    pub organisation: String,
    /// For people; default: its id.
    pub name: Option<String>,
}

/// The body of `PUT /api/admin/organisations/{id}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationChange {
    pub name: String,
}

/// `GET /api/admin/organisations`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let rows = app.store.read(move |tx| {
        let after = query.after.clone();
        Box::pin(async move { organisations::list(tx, TENANT, &after, limit).await })
    });
    Ok(Answer(page(&rows.await?, limit, shown, |organisation| organisation.id.to_string())))
}

/// `POST /api/admin/organisations`
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewOrganisation, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let words = || format!("an organisation's id {NAME_RULE}, and is not `none`");
    let bad = || ApiError::field(errors::INVALID_VALUE, "organisation", words());
    let id = OrganisationId::parse(&body.organisation).ok_or_else(bad)?;
    let new = Organisation {
        name: name(body.name.as_deref().unwrap_or(id.as_str()))?,
        id,
        tenant: TENANT.to_owned(),
        created_at: app.clock.now(),
        members: 0,
    };
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let event = event.with("organisation", new.id.as_str()).with("change", "added");
    let stored = new.clone();
    let inserted = write(&app, event, super::happened, move |tx| {
        let new = stored.clone();
        Box::pin(async move { organisations::insert(tx, &new).await })
    });
    if !inserted.await? {
        return Err(ApiError::new(errors::CONFLICT).detail("an organisation of this id exists"));
    }
    Ok((StatusCode::CREATED, Answer(shown(&new))))
}

/// `GET /api/admin/organisations/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer(shown(&find(&app, &parse(&id)?).await?)))
}

/// `PUT /api/admin/organisations/{id}`: another name for people; no token says it.
pub async fn update(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<OrganisationChange, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let (id, name) = (parse(&id)?, name(&body.name)?);
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let event = event.with("organisation", id.as_str()).with("change", "renamed");
    let wanted = id.clone();
    let renamed = write(&app, event, super::happened, move |tx| {
        let (id, name) = (wanted.clone(), name.clone());
        Box::pin(async move {
            let Some(old) = organisations::find(tx, TENANT, &id).await? else { return Ok(false) };
            organisations::rename(tx, &id, &name).await?;
            Ok(old.name != name)
        })
    });
    renamed.await?;
    Ok(Answer(shown(&find(&app, &id).await?)))
}

/// `DELETE /api/admin/organisations/{id}`: nobody can act for it any more; its members' tokens die within a second.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = parse(&id)?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let event = event.with("organisation", id.as_str()).with("change", "removed");
    let removed = app.store.write(move |tx| {
        let (id, act, event) = (id.clone(), act.clone(), event.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::Organisation(id.as_str())]).await?;
            if organisations::find(tx, TENANT, &id).await?.is_none() {
                return Ok(false);
            }
            let members = organisations::member_ids(tx, &id).await?;
            audit::insert(tx, &event).await?;
            organisations::remove(tx, &id).await?;
            revocations::outdate_users(tx, &members, &act).await?;
            Ok(true)
        })
    });
    if removed.await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

async fn find(app: &App, id: &OrganisationId) -> Result<Organisation, ApiError> {
    let id = id.clone();
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { organisations::find(tx, TENANT, &id).await })
    });
    found.await?.ok_or_else(missing)
}

fn parse(id: &str) -> Result<OrganisationId, ApiError> {
    OrganisationId::parse(id).ok_or_else(missing)
}

fn missing() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("there is no such organisation")
}

fn name(text: &str) -> Result<String, ApiError> {
    if text.trim().is_empty() || text.chars().count() > MAX_NAME || text.contains(is_hostile) {
        let words = format!("is one line of 1 to {MAX_NAME} characters");
        return Err(ApiError::field(errors::INVALID_VALUE, "name", words));
    }
    Ok(text.to_owned())
}

fn shown(organisation: &Organisation) -> Value {
    json!({
        "organisation": organisation.id.as_str(),
        "name": organisation.name,
        "members": organisation.members,
        "created_at": time(organisation.created_at),
    })
}
