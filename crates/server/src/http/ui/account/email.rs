//! `/account/email`: another address for the account, and the mail that confirms the one that it has, without a script.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method};

use super::{AccountVisit, Purpose};
use crate::{
    app::App,
    domain::{signin::LiveSignin, user::UserId},
    errors,
    http::{
        authorize::{go, new_browser, signin},
        context::Context,
        email::{change, verify},
        error::PageError,
        ui::{
            EmailPage, Frame, PageForm,
            letter::{Mendable, asked, mendable, told},
        },
    },
    secret::PlainSecret,
    store::users,
};

/// The parameters of the page's forms.
pub const PARAMETERS: &[&str] = &["form", "act", "email", "password"];

/// The forms' name, as their token has it.
const FORM: &str = "email";

/// `GET /account/email`
pub async fn show(State(app): State<App>, context: Context, headers: HeaderMap) -> Result<Response, PageError> {
    let visit =
        AccountVisit::load(&app, Purpose::Account, new_browser(&app, &headers)?, signin(&app, &headers)?).await?;
    match &visit.signin {
        None => go("/ui/signin?request=account"),
        Some(own) => shown(&app, &Frame::new(&app, &context), (&visit, own), "", None).await,
    }
}

/// `POST /account/email`
pub async fn act(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let (visit, own) = match AccountVisit::of_form(&app, (&method, &headers), &form, (Purpose::Account, FORM)).await? {
        Ok(own) => own,
        Err(answer) => return Ok(answer),
    };
    let (frame, email) = (Frame::new(&app, &context), form.get("email").unwrap_or_default());
    let done = match form.get("act") {
        Some("change") => {
            let password = PlainSecret::new(form.get("password").unwrap_or_default().to_owned());
            let wish = change::Change { new_email: email.to_owned(), password };
            change::begin(&app, &context, &own.user_id, &wish).await.map(|()| &frame.words.email.change_sent)
        }
        Some("verify") => verify::again(&app, &context, &own.user_id).await.map(|()| &frame.words.email.verify_sent),
        _ => return Err(PageError::new(errors::MALFORMED_FORM).detail("act is change or verify")),
    };
    match done {
        Ok(note) => told(&frame, note.title, note.sentences),
        Err(error) => {
            let problem = mendable(&frame, error)?;
            Ok(problem.beside(shown(&app, &frame, (&visit, &own), email, Some(&problem)).await?))
        }
    }
}

async fn shown(
    app: &App,
    frame: &Frame<'_>,
    (visit, own): (&AccountVisit, &LiveSignin),
    new: &str,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let id = UserId::parse(&own.user_id);
    let id = id.ok_or_else(|| PageError::new(errors::INTERNAL).log("a stored user id is malformed"))?;
    let read = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { users::by_id(tx, &id).await })
    });
    let user = read.await?.ok_or(errors::FORM_EXPIRED)?;
    let facts = EmailPage {
        frame,
        form: &visit.browser.form_token(FORM, &own.user_id),
        email: &user.email,
        confirmed: user.email_verified_at.is_some(),
        password: user.has_password,
        new,
        problem: problem.map(|problem| problem.words.as_str()),
    };
    asked(app, frame, &visit.browser, &facts)
}
