//! `/ui/password/forgot` and `/ui/password/reset`: a new password without the old one, without a script.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, Uri};

use super::{
    ForgotPage, Frame, PageForm, ResetPage,
    letter::{Mendable, asked, mendable, note, own, token},
};
use crate::{
    app::App,
    domain::{browser::BrowserSecret, mail_token::Purpose},
    http::{
        authorize::new_browser,
        context::Context,
        error::PageError,
        mail,
        password::{forgot, reset},
    },
    secret::PlainSecret,
};

/// The forms' parameters.
pub const FORGOT: &[&str] = &["form", "email"];
pub const RESET: &[&str] = &["form", "token", "password"];

/// The forms' names, as their tokens have them.
const ASK: &str = "forgot";
const SET: &str = "reset";

/// `GET /ui/password/forgot`
pub async fn ask(State(app): State<App>, context: Context, headers: HeaderMap) -> Result<Response, PageError> {
    forgot_page(&app, &Frame::new(&app, &context), &new_browser(&app, &headers)?, "", None)
}

/// `POST /ui/password/forgot`: the same page whether there is an account or not (LOG-05).
pub async fn send(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let browser = own(&app, (&method, &headers), &form, (ASK, ""))?;
    let (frame, email) = (Frame::new(&app, &context), form.get("email").unwrap_or_default());
    match forgot::ask(&app, &context, email).await {
        Ok(()) => note(&frame, &frame.words.forgot.sent),
        Err(error) => {
            let problem = mendable(&frame, error)?;
            Ok(problem.beside(forgot_page(&app, &frame, &browser, email, Some(&problem))?))
        }
    }
}

/// `GET /ui/password/reset?token=…`: a look uses nothing up (LOG-09).
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    reset_page(&app, &Frame::new(&app, &context), &new_browser(&app, &headers)?, &token(&uri)?, None).await
}

/// `POST /ui/password/reset`
pub async fn set(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let token = form.get("token").unwrap_or_default();
    let browser = own(&app, (&method, &headers), &form, (SET, token))?;
    let password = PlainSecret::new(form.get("password").unwrap_or_default().to_owned());
    let frame = Frame::new(&app, &context);
    match reset::set(&app, &context, token, &password).await {
        Ok(()) => note(&frame, &frame.words.reset.done),
        Err(error) => {
            let problem = mendable(&frame, error)?;
            Ok(problem.beside(reset_page(&app, &frame, &browser, token, Some(&problem)).await?))
        }
    }
}

fn forgot_page(
    app: &App,
    frame: &Frame<'_>,
    browser: &BrowserSecret,
    email: &str,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let problem = problem.map(|problem| problem.words.as_str());
    let form = browser.form_token(ASK, "");
    asked(app, frame, browser, &ForgotPage { frame, form: &form, email, problem })
}

async fn reset_page(
    app: &App,
    frame: &Frame<'_>,
    browser: &BrowserSecret,
    token: &str,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let (_, standing) = mail::look(app, Purpose::Reset, token).await?;
    let facts = ResetPage {
        frame,
        form: &browser.form_token(SET, token),
        token,
        email: &standing.email,
        least: app.config.passwords.min_length,
        problem: problem.map(|problem| problem.words.as_str()),
    };
    asked(app, frame, browser, &facts)
}
