//! The authorization endpoint's rules (OAuth 2.1 §4.1, OpenID Connect Core §3.1.2): where an answer may go, what a request
//! asks for, and what has to happen before it is granted.

mod claims;
mod parameters;
mod request;
mod step;

pub use claims::{ClaimsRequest, names as claim_names};
pub use parameters::{Malformed, PARAMETERS, Parameters, Repeated};
use request::audience;
pub use request::{AuthorizationRequest, Prompt, check};
pub use step::{Facts, Person, Step, next};

use super::{
    audience_id::AudienceId,
    client::{ClientId, ClientSettings, Grant},
    redirect::{self, NoRedirect, Redirect},
    scope::Scope,
};

/// How the answer travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

impl ResponseMode {
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

/// Where and how the answer to a request goes, and what comes back with it unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath {
    pub redirect: Redirect,
    pub mode: ResponseMode,
    pub state: Option<String>,
}

/// Why a request gets a page of the issuer and no redirect: it is not known where an answer may go (OAU-02).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NowhereToGo {
    #[error("client_id is missing, repeated or malformed")]
    Client,
    /// Unknown or disabled.
    #[error("there is no such client")]
    UnknownClient,
    #[error("redirect_uri is repeated")]
    Repeated,
    #[error(transparent)]
    Redirect(#[from] NoRedirect),
}

/// The client that a request names.
///
/// # Errors
/// [`NowhereToGo::Client`].
pub fn client_id(parameters: &Parameters) -> Result<ClientId, NowhereToGo> {
    let id = parameters.one("client_id").ok().flatten().and_then(|text| ClientId::parse(text).ok());
    id.ok_or(NowhereToGo::Client)
}

/// Where the answer goes, whether it is a code or an error. A `state` or `response_mode` that is itself wrong is left out;
/// [`check`] says so.
///
/// # Errors
/// [`NowhereToGo`]
pub fn return_path(parameters: &Parameters, client: &ClientSettings) -> Result<ReturnPath, NowhereToGo> {
    let wanted = parameters.one("redirect_uri").map_err(|_| NowhereToGo::Repeated)?;
    let redirect = redirect::choose(&client.sign_in.redirect_uris, wanted)?;
    let mode = parameters.one("response_mode").ok().flatten();
    let mode = ResponseMode::ALL.into_iter().find(|known| Some(known.as_str()) == mode).unwrap_or_default();
    let state = parameters.one("state").ok().flatten().map(str::to_owned);
    Ok(ReturnPath { redirect, mode, state })
}

/// An error that goes back to the client (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub error: &'static str,
    pub description: String,
}

impl Problem {
    pub fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }

    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// The person said no.
    pub fn denied() -> Self {
        Self::new("access_denied", "the person did not agree")
    }
}

/// Scopes that ask about the person, not for an audience (OpenID Connect Core §5.4, §11). A request that names no scope gets
/// none of them.
pub const IDENTITY_SCOPES: [&str; 7] = ["openid", "profile", "email", "address", "phone", "offline_access", "roles"];

/// What a device asks for on its own, as a request would.
///
/// # Errors
/// [`Problem`]: `invalid_scope` or `invalid_target`.
pub fn asked(
    wanted: Option<&str>,
    resource: Option<&str>,
    client: &ClientSettings,
) -> Result<(Scope, AudienceId), Problem> {
    Ok((scope(wanted, client)?, audience(resource, client)?))
}

/// What a request may have of what it asks for.
fn scope(wanted: Option<&str>, client: &ClientSettings) -> Result<Scope, Problem> {
    let Some(wanted) = wanted else {
        let identity: Scope =
            IDENTITY_SCOPES.iter().fold(Scope::default(), |scope, word| scope.union(&word_scope(word)));
        return Ok(client.scopes.without(&identity));
    };
    let wanted: Scope = wanted.parse().map_err(|_| Problem::new("invalid_scope", "scope is malformed"))?;
    let refused = wanted.without(&client.scopes);
    match refused.words().next() {
        None => Ok(wanted),
        Some(word) => Err(Problem::new("invalid_scope", format!("this client may not ask for the scope {word}"))),
    }
}

fn word_scope(word: &str) -> Scope {
    word.parse().unwrap_or_default()
}

/// Whether the client may use this endpoint at all.
fn may_authorize(client: &ClientSettings) -> Result<(), Problem> {
    if client.grants.contains(Grant::AuthorizationCode) {
        return Ok(());
    }
    Err(Problem::new("unauthorized_client", "this client may not use authorization_code"))
}

#[cfg(test)]
mod tests;
