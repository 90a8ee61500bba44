//! What a client is told about its person in an ID token, where single claims were asked for there.

use serde_json::{Map, Value};

use super::error::ApiError;
use crate::{
    app::App,
    domain::{person::Person, roles, user::UserId},
    errors,
    store::{sessions::Authority, users},
};

/// Loads the person of a session, whom its client knows as `subject`, with the roles that count at these audiences, and tells of
/// them what `tell` says.
///
/// # Errors
/// `token-invalid` if the person is no more.
pub async fn told(
    app: &App,
    (authority, subject): (&Authority, &str),
    audiences: &[&str],
    tell: impl FnOnce(&Person<'_>) -> Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    let id = UserId::parse(&authority.user_id).ok_or(errors::TOKEN_INVALID)?;
    let found = app
        .store
        .read(move |tx| {
            let id = id.clone();
            Box::pin(async move { users::by_id(tx, &id).await })
        })
        .await?;
    let user = found.ok_or(errors::TOKEN_INVALID)?;
    let roles = roles::effective(&authority.roles, audiences);
    Ok(tell(&Person {
        subject,
        email: &user.email,
        email_verified: user.email_verified_at.is_some(),
        attributes: user.attributes.as_map(),
        roles: &roles,
    }))
}
