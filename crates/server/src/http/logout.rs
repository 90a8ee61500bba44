//! `POST /logout` with JSON: ends a sign-in with all its sessions, or everything of its user. It takes what somebody who signs out
//! may still hold: the sign-in cookie, a refresh token of any generation, or an access token even if it has expired.

use axum::{
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    body::{Json, is_form},
    caller,
    context::Context,
    cookies::{Cookie, require_same_origin},
    dpop::Asked,
    error::{ApiError, PageError},
    ui::signout,
};
use crate::{
    app::App,
    domain::{
        audit::Source,
        rsn,
        session::{EndReason, Sid},
        signin::{SigninId, SigninSecret},
    },
    errors,
    secret::PlainSecret,
    store::{sessions, signins},
};

/// The body of `POST /logout`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logout {
    /// The refresh token of the session that ends; not needed with a cookie or an access token.
    #[schemars(with = "Option<String>")]
    pub refresh_token: Option<PlainSecret>,
    /// End every session of this user, in every browser and application.
    pub everywhere: bool,
}

/// What the caller holds.
enum Holds {
    Signin(SigninId),
    Session(Sid),
}

/// `POST /logout`: JSON from whoever signs out, a form from a client that sends its person here (`ui/signout.rs`).
pub async fn logout(State(app): State<App>, context: Context, request: Request) -> Result<Response, Refused> {
    if is_form(request.headers()) {
        return signout::post(request).await.map_err(Refused::Page);
    }
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let body = Json::from_request(request, &app).await.map_err(Refused::Api)?;
    first_party(&app, &context, (&method, &headers), body).await.map_err(Refused::Api)
}

/// A refusal in the form that the caller reads.
#[derive(Debug)]
pub enum Refused {
    Api(ApiError),
    Page(PageError),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => error.into_response(),
            Self::Page(error) => error.into_response(),
        }
    }
}

/// 204 after the commit. What is over already is over: 204 as well.
async fn first_party(
    app: &App,
    context: &Context,
    (method, headers): (&Method, &HeaderMap),
    Json(body): Json<Logout>,
) -> Result<Response, ApiError> {
    let asked = Asked { method, path: "/logout", headers };
    let holds = holds(app, asked, body.refresh_token.as_ref()).await?;
    let by_cookie = matches!(holds, Holds::Signin(_));
    end(app, context, holds, body.everywhere).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if by_cookie {
        let cleared = [Cookie::Signin, Cookie::Access].map(|cookie| cookie.clear(&app.config.issuer));
        for cookie in cleared.into_iter().flatten() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        // CSR-10: what pages of the issuer left in the browser goes too.
        let data = HeaderValue::from_static("\"cache\", \"storage\"");
        response.headers_mut().insert(header::HeaderName::from_static("clear-site-data"), data);
    }
    Ok(response)
}

async fn holds(app: &App, asked: Asked<'_>, token: Option<&PlainSecret>) -> Result<Holds, ApiError> {
    if let Some(token) = token {
        let presented = app.ring.snapshot().mac_keys().open(token.expose());
        let refuse = |garbage: crate::domain::refresh_token::Garbage| {
            ApiError::new(errors::REFRESH_INVALID).log(garbage.to_string())
        };
        return Ok(Holds::Session(presented.map_err(refuse)?.sid().clone()));
    }
    let Asked { method, headers, .. } = asked;
    if headers.contains_key(header::AUTHORIZATION) {
        let sid = caller::authentic(app, asked).await?.sid().ok_or(errors::TOKEN_INVALID)?;
        return Ok(Holds::Session(sid));
    }
    let cookie = Cookie::Signin.read(&app.config.issuer, headers)?.ok_or(errors::TOKEN_MISSING)?;
    require_same_origin(&app.config.issuer, method, headers)?;
    let secret = SigninSecret::parse(&cookie).ok_or(errors::TOKEN_INVALID)?;
    Ok(Holds::Signin(secret.id()))
}

async fn end(app: &App, context: &Context, holds: Holds, everywhere: bool) -> Result<(), ApiError> {
    let act = app.act(context, Source::ANONYMOUS, app.clock.now())?;
    app.store
        .write(move |tx| {
            let (mut act, signin, sid) = match &holds {
                Holds::Signin(id) => (act.clone(), Some(*id), None),
                Holds::Session(sid) => (act.clone(), None, Some(sid.clone())),
            };
            Box::pin(async move {
                let signin = match (signin, sid) {
                    (Some(id), _) => Some(id),
                    (None, Some(sid)) => signins::of_session(tx, &sid).await?,
                    (None, None) => None,
                };
                let Some(id) = signin else { return Ok(()) };
                let Some(found) = signins::find(tx, &id).await? else { return Ok(()) };
                act.source.actor.clone_from(&found.user_id);
                // A token of a sign-in that has ended must not end what began since.
                let stands = !found.revoked && found.expires_at > act.now && rsn::stands(found.auth_rsn, found.min_rsn);
                if everywhere && stands {
                    // It raises the user's `min_rsn`, and so ends this sign-in too.
                    sessions::end_everywhere(tx, &found.user_id, EndReason::LogoutEverywhere, &act).await?;
                } else {
                    sessions::end_signin(tx, &id, EndReason::Logout, &act).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(())
}
