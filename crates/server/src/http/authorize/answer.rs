//! How an answer gets to the client: a redirect, or a form that the browser posts. Each names the issuer (RFC 9207).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::{
    app::App,
    domain::authorize::{NowhereToGo, Problem, ResponseMode, ReturnPath},
    errors,
    http::{
        context::Context,
        error::PageError,
        ui::{FormPostPage, Frame, Leads},
    },
    random::RandomError,
    store::StoreError,
};

/// Why a request is not granted.
#[derive(Debug)]
pub enum Stop {
    /// A page of the issuer: nobody is sent anywhere.
    Page(PageError),
    /// An error that the client hears.
    Back(Box<(ReturnPath, Problem)>),
}

impl Stop {
    pub fn back(path: &ReturnPath, problem: Problem) -> Self {
        Self::Back(Box::new((path.clone(), problem)))
    }

    /// The answer.
    ///
    /// # Errors
    /// The page.
    pub fn into_response(self, app: &App, context: &Context) -> Result<Response, PageError> {
        match self {
            Self::Page(error) => Err(error),
            Self::Back(back) => {
                let (path, problem) = *back;
                tracing::debug!(error = problem.error, description = problem.description, "authorization refused");
                answer(app, context, &path, &[("error", problem.error), ("error_description", &problem.description)])
            }
        }
    }
}

impl From<NowhereToGo> for Stop {
    fn from(nowhere: NowhereToGo) -> Self {
        Self::Page(PageError::new(errors::AUTHORIZE_INVALID).detail(nowhere.to_string()))
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Page(error.into())
    }
}

impl From<RandomError> for Stop {
    fn from(error: RandomError) -> Self {
        Self::Page(error.into())
    }
}

/// Sends these parameters to the client, and with them its `state` and our name.
pub(super) fn answer(
    app: &App,
    context: &Context,
    path: &ReturnPath,
    parameters: &[(&str, &str)],
) -> Result<Response, PageError> {
    let mut fields = parameters.to_vec();
    fields.extend(path.state.as_deref().map(|state| ("state", state)));
    fields.push(("iss", app.config.issuer.as_str()));
    match path.mode {
        ResponseMode::Query => go(&path.redirect.with(&fields)),
        ResponseMode::FormPost => {
            let frame = Frame::new(app, context).fixed();
            let page = FormPostPage { frame: &frame, action: path.redirect.as_str(), fields: &fields };
            frame.page(&page, StatusCode::OK, Leads::On(&path.redirect.policy_source()))
        }
    }
}

/// Sends the browser on by GET, whatever it came with: a password is never posted twice (CSR-11).
pub fn go(to: &str) -> Result<Response, PageError> {
    let mut location =
        HeaderValue::try_from(to).map_err(|error| PageError::new(errors::INTERNAL).log(error.to_string()))?;
    location.set_sensitive(true);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
