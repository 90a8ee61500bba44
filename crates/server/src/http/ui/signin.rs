//! `/ui/signin`: e-mail and password for a browser's sign-in, which serves every client (single sign-on).

mod open;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::{
    PageForm, SignInPage,
    errand::{Errand, leads},
    host, page,
};
use crate::{
    app::App,
    errors,
    http::{
        attempts,
        authorize::signin,
        body::Form,
        context::Context,
        cookies::{Cookie, require_same_origin},
        error::{ApiError, PageError},
        login::authenticate,
    },
    secret::PlainSecret,
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "email", "password"];

/// The form's name, as its token has it.
const FORM: &str = "signin";

/// `GET /ui/signin?request=…`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let errand = match Errand::find(&app, &headers, query.get("request"), signin(&app, &headers)?).await {
        Ok(errand) => errand,
        Err(stop) => return stop.into_response(&app),
    };
    // Signed in by now, in another tab perhaps, and not here to become somebody else.
    if query.get("switch").is_none() && !errand.needs_sign_in(app.clock.now()) {
        return errand.go_on(&app, &context).await;
    }
    shown(&app, &errand, errand.login_hint().unwrap_or_default(), None)
}

/// `POST /ui/signin`
pub async fn sign_in(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    require_same_origin(&app.config.issuer, &method, &headers)?;
    let before = signin(&app, &headers)?;
    let errand = match Errand::find(&app, &headers, form.get("request"), before).await {
        Ok(errand) => errand,
        Err(stop) => return stop.into_response(&app),
    };
    let token = form.get("form").unwrap_or_default();
    if !errand.browser().owns_form(FORM, &errand.name(), token) {
        return Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"));
    }
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let (email, password) = (form.get("email").unwrap_or_default(), form.get("password").unwrap_or_default());
    // One that was planted twice is none.
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let password = PlainSecret::new(password.to_owned());
    let who = match authenticate(&app, &context, email, &password, device.as_deref()).await {
        Ok(who) => who,
        Err(error) => return again(&app, &errand, email, error),
    };
    let secret = open::open(&app, &context, &who, errand.signin(), before).await?;
    app.metrics.signin("success");
    let mut response = match Errand::find(&app, &headers, Some(&errand.name()), Some(secret.id())).await {
        Ok(errand) => errand.go_on(&app, &context).await?,
        Err(stop) => stop.into_response(&app)?,
    };
    let cookie = Cookie::Signin.set(&app.config.issuer, secret.expose(), app.config.refresh.absolute.as_secs());
    for cookie in [cookie, attempts::remember(&app, &who.shared)?].into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The form once more, with what the person can do about it; what they cannot is a page of its own.
fn again(app: &App, errand: &Errand, email: &str, error: ApiError) -> Result<Response, PageError> {
    let code = error.0.code;
    if ![errors::INVALID_CREDENTIALS, errors::TOO_MANY_ATTEMPTS, errors::OVERLOADED].contains(&code) {
        return Err(error.into());
    }
    let wait = error.0.retry_after;
    let words = match wait {
        None => format!("{}.", code.title),
        Some(seconds) => format!("{}. Try again in {seconds} s.", code.title),
    };
    let mut response = shown(app, errand, email, Some(&words))?;
    *response.status_mut() = StatusCode::from_u16(code.status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.extend(wait.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
    if code == errors::INVALID_CREDENTIALS {
        // RFC 9110 §15.5.2: no 401 without a challenge; no browser acts on this one.
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Password realm=\"countersign\""));
    }
    Ok(response.into_response())
}

fn shown(app: &App, errand: &Errand, email: &str, problem: Option<&str>) -> Result<Response, PageError> {
    let facts = SignInPage {
        host: host(&app.config.issuer),
        client: errand.client(),
        request: &errand.name(),
        form: &errand.browser().form_token(FORM, &errand.name()),
        email,
        problem,
    };
    page(&facts, StatusCode::OK, leads(errand.destination().as_deref()))
}
