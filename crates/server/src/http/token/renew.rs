//! `POST /token` with the sign-in cookie instead of a refresh token: a new access cookie (http.md, "transport").

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header};

use super::TokenResponse;
use crate::{
    app::App,
    domain::{
        client::{ClientId, FIRST_PARTY},
        organisation::{Choice, NotAMember},
        session::Sid,
        signin::SigninSecret,
    },
    errors,
    http::{
        context::Context,
        cookies::{Cookie, require_same_origin},
        error::OAuthError,
        issue::{self, Issued, Target},
    },
    store::{
        StoreError, clients, organisations,
        sessions::{self, Renewal},
        signins,
    },
};

pub(super) async fn renew(
    app: &App,
    context: &Context,
    headers: &HeaderMap,
    (cookie, choice): (&str, Choice),
) -> Result<Response, OAuthError> {
    require_same_origin(&app.config.issuer, &Method::POST, headers)?;
    let over = |why: String| OAuthError::new(errors::REFRESH_REVOKED).log(why);
    let id = SigninSecret::parse(cookie).ok_or_else(|| over("not a sign-in cookie".to_owned()))?.id();
    // R3: the head before the renewal.
    let found = app
        .store
        .read(move |tx| {
            Box::pin(async move { Ok((signins::find(tx, &id).await?, clients::state(tx, &first_party()?).await?)) })
        })
        .await?;
    let (signin, state) = found;
    let (now, idle) = (app.clock.now(), app.config.refresh.idle);
    let signin = signin.ok_or_else(|| over("no such sign-in".to_owned()))?;
    signin.live(now, idle).map_err(|reason| over(format!("{reason:?}")))?;
    let client = state.client.ok_or_else(|| over("the client is gone".to_owned()))?;
    if client.settings.dpop_bound {
        return Err(errors::DPOP_MISSING.into());
    }
    let renewal = Renewal {
        signin: id,
        client_id: client.id.to_string(),
        // The audience is not known yet; a later end of the session's entry is safe, an earlier one is not.
        at_exp: now.plus(app.config.access_token_ttl_cap).secs(),
        idle_expires_at: now.plus(client.settings.refresh_idle.unwrap_or(idle)),
        now,
    };
    let renewed = app
        .store
        .write(move |tx| {
            let (renewal, choice) = (renewal.clone(), choice.clone());
            Box::pin(async move {
                let Some(sid) = sessions::renew(tx, &renewal).await? else { return Ok(None) };
                signins::touch(tx, &renewal.signin, now, now).await?;
                let Some(of) = issue::rules_of_session(tx, &sid).await? else { return Ok(None) };
                if let Some(organisation) = choice.asked(of.organisation.as_deref())
                    && !organisations::is_member(tx, organisation, &of.user_id).await?
                {
                    return Ok(Some(Err(NotAMember)));
                }
                if choice != Choice::Keep {
                    sessions::speak_for(tx, &sid, choice.asked(None)).await?;
                }
                let authority = sessions::authority(tx, &sid).await?;
                Ok(Some(Ok((sid, of.rules, authority))))
            })
        })
        .await?;
    let (sid, rules, authority) = renewed.ok_or_else(|| over("no open session of this sign-in".to_owned()))??;
    let target = Target::new(app, &client, rules, now)?;
    let issued = issue::for_session(app, authority, state.head, &target, None).await?;
    tracing::debug!(request_id = %context.request_id, %sid, "access cookie renewed");
    answer(app, issued, &sid)
}

fn first_party() -> Result<ClientId, StoreError> {
    ClientId::parse(FIRST_PARTY).map_err(|bad| StoreError::Broken(bad.to_string()))
}

fn answer(app: &App, issued: Issued, sid: &Sid) -> Result<Response, OAuthError> {
    let lifetime = u64::try_from(issued.expires_in).unwrap_or(0);
    let cookie = Cookie::set_access(&app.config.issuer, &issued.access_token, lifetime)?;
    let body = TokenResponse {
        token_type: issued.token_type,
        access_token: None,
        expires_in: issued.expires_in,
        refresh_token: None,
        scope: issued.scope,
        sid: Some(sid.to_string()),
    };
    let mut response = Json(body).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
