//! `/account/delete`: are you sure?

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method};

use super::{AccountVisit, Purpose};
use crate::{
    app::App,
    domain::{ago, signin::LiveSignin},
    http::{
        account::deletion,
        authorize::{go, new_browser, signin},
        context::Context,
        error::PageError,
        ui::{
            DeletePage, Frame, PageForm,
            letter::{Mendable, asked, mendable, told},
        },
    },
    secret::PlainSecret,
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["form", "password"];

/// The form's name, as its token has it.
const FORM: &str = "delete";

/// `GET /account/delete`
pub async fn show(State(app): State<App>, context: Context, headers: HeaderMap) -> Result<Response, PageError> {
    let visit =
        AccountVisit::load(&app, Purpose::Account, new_browser(&app, &headers)?, signin(&app, &headers)?).await?;
    match &visit.signin {
        None => go("/ui/signin?request=account"),
        Some(own) => shown(&app, &Frame::new(&app, &context), &visit, own, None),
    }
}

/// `POST /account/delete`
pub async fn delete(
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
    let password = PlainSecret::new(form.get("password").unwrap_or_default().to_owned());
    let frame = Frame::new(&app, &context);
    match deletion::ask(&app, &context, &own.user_id, &password).await {
        Ok(at) => {
            let words = &frame.words.delete;
            told(&frame, words.done_title, &[words.done, &(words.until)(&ago::date(at))])
        }
        Err(error) => {
            let problem = mendable(&frame, error)?;
            Ok(problem.beside(shown(&app, &frame, &visit, &own, Some(&problem))?))
        }
    }
}

fn shown(
    app: &App,
    frame: &Frame<'_>,
    visit: &AccountVisit,
    own: &LiveSignin,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let facts = DeletePage {
        frame,
        form: &visit.browser.form_token(FORM, &own.user_id),
        days: app.config.retention.deletion.as_secs().div_ceil(86_400),
        problem: problem.map(|problem| problem.words.as_str()),
    };
    asked(app, frame, &visit.browser, &facts)
}
