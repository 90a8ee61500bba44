//! `GET·POST /userinfo`: what a client may know about its person, by an access token with the scope `openid` (OpenID Connect
//! Core §5.3).

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use countersign_jose::{Algorithm, Audience, GenericClaims, Missing, profile::Profile};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Map, Value};

use super::{
    body::{Form, form_bytes, is_form},
    caller,
    dpop::Asked,
    error::ApiError,
    person::person_of,
};
use crate::{
    app::App,
    domain::{person, roles, scope::Scope},
    errors,
};

/// An answer that is signed (§5.3.2). It has a type of its own, so that nobody takes it for an ID token (TOK-17).
#[derive(Debug, Clone, Copy)]
struct SignedAnswer;

impl Profile for SignedAnswer {
    type Claims = GenericClaims;
    type Issuer = Missing;
    type Audience = Missing;
    const TYP: &'static str = "userinfo+jwt";
    const EXPIRES: bool = false;
}

/// `GET /userinfo` and `POST /userinfo`: the token travels in the header, or in a form (RFC 6750 §2.2); one in a query is not
/// looked at.
pub async fn userinfo(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (method, headers) = with_token(request).await?;
    let asked = Asked { method: &method, path: "/userinfo", headers: &headers };
    let (shown, authority) = caller::of_any_audience(&app, asked).await?;
    let scope: Scope = shown.scope().parse().map_err(|_| errors::TOKEN_INVALID)?;
    if !scope.contains("openid") {
        return Err(errors::SCOPE_MISSING.into());
    }
    let broken = || ApiError::new(errors::INTERNAL).log("a stored scope is malformed");
    let allowed: Scope = authority.client_scopes.parse().map_err(|_| broken())?;
    let subject = app.subjects.subject(authority.sector.as_ref(), &authority.user_id);
    let roles = roles::effective(&authority.roles, &shown.audiences());
    let person = person_of(&authority, &subject, &roles);
    let mut claims = person::claims(&person, &scope);
    // What the session's client asked for by name is for that client, not for a service that acts for the person.
    if !shown.is_exchanged() {
        claims.extend(person::single(&person, &authority.claims, &allowed));
    }
    match authority.userinfo_alg {
        Some(alg) => signed(&app, &authority.client_id, alg, claims).await,
        None => Ok(Json(claims).into_response()),
    }
}

/// The answer as its client alone is meant to take it: with `iss` and `aud`.
async fn signed(
    app: &App,
    client_id: &str,
    alg: Algorithm,
    mut claims: Map<String, Value>,
) -> Result<Response, ApiError> {
    let broken = |error: &dyn std::fmt::Display| ApiError::new(errors::INTERNAL).log(error.to_string());
    let claims = GenericClaims {
        iss: Some(app.config.issuer.as_str().to_owned()),
        sub: claims.remove("sub").and_then(|sub| sub.as_str().map(str::to_owned)),
        aud: Some(Audience::One(client_id.to_owned())),
        iat: Some(app.clock.now().secs()),
        extra: claims,
        ..GenericClaims::default()
    };
    let key = app.ring.snapshot().signer_for(alg).map_err(|error| broken(&error))?;
    let token = key.sign::<SignedAnswer>(&claims).await?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], token).into_response())
}

/// The request's headers, with the token of its form as if it had come there.
async fn with_token(request: Request) -> Result<(Method, HeaderMap), ApiError> {
    let (method, mut headers) = (request.method().clone(), request.headers().clone());
    if method != Method::POST || !is_form(&headers) {
        return Ok((method, headers));
    }
    let form = Form::parse(&form_bytes(request).await?)?;
    let Some(token) = form.get("access_token") else { return Ok((method, headers)) };
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(ApiError::new(errors::DUPLICATE_PARAMETER).detail("the access token was sent twice"));
    }
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| errors::TOKEN_INVALID)?;
    bearer.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, bearer);
    Ok((method, headers))
}
