//! `/api/admin/users…`

mod transfer;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Page, event, happened, maybe_time, page, scope, time, write};
use crate::{
    app::App,
    domain::{
        audit::Event,
        email::{Email, EmailKey},
        language::Language,
        preferences::Theme,
        revocation::Entry,
        rights::is_issuers,
        roles::{self as names, Role, RoleGrant},
        user::{Attributes, UserId},
    },
    errors,
    http::{
        TENANT,
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
        password,
        register::{self, Known},
    },
    secret::PlainSecret,
    store::{
        StoreError, Tx, audiences,
        dialect::{RowKey, lock_rows},
        revocations,
        roles::{self, RolesSet},
        users::{self, Listing, User},
        users_deleted,
    },
};

pub use transfer::{Import, export, import};

/// The body of `POST /api/admin/users`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    pub email: String,
    /// At least 15 characters.
    #[schemars(with = "String")]
    pub password: PlainSecret,
    /// `ROLE` everywhere, or `ROLE@AUDIENCE` at one audience.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// The body of `PUT /api/admin/users/{id}/roles`: all roles that the user has from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// `ROLE` everywhere, or `ROLE@AUDIENCE` at one audience.
    pub roles: Vec<String>,
}

/// The body of `PUT /api/admin/users/{id}/attributes`: all attributes that the user has from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAttributes {
    pub attributes: Map<String, Value>,
}

/// The body of `PUT /api/admin/users/{id}/password`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schemars(with = "String")]
    pub password: PlainSecret,
}

/// `GET /api/admin/users`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let listing = Listing {
        tenant: TENANT.to_owned(),
        prefix: EmailKey::prefix(&query.email),
        after: query.after.clone(),
        limit,
    };
    let rows = app
        .store
        .read(move |tx| {
            let listing = listing.clone();
            Box::pin(async move {
                let mut rows = Vec::new();
                for user in users::list(tx, &listing).await? {
                    let roles = roles::of_user(tx, &user.id).await?;
                    rows.push((user, roles));
                }
                Ok(rows)
            })
        })
        .await?;
    let cursor = |(user, _): &(User, _)| EmailKey::prefix(&user.email);
    Ok(Answer(page(&rows, limit, |(user, roles)| shown(user, roles), cursor)))
}

/// `POST /api/admin/users`
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewUser, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let wanted = grants(&body.roles)?;
    let added = register::add(&app, (&context, admin.actor()), &body.email, &body.password, Known::Say).await?;
    let id = added.ok_or_else(|| ApiError::new(errors::CONFLICT).detail("a user with this e-mail address exists"))?;
    if !wanted.is_empty() {
        change_roles(&app, &context, &admin, &id, wanted).await?;
    }
    Ok((StatusCode::CREATED, Answer(look_up(&app, id.as_str()).await?)))
}

/// `GET /api/admin/users/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer(look_up(&app, &id).await?))
}

/// `POST /api/admin/users/{id}/disable`
pub async fn disable(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    let now = app.clock.now();
    let entry = Entry::user(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(&app, &context, admin.actor(), Event::UserArchived)?.user(id.as_str());
    let user = id.clone();
    let ended = |ended: &Option<bool>| *ended == Some(true);
    let disable = write(&app, event, ended, move |tx| {
        let user = user.clone();
        Box::pin(async move {
            if is_last_admin(tx, &user).await? {
                return Ok(None);
            }
            Ok(Some(users::disable(tx, &user, &entry, now).await?.is_some()))
        })
    });
    disable.await?.ok_or(errors::LAST_ADMIN)?;
    Ok(Answer(look_up(&app, id.as_str()).await?))
}

/// `POST /api/admin/users/{id}/enable`
pub async fn enable(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    let event = event(&app, &context, admin.actor(), Event::UserRestored)?.user(id.as_str());
    let user = id.clone();
    let enable = write(&app, event, happened, move |tx| {
        let user = user.clone();
        Box::pin(async move { users::enable(tx, &user).await })
    });
    enable.await?;
    Ok(Answer(look_up(&app, id.as_str()).await?))
}

/// `DELETE /api/admin/users/{id}`: at once and for good.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = resolve(&app, &id).await?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::UserDeleted)?.user(id.as_str());
    let removed = |removed: &Option<bool>| *removed == Some(true);
    let remove = write(&app, event, removed, move |tx| {
        let (user, act) = (id.clone(), act.clone());
        Box::pin(async move {
            if is_last_admin(tx, &user).await? {
                return Ok(None);
            }
            Ok(Some(users_deleted::remove(tx, &user, None, &act).await?))
        })
    });
    remove.await?.ok_or(errors::LAST_ADMIN)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/admin/users/{id}/roles`
pub async fn set_roles(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<Roles, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let wanted = grants(&body.roles)?;
    let id = resolve(&app, &id).await?;
    change_roles(&app, &context, &admin, &id, wanted).await?;
    Ok(Answer(look_up(&app, id.as_str()).await?))
}

/// `PUT /api/admin/users/{id}/attributes`
pub async fn set_attributes(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<NewAttributes, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let bad = |reason: String| ApiError::field(errors::INVALID_VALUE, "attributes", reason);
    let attributes = Attributes::new(body.attributes).map_err(|error| bad(error.to_string()))?;
    let id = resolve(&app, &id).await?;
    let event = event(&app, &context, admin.actor(), Event::UserUpdated)?.user(id.as_str());
    let now = app.clock.now();
    let entry = Entry::user(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let user = id.clone();
    let set = write(&app, event, happened, move |tx| {
        let (user, attributes) = (user.clone(), attributes.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
            let Some(old) = users::by_id(tx, &user).await? else { return Ok(false) };
            let changed = old.attributes.changed(&attributes);
            if changed.is_empty() {
                return Ok(false);
            }
            // Tokens with a claim that is not true any more die; sessions live on.
            if audiences::claim_maps(tx, &old.tenant).await?.iter().any(|map| map.reads_any(&changed)) {
                revocations::outdate_user_tokens(tx, now, user.as_str(), &entry).await?;
            }
            users::set_attributes(tx, &user, &attributes).await?;
            Ok(true)
        })
    });
    set.await?;
    Ok(Answer(look_up(&app, id.as_str()).await?))
}

/// `PUT /api/admin/users/{id}/password`
pub async fn set_password(
    State(app): State<App>,
    context: Context,
    Path(id): Path<String>,
    Json(body): Json<NewPassword>,
) -> Result<Answer<Value>, ApiError> {
    let id = resolve(&app, &id).await?;
    let password = password::checked(&app, "password", &body.password, None)?;
    let hash = app.passwords.hash(password).await?;
    password::replace(&app, &context, &id, None, hash).await?;
    Ok(Answer(look_up(&app, id.as_str()).await?))
}

async fn change_roles(
    app: &App,
    context: &Context,
    admin: &Administrator,
    id: &UserId,
    wanted: Vec<RoleGrant>,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    let entry = Entry::user(scope(app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(app, context, admin.actor(), Event::PermissionsChanged)?.user(id.as_str());
    let stays_admin = wanted.iter().any(is_issuers);
    let id = id.clone();
    let changed = |set: &Option<RolesSet>| matches!(set, Some(RolesSet::Changed { .. }));
    let set = write(app, event, changed, move |tx| {
        let (id, wanted) = (id.clone(), wanted.clone());
        Box::pin(async move {
            if !stays_admin && is_last_admin(tx, &id).await? {
                return Ok(None);
            }
            roles::set(tx, &id, &wanted, &entry, now).await.map(Some)
        })
    });
    match set.await? {
        None => Err(errors::LAST_ADMIN.into()),
        Some(RolesSet::NoUser) => Err(errors::NOT_FOUND.into()),
        Some(RolesSet::Unchanged | RolesSet::Changed { .. }) => Ok(()),
    }
}

/// Whether nobody could administer from afar without this user (ADM-07).
pub(in crate::http) async fn is_last_admin(tx: &mut Tx, id: &UserId) -> Result<bool, StoreError> {
    if !roles::of_user(tx, id).await?.iter().any(is_issuers) {
        return Ok(false);
    }
    let role = Role::parse(names::ADMIN).map_err(|bad| StoreError::Broken(bad.to_string()))?;
    // Two who go at the same time see each other.
    lock_rows(tx, &mut [RowKey::Tenant(TENANT)]).await?;
    Ok(roles::count_others(tx, id, names::ADMIN, &role).await? == 0)
}

/// The roles that a body gives.
pub(super) fn grants(texts: &[String]) -> Result<Vec<RoleGrant>, ApiError> {
    let grants = RoleGrant::parse_all(texts);
    let grants = grants.map_err(|bad| ApiError::field(errors::INVALID_VALUE, "roles", bad.to_string()))?;
    Ok(grants.into_iter().collect())
}

/// The user that an id or an e-mail address names.
pub(in crate::http) async fn resolve(app: &App, text: &str) -> Result<UserId, ApiError> {
    find(app, text).await.map(|(user, _)| user.id)
}

pub(in crate::http) async fn look_up(app: &App, text: &str) -> Result<Value, ApiError> {
    find(app, text).await.map(|(user, roles)| shown(&user, &roles))
}

async fn find(app: &App, text: &str) -> Result<(User, Vec<RoleGrant>), ApiError> {
    let id = UserId::parse(text);
    let email = Email::parse(text).ok();
    let found = app
        .store
        .read(move |tx| {
            let (id, email) = (id.clone(), email.clone());
            Box::pin(async move {
                let user = match (&id, &email) {
                    (Some(id), _) => users::by_id(tx, id).await?,
                    (None, Some(email)) => users::by_email(tx, TENANT, email.key()).await?,
                    (None, None) => None,
                };
                let Some(user) = user else { return Ok(None) };
                let roles = roles::of_user(tx, &user.id).await?;
                Ok(Some((user, roles)))
            })
        })
        .await?;
    found.ok_or_else(|| ApiError::new(errors::NOT_FOUND).detail("there is no such user"))
}

fn shown(user: &User, roles: &[RoleGrant]) -> Value {
    json!({
        "user_id": user.id.as_str(),
        "email": user.email,
        "email_verified_at": maybe_time(user.email_verified_at),
        "language": user.preferences.language.map(Language::as_str),
        "theme": user.preferences.theme.map(Theme::as_str),
        "roles": roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "attributes": user.attributes.as_map(),
        "created_at": time(user.created_at),
        "password_changed_at": maybe_time(user.password_changed_at),
        "disabled_at": maybe_time(user.disabled_at),
    })
}
