//! `/ui/signin`: e-mail and password for a browser's sign-in, which serves every client (single sign-on).

pub mod mail;
mod open;
pub mod passkey;
mod shown;

use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, Method, Uri, header};

pub(super) use self::{
    open::{By, Entrant},
    shown::{Filled, Link, shown},
};
use super::{Frame, PageForm, errand::Errand, language::keep, mfa};
use crate::{
    app::App,
    domain::preferences::Preferences,
    errors,
    http::{
        account::settings,
        attempts,
        authorize::signin,
        body::Form,
        context::Context,
        cookies::Cookie,
        error::{ApiError, PageError},
        login::authenticate,
    },
    secret::PlainSecret,
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "email", "password", "link"];

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
        Err(stop) => return stop.into_response(&app, &context),
    };
    // Signed in by now, in another tab perhaps, and not here to become somebody else.
    if query.get("switch").is_none() && !errand.needs_sign_in(app.clock.now()) {
        return errand.go_on(&app, &context).await;
    }
    let email = errand.login_hint().unwrap_or_default();
    shown(&app, &context, &errand, &Filled { email, ..Filled::default() }).await
}

/// `POST /ui/signin`
pub async fn sign_in(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let errand = match Errand::of_form(&app, &context, (&method, &headers), &form, FORM).await? {
        Ok(errand) => errand,
        Err(answer) => return Ok(answer),
    };
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let (email, password) = (form.get("email").unwrap_or_default(), form.get("password").unwrap_or_default());
    // One that was planted twice is none.
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let password = PlainSecret::new(password.to_owned());
    let link = Link::find(&app, form.get("link")).await?;
    let who = match authenticate(&app, &context, email, &password, device.as_deref()).await {
        Ok(who) => who,
        Err(error) => {
            let filled = Filled { email, problem: None, link: link.as_ref() };
            return again(&app, &context, &errand, filled, error).await;
        }
    };
    let entrant = Entrant::by_password(who, link.map(|link| link.name), app.clock.now());
    enter(&app, &context, &headers, errand, entrant).await
}

/// Signs somebody in and sends them on, now that it is known who they are; whoever owes a second factor is asked for it first.
///
/// # Errors
/// Those of the store and of what comes next.
pub(super) async fn enter(
    app: &App,
    context: &Context,
    headers: &HeaderMap,
    errand: Errand,
    entrant: Entrant,
) -> Result<Response, PageError> {
    if entrant.owes && entrant.second.is_none() {
        return mfa::ask(app, context, &errand, entrant).await;
    }
    let before = signin(app, headers)?;
    let secret = open::open(app, context, &entrant, &errand, before).await?;
    app.metrics.signin("success");
    let mut response = match Errand::find(app, headers, Some(&errand.name()), Some(secret.id())).await {
        Ok(errand) => errand.go_on(app, context).await?,
        Err(stop) => stop.into_response(app, context)?,
    };
    let cookie = Cookie::Signin.set(&app.config.issuer, secret.expose(), app.config.refresh.absolute.as_secs());
    let level = entrant.level();
    let known = entrant.shared.map_or(Ok(None), |shared| attempts::remember(app, &shared, level))?;
    for cookie in [cookie, known].into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let theirs = settings::of(app, &entrant.user).await?;
    if theirs != Preferences::default() {
        // What they chose once goes with them to every browser.
        keep(app, theirs.or(context.chosen), &mut response);
    }
    Ok(response)
}

/// The form once more, with what the person can do about it; what they cannot is a page of its own.
async fn again(
    app: &App,
    context: &Context,
    errand: &Errand,
    filled: Filled<'_>,
    error: ApiError,
) -> Result<Response, PageError> {
    let code = error.0.code;
    if ![errors::INVALID_CREDENTIALS, errors::TOO_MANY_ATTEMPTS, errors::OVERLOADED].contains(&code) {
        return Err(error.into());
    }
    let wait = error.0.retry_after;
    let words = Frame::new(app, context).words.sentence(code, wait);
    let mut response = shown(app, context, errand, &Filled { problem: Some((code, &words)), ..filled }).await?;
    let headers = response.headers_mut();
    headers.extend(wait.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
    if code == errors::INVALID_CREDENTIALS {
        // RFC 9110 §15.5.2: no 401 without a challenge; no browser acts on this one.
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Password realm=\"countersign\""));
    }
    Ok(response)
}
