//! `grant_type=refresh_token`: rule A, or rule B for a client that sends `next_nonce` (sessions.md).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::HeaderMap;

use super::{
    TokenResponse,
    client::{AuthenticatedClient, ClaimedClient},
    renew,
};
use crate::{
    app::App,
    domain::{
        client::Grant,
        organisation::{Choice, NotAMember},
        refresh::{Reason, Refusal},
        scope::Scope,
        session::{Nonce, Sid},
    },
    errors::{self, Code},
    http::{
        body::Form,
        context::Context,
        cookies::Cookie,
        dpop::{self, Proven},
        error::OAuthError,
        issue::{self, OfSession, Target},
    },
    store::{
        StoreError, Tx,
        clients::ClientState,
        organisations,
        proofs::{self, UsedProof},
        sessions::{self, Authority, Basis, Refresh, Refreshed, Rotated, Successor},
    },
};

pub(super) async fn refresh(
    app: &App,
    context: &Context,
    (headers, proof): (&HeaderMap, Option<&Proven>),
    form: &Form,
) -> Result<Response, OAuthError> {
    let Some(text) = form.get("refresh_token") else {
        // A browser keeps no refresh token: its sign-in cookie renews the access cookie.
        let cookie = Cookie::Signin.read(&app.config.issuer, headers)?;
        let missing = || OAuthError::new(errors::MISSING_PARAMETER).detail("refresh_token is missing");
        let cookie = cookie.ok_or_else(missing)?;
        if proof.is_some() {
            return Err(
                OAuthError::new(errors::DPOP_PROOF).detail("a cookie carries no proof; send no DPoP header with it")
            );
        }
        let choice = Choice::read(form.get("organization"))?;
        return renew::renew(app, context, headers, (&cookie, choice)).await;
    };
    // The MAC first: garbage costs no database read, and nobody ends a session by guessing.
    let keys = app.ring.snapshot();
    let presented = keys.mac_keys().open(text).map_err(|garbage| {
        app.metrics.refresh("garbage");
        OAuthError::new(errors::REFRESH_INVALID).log(garbage.to_string())
    })?;
    let sid = presented.sid().clone();
    let successor = successor(app, form)?;
    let claimed = ClaimedClient::read(headers, form)?;
    let choice = Choice::read(form.get("organization"))?;
    let (state, granted) = load(app, &claimed, &sid, &choice).await?;
    let client = claimed.prove(app, state).await?;
    if !client.settings.grants.contains(Grant::RefreshToken) {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    if client.registered && matches!(choice, Choice::For(_)) {
        let words = "a client that registered itself asks for an organization at /authorize, where its person agrees";
        return Err(OAuthError::new(errors::UNAUTHORIZED_CLIENT).detail(words));
    }
    let (target, scope) = prepare(app, &client, granted, form)?;
    let target = target.proved(&client, proof)?;
    let refresh = Refresh {
        presented,
        client_id: client.id.to_string(),
        dpop_jkt: target.key.clone(),
        successor,
        grace: app.config.refresh.grace,
        idle: client.settings.refresh_idle.unwrap_or(app.config.refresh.idle),
        at_exp: target.exp(),
        act: app.act(context, client.id.as_str(), target.now)?,
    };
    let (rotated, authority) = rotate(app, refresh, choice, proof.map(Proven::used)).await?;
    crate::failpoint::hit("refresh.committed");
    let issued = issue::for_session(app, authority, client.head(), &target, scope.as_ref()).await?;
    Ok(Json(TokenResponse {
        token_type: issued.token_type,
        access_token: Some(issued.access_token),
        expires_in: issued.expires_in,
        refresh_token: Some(keys.mac_keys().seal(&sid, rotated.generation, &rotated.nonce)),
        scope: issued.scope,
        sid: Some(sid.to_string()),
    })
    .into_response())
}

/// The successor that the client committed to, or one that we draw.
fn successor(app: &App, form: &Form) -> Result<Successor, OAuthError> {
    match form.get("next_nonce") {
        None => Ok(Successor::Drawn(Nonce::new(app.random.bytes()?))),
        Some(text) => Nonce::from_next_nonce(text).map(Successor::Committed).ok_or_else(|| {
            OAuthError::new(errors::MALFORMED_FORM).detail("next_nonce must be 16 bytes as base64url (22 characters)")
        }),
    }
}

/// What a refresh token's session was granted, and whether its person belongs to the organisation that its tokens will speak
/// for, if they will speak for one.
struct Found {
    session: OfSession,
    member: bool,
}

/// In one snapshot: the client with the head of the log, and what the session was granted.
async fn load(
    app: &App,
    claimed: &ClaimedClient,
    sid: &Sid,
    choice: &Choice,
) -> Result<(ClientState, Option<Found>), OAuthError> {
    let (id, sid, choice) = (claimed.id().clone(), sid.clone(), choice.clone());
    let loaded = app.store.read_together(move |tx| {
        let (id, sid, choice) = (id.clone(), sid.clone(), choice.clone());
        Box::pin(async move {
            let Basis { client, granted, rules } = sessions::basis(tx, &id, &sid).await?;
            let Some(granted) = granted else { return Ok((client, None)) };
            let session = issue::of_session(tx, granted, rules).await?;
            let member = match choice.asked(session.organisation.as_deref()) {
                Some(organisation) => organisations::is_member(tx, organisation, &session.user_id).await?,
                None => true,
            };
            Ok((client, Some(Found { session, member })))
        })
    });
    Ok(loaded.await?)
}

/// What the token will be for: decided before the rotation, so that a refusal here leaves the refresh token as it was.
fn prepare(
    app: &App,
    client: &AuthenticatedClient,
    granted: Option<Found>,
    form: &Form,
) -> Result<(Target, Option<Scope>), OAuthError> {
    let Found { session: OfSession { scope: session, mut rules, .. }, member } =
        granted.ok_or(errors::REFRESH_INVALID)?;
    if !member {
        return Err(NotAMember.into());
    }
    if let Some(resource) = form.get("resource") {
        rules.retain(|rules| rules.audience.as_str() == resource);
    }
    if rules.is_empty() {
        return Err(errors::INVALID_TARGET.into());
    }
    let scope = form.get("scope").map(str::parse::<Scope>).transpose().map_err(|_| errors::INVALID_SCOPE)?;
    if scope.as_ref().is_some_and(|wanted| !wanted.is_subset(&session)) {
        return Err(errors::INVALID_SCOPE.into());
    }
    Ok((Target::new(app, client, rules, app.clock.now())?, scope))
}

/// A granted refresh, and what the access token may say of its session.
type Granted = (Box<Rotated>, Option<Authority>);

/// Uses the refresh token.
async fn rotate(
    app: &App,
    refresh: Refresh,
    choice: Choice,
    used: Option<UsedProof>,
) -> Result<(Rotated, Option<Authority>), OAuthError> {
    let granted = match used {
        // Two statements that need each other.
        Some(_) => None,
        None => grant(app, &refresh, &choice).await?,
    };
    let outcome = match granted {
        Some(granted) => Ok(granted),
        None => decide(app, refresh, choice, used).await?,
    };
    match outcome {
        Ok((rotated, authority)) => {
            app.metrics.refresh(rotated.grant.as_str());
            Ok((*rotated, authority))
        }
        Err(refusal) => {
            app.metrics.refresh(refusal.reason.as_str());
            Err(refused(refusal))
        }
    }
}

/// What nearly every refresh comes to, together with those of others; none, and nothing has happened, if it is refused.
async fn grant(app: &App, refresh: &Refresh, choice: &Choice) -> Result<Option<Granted>, OAuthError> {
    let (refresh, choice) = (refresh.clone(), choice.clone());
    let granted = app.store.write_together(move |tx| {
        let (refresh, choice) = (refresh.clone(), choice.clone());
        Box::pin(async move {
            let Some(rotated) = sessions::grant(tx, &refresh).await? else { return Ok(None) };
            Ok(Some(with_authority(tx, rotated, &refresh, &choice).await?))
        })
    });
    Ok(granted.await?)
}

/// A refresh that spends a proof, or is to be refused.
async fn decide(
    app: &App,
    refresh: Refresh,
    choice: Choice,
    used: Option<UsedProof>,
) -> Result<Result<Granted, Refusal>, OAuthError> {
    let outcome = app.store.write(move |tx| {
        let (refresh, choice, used) = (refresh.clone(), choice.clone(), used.clone());
        Box::pin(async move {
            if let Err(refused) = proofs::spend(tx, used.as_ref()).await? {
                return Ok(Err(refused));
            }
            Ok(Ok(match sessions::refresh(tx, &refresh).await? {
                Refreshed::Granted(rotated) => Ok(with_authority(tx, rotated, &refresh, &choice).await?),
                Refreshed::Refused(refusal) => Err(refusal),
            }))
        })
    });
    outcome.await?.map_err(dpop::unspendable)
}

/// After the rotation in the same transaction: the authority that the access token will say.
async fn with_authority(
    tx: &mut Tx,
    rotated: Box<Rotated>,
    refresh: &Refresh,
    choice: &Choice,
) -> Result<Granted, StoreError> {
    let sid = refresh.presented.sid();
    if *choice != Choice::Keep {
        sessions::speak_for(tx, sid, choice.asked(None)).await?;
    }
    Ok((rotated, sessions::authority(tx, sid).await?))
}

/// The client hears `invalid_grant` for each of these; the code behind `error_uri` tells its developer more.
fn refused(refusal: Refusal) -> OAuthError {
    OAuthError::new(code(refusal.reason)).log(format!("refresh refused: {}", refusal.reason.as_str()))
}

fn code(reason: Reason) -> Code {
    match reason {
        Reason::Unknown | Reason::OtherClient | Reason::OtherKey | Reason::Future => errors::REFRESH_INVALID,
        Reason::Ended | Reason::SignedOut | Reason::Disabled => errors::REFRESH_REVOKED,
        Reason::Expired | Reason::Idle => errors::REFRESH_EXPIRED,
        Reason::Reused(_) => errors::REFRESH_REUSED,
    }
}
