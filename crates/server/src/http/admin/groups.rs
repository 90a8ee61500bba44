//! `/api/admin/groups…`: people who get roles together.

use std::collections::BTreeSet;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, description, event, page, shared_roles, time, users, write};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        group::{GroupId, MAX_MEMBERS, MAX_OF_USER, NAME_RULE},
        rights::takes_away,
        roles::RoleGrant,
        user::UserId,
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
        StoreError, Tx, audit,
        dialect::{RowKey, lock_rows},
        groups::{self, Group, Member},
        revocations,
        sessions::Act,
    },
};

/// The body of `POST /api/admin/groups`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Lower-case letters, digits, `.`, `_`, `-`.
    pub group: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// `ROLE` everywhere, or `ROLE@AUDIENCE` at one audience: what each member has.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// The body of `PUT /api/admin/groups/{id}`: what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    pub description: Option<String>,
    /// All roles that each member has by it from now on.
    pub roles: Option<Vec<String>>,
}

/// What came of joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    NoGroup,
    /// The group has as many members as it can.
    Full,
    /// The person is in as many groups as they can be.
    TooMany,
    Already,
    Now,
}

/// `GET /api/admin/groups`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let rows = app.store.read(move |tx| {
        let after = query.after.clone();
        Box::pin(async move { groups::list(tx, TENANT, &after, limit).await })
    });
    Ok(Answer(page(&rows.await?, limit, shown, |group| group.id.to_string())))
}

/// `POST /api/admin/groups`
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewGroup, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let bad = || ApiError::field(errors::INVALID_VALUE, "group", format!("a group's name {NAME_RULE}"));
    let new = Group {
        id: GroupId::parse(&body.group).ok_or_else(bad)?,
        tenant: TENANT.to_owned(),
        description: description(&body.description)?,
        roles: shared_roles(&body.roles)?,
        created_at: app.clock.now(),
        members: 0,
    };
    let event = told(event(&app, &context, admin.actor(), Event::PermissionsChanged)?, &new, "added");
    let stored = new.clone();
    let inserted = write(&app, event, super::happened, move |tx| {
        let new = stored.clone();
        Box::pin(async move { groups::insert(tx, &new).await })
    });
    if !inserted.await? {
        return Err(ApiError::new(errors::CONFLICT).detail("a group of this name exists"));
    }
    Ok((StatusCode::CREATED, Answer(shown(&new))))
}

/// `GET /api/admin/groups/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let id = parse(&id)?;
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { groups::find(tx, TENANT, &id).await })
    });
    Ok(Answer(shown(&found.await?.ok_or_else(missing)?)))
}

/// `PUT /api/admin/groups/{id}`: where a role is taken away, the members' tokens die within a second; sessions live on, and
/// their next refresh says what holds now. What was given comes with the next refresh.
pub async fn update(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<GroupChange, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let id = parse(&id)?;
    let new_description = body.description.as_deref().map(description).transpose()?;
    let roles = body.roles.as_deref().map(shared_roles).transpose()?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let changed = app.store.write(move |tx| {
        let (id, change, act, event) =
            (id.clone(), (new_description.clone(), roles.clone()), act.clone(), event.clone());
        Box::pin(async move { change_group(tx, &id, change, (&act, event)).await })
    });
    Ok(Answer(shown(&changed.await?.ok_or_else(missing)?)))
}

/// `DELETE /api/admin/groups/{id}`: its members lose what they had by it.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = parse(&id)?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?;
    let removed = app.store.write(move |tx| {
        let (id, act, event) = (id.clone(), act.clone(), event.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::Group(id.as_str())]).await?;
            let Some(group) = groups::find(tx, TENANT, &id).await? else { return Ok(false) };
            let members = groups::member_ids(tx, &id).await?;
            audit::insert(tx, &told(event, &group, "removed")).await?;
            groups::remove(tx, &id).await?;
            if !group.roles.is_empty() {
                revocations::outdate_users(tx, &members, &act).await?;
            }
            Ok(true)
        })
    });
    if removed.await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// `GET /api/admin/groups/{id}/members`
pub async fn members(State(app): State<App>, Path(id): Path<String>, query: Page) -> Result<Answer<Value>, ApiError> {
    let (id, limit) = (parse(&id)?, query.limit());
    let found = app.store.read(move |tx| {
        let (id, after) = (id.clone(), query.after.clone());
        Box::pin(async move {
            let Some(group) = groups::find(tx, TENANT, &id).await? else { return Ok(None) };
            groups::members(tx, &group.id, &after, limit).await.map(Some)
        })
    });
    let rows = found.await?.ok_or_else(missing)?;
    Ok(Answer(page(&rows, limit, shown_member, |member| member.user_id.clone())))
}

/// `PUT /api/admin/groups/{id}/members/{user}`
pub async fn join(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path((id, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (id, user) = (parse(&id)?, users::resolve(&app, &user).await?);
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?.user(user.as_str());
    let event = event.with("group", id.as_str()).with("change", "joined");
    let joined = write(
        &app,
        event,
        |joined| *joined == Joined::Now,
        move |tx| {
            let (id, user, act) = (id.clone(), user.clone(), act.clone());
            Box::pin(async move { add_member(tx, &id, &user, &act).await })
        },
    );
    match joined.await? {
        Joined::NoGroup => Err(missing()),
        Joined::Full => {
            Err(ApiError::new(errors::CONFLICT).detail(format!("a group has at most {MAX_MEMBERS} members")))
        }
        Joined::TooMany => {
            Err(ApiError::new(errors::CONFLICT).detail(format!("a user is in at most {MAX_OF_USER} groups")))
        }
        Joined::Already | Joined::Now => Ok(StatusCode::NO_CONTENT),
    }
}

/// `DELETE /api/admin/groups/{id}/members/{user}`: tokens with the group's roles die within a second.
pub async fn leave(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path((id, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (id, user) = (parse(&id)?, users::resolve(&app, &user).await?);
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::PermissionsChanged)?.user(user.as_str());
    let event = event.with("group", id.as_str()).with("change", "left");
    let left = write(&app, event, super::happened, move |tx| {
        let (id, user, act) = (id.clone(), user.clone(), act.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::Group(id.as_str()), RowKey::User(user.as_str())]).await?;
            let Some(group) = groups::find(tx, TENANT, &id).await? else { return Ok(false) };
            let left = groups::leave(tx, &id, &user).await?;
            if left && !group.roles.is_empty() {
                revocations::outdate_users(tx, &[user.to_string()], &act).await?;
            }
            Ok(left)
        })
    });
    let not_there = || ApiError::new(errors::NOT_FOUND).detail("there is no such group, or the user is not in it");
    if left.await? { Ok(StatusCode::NO_CONTENT) } else { Err(not_there()) }
}

type Change = (Option<String>, Option<BTreeSet<RoleGrant>>);

async fn change_group(
    tx: &mut Tx,
    id: &GroupId,
    (description, roles): Change,
    (act, event): (&Act, AuditEvent),
) -> Result<Option<Group>, StoreError> {
    // Whoever joins meanwhile waits here, or is among the members below.
    lock_rows(tx, &mut [RowKey::Group(id.as_str())]).await?;
    let Some(old) = groups::find(tx, TENANT, id).await? else { return Ok(None) };
    let new = Group {
        description: description.unwrap_or_else(|| old.description.clone()),
        roles: roles.unwrap_or_else(|| old.roles.clone()),
        ..old.clone()
    };
    if new == old {
        return Ok(Some(new));
    }
    audit::insert(tx, &told(event, &new, "changed")).await?;
    groups::update(tx, &new).await?;
    if takes_away(&old.roles, &new.roles) {
        let members = groups::member_ids(tx, id).await?;
        revocations::outdate_users(tx, &members, act).await?;
    }
    Ok(Some(new))
}

async fn add_member(tx: &mut Tx, id: &GroupId, user: &UserId, act: &Act) -> Result<Joined, StoreError> {
    lock_rows(tx, &mut [RowKey::Group(id.as_str()), RowKey::User(user.as_str())]).await?;
    let Some(group) = groups::find(tx, TENANT, id).await? else { return Ok(Joined::NoGroup) };
    let own = groups::of_user(tx, user).await?;
    if own.iter().any(|known| known == id.as_str()) {
        return Ok(Joined::Already);
    }
    if group.members >= MAX_MEMBERS {
        return Ok(Joined::Full);
    }
    if i64::try_from(own.len()).unwrap_or(i64::MAX) >= MAX_OF_USER {
        return Ok(Joined::TooMany);
    }
    groups::join(tx, id, user, act.now).await?;
    if !group.roles.is_empty() {
        revocations::outdate_users(tx, &[user.to_string()], act).await?;
    }
    Ok(Joined::Now)
}

fn told(event: AuditEvent, group: &Group, change: &'static str) -> AuditEvent {
    let roles: Vec<String> = group.roles.iter().map(ToString::to_string).collect();
    event.with("group", group.id.as_str()).with("change", change).with("roles", roles.join(" "))
}

fn parse(id: &str) -> Result<GroupId, ApiError> {
    GroupId::parse(id).ok_or_else(missing)
}

fn missing() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("there is no such group")
}

fn shown(group: &Group) -> Value {
    json!({
        "group": group.id.as_str(),
        "description": group.description,
        "roles": group.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "members": group.members,
        "created_at": time(group.created_at),
    })
}

fn shown_member(member: &Member) -> Value {
    json!({ "user_id": member.user_id, "email": member.email, "joined_at": time(member.joined_at) })
}
