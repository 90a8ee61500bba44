//! `/ui/email/verify` and `/ui/email/change`: where the links of mails about addresses lead, without a script.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, Uri};

use super::{
    ChangePage, Frame, PageForm, VerifyPage,
    letter::{Mendable, asked, mendable, note, own, token},
};
use crate::{
    app::App,
    domain::{browser::BrowserSecret, mail_token::Purpose},
    http::{
        authorize::new_browser,
        context::Context,
        email::{change as changing, verify as verifying},
        error::PageError,
        mail,
    },
    secret::PlainSecret,
};

/// The forms' parameters.
pub const VERIFY: &[&str] = &["form", "token"];
pub const CHANGE: &[&str] = &["form", "token", "password"];

/// The forms' names, as their tokens have them.
const MINE: &str = "verify";
const NEW: &str = "change";

/// `GET /ui/email/verify?token=…`: a look uses nothing up (LOG-09).
pub async fn verify(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let (browser, token) = (new_browser(&app, &headers)?, token(&uri)?);
    let (_, standing) = mail::look(&app, Purpose::Verify, &token).await?;
    let form = browser.form_token(MINE, &token);
    let frame = Frame::new(&app, &context);
    let facts = VerifyPage { frame: &frame, form: &form, token: &token, email: &standing.email };
    asked(&app, &frame, &browser, &facts)
}

/// `POST /ui/email/verify`
pub async fn verified(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let token = form.get("token").unwrap_or_default();
    own(&app, (&method, &headers), &form, (MINE, token))?;
    verifying::confirm(&app, &context, token).await?;
    let frame = Frame::new(&app, &context);
    note(&frame, &frame.words.address.confirmed)
}

/// `GET /ui/email/change?token=…`
pub async fn change(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    change_page(&app, &Frame::new(&app, &context), &new_browser(&app, &headers)?, &token(&uri)?, None).await
}

/// `POST /ui/email/change`
pub async fn changed(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let token = form.get("token").unwrap_or_default();
    let browser = own(&app, (&method, &headers), &form, (NEW, token))?;
    let password = PlainSecret::new(form.get("password").unwrap_or_default().to_owned());
    let frame = Frame::new(&app, &context);
    match changing::finish(&app, &context, token, &password).await {
        Ok(()) => note(&frame, &frame.words.address.changed),
        Err(error) => {
            let problem = mendable(&frame, error)?;
            Ok(problem.beside(change_page(&app, &frame, &browser, token, Some(&problem)).await?))
        }
    }
}

async fn change_page(
    app: &App,
    frame: &Frame<'_>,
    browser: &BrowserSecret,
    token: &str,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let (_, standing) = mail::look(app, Purpose::Change, token).await?;
    let facts = ChangePage {
        frame,
        form: &browser.form_token(NEW, token),
        token,
        address: &standing.address,
        problem: problem.map(|problem| problem.words.as_str()),
    };
    asked(app, frame, browser, &facts)
}
