//! `/api/admin/organisations/{id}/members…`: who acts for it, and what they may do by that.

use std::collections::BTreeSet;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{missing, parse};
use crate::{
    app::App,
    domain::{
        audit::Event,
        organisation::{MAX_MEMBERS, MAX_OF_USER, OrganisationId},
        roles::RoleGrant,
        user::UserId,
    },
    errors,
    http::{
        TENANT,
        admin::{Page, event, happened, page, shared_roles, time, users, write},
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    store::{
        StoreError, Tx,
        dialect::{RowKey, lock_rows},
        groups::Member,
        invitations, organisations, revocations,
        sessions::Act,
    },
};

/// The body of `PUT /api/admin/organisations/{id}/members/{user}`: all roles that the member has by it from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRoles {
    /// `ROLE` everywhere, or `ROLE@AUDIENCE` at one audience.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// What came of making somebody a member, or of giving a member other roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// There is no such organisation.
    Missing,
    /// The organisation has as many members as it can.
    Full,
    /// The person belongs to as many as they can.
    TooMany,
    Unchanged,
    Changed,
}

/// `GET /api/admin/organisations/{id}/members`
pub async fn list(State(app): State<App>, Path(id): Path<String>, query: Page) -> Result<Answer<Value>, ApiError> {
    let (id, limit) = (parse(&id)?, query.limit());
    let found = app.store.read(move |tx| {
        let (id, after) = (id.clone(), query.after.clone());
        Box::pin(async move {
            if organisations::find(tx, TENANT, &id).await?.is_none() {
                return Ok(None);
            }
            organisations::members(tx, &id, &after, limit).await.map(Some)
        })
    });
    let rows = found.await?.ok_or_else(missing)?;
    Ok(Answer(page(&rows, limit, shown, |member| member.user_id.clone())))
}

/// `GET /api/admin/organisations/{id}/members/{user}`
pub async fn show(State(app): State<App>, Path((id, user)): Path<(String, String)>) -> Result<Answer<Value>, ApiError> {
    let (id, user) = (parse(&id)?, users::resolve(&app, &user).await?);
    let found = app.store.read(move |tx| {
        let (id, user) = (id.clone(), user.clone());
        Box::pin(async move { organisations::member(tx, &id, &user).await })
    });
    Ok(Answer(shown(&found.await?.ok_or_else(not_there)?)))
}

/// `PUT /api/admin/organisations/{id}/members/{user}`: the person's tokens with the old roles die within a second.
pub async fn set(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path((id, user)): Path<(String, String)>,
    Json(body): Json<MemberRoles, LARGE_BODY>,
) -> Result<StatusCode, ApiError> {
    let (id, roles) = (parse(&id)?, shared_roles(&body.roles)?);
    let user = users::resolve(&app, &user).await?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let said: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?.user(user.as_str());
    let event = event.with("organisation", id.as_str()).with("change", "member").with("roles", said.join(" "));
    let set = write(
        &app,
        event,
        |set| *set == Set::Changed,
        move |tx| {
            let (id, user, roles, act) = (id.clone(), user.clone(), roles.clone(), act.clone());
            Box::pin(async move { set_member(tx, &id, &user, &roles, &act).await })
        },
    );
    answer(set.await?)
}

/// `DELETE /api/admin/organisations/{id}/members/{user}`: tokens that speak for it die within a second.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path((id, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (id, user) = (parse(&id)?, users::resolve(&app, &user).await?);
    take_out(&app, &context, admin.actor(), (id, user)).await
}

/// Takes somebody out of an organisation: an administrator does, or the person.
///
/// # Errors
/// `not-found`; those of the store.
pub async fn take_out(
    app: &App,
    context: &Context,
    actor: &str,
    (id, user): (OrganisationId, UserId),
) -> Result<StatusCode, ApiError> {
    let act = app.act(context, actor, app.clock.now())?;
    let event = event(app, context, actor, Event::PermissionsChanged)?.user(user.as_str());
    let event = event.with("organisation", id.as_str()).with("change", "left");
    let left = write(app, event, happened, move |tx| {
        let (id, user, act) = (id.clone(), user.clone(), act.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::Organisation(id.as_str()), RowKey::User(user.as_str())]).await?;
            let left = organisations::remove_member(tx, &id, &user).await?;
            if left {
                invitations::take_back_of(tx, &id, &user).await?;
                revocations::outdate_users(tx, &[user.to_string()], &act).await?;
            }
            Ok(left)
        })
    });
    if left.await? { Ok(StatusCode::NO_CONTENT) } else { Err(not_there()) }
}

/// In a transaction: somebody is a member with exactly these roles from now on.
///
/// # Errors
/// As any statement.
pub async fn set_member(
    tx: &mut Tx,
    id: &OrganisationId,
    user: &UserId,
    roles: &BTreeSet<RoleGrant>,
    act: &Act,
) -> Result<Set, StoreError> {
    lock_rows(tx, &mut [RowKey::Organisation(id.as_str()), RowKey::User(user.as_str())]).await?;
    let Some(organisation) = organisations::find(tx, TENANT, id).await? else { return Ok(Set::Missing) };
    let own = organisations::of_user(tx, user.as_str()).await?;
    match own.iter().find(|membership| membership.organisation == id.as_str()) {
        Some(membership) if membership.roles == *roles => return Ok(Set::Unchanged),
        Some(_) => {}
        None if organisation.members >= MAX_MEMBERS => return Ok(Set::Full),
        None if i64::try_from(own.len()).unwrap_or(i64::MAX) >= MAX_OF_USER => return Ok(Set::TooMany),
        None => {}
    }
    organisations::set_member(tx, id, user, roles, act.now).await?;
    revocations::outdate_users(tx, &[user.to_string()], act).await?;
    Ok(Set::Changed)
}

fn not_there() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("there is no such organisation, or no such member of it")
}

/// What whoever set a member hears.
///
/// # Errors
/// `not-found`, `conflict`
pub fn answer(set: Set) -> Result<StatusCode, ApiError> {
    let full = |words: String| Err(ApiError::new(errors::CONFLICT).detail(words));
    match set {
        Set::Missing => Err(missing()),
        Set::Full => full(format!("an organisation has at most {MAX_MEMBERS} members")),
        Set::TooMany => full(format!("a user belongs to at most {MAX_OF_USER} organisations")),
        Set::Unchanged | Set::Changed => Ok(StatusCode::NO_CONTENT),
    }
}

fn shown(member: &Member) -> Value {
    json!({
        "user_id": member.user_id,
        "email": member.email,
        "roles": member.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "joined_at": time(member.joined_at),
    })
}
