//! `/ui/register`: a person makes an account, without a script, and goes on to what they came for.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::{
    Frame, Leads, PageForm, RegisterPage, RegisteredPage,
    account::Purpose,
    letter::{Mendable, asked, mendable, own},
};
use crate::{
    app::App,
    config::Registration,
    domain::{audit::Source, browser::BrowserSecret},
    errors,
    http::{
        authorize::new_browser,
        body::Form,
        context::Context,
        error::{ApiError, PageError},
        register::{Known, add},
    },
    secret::PlainSecret,
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "email", "password"];

/// The form's name, as its token has it.
const FORM: &str = "register";
/// The longest name of an errand.
const MAX_REQUEST: usize = 64;

/// `GET /ui/register?request=…`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    open_to_all(&app)?;
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    shown(&app, &Frame::new(&app, &context), &new_browser(&app, &headers)?, (request(&query), ""), None)
}

/// `POST /ui/register`: the same page whether the address has an account already or not (LOG-05).
pub async fn register(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    open_to_all(&app)?;
    let request = request(&form);
    let browser = own(&app, (&method, &headers), &form, (FORM, request))?;
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let (frame, email) = (Frame::new(&app, &context), form.get("email").unwrap_or_default());
    let password = PlainSecret::new(form.get("password").unwrap_or_default().to_owned());
    match add(&app, (&context, Source::ANONYMOUS), email, &password, Known::Write).await {
        Ok(_) => {
            let confirm = app.config.mail.required;
            frame.page(&RegisteredPage { frame: &frame, request, confirm }, StatusCode::OK, Leads::Nowhere)
        }
        Err(error) => {
            let problem = mendable(&frame, error)?;
            Ok(problem.beside(shown(&app, &frame, &browser, (request, email), Some(&problem))?))
        }
    }
}

fn open_to_all(app: &App) -> Result<(), PageError> {
    if app.config.registration == Registration::Closed { Err(errors::REGISTRATION_CLOSED.into()) } else { Ok(()) }
}

/// What they came for: no more than a word of an address, which the page behind it judges.
fn request(form: &Form) -> &str {
    let is_name = |text: &&str| {
        text.len() <= MAX_REQUEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    form.get("request").filter(is_name).unwrap_or(Purpose::Account.name())
}

fn shown(
    app: &App,
    frame: &Frame<'_>,
    browser: &BrowserSecret,
    (request, email): (&str, &str),
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let facts = RegisterPage {
        frame,
        form: &browser.form_token(FORM, request),
        request,
        email,
        least: app.config.passwords.min_length,
        problem: problem.map(|problem| problem.words.as_str()),
    };
    asked(app, frame, browser, &facts)
}
