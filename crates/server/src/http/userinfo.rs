//! `GET·POST /userinfo`: what a client may know about its person, by an access token with the scope `openid` (OpenID Connect
//! Core §5.3).

use axum::{Json, extract::State};
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::{caller, dpop::Asked, error::ApiError};
use crate::{
    app::App,
    domain::{
        person::{self, Person},
        roles,
        scope::Scope,
        user::UserId,
    },
    errors,
    store::users,
};

/// `GET /userinfo` and `POST /userinfo`: the token travels in the header alone; one in a query or a form is not looked at.
pub async fn userinfo(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let asked = Asked { method: &method, path: "/userinfo", headers: &headers };
    let (shown, authority) = caller::of_any_audience(&app, asked).await?;
    let scope: Scope = shown.scope().parse().map_err(|_| errors::TOKEN_INVALID)?;
    if !scope.contains("openid") {
        return Err(errors::SCOPE_MISSING.into());
    }
    let id = UserId::parse(&authority.user_id).ok_or(errors::TOKEN_INVALID)?;
    let found = app
        .store
        .read(move |tx| {
            let id = id.clone();
            Box::pin(async move { users::by_id(tx, &id).await })
        })
        .await?;
    let user = found.ok_or(errors::TOKEN_INVALID)?;
    let roles = roles::effective(&authority.roles, &shown.audiences());
    let person = Person {
        user_id: user.id.as_str(),
        email: &user.email,
        email_verified: user.email_verified_at.is_some(),
        attributes: user.attributes.as_map(),
        roles: &roles,
    };
    Ok(Json(person::claims(&person, &scope)))
}
