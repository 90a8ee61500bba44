//! `/ui/invitation`: where the link of an invitation leads, without a script.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, Uri};

use super::{
    Frame, InvitationPage, PageForm,
    letter::{asked, own, token, told},
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
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let (browser, token) = (new_browser(&app, &headers)?, token(&uri)?);
    let invitation = look(&app, &token).await?;
    let frame = Frame::new(&app, &context);
    let facts = InvitationPage {
        frame: &frame,
        form: &browser.form_token(JOIN, &token),
        token: &token,
        organisation: &invitation.organisation_name,
        email: &invitation.address,
    };
    asked(&app, &frame, &browser, &facts)
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
    let frame = Frame::new(&app, &context);
    let words = &frame.words.invitation;
    let Some(signed_in) = signed_in else {
        return told(&frame, words.not_signed_in, &[&(words.sign_in_first)(&invitation.address), words.then]);
    };
    let joined = join(&app, &context, &signed_in, token).await?;
    told(&frame, words.welcome, &[&(words.belongs)(&joined.organisation_name), words.go_back])
}
