//! Changing and removing an audience.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad, lifetime, missing, shown};
use crate::{
    app::App,
    domain::{
        audience::ClaimMap,
        audience_id::{ADMIN, API, AudienceId},
        audit::Event,
        encryption::Encryption,
        rights::Permits,
        roles::Role,
        scope::Scope,
    },
    errors,
    http::{
        admin::{
            clients::{Recipient, encryption},
            event,
        },
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    store::{
        audiences::{self, Audience},
        audit, clients, revocations,
    },
};

/// The body of `PUT /api/admin/audiences/{id}`: what is left out stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AudienceChange {
    pub name: Option<String>,
    pub scopes: Option<Vec<String>>,
    /// Claim name → user attribute: all of them from now on.
    pub claims: Option<BTreeMap<String, String>>,
    /// Empty: anybody may have its tokens.
    pub required_role: Option<String>,
    /// Seconds; 0: the issuer's.
    pub access_token_ttl: Option<u64>,
    /// Whether its tokens say what the roles in them permit.
    pub permissions: Option<bool>,
    /// Its key, for clients whose access tokens are encrypted; with the key `null`: none any more.
    pub encryption: Option<Recipient>,
}

/// `PUT /api/admin/audiences/{id}`: tokens that say or allow what is not true any more die within a second, sessions live
/// on, and their next refresh says what holds now.
pub async fn update(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<AudienceChange, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let id = AudienceId::parse(&id).map_err(|_| missing())?;
    if id.as_str() == ADMIN && body.required_role.is_some() {
        return Err(bad("required_role", &"the admin API is for the role admin"));
    }
    let change = Change::read(&app, &body)?;
    let act = app.act(&context, admin.actor(), app.clock.now())?;
    let event = event(&app, &context, admin.actor(), Event::AudienceUpdated)?.with("audience", id.as_str());
    let write = app.store.write(move |tx| {
        let (id, change, act, event) = (id.clone(), change.clone(), act.clone(), event.clone());
        Box::pin(async move {
            let Some(old) = audiences::find(tx, id.as_str()).await? else { return Ok(None) };
            let new = change.apply(&old);
            if new == old {
                return Ok(Some(old));
            }
            if old.rules.outdated_by(&new.rules) {
                let clients = clients::of_audience(tx, &old.tenant, &id).await?;
                revocations::outdate_clients(tx, &clients, &act).await?;
            }
            audiences::update(tx, &new).await?;
            audit::insert(tx, &event).await?;
            Ok(Some(new))
        })
    });
    Ok(Answer(shown(&write.await?.ok_or_else(missing)?)))
}

/// `DELETE /api/admin/audiences/{id}`: one that no client may ask for any more; taking it away from its clients has ended
/// whatever they held for it.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = AudienceId::parse(&id).map_err(|_| missing())?;
    if [API, ADMIN].contains(&id.as_str()) {
        return Err(ApiError::new(errors::CONFLICT).detail("this audience is the issuer's own"));
    }
    let event = event(&app, &context, admin.actor(), Event::AudienceDeleted)?.with("audience", id.as_str());
    let name = id.clone();
    let write = app.store.write(move |tx| {
        let (id, event) = (name.clone(), event.clone());
        Box::pin(async move {
            let Some(audience) = audiences::find(tx, id.as_str()).await? else { return Ok(None) };
            let clients = clients::of_audience(tx, &audience.tenant, &id).await?;
            if clients.is_empty() {
                audiences::remove(tx, id.as_str()).await?;
                audit::insert(tx, &event).await?;
            }
            Ok(Some(clients))
        })
    });
    let clients = write.await?.ok_or_else(missing)?;
    if !clients.is_empty() {
        let detail = format!("take it away from these clients first: {}", clients.join(", "));
        return Err(ApiError::new(errors::CONFLICT).detail(detail));
    }
    app.ring.reload().await?;
    Ok(Answer(json!({ "audience": id.as_str() })))
}

/// A change that was understood.
#[derive(Debug, Clone)]
struct Change {
    name: Option<String>,
    scopes: Option<Scope>,
    claims: Option<ClaimMap>,
    /// `Some(None)`: none any more.
    required_role: Option<Option<String>>,
    access_token_ttl: Option<Option<Duration>>,
    permissions: Option<bool>,
    encryption: Option<Option<Encryption>>,
}

impl Change {
    fn read(app: &App, body: &AudienceChange) -> Result<Self, ApiError> {
        let scopes = body.scopes.as_ref().map(|scopes| scopes.join(" ").parse::<Scope>()).transpose();
        let claims = body.claims.clone().map(ClaimMap::new).transpose();
        let role = |text: &String| match text.as_str() {
            "" => Ok(None),
            text => Role::parse(text).map(|role| Some(role.to_string())),
        };
        let ttl = |seconds: u64| match seconds {
            0 => Ok(None),
            seconds => lifetime(app, seconds).map(Some),
        };
        Ok(Self {
            name: body.name.clone(),
            scopes: scopes.map_err(|error| bad("scopes", &error))?,
            claims: claims.map_err(|error| bad("claims", &error))?,
            required_role: body
                .required_role
                .as_ref()
                .map(role)
                .transpose()
                .map_err(|error| bad("required_role", &error))?,
            access_token_ttl: body.access_token_ttl.map(ttl).transpose()?,
            permissions: body.permissions,
            encryption: body.encryption.as_ref().map(|to| encryption("encryption", Some(to))).transpose()?,
        })
    }

    fn apply(&self, old: &Audience) -> Audience {
        let mut new = old.clone();
        let Self { name, scopes, claims, required_role, access_token_ttl, permissions, encryption } = self.clone();
        new.name = name.unwrap_or(new.name);
        new.scopes = scopes.unwrap_or(new.scopes);
        new.rules.claims = claims.unwrap_or(new.rules.claims);
        new.rules.required_role = required_role.unwrap_or(new.rules.required_role);
        new.rules.access_token_ttl = access_token_ttl.unwrap_or(new.rules.access_token_ttl);
        if let Some(said) = permissions.filter(|said| *said != new.rules.permissions.is_some()) {
            new.rules.permissions = said.then(Permits::default);
        }
        new.rules.encryption = encryption.unwrap_or(new.rules.encryption);
        new
    }
}
