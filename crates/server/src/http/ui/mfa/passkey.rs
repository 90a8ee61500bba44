//! `/ui/mfa/passkey`: a passkey of somebody who is known, in place of a code.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method};

use super::{FORM, again, enter, entrant, owed};
use crate::{
    app::App,
    domain::user::UserId,
    errors,
    http::{
        context::Context,
        cookies::Cookie,
        error::{ApiError, PageError},
        passkey::{Question, check},
        ui::{PageForm, PasskeyForm, errand::Errand, words::Words},
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "credential"];

/// `POST /ui/mfa/passkey`
pub async fn finish(
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
    let over = || PageError::new(errors::FORM_EXPIRED).log("no second factor is owed");
    let owed = owed(&app, &errand).await?.ok_or_else(over)?;
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let whose = Some(owed.user());
    let question = Question { browser: errand.browser(), request: &name, whose, device: device.as_deref() };
    let who = match check(&app, &context, form.get("credential").unwrap_or_default(), question).await {
        Ok(who) => who,
        Err(error) => return again(&app, &context, (&errand, &owed), error).await,
    };
    let entrant = entrant(&errand, owed, &who.user, who.shown)?;
    enter(&app, &context, &headers, errand, entrant).await
}

/// The form of the page, beside that of an authenticator app if they have one; `None` if the person has no passkey.
///
/// # Errors
/// Those of the store.
pub(super) async fn form(
    app: &App,
    words: &'static Words,
    errand: &Errand,
    (user, app_too): (&UserId, bool),
) -> Result<Option<PasskeyForm>, PageError> {
    let question = Question { browser: errand.browser(), request: &errand.name(), whose: Some(user), device: None };
    let options = question.ask(app).await?;
    Ok(options.map(|options| PasskeyForm {
        action: "/ui/mfa/passkey",
        words: &words.passkey,
        button: words.passkey.use_one,
        quiet: app_too,
        options: options.to_string(),
    }))
}
