//! `GET·POST /authorize`: a person signs in to a client, and the client gets a code (OAuth 2.1 §4.1, OpenID Connect Core §3.1).
//!
//! What a request asks for and what has to happen is decided in `domain/authorize.rs`. A request that needs its person waits
//! in the store, bound to the browser, while they sign in (`/ui/signin`) and agree (`/ui/consent`); each step decides anew
//! from the request as it came.

mod answer;
mod ceremony;
mod grant;
mod request;
mod visit;

pub(super) use answer::{Stop, go};
use axum::{
    extract::{Request as HttpRequest, State},
    response::Response,
};
pub(super) use ceremony::Ceremony;
use http::{HeaderMap, Uri};
use request::Request;
pub(super) use request::open as open_request;
pub(super) use visit::{Visit, known_browser, new_browser, remember_browser};

use super::{body, context::Context, cookies::Cookie, error::PageError};
use crate::{
    app::App,
    domain::{
        authorize::{Parameters, Problem, Step},
        signin::{SigninId, SigninSecret},
        time::Timestamp,
    },
    errors,
};

/// The parameters that are understood; others are ignored.
pub use crate::domain::authorize::PARAMETERS;

/// `GET /authorize`
pub async fn get(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let parameters = parse(uri.query().unwrap_or_default().as_bytes())?;
    let now = app.clock.now();
    let signin = signin(&app, &headers)?;
    let ceremony = match load(&app, signin, parameters, now).await {
        Ok(ceremony) => ceremony,
        Err(stop) => return stop.into_response(&app, &context),
    };
    match ceremony.step(false, now) {
        Ok(Step::Grant) => ceremony.grant(&app, &context, None).await,
        Ok(step) => Visit::begin(&app, &context, &headers, &ceremony, step).await,
        Err(problem) => Stop::back(&ceremony.path, problem).into_response(&app, &context),
    }
}

/// `POST /authorize`: the same request in a form, sent on as a query. A browser sends no cookie of ours with a form of another
/// site, so only who asks, and where the answer goes, is looked at here.
pub async fn post(State(app): State<App>, context: Context, request: HttpRequest) -> Result<Response, PageError> {
    let parameters = parse(&body::form_bytes(request).await?)?;
    let again = format!("/authorize?{}", parameters.encode());
    match load(&app, None, parameters, app.clock.now()).await {
        Ok(_) => go(&again),
        Err(stop) => stop.into_response(&app, &context),
    }
}

async fn load(app: &App, signin: Option<SigninId>, parameters: Parameters, now: Timestamp) -> Result<Ceremony, Stop> {
    let request = Request::resolve(app, parameters).await?;
    let signed = request.signed;
    let ceremony = Ceremony::load(app, signin, request, now).await?;
    if ceremony.client.settings.sign_in.require_signed && !signed {
        let problem = Problem::new("invalid_request_object", "this client must sign its requests");
        return Err(Stop::back(&ceremony.path, problem));
    }
    Ok(ceremony)
}

fn parse(encoded: &[u8]) -> Result<Parameters, PageError> {
    Parameters::parse(encoded).map_err(|bad| PageError::new(errors::AUTHORIZE_INVALID).detail(bad.to_string()))
}

/// The sign-in that this browser says it has.
pub(super) fn signin(app: &App, headers: &HeaderMap) -> Result<Option<SigninId>, PageError> {
    let cookie = Cookie::Signin.read(&app.config.issuer, headers)?;
    Ok(cookie.as_deref().and_then(SigninSecret::parse).map(|secret| secret.id()))
}
