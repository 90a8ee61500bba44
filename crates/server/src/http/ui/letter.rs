//! What the pages that mails lead to have in common: a form that belongs to one browser and one link, and what is said beside it.

use askama::Template;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::{Leads, NotePage, host, page};
use crate::{
    app::App,
    domain::browser::BrowserSecret,
    errors,
    http::{
        authorize::{known_browser, remember_browser},
        body::Form,
        cookies::require_same_origin,
        error::{ApiError, PageError},
    },
};

/// The token that a link carries.
///
/// # Errors
/// The query is malformed.
pub(super) fn token(uri: &Uri) -> Result<String, PageError> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    Ok(query.get("token").unwrap_or_default().to_owned())
}

/// The browser that sends a form of its own (CSR-05, CSR-06).
///
/// # Errors
/// `cross-site`, `form-expired`
pub(super) fn own(
    app: &App,
    (method, headers): (&Method, &HeaderMap),
    form: &Form,
    (name, about): (&str, &str),
) -> Result<BrowserSecret, PageError> {
    require_same_origin(&app.config.issuer, method, headers)?;
    let browser = known_browser(app, headers)?;
    if browser.owns_form(name, about, form.get("form").unwrap_or_default()) {
        return Ok(browser);
    }
    Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"))
}

/// A page with a form, for a browser that keeps its pre-session.
///
/// # Errors
/// `internal`
pub(super) fn asked(app: &App, browser: &BrowserSecret, facts: &impl Template) -> Result<Response, PageError> {
    let mut response = page(facts, StatusCode::OK, Leads::Home)?;
    remember_browser(app, browser, &mut response);
    Ok(response)
}

/// What has happened.
///
/// # Errors
/// `internal`
pub(super) fn note(app: &App, title: &str, sentences: &[&str]) -> Result<Response, PageError> {
    page(&NotePage { host: host(&app.config.issuer), title, sentences }, StatusCode::OK, Leads::Nowhere)
}

/// A mistake that the person can mend in the form: the words for it. What they cannot is a page of its own.
///
/// # Errors
/// That page.
pub(super) fn mendable(error: ApiError) -> Result<Mendable, PageError> {
    const MENDABLE: [errors::Code; 8] = [
        errors::INVALID_EMAIL,
        errors::INVALID_CREDENTIALS,
        errors::PASSWORD_TOO_SHORT,
        errors::PASSWORD_TOO_LONG,
        errors::PASSWORD_COMMON,
        errors::TOO_MANY_ATTEMPTS,
        errors::OVERLOADED,
        errors::SECOND_FACTOR_WRONG,
    ];
    let failure = &error.0;
    if !MENDABLE.contains(&failure.code) {
        return Err(error.into());
    }
    let words = match (failure.errors.first(), failure.retry_after) {
        (_, Some(seconds)) => format!("{}. Try again in {seconds} s.", failure.code.title),
        (Some(field), None) => field.detail.clone(),
        (None, None) => format!("{}.", failure.code.title),
    };
    Ok(Mendable { words, code: failure.code, retry_after: failure.retry_after })
}

/// See [`mendable`].
pub(super) struct Mendable {
    pub words: String,
    code: errors::Code,
    retry_after: Option<u64>,
}

impl Mendable {
    /// Gives the form once more, with the status that the mistake has.
    pub fn beside(&self, mut response: Response) -> Response {
        *response.status_mut() = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::BAD_REQUEST);
        let headers = response.headers_mut();
        headers.extend(self.retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
        // RFC 9110 §15.5.2: no 401 without a challenge; no browser acts on these.
        let challenge = match self.code {
            errors::INVALID_CREDENTIALS => Some("Password realm=\"countersign\""),
            errors::SECOND_FACTOR_WRONG => Some("SecondFactor realm=\"countersign\""),
            _ => None,
        };
        headers.extend(challenge.map(|words| (header::WWW_AUTHENTICATE, HeaderValue::from_static(words))));
        response
    }
}
