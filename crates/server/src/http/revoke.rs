//! `POST /revoke` (RFC 7009): a client hands back a refresh token, which ends its session, or an access token.

use axum::{Json, extract::State};
use countersign_jose::Unverified;
use http::HeaderMap;
use serde_json::{Value, json};

use super::{
    TENANT,
    access_token::{Shown, Wanted},
    body::Form,
    context::Context,
    error::OAuthError,
    token::{self, AuthenticatedClient},
};
use crate::{
    app::App,
    domain::session::{EndReason, Sid},
    errors,
    store::{
        StoreError, Tx,
        revocations::{self, Targets},
        sessions::{self, Act},
    },
};

/// The parameters that `/revoke` knows; the hint is not needed, the two kinds of token do not look alike.
pub const PARAMETERS: &[&str] =
    &["token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// `POST /revoke`: 200 after the commit (RLO-05), for a token that is over or that nobody knows as well.
pub async fn revoke(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    form: Form,
) -> Result<Json<Value>, OAuthError> {
    let client = token::authenticate(&app, &headers, &form).await?;
    let token = form.require("token")?;
    let act = app.act(&context, client.id.as_str(), app.clock.now())?;
    // Whatever generation it is of: a family has one life.
    if let Ok(presented) = app.ring.snapshot().mac_keys().open(token) {
        end_session(&app, &client, presented.sid().clone(), act).await?;
    } else if let Ok(shown) = Shown::read(&app, token, Wanted::default()) {
        // One that somebody may still accept.
        end_token(&app, &client, &shown, act).await?;
    } else if is_for_its_audience_alone(token) {
        // RFC 7009 §2.2.1: silence would sound like success.
        let why = "only its audience can read this access token; hand back the refresh token";
        return Err(OAuthError::new(errors::REFRESH_INVALID).named("unsupported_token_type").detail(why));
    }
    Ok(Json(json!({})))
}

/// Encrypted, or signed with the secret of an audience, which could have made it itself, in anybody's name.
fn is_for_its_audience_alone(token: &str) -> bool {
    token.split('.').count() == 5 || Unverified::parse(token).is_ok_and(|token| token.alg().is_symmetric())
}

async fn end_session(app: &App, client: &AuthenticatedClient, sid: Sid, act: Act) -> Result<(), OAuthError> {
    let client_id = client.id.to_string();
    let own = app.store.write(move |tx| {
        let (sid, client_id, act) = (sid.clone(), client_id.clone(), act.clone());
        Box::pin(async move { end_own_session(tx, &sid, &client_id, &act).await })
    });
    if own.await? { Ok(()) } else { Err(not_yours()) }
}

/// False if the session is another client's: nothing is changed (REF-03).
async fn end_own_session(tx: &mut Tx, sid: &Sid, client_id: &str, act: &Act) -> Result<bool, StoreError> {
    match sessions::find(tx, sid).await? {
        Some(session) if session.client_id != client_id => return Ok(false),
        Some(_) => drop(sessions::end_session(tx, sid, EndReason::Revoked, act).await?),
        None => {}
    }
    Ok(true)
}

async fn end_token(app: &App, client: &AuthenticatedClient, shown: &Shown, act: Act) -> Result<(), OAuthError> {
    if shown.client_id() != client.id.as_str() {
        return Err(not_yours());
    }
    let tokens = vec![(shown.jti().to_owned(), shown.exp())];
    let targets = Targets { tokens, tenant: TENANT.to_owned(), ..Targets::default() };
    app.store
        .write(move |tx| {
            let (targets, act) = (targets.clone(), act.clone());
            Box::pin(async move { revocations::end(tx, &targets, &act).await })
        })
        .await?;
    Ok(())
}

/// RFC 7009, section 2.1: the request is refused and the client is told.
fn not_yours() -> OAuthError {
    OAuthError::new(errors::REFRESH_INVALID).detail("this token was issued to another client")
}
