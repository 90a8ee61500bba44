//! The sign-in page as a person sees it.

use axum::response::Response;
use http::StatusCode;

use super::{FORM, passkey};
use crate::{
    app::App,
    config::Registration,
    domain::{browser::RequestName, upstream::UpstreamName},
    errors::Code,
    http::{
        TENANT,
        context::Context,
        error::PageError,
        ui::{
            Frame, SignInPage,
            errand::{Errand, leads},
        },
    },
    store::upstreams,
};

/// What is in the form already, and what went wrong before.
#[derive(Debug, Default)]
pub(in crate::http::ui) struct Filled<'a> {
    pub email: &'a str,
    /// The words stand beside the form; the code gives the answer its status.
    pub problem: Option<(Code, &'a str)>,
    pub link: Option<&'a Link>,
}

/// An identity at an upstream that waits for its account's password. The form carries it as `name~upstream`.
#[derive(Debug, Clone)]
pub(in crate::http::ui) struct Link {
    pub name: RequestName,
    pub upstream: UpstreamName,
    pub label: String,
}

impl Link {
    /// The link that a form carries; `None` if it carries none, or none that could be ours.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(app: &App, carried: Option<&str>) -> Result<Option<Self>, PageError> {
        let parts = carried.and_then(|text| text.split_once('~'));
        let read =
            parts.and_then(|(name, upstream)| Some((RequestName::parse(name)?, UpstreamName::parse(upstream).ok()?)));
        let Some((name, upstream)) = read else { return Ok(None) };
        let wanted = upstream.clone();
        let found = app.store.read(move |tx| {
            let wanted = wanted.clone();
            Box::pin(async move { upstreams::find(tx, TENANT, &wanted).await })
        });
        Ok(found.await?.map(|found| Self { name, upstream, label: found.label }))
    }

    fn carried(&self) -> String {
        format!("{}~{}", self.name.as_str(), self.upstream)
    }
}

/// The page.
///
/// # Errors
/// Those of the store; `internal`.
pub(in crate::http::ui) async fn shown(
    app: &App,
    context: &Context,
    errand: &Errand,
    filled: &Filled<'_>,
) -> Result<Response, PageError> {
    let frame = Frame::new(app, context).at(format!("/ui/signin?request={}", errand.name()));
    let upstreams = app.store.read(|tx| Box::pin(upstreams::list(tx, TENANT))).await?;
    let carried = filled.link.map(|link| (link.carried(), &*link.label));
    let look = errand.look(app).await?;
    // What waits for the account's password is not opened by anything else.
    let passkey = if filled.link.is_none() { passkey::form(app, frame.words, errand).await? } else { None };
    let facts = SignInPage {
        frame: &frame,
        client: errand.client(frame.words),
        request: &errand.name(),
        form: &errand.browser().form_token(FORM, &errand.name()),
        email: filled.email,
        problem: filled.problem.map(|(_, words)| words),
        by_mail: app.config.sign_in_by_mail,
        register: app.config.registration == Registration::Open,
        passkey: passkey.as_ref(),
        upstreams: &upstreams,
        link: carried.as_ref().map(|(carried, label)| (carried.as_str(), *label)),
        look: &look,
    };
    let status = filled.problem.and_then(|(code, _)| StatusCode::from_u16(code.status).ok());
    let (status, to) = (status.unwrap_or(StatusCode::OK), errand.destination());
    let to = leads(to.as_deref());
    match passkey {
        Some(_) => frame.page_with_passkeys(&facts, status, to, &look),
        None => frame.page_of(&facts, status, to, &look),
    }
}
