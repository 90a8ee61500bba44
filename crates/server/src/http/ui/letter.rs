//! What the pages that mails lead to have in common: a form that belongs to one browser and one link, and what is said beside it.

use askama::Template;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::{Frame, Leads, NotePage, words::Note};
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
pub(super) fn asked(
    app: &App,
    frame: &Frame<'_>,
    browser: &BrowserSecret,
    facts: &impl Template,
) -> Result<Response, PageError> {
    let mut response = frame.page(facts, StatusCode::OK, Leads::Home)?;
    remember_browser(app, browser, &mut response);
    Ok(response)
}

/// What has happened.
///
/// # Errors
/// `internal`
pub(super) fn note(frame: &Frame<'_>, note: &Note) -> Result<Response, PageError> {
    told(frame, note.title, note.sentences)
}

/// The same in words that were made for it.
///
/// # Errors
/// `internal`
pub(super) fn told(frame: &Frame<'_>, title: &str, sentences: &[&str]) -> Result<Response, PageError> {
    frame.page(&NotePage { frame, title, sentences }, StatusCode::OK, Leads::Nowhere)
}

/// A mistake that the person can mend in the form: the words for it. What they cannot is a page of its own.
///
/// # Errors
/// That page.
pub(super) fn mendable(frame: &Frame<'_>, error: ApiError) -> Result<Mendable, PageError> {
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
    let words = match failure.weakness {
        Some(weakness) => (frame.words.weakness)(weakness),
        None if failure.code == errors::INVALID_EMAIL => frame.words.problem.bad_email.to_owned(),
        None => frame.words.sentence(failure.code, failure.retry_after),
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
