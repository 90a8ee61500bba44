//! `POST /api/admin/users/import`, `GET /api/admin/users/export`: accounts that come from another program with the hashes of their
//! passwords, and that leave with them.

use axum::{Json as Answer, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::shown;
use crate::{
    app::App,
    domain::{
        audit::Event,
        email::{Email, EmailKey},
        roles::RoleGrant,
        time::Timestamp,
        user::{Attributes, UserId},
    },
    errors,
    http::{
        TENANT,
        admin::{Page, event, page, write},
        body::{BULK_BODY, Json},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    secret::PlainSecret,
    store::{
        roles,
        users::{self, Listing, NewUser, User},
        users_moved::{self, Came, MovedUser},
    },
};

/// Users of one call: they are one transaction.
const MAX_USERS: usize = 1_000;

/// The body of `POST /api/admin/users/import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// At most 1,000.
    #[schemars(with = "Vec<Account>")]
    users: Vec<Value>,
    /// Check everything and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// An account of another program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    email: String,
    #[serde(default)]
    email_verified: bool,
    /// As the other program keeps it: argon2, bcrypt, scrypt, PBKDF2, in PHC's, passlib's, Django's or Firebase's spelling. Without
    /// one the user sets a password by e-mail.
    #[schemars(with = "Option<String>")]
    password_hash: Option<PlainSecret>,
    /// `ROLE` everywhere, or `ROLE@AUDIENCE` at one audience.
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    attributes: Map<String, Value>,
    /// RFC 3339; default: now.
    created_at: Option<String>,
    #[serde(default)]
    disabled: bool,
    /// An id that a Countersign gave; default: a new one.
    user_id: Option<String>,
}

/// `POST /api/admin/users/import`: who is here already stays as they are, so that it may be called again.
pub async fn import(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<Import, BULK_BODY>,
) -> Result<Answer<Value>, ApiError> {
    if body.users.len() > MAX_USERS {
        return Err(ApiError::new(errors::INVALID_VALUE).detail(format!("at most {MAX_USERS} at once")));
    }
    let now = app.clock.now();
    let (mut good, mut not_added) = (Vec::new(), Vec::new());
    for (index, value) in body.users.into_iter().enumerate() {
        match serde_json::from_value(value).map_err(|error| error.to_string()).and_then(|it| understand(&app, it, now))
        {
            Ok(user) => good.push((index, user)),
            Err(why) => not_added.push((index, json!({ "index": index, "why": "refused", "detail": why }))),
        }
    }
    let event = event(&app, &context, admin.actor(), Event::UserCreated)?.with("how", "imported");
    let event = event.with("count", good.len().to_string());
    let (users, dry_run) = (good.iter().map(|(_, user)| user.clone()).collect::<Vec<_>>(), body.dry_run);
    let any_added = |came: &Vec<Came>| came.contains(&Came::Added);
    let outcome = if dry_run {
        let looked = app.store.read(move |tx| {
            let users = users.clone();
            Box::pin(async move { users_moved::look(tx, &users).await })
        });
        looked.await?
    } else {
        let added = write(&app, event, any_added, move |tx| {
            let users = users.clone();
            Box::pin(async move { users_moved::add(tx, &users).await })
        });
        added.await?
    };
    let known = good.iter().zip(&outcome).filter(|(_, came)| **came == Came::Known);
    not_added.extend(known.map(|((index, _), _)| (*index, json!({ "index": index, "why": "exists" }))));
    not_added.sort_by_key(|(index, _)| *index);
    let added = outcome.iter().filter(|came| **came == Came::Added).count();
    let rest: Vec<Value> = not_added.into_iter().map(|(_, said)| said).collect();
    Ok(Answer(json!({ "added": added, "not_added": rest, "dry_run": dry_run })))
}

/// `GET /api/admin/users/export`: what an import takes, password hashes included.
pub async fn export(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let listing = Listing {
        tenant: TENANT.to_owned(),
        prefix: EmailKey::prefix(&query.email),
        after: query.after.clone(),
        limit,
    };
    let read = app.store.read(move |tx| {
        let listing = listing.clone();
        Box::pin(async move {
            let mut rows = Vec::new();
            for user in users::list(tx, &listing).await? {
                let roles = roles::of_user(tx, &user.id).await?;
                let hash = users_moved::hash(tx, &user.id).await?;
                rows.push((user, roles, hash));
            }
            Ok(rows)
        })
    });
    let cursor = |(user, ..): &(User, _, _)| EmailKey::prefix(&user.email);
    let account = |(user, roles, hash): &(User, Vec<_>, Option<String>)| {
        let all = shown(user, roles);
        json!({
            "email": all["email"], "email_verified": user.email_verified_at.is_some(), "password_hash": hash,
            "roles": all["roles"], "attributes": all["attributes"], "created_at": all["created_at"],
            "disabled": user.disabled_at.is_some(), "user_id": all["user_id"],
        })
    };
    Ok(Answer(page(&read.await?, limit, account, cursor)))
}

fn understand(app: &App, account: Account, now: Timestamp) -> Result<MovedUser, String> {
    let email = Email::parse(&account.email).map_err(|bad| format!("email: {bad}"))?;
    let hash = account.password_hash.as_ref().map(|hash| hash.expose().to_owned());
    hash.as_deref().map_or(Ok(()), |hash| app.passwords.knows(hash)).map_err(|bad| format!("password_hash: {bad}"))?;
    let created_at = match &account.created_at {
        None => now,
        Some(text) => time(text).filter(|at| *at <= now).ok_or("created_at: not a time in the past, RFC 3339")?,
    };
    let id = match &account.user_id {
        None => UserId::new(app.random.bytes().map_err(|_| "no randomness")?),
        Some(text) => UserId::parse(text).ok_or("user_id: not an id that Countersign gives")?,
    };
    let user = NewUser {
        id,
        tenant: TENANT.to_owned(),
        email,
        email_verified_at: account.email_verified.then_some(created_at),
        password_hash: hash,
        created_at,
    };
    let roles = RoleGrant::parse_all(&account.roles).map_err(|bad| format!("roles: {bad}"))?.into_iter().collect();
    let attributes = Attributes::new(account.attributes).map_err(|bad| format!("attributes: {bad}"))?;
    Ok(MovedUser { user, roles, attributes, disabled_at: account.disabled.then_some(now) })
}

fn time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}
