//! `/ui/consent`: the person is asked what a client may have (OAU-11).

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::{ConsentPage, Frame, Leads, Look, PageForm};
use crate::{
    app::App,
    domain::{
        authorize::{Problem, Step},
        user::UserId,
    },
    errors,
    http::{
        authorize::{Stop, Visit, signin},
        body::Form,
        context::Context,
        cookies::require_same_origin,
        error::PageError,
    },
    store::users,
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "decision"];

/// The form's name, as its token has it.
const FORM: &str = "consent";

/// `GET /ui/consent?request=…`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let visit = match Visit::find(&app, &headers, query.get("request"), signin(&app, &headers)?).await {
        Ok(visit) => visit,
        Err(stop) => return stop.into_response(&app, &context),
    };
    match visit.ceremony.step(false, app.clock.now()) {
        Ok(Step::Agree) => shown(&app, &context, &visit).await,
        _ => visit.go_on(&app, &context, false).await,
    }
}

/// `POST /ui/consent`
pub async fn decide(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    require_same_origin(&app.config.issuer, &method, &headers)?;
    let visit = match Visit::find(&app, &headers, form.get("request"), signin(&app, &headers)?).await {
        Ok(visit) => visit,
        Err(stop) => return stop.into_response(&app, &context),
    };
    let about = about(&visit).map_err(|stop| match stop {
        Stop::Page(error) => error,
        Stop::Back(_) => errors::FORM_EXPIRED.into(),
    })?;
    if !visit.browser.owns_form(FORM, &about, form.get("form").unwrap_or_default()) {
        return Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"));
    }
    match form.get("decision") {
        Some("allow") => visit.go_on(&app, &context, true).await,
        Some("deny") => visit.give_up(&app, &context, Problem::denied()).await,
        _ => Err(PageError::new(errors::MALFORMED_FORM).detail("decision is allow or deny")),
    }
}

/// What the form is about: this request, and the person who was shown it. Whoever signs in as somebody else meanwhile, in
/// another tab, has not agreed.
fn about(visit: &Visit) -> Result<String, Stop> {
    let signin = visit.ceremony.signin.as_ref();
    let signin = signin.ok_or_else(|| Stop::Page(PageError::new(errors::FORM_EXPIRED).log("not signed in")))?;
    Ok(format!("{} {}", visit.name.as_str(), signin.user_id))
}

async fn shown(app: &App, context: &Context, visit: &Visit) -> Result<Response, PageError> {
    let about = match about(visit) {
        Ok(about) => about,
        Err(stop) => return stop.into_response(app, context),
    };
    let ceremony = &visit.ceremony;
    let user = ceremony.signin.as_ref().and_then(|signin| UserId::parse(&signin.user_id));
    let user = user.ok_or_else(|| PageError::new(errors::INTERNAL).log("a stored user id is malformed"))?;
    let found = app
        .store
        .read(move |tx| {
            let user = user.clone();
            Box::pin(async move { users::by_id(tx, &user).await })
        })
        .await?;
    let lifetime = ceremony.client.settings.refresh_absolute.unwrap_or(app.config.refresh.absolute);
    let look = Look::of(app, &ceremony.client.id).await?;
    let frame = Frame::new(app, context);
    let facts = ConsentPage {
        frame: &frame,
        client: &ceremony.client.settings.name,
        destination: &ceremony.path.redirect.policy_source(),
        email: &found.map(|user| user.email).unwrap_or_default(),
        wishes: &frame.words.wishes(&ceremony.request.wishes()),
        days: lifetime.as_secs().div_ceil(86_400),
        request: visit.name.as_str(),
        form: &visit.browser.form_token(FORM, &about),
        look: &look,
    };
    frame.page_of(&facts, StatusCode::OK, Leads::HomeAndOn(&ceremony.path.redirect.policy_source()), &look)
}
