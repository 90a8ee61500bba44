//! Whether somebody may act for an organisation.

use super::error::{ApiError, OAuthError};
use crate::{app::App, domain::organisation::NotAMember, errors, store::organisations};

/// Before a session is opened that speaks for it.
///
/// # Errors
/// `not-a-member`; those of the store.
pub async fn require_member(app: &App, organisation: &str, user_id: &str) -> Result<(), ApiError> {
    let (organisation, user_id) = (organisation.to_owned(), user_id.to_owned());
    let member = app.store.read(move |tx| {
        let (organisation, user_id) = (organisation.clone(), user_id.clone());
        Box::pin(async move { organisations::is_member(tx, &organisation, &user_id).await })
    });
    if member.await? { Ok(()) } else { Err(NotAMember.into()) }
}

impl From<NotAMember> for ApiError {
    fn from(refused: NotAMember) -> Self {
        Self::new(errors::NOT_A_MEMBER).detail(refused.to_string())
    }
}

impl From<NotAMember> for OAuthError {
    fn from(refused: NotAMember) -> Self {
        Self::new(errors::NOT_A_MEMBER).detail(refused.to_string())
    }
}
