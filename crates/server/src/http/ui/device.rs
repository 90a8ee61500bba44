//! `/ui/device`: a person types the code that a device shows, signs in if need be, and says whether to let it in (RFC 8628 §3.3).
//! Whoever only follows a link finds the code in the form and is asked all the same: nothing is allowed without a look (OAU-17).

mod visit;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::{DeviceConfirmPage, DevicePage, Frame, Leads, Look, PageForm, letter::note};
use crate::{
    app::App,
    domain::{
        browser::BrowserSecret,
        device::{Answer, UserCode},
        user::UserId,
    },
    errors,
    http::{
        authorize::{go, known_browser, new_browser, remember_browser, signin},
        body::Form,
        context::Context,
        cookies::require_same_origin,
        error::{ApiError, PageError},
    },
    store::{devices, users},
};
pub(super) use visit::DeviceVisit;

/// The forms' parameters.
pub const PARAMETERS: &[&str] = &["user_code", "request", "form", "decision"];

/// The forms' names, as their tokens have them.
const CODE_FORM: &str = "device-code";
const FORM: &str = "device";

/// `GET /ui/device`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let frame = Frame::new(&app, &context);
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let Some(name) = query.get("request") else {
        let browser = new_browser(&app, &headers)?;
        let code = query.get("user_code").unwrap_or_default();
        let mut response = asked(&frame, &browser, code, None)?;
        remember_browser(&app, &browser, &mut response);
        return Ok(response);
    };
    let visit = DeviceVisit::find(&app, &headers, Some(name), signin(&app, &headers)?).await?;
    match visit.signin.as_ref().map(|signin| signin.second_factor) {
        None => go(&visit.page("signin")),
        Some(true) if visit.needs_second_factor() => go(&visit.page("mfa")),
        Some(false) if visit.needs_second_factor() => Err(errors::SECOND_FACTOR_MISSING.into()),
        Some(_) => confirm(&app, &frame, &visit).await,
    }
}

/// `POST /ui/device`: the code, or the answer.
pub async fn post(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    require_same_origin(&app.config.issuer, &method, &headers)?;
    match form.get("request") {
        None => look_up(&app, &context, &headers, &form).await,
        Some(name) => {
            let visit = DeviceVisit::find(&app, &headers, Some(name), signin(&app, &headers)?).await?;
            decide(&app, &context, visit, &form).await
        }
    }
}

/// Guesses are counted with those of passwords (OAU-17, NET-06).
async fn look_up(app: &App, context: &Context, headers: &HeaderMap, form: &Form) -> Result<Response, PageError> {
    let browser = known_browser(app, headers)?;
    if !browser.owns_form(CODE_FORM, "", form.get("form").unwrap_or_default()) {
        return Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"));
    }
    let now = app.clock.now();
    app.limiter.take(context.address, now).map_err(ApiError::from)?;
    let typed = form.get("user_code").unwrap_or_default();
    let found = match UserCode::parse(typed) {
        None => None,
        Some(code) => {
            let waiting = app.store.read(move |tx| {
                let code = code.clone();
                Box::pin(async move { devices::waiting(tx, &code, now).await })
            });
            waiting.await?
        }
    };
    let Some(waiting) = found else {
        let shown: String = typed.chars().take(64).collect();
        let frame = Frame::new(app, context).at("/ui/device".to_owned());
        let mut response = asked(&frame, &browser, &shown, Some(frame.words.device.unknown))?;
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response.into_response());
    };
    app.limiter.give_back(context.address, now);
    let name = DeviceVisit::begin(app, &browser, waiting).await?;
    go(&format!("/ui/device?request={name}"))
}

async fn decide(app: &App, context: &Context, visit: DeviceVisit, form: &Form) -> Result<Response, PageError> {
    let about = visit.about()?;
    if !visit.browser.owns_form(FORM, &about, form.get("form").unwrap_or_default()) {
        return Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"));
    }
    let answer = match form.get("decision") {
        Some("allow") => Answer::Allowed(visit.approval()?),
        Some("deny") => Answer::Denied,
        _ => return Err(PageError::new(errors::MALFORMED_FORM).detail("decision is allow or deny")),
    };
    let allowed = answer != Answer::Denied;
    visit.answer(app, context, answer).await?;
    let frame = Frame::new(app, context);
    let words = &frame.words.device;
    note(&frame, if allowed { &words.allowed } else { &words.denied })
}

fn asked(frame: &Frame<'_>, browser: &BrowserSecret, code: &str, problem: Option<&str>) -> Result<Response, PageError> {
    let facts = DevicePage { frame, code, form: &browser.form_token(CODE_FORM, ""), problem };
    frame.page(&facts, StatusCode::OK, Leads::Home)
}

async fn confirm(app: &App, frame: &Frame<'_>, visit: &DeviceVisit) -> Result<Response, PageError> {
    let about = visit.about()?;
    let user = visit.signin.as_ref().and_then(|signin| UserId::parse(&signin.user_id));
    let user = user.ok_or_else(|| PageError::new(errors::INTERNAL).log("a stored user id is malformed"))?;
    let found = app.store.read(move |tx| {
        let user = user.clone();
        Box::pin(async move { users::by_id(tx, &user).await })
    });
    let lifetime = visit.client.settings.refresh_absolute.unwrap_or(app.config.refresh.absolute);
    let scope = visit.waiting.scope.parse().unwrap_or_default();
    let code = UserCode::parse(&visit.waiting.user_code).map(|code| code.to_string()).unwrap_or_default();
    let look = Look::of(app, &visit.client.id).await?;
    let facts = DeviceConfirmPage {
        frame,
        client: &visit.client.settings.name,
        email: &found.await?.map(|user| user.email).unwrap_or_default(),
        code: &code,
        wishes: &frame.words.wishes(&scope),
        days: lifetime.as_secs().div_ceil(86_400),
        request: &visit.name(),
        form: &visit.browser.form_token(FORM, &about),
        look: &look,
    };
    frame.page_of(&facts, StatusCode::OK, Leads::Home, &look)
}
