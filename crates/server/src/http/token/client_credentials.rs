//! `grant_type=client_credentials`: a service's own token (RFC 6749, section 4.4).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::HeaderMap;

use super::{
    TokenResponse,
    client::{AuthenticatedClient, ClaimedClient},
};
use crate::{
    app::App,
    domain::{audience::AudienceRules, audience_id::AudienceId, client::Grant, scope::Scope},
    errors,
    http::{
        body::Form,
        dpop::Proven,
        error::OAuthError,
        issue::{self, Target},
    },
    store::{
        audiences,
        clients::{self, ClientState},
    },
};

pub(super) async fn grant(
    app: &App,
    headers: &HeaderMap,
    proof: Option<&Proven>,
    form: &Form,
) -> Result<Response, OAuthError> {
    let claimed = ClaimedClient::read(headers, form)?;
    let (state, rules) = load(app, &claimed, form).await?;
    let client = claimed.prove(app, state).await?;
    // A public client has proved nothing that a token of its own could rest on.
    if !client.settings.grants.contains(Grant::ClientCredentials) || !client.credential.is_confidential() {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    let scope = scope(&client, form)?;
    // It may ask for its own audiences alone.
    let rules = rules.filter(|rules| client.settings.audiences.iter().any(|own| own.as_str() == rules.audience));
    let target = Target::new(app, &client, vec![rules.ok_or(errors::INVALID_TARGET)?], app.clock.now())?;
    let target = target.proved(&client, proof)?;
    if let Some(proof) = proof {
        proof.use_up(app).await?;
    }
    let issued = issue::for_client(app, &client, &target, &scope).await?;
    Ok(Json(TokenResponse {
        token_type: issued.token_type,
        access_token: Some(issued.access_token),
        expires_in: issued.expires_in,
        refresh_token: None,
        scope: issued.scope,
        sid: None,
    })
    .into_response())
}

/// In one snapshot: the client, and the rules of the audience that was asked for (`resource`, RFC 8707) or of its first.
async fn load(
    app: &App,
    claimed: &ClaimedClient,
    form: &Form,
) -> Result<(ClientState, Option<AudienceRules>), OAuthError> {
    let (id, wanted) = (claimed.id().clone(), form.get("resource").map(str::to_owned));
    let loaded = app.store.read(move |tx| {
        let (id, wanted) = (id.clone(), wanted.clone());
        Box::pin(async move {
            let state = clients::state(tx, &id).await?;
            let first = state.client.as_ref().and_then(|client| client.settings.audiences.first());
            let rules = match wanted.as_deref().or(first.map(AudienceId::as_str)) {
                Some(name) => audiences::rules(tx, name).await?,
                None => None,
            };
            Ok((state, rules))
        })
    });
    Ok(loaded.await?)
}

/// What was asked for, or all that the client has (TOK-21).
fn scope(client: &AuthenticatedClient, form: &Form) -> Result<Scope, OAuthError> {
    let wanted = form.get("scope").map(str::parse::<Scope>).transpose().map_err(|_| errors::INVALID_SCOPE)?;
    client.settings.scopes.grant(wanted.as_ref()).ok_or_else(|| errors::INVALID_SCOPE.into())
}
