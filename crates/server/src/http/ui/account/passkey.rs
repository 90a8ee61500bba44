//! `/account/passkey`: a new passkey. It is made by a script, since browsers have no other way; what comes of it is a form as any other.
//! Whoever signed in too long ago, or with too little, is sent to do so and comes back (MFA-05).

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, StatusCode};

use super::{AccountVisit, Purpose};
use crate::{
    app::App,
    domain::{passkey::answer, signin::LiveSignin},
    errors::{self, Code},
    http::{
        account::factors::passkeys::{NewPasskey, add, asked},
        authorize::{go, new_browser, remember_browser, signin},
        caller::SignedIn,
        context::Context,
        error::{ApiError, PageError},
        ui::{Frame, Leads, Look, PageForm, PasskeyPage, RecoveryCodesPage},
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["form", "name", "credential"];

/// The form's name, as its token has it.
const FORM: &str = "passkey";
/// What the person can do about; the rest is a page of its own.
const MENDABLE: [Code; 4] =
    [errors::INVALID_VALUE, errors::PASSKEY_REFUSED, errors::PASSKEY_LATE, errors::PASSKEY_KNOWN];

/// `GET /account/passkey`
pub async fn show(State(app): State<App>, context: Context, headers: HeaderMap) -> Result<Response, PageError> {
    let browser = new_browser(&app, &headers)?;
    let visit = AccountVisit::load(&app, Purpose::Passkey, browser, signin(&app, &headers)?).await?;
    let mut response = match visit.allowed(app.clock.now()) {
        Ok(own) => {
            let frame = Frame::new(&app, &context);
            shown(&app, &frame, (&visit, own), (frame.words.passkey.name, None)).await?
        }
        Err(elsewhere) => go(&elsewhere)?,
    };
    remember_browser(&app, &visit.browser, &mut response);
    Ok(response)
}

/// `POST /account/passkey`
pub async fn make(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let (visit, own) = match AccountVisit::of_form(&app, (&method, &headers), &form, (Purpose::Passkey, FORM)).await? {
        Ok(own) => own,
        Err(answer) => return Ok(answer),
    };
    let frame = Frame::new(&app, &context);
    let name = form.get("name").unwrap_or_default();
    let added = match serde_json::from_str(form.get("credential").unwrap_or_default()) {
        Ok(credential) => added(&app, &context, &own, (name, credential)).await,
        Err(_) => Err(ApiError::new(errors::PASSKEY_REFUSED).log("not an answer of a browser")),
    };
    match added {
        Ok(None) => go("/account?done=passkey"),
        Ok(Some(codes)) => {
            let facts = RecoveryCodesPage { frame: &frame, title: frame.words.passkey.added, codes: &codes };
            frame.page(&facts, StatusCode::OK, Leads::Home)
        }
        Err(error) if MENDABLE.contains(&error.0.code) => {
            let words = match error.0.code {
                errors::INVALID_VALUE => frame.words.passkey.bad_value.to_owned(),
                code => frame.words.sentence(code, None),
            };
            let mut response = shown(&app, &frame, (&visit, &own), (name, Some(&words))).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// The recovery codes that came with it, if it is the first factor.
async fn added(
    app: &App,
    context: &Context,
    own: &LiveSignin,
    (name, credential): (&str, answer::Credential<answer::Attestation>),
) -> Result<Option<Vec<String>>, ApiError> {
    let new = NewPasskey { name: Some(name.to_owned()), credential, end_other_sessions: false };
    Ok(add(app, context, &SignedIn::from(own), new).await?.recovery_codes)
}

async fn shown(
    app: &App,
    frame: &Frame<'_>,
    (visit, own): (&AccountVisit, &LiveSignin),
    (name, problem): (&str, Option<&str>),
) -> Result<Response, PageError> {
    let options = asked(app, &SignedIn::from(own)).await?.to_string();
    let facts =
        PasskeyPage { frame, form: &visit.browser.form_token(FORM, &own.user_id), name, options: &options, problem };
    frame.page_with_passkeys(&facts, StatusCode::OK, Leads::Home, &Look::default())
}
