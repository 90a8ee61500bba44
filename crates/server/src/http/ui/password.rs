//! `/ui/password/forgot` and `/ui/password/reset`: a new password without the old one, without a script.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, Uri};

use super::{
    ForgotPage, PageForm, ResetPage, host,
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
pub async fn ask(State(app): State<App>, headers: HeaderMap) -> Result<Response, PageError> {
    forgot_page(&app, &new_browser(&app, &headers)?, "", None)
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
    let email = form.get("email").unwrap_or_default();
    match forgot::ask(&app, &context, email).await {
        Ok(()) => note(
            &app,
            "Look into your mail",
            &[
                "If there is an account with this address, a mail with a link is on its way to it. The link works once, within an hour.",
                "Nothing there after a few minutes? Look among the unwanted mails, and whether the address is the right one.",
            ],
        ),
        Err(error) => {
            let problem = mendable(error)?;
            Ok(problem.beside(forgot_page(&app, &browser, email, Some(&problem))?))
        }
    }
}

/// `GET /ui/password/reset?token=…`: a look uses nothing up (LOG-09).
pub async fn show(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Result<Response, PageError> {
    reset_page(&app, &new_browser(&app, &headers)?, &token(&uri)?, None).await
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
    match reset::set(&app, &context, token, &password).await {
        Ok(()) => note(
            &app,
            "Your password is set",
            &[
                "Every device and every application was signed out, everywhere; nobody who had your account before has it now.",
                "Other ways to sign in were disconnected, and a change of your address that was not confirmed was cancelled.",
                "You are not signed in here. Go back to the application, and sign in with the new password.",
            ],
        ),
        Err(error) => {
            let problem = mendable(error)?;
            Ok(problem.beside(reset_page(&app, &browser, token, Some(&problem)).await?))
        }
    }
}

fn forgot_page(
    app: &App,
    browser: &BrowserSecret,
    email: &str,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let problem = problem.map(|problem| problem.words.as_str());
    let form = browser.form_token(ASK, "");
    asked(app, browser, &ForgotPage { host: host(&app.config.issuer), form: &form, email, problem })
}

async fn reset_page(
    app: &App,
    browser: &BrowserSecret,
    token: &str,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let (_, standing) = mail::look(app, Purpose::Reset, token).await?;
    let facts = ResetPage {
        host: host(&app.config.issuer),
        form: &browser.form_token(SET, token),
        token,
        email: &standing.email,
        least: app.config.passwords.min_length,
        problem: problem.map(|problem| problem.words.as_str()),
    };
    asked(app, browser, &facts)
}
