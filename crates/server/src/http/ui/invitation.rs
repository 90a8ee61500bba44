//! `/ui/invitation`: where the link of an invitation leads, without a script.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, Uri};

use super::{
    InvitationPage, PageForm, host,
    letter::{asked, note, own, token},
};
use crate::{
    app::App,
    http::{
        account::invitations::{join, look},
        authorize::new_browser,
        caller,
        context::Context,
        cookies::Cookie,
        error::PageError,
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["form", "token"];

/// The form's name, as its token has it.
const JOIN: &str = "invitation";

/// `GET /ui/invitation?token=…`: a look uses nothing up (LOG-09).
pub async fn show(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Result<Response, PageError> {
    let (browser, token) = (new_browser(&app, &headers)?, token(&uri)?);
    let invitation = look(&app, &token).await?;
    let facts = InvitationPage {
        host: host(&app.config.issuer),
        form: &browser.form_token(JOIN, &token),
        token: &token,
        organisation: &invitation.organisation_name,
        email: &invitation.address,
    };
    asked(&app, &browser, &facts)
}

/// `POST /ui/invitation`: whoever is signed in in this browser joins, if the address is theirs.
pub async fn accept(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let token = form.get("token").unwrap_or_default();
    own(&app, (&method, &headers), &form, (JOIN, token))?;
    let invitation = look(&app, token).await?;
    let signed_in = match Cookie::Signin.read(&app.config.issuer, &headers)? {
        Some(cookie) => caller::by_cookie(&app, &cookie).await.ok(),
        None => None,
    };
    let Some(signed_in) = signed_in else {
        let what = format!("Sign in to an application with the address {} first.", invitation.address);
        return note(
            &app,
            "You are not signed in here",
            &[&what, "Then open the link of the mail again; it still works."],
        );
    };
    let joined = join(&app, &context, &signed_in, token).await?;
    let what = format!("You belong to {} now.", joined.organisation_name);
    note(&app, "Welcome", &[&what, "Go back to the application. If it does not know yet, sign in there again."])
}
