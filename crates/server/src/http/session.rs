//! `GET /session`: who am I, until when.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;

use super::{caller::SignedIn, error::ApiError};
use crate::{app::App, domain::user::UserId, errors, store::users};

/// The answer of `GET /session`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Session {
    pub user_id: String,
    pub email: String,
    /// The session's name; absent where the sign-in cookie spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When the credential that was shown ends, Unix seconds.
    pub expires_at: i64,
}

/// `GET /session`
pub async fn session(State(app): State<App>, caller: SignedIn) -> Result<Json<Session>, ApiError> {
    let id = UserId::parse(&caller.user_id).ok_or(errors::TOKEN_INVALID)?;
    let found = app
        .store
        .read(move |tx| {
            let id = id.clone();
            Box::pin(async move { users::by_id(tx, &id).await })
        })
        .await?;
    let user = found.ok_or(errors::TOKEN_INVALID)?;
    let sid = caller.sid.map(|sid| sid.to_string());
    Ok(Json(Session { user_id: user.id.to_string(), email: user.email, sid, expires_at: caller.expires_at }))
}
