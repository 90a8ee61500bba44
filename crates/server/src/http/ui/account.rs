//! `/account`: what a person sees and changes of their own account, without a script. The JSON behind it is `/api/account/…`.

pub mod deletion;
pub mod email;
mod facts;
pub mod passkey;
pub mod security;
mod visit;

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, StatusCode, Uri};

pub(super) use self::{
    facts::AccountFacts,
    security::SecurityFacts,
    visit::{AccountVisit, Purpose},
};
use super::{AccountPage, Frame, Leads, PageForm, language::keep, words::Words};
use crate::{
    app::App,
    domain::{
        client::ClientId,
        language::Language,
        preferences::{Preferences, Theme},
    },
    errors,
    http::{
        account::{consents, deletion as data, settings, signins},
        authorize::{go, new_browser, remember_browser, signin},
        body::Form,
        context::Context,
        error::PageError,
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["form", "act", "id", "language", "theme"];

/// The form's name, as its token has it.
const FORM: &str = "account";

/// What was done last, as the address of the page carries it, and its words.
fn done<'w>(words: &'w Words, name: Option<&str>) -> Option<&'w str> {
    match name? {
        "signed-out" => Some(words.account.done_signed_out),
        "others" => Some(words.account.done_others),
        "kept" => Some(words.account.done_kept),
        "passkey" => Some(words.passkey.done),
        "withdrawn" => Some(words.account.done_withdrawn),
        "settings" => Some(words.account.done_settings),
        _ => None,
    }
}

/// `GET /account`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let browser = new_browser(&app, &headers)?;
    let visit = AccountVisit::load(&app, Purpose::Account, browser, signin(&app, &headers)?).await?;
    let mut response = match &visit.signin {
        None => go("/ui/signin?request=account")?,
        Some(signin) => {
            let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
            let known = facts::load(&app, signin).await?;
            let frame = Frame::new(&app, &context).preferring(known.preferences()).fixed();
            let facts = AccountPage {
                frame: &frame,
                form: &visit.browser.form_token(FORM, &signin.user_id),
                done: done(frame.words, query.get("done")),
                facts: &known.say(frame.words),
            };
            frame.page(&facts, StatusCode::OK, Leads::Home)?
        }
    };
    remember_browser(&app, &visit.browser, &mut response);
    Ok(response)
}

/// `POST /account`
pub async fn act(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let (_, own) = match AccountVisit::of_form(&app, (&method, &headers), &form, (Purpose::Account, FORM)).await? {
        Ok(own) => own,
        Err(answer) => return Ok(answer),
    };
    let (user, id) = (&own.user_id, form.get("id").unwrap_or_default());
    // What is gone already was done by another tab.
    match form.get("act") {
        Some("sign-out") => {
            if let Some(id) = signins::parse(id) {
                signins::end_one(&app, &context, user, id).await?;
            }
            go("/account?done=signed-out")
        }
        Some("sign-out-others") => {
            signins::end_all_but(&app, &context, user, Some(own.id)).await?;
            go("/account?done=others")
        }
        Some("withdraw") => {
            if let Ok(id) = ClientId::parse(id) {
                consents::withdraw_one(&app, &context, user, id).await?;
            }
            go("/account?done=withdrawn")
        }
        Some("keep") => {
            data::stay(&app, &context, user).await?;
            go("/account?done=kept")
        }
        Some("settings") => {
            let chosen = Preferences {
                language: form.get("language").and_then(Language::parse),
                theme: form.get("theme").and_then(Theme::parse),
            };
            settings::choose(&app, &context, user, chosen).await?;
            let mut response = go("/account?done=settings")?;
            keep(&app, chosen, &mut response);
            Ok(response)
        }
        _ => {
            let acts = "act is sign-out, sign-out-others, withdraw, keep or settings";
            Err(PageError::new(errors::MALFORMED_FORM).detail(acts))
        }
    }
}
