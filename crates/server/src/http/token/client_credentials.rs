//! `grant_type=client_credentials`: a service's own token (RFC 6749, section 4.4).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::HeaderMap;

use super::{
    TokenResponse,
    client::{self, AuthenticatedClient},
};
use crate::{
    app::App,
    domain::{client::Grant, scope::Scope},
    errors,
    http::{
        body::Form,
        error::OAuthError,
        issue::{self, Target},
    },
};

pub(super) async fn grant(app: &App, headers: &HeaderMap, form: &Form) -> Result<Response, OAuthError> {
    let client = client::authenticate(app, headers, form).await?;
    // A public client has proved nothing that a token of its own could rest on.
    if !client.settings.grants.contains(Grant::ClientCredentials) || client.secret.is_none() {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    let scope = scope(&client, form)?;
    let target = target(app, &client, form).await?;
    let issued = issue::for_client(app, &client, &target, &scope.to_string())?;
    Ok(Json(TokenResponse {
        token_type: "Bearer",
        access_token: Some(issued.access_token),
        expires_in: issued.expires_in,
        refresh_token: None,
        scope: issued.scope,
        sid: None,
    })
    .into_response())
}

/// What was asked for, or all that the client has (TOK-21).
fn scope(client: &AuthenticatedClient, form: &Form) -> Result<Scope, OAuthError> {
    let wanted = form.get("scope").map(str::parse::<Scope>).transpose().map_err(|_| errors::INVALID_SCOPE)?;
    client.settings.scopes.grant(wanted.as_ref()).ok_or_else(|| errors::INVALID_SCOPE.into())
}

/// The audience that was asked for (`resource`, RFC 8707), or the client's first.
async fn target(app: &App, client: &AuthenticatedClient, form: &Form) -> Result<Target, OAuthError> {
    let name = match form.get("resource") {
        Some(wanted) => client.settings.audiences.iter().find(|audience| audience.as_str() == wanted),
        None => client.settings.audiences.first(),
    };
    let name = name.ok_or(errors::INVALID_TARGET)?.to_string();
    let rules = app
        .store
        .read(move |tx| {
            let name = name.clone();
            Box::pin(async move { issue::rules(tx, &[&name]).await })
        })
        .await?;
    if rules.is_empty() {
        return Err(errors::INVALID_TARGET.into());
    }
    Ok(Target::new(app, client, rules, app.clock.now()))
}
