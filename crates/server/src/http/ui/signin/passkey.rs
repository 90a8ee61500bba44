//! `/ui/signin/passkey`: a passkey in place of address and password. Its person was verified, so it is both factors at once (MFA-04,
//! MFA-06).

use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, Method, header};

use super::{By, Entrant, FORM, Filled, enter, shown};
use crate::{
    app::App,
    errors,
    http::{
        context::Context,
        cookies::Cookie,
        error::{ApiError, PageError},
        passkey::{Question, check},
        ui::{Frame, PageForm, PasskeyForm, errand::Errand, words::Words},
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "credential"];

/// `POST /ui/signin/passkey`
pub async fn sign_in(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let errand = match Errand::of_form(&app, &context, (&method, &headers), &form, FORM).await? {
        Ok(errand) => errand,
        Err(answer) => return Ok(answer),
    };
    let name = errand.name();
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    // One that was planted twice is none.
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let question = Question { browser: errand.browser(), request: &name, whose: None, device: device.as_deref() };
    let who = match check(&app, &context, form.get("credential").unwrap_or_default(), question).await {
        Ok(who) => who,
        Err(error) => return again(&app, &context, &errand, error).await,
    };
    let (auth_rsn, auth_time) = (who.auth_rsn, app.clock.now());
    let (second, shared) = (Some(who.shown), Some(who.shared));
    let entrant = Entrant { user: who.user.id, auth_rsn, auth_time, by: By::Passkey, owes: true, second, shared };
    enter(&app, &context, &headers, errand, entrant).await
}

/// The form of the sign-in page; `None` if there are no passkeys here.
///
/// # Errors
/// The random source failed.
pub(super) async fn form(app: &App, words: &'static Words, errand: &Errand) -> Result<Option<PasskeyForm>, PageError> {
    let question = Question { browser: errand.browser(), request: &errand.name(), whose: None, device: None };
    let options = question.ask(app).await?;
    Ok(options.map(|options| PasskeyForm {
        action: "/ui/signin/passkey",
        words: &words.passkey,
        button: words.passkey.sign_in,
        quiet: true,
        options: options.to_string(),
    }))
}

/// The page once more, with a new question.
async fn again(app: &App, context: &Context, errand: &Errand, error: ApiError) -> Result<Response, PageError> {
    let code = error.0.code;
    if ![errors::PASSKEY_REFUSED, errors::PASSKEY_LATE].contains(&code) {
        return Err(error.into());
    }
    let words = Frame::new(app, context).words.sentence(code, None);
    let mut response =
        shown(app, context, errand, &Filled { problem: Some((code, &words)), ..Filled::default() }).await?;
    if code == errors::PASSKEY_REFUSED {
        // RFC 9110 §15.5.2: no 401 without a challenge; no browser acts on this one.
        let challenge = HeaderValue::from_static("SecondFactor realm=\"countersign\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
}
