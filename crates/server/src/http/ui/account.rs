//! `/account`: what a person sees and changes of their own account, without a script. The JSON behind it is `/api/account/…`.

pub mod deletion;
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
use super::{AccountPage, Leads, PageForm, host, page};
use crate::{
    app::App,
    domain::client::ClientId,
    errors,
    http::{
        account::{consents, deletion as data, signins},
        authorize::{go, new_browser, remember_browser, signin},
        body::Form,
        context::Context,
        cookies::require_same_origin,
        error::PageError,
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["form", "act", "id"];

/// The form's name, as its token has it.
const FORM: &str = "account";

/// What was done last, as the address of the page carries it, and its words.
const DONE: [(&str, &str); 5] = [
    ("signed-out", "That device was signed out. Whatever it held is refused everywhere by now."),
    ("others", "Every other device was signed out. Whatever they held is refused everywhere by now."),
    ("kept", "Your account is kept."),
    ("passkey", "The passkey was added. It signs you in from now on."),
    ("withdrawn", "That application may not use your account any more, and was signed out."),
];

/// `GET /account`
pub async fn show(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Result<Response, PageError> {
    let browser = new_browser(&app, &headers)?;
    let visit = AccountVisit::load(&app, Purpose::Account, browser, signin(&app, &headers)?).await?;
    let mut response = match &visit.signin {
        None => go("/ui/signin?request=account")?,
        Some(signin) => {
            let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
            let done = DONE.iter().find(|(name, _)| query.get("done") == Some(*name)).map(|(_, words)| *words);
            let facts = facts::load(&app, signin).await?;
            let facts = AccountPage {
                host: host(&app.config.issuer),
                form: &visit.browser.form_token(FORM, &signin.user_id),
                done,
                facts: &facts,
            };
            page(&facts, StatusCode::OK, Leads::Home)?
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
    require_same_origin(&app.config.issuer, &method, &headers)?;
    let visit = AccountVisit::find(&app, &headers, Purpose::Account, signin(&app, &headers)?).await?;
    let Some(own) = &visit.signin else { return go("/ui/signin?request=account") };
    if !visit.browser.owns_form(FORM, &own.user_id, form.get("form").unwrap_or_default()) {
        return Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"));
    }
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
        _ => Err(PageError::new(errors::MALFORMED_FORM).detail("act is sign-out, sign-out-others, withdraw or keep")),
    }
}
