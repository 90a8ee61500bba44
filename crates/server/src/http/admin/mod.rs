//! `/api/admin/…`: the JSON behind the commands and the admin pages. Who may call is in the route table.

pub mod audiences;
pub mod audit;
pub mod clients;
pub mod factors;
pub mod floor;
pub mod groups;
pub mod identities;
pub mod keys;
pub mod organisations;
pub mod registration;
pub mod revocations;
pub mod roles;
pub mod sessions;
pub mod status;
pub mod upstreams;
pub mod users;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{context::Context, error::ApiError};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event, is_hostile},
        revocation::Scope,
        rights::is_issuers,
        roles::RoleGrant,
        time::Timestamp,
    },
    errors,
    store::{StoreError, Tx, TxFuture, audit as audit_log},
};

/// The most rows of a page.
const MAX_PAGE: u32 = 500;

/// `?after=…&limit=…`, and what else a list is asked by.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    pub after: String,
    pub limit: Option<u32>,
    pub email: String,
    pub user: String,
}

impl Page {
    /// Rows to answer: 50 unless told, at most 500.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(50).clamp(1, MAX_PAGE)
    }

    pub fn after(&self) -> Option<&str> {
        Some(self.after.as_str()).filter(|after| !after.is_empty())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let page = Query::from_request_parts(parts, state).await;
        page.map(|Query(page)| page).map_err(|error| ApiError::new(errors::MALFORMED_FORM).detail(error.body_text()))
    }
}

/// A page's answer; `next` is the cursor of the page behind, null on the last one.
pub(in crate::http) fn page<T>(
    rows: &[T],
    limit: u32,
    show: impl Fn(&T) -> Value,
    cursor: impl Fn(&T) -> String,
) -> Value {
    let full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
    let next = rows.last().filter(|_| full).map(cursor);
    json!({ "items": rows.iter().map(show).collect::<Vec<_>>(), "next": next })
}

/// A time as RFC 3339, in UTC.
pub(in crate::http) fn time(at: Timestamp) -> Value {
    jiff::Timestamp::from_microsecond(at.micros()).map_or(Value::Null, |at| json!(at.to_string()))
}

pub(in crate::http) fn maybe_time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

fn seconds(span: Option<Duration>) -> Option<u64> {
    span.map(|span| span.as_secs())
}

pub(in crate::http) fn event(app: &App, context: &Context, actor: &str, what: Event) -> Result<AuditEvent, ApiError> {
    Ok(AuditEvent::new(what, app.clock.now(), &context.source(actor), app.random.bytes()?))
}

/// The longest description, characters.
const MAX_DESCRIPTION: usize = 200;

/// What something is for, in words for people.
fn description(text: &str) -> Result<String, ApiError> {
    if text.chars().count() > MAX_DESCRIPTION || text.contains(is_hostile) {
        let words = format!("is one line of at most {MAX_DESCRIPTION} characters");
        return Err(ApiError::field(errors::INVALID_VALUE, "description", words));
    }
    Ok(text.to_owned())
}

/// Roles for whoever belongs to something: never the issuer's own.
fn shared_roles(texts: &[String]) -> Result<BTreeSet<RoleGrant>, ApiError> {
    let bad = |words: String| ApiError::field(errors::INVALID_VALUE, "roles", words);
    let roles = RoleGrant::parse_all(texts).map_err(|error| bad(error.to_string()))?;
    if roles.iter().any(is_issuers) {
        return Err(bad("the role admin opens the admin API; it is given to users one by one".to_owned()));
    }
    Ok(roles)
}

/// Makes a change and, if it `happened`, its event, in one transaction.
async fn write<T, F>(app: &App, event: AuditEvent, happened: fn(&T) -> bool, change: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'a> Fn(&'a mut Tx) -> TxFuture<'a, T> + Send + Sync + 'static,
{
    let change = Arc::new((change, event));
    let write = app.store.write(move |tx| {
        let change = Arc::clone(&change);
        Box::pin(async move {
            let (change, event) = &*change;
            let result = change(tx).await?;
            if happened(&result) {
                audit_log::insert(tx, event).await?;
            }
            Ok(result)
        })
    });
    write.await
}

/// For a change that tells by itself whether it happened.
const fn happened(changed: &bool) -> bool {
    *changed
}

/// Where names of the revocation log are unique.
fn scope(app: &App) -> Scope<'_> {
    Scope { issuer: app.config.issuer.as_str(), tenant: super::TENANT }
}
