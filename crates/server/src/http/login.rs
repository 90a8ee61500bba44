//! `POST /login`: e-mail and password for a sign-in and its first session. Who has a second factor finishes it at `/login/mfa`.

mod authenticate;
pub mod mfa;
mod open;

pub(super) use authenticate::{Authenticated, authenticate};
use axum::{
    Json as Answer,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, header};
pub(super) use open::success;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    attempts,
    body::Json,
    context::Context,
    cookies::{Cookie, require_same_origin},
    dpop::{self, Asked, Proven},
    error::ApiError,
    issue::{self, Target},
    organisation,
    token::TokenResponse,
};
use crate::{
    app::App,
    domain::{
        assurance::Level,
        audience_id::AudienceId,
        client::{ClientId, FIRST_PARTY, Grant},
        organisation::Choice,
        rsn::Rsn,
        scope::Scope,
        signin::{SigninId, SigninSecret},
    },
    errors,
    secret::PlainSecret,
    store::clients::{self, Client, ClientState},
};

/// How the tokens travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// In the answer's JSON.
    #[default]
    Bearer,
    /// In two `HttpOnly` cookies, for pages of the issuer's own origin.
    Cookie,
}

/// The body of `POST /login`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub email: String,
    #[schemars(with = "String")]
    pub password: PlainSecret,
    /// The application that signs the person in; default: `first-party`.
    pub client_id: Option<String>,
    #[serde(default)]
    pub transport: Transport,
    /// Space-separated; default: all that the client may ask for.
    pub scope: Option<String>,
    /// The organisation that the tokens speak for; default: none.
    pub organization: Option<String>,
    /// The audience of the tokens (RFC 8707); default: the client's first.
    pub resource: Option<String>,
}

/// What an application asks for: kept while its person looks for the second factor.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Wants {
    client_id: Option<String>,
    transport: Transport,
    scope: Option<String>,
    organization: Option<String>,
    resource: Option<String>,
}

/// Where the tokens will go: checked before the password is.
struct Destination {
    /// Where the log stood when this was read.
    head: Rsn,
    client: Client,
    scope: Scope,
    target: Target,
    /// The organisation that the session is to speak for.
    organisation: Option<String>,
    /// The key that the tokens will be bound to.
    proof: Option<Proven>,
}

impl Destination {
    fn proved(mut self, proof: Option<Proven>) -> Result<Self, ApiError> {
        self.target = self.target.proved(&self.client, proof.as_ref())?;
        self.proof = proof;
        Ok(self)
    }

    /// Before the password is looked at: it is the set-up that is wrong.
    fn fits(&self, transport: Transport) -> Result<(), ApiError> {
        if transport == Transport::Cookie && !self.target.fits_a_cookie() {
            return Err(errors::COOKIE_TOO_LONG.into());
        }
        Ok(())
    }
}

/// `POST /login`
pub async fn login(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    Json(body): Json<Login>,
) -> Result<Response, ApiError> {
    let Login { email, password, client_id, transport, scope, organization, resource } = body;
    let wants = Wants { client_id, transport, scope, organization, resource };
    let way = Way { method: &method, path: "/login", headers: &headers };
    let (superseded, proof) = arrive(&app, &context, way, transport)?;
    let destination = destination(&app, &wants).await?.proved(proof)?;
    destination.fits(transport)?;
    // One that was planted twice is none.
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let who = authenticate(&app, &context, &email, &password, device.as_deref()).await?;
    if who.owes_second_factor() {
        return Err(mfa::ask(&app, &context, who, &wants).await?);
    }
    enter(&app, &context, (destination, transport), &who, superseded).await
}

/// How a request came.
#[derive(Clone, Copy)]
struct Way<'a> {
    method: &'a Method,
    path: &'static str,
    headers: &'a HeaderMap,
}

/// What is looked at before anything else: the browser's sign-in before this one, and the key that was proved.
fn arrive(
    app: &App,
    context: &Context,
    way: Way<'_>,
    transport: Transport,
) -> Result<(Option<SigninId>, Option<Proven>), ApiError> {
    let superseded = match transport {
        Transport::Bearer => None,
        Transport::Cookie => before(app, way.method, way.headers)?,
    };
    app.limiter.take(context.address, app.clock.now()).inspect_err(|_| app.metrics.signin("limited"))?;
    let proof = dpop::read(app, Asked { method: way.method, path: way.path, headers: way.headers })?;
    if proof.is_some() && transport == Transport::Cookie {
        return Err(ApiError::new(errors::DPOP_PROOF).detail("a cookie carries no proof; send no DPoP header with it"));
    }
    Ok((superseded, proof))
}

/// Signs somebody in who has shown all that they owe, and answers.
async fn enter(
    app: &App,
    context: &Context,
    (destination, transport): (Destination, Transport),
    who: &Authenticated,
    superseded: Option<SigninId>,
) -> Result<Response, ApiError> {
    if destination.client.settings.sign_in.required_level > Level::One && who.second.is_none() {
        return Err(errors::SECOND_FACTOR_MISSING.into());
    }
    if let Some(organisation) = &destination.organisation {
        organisation::require_member(app, organisation, who.user.id.as_str()).await?;
    }
    let signed_in = open::open(app, context, &destination, who, superseded).await?;
    app.metrics.signin("success");
    let issued = issue::for_session(app, signed_in.authority, destination.head, &destination.target, None).await?;
    let answer = TokenResponse {
        token_type: issued.token_type,
        access_token: Some(issued.access_token),
        expires_in: issued.expires_in,
        refresh_token: Some(app.ring.snapshot().mac_keys().seal(&signed_in.sid, 0, &signed_in.nonce)),
        scope: issued.scope,
        sid: Some(signed_in.sid.to_string()),
    };
    let nonce = destination.proof.and_then(|_| dpop::next_nonce(app)).map(|nonce| (dpop::NONCE, nonce));
    Ok(match transport {
        Transport::Bearer => (AppendHeaders(nonce), Answer(answer)).into_response(),
        Transport::Cookie => {
            let device = attempts::remember(app, &who.shared, who.level())?;
            with_cookies(app, &signed_in.secret, answer, device)?
        }
    })
}

/// The sign-in that this browser had before. A foreign page must not sign somebody in as somebody else (CSR-06).
fn before(app: &App, method: &Method, headers: &HeaderMap) -> Result<Option<SigninId>, ApiError> {
    require_same_origin(&app.config.issuer, method, headers)?;
    let cookie = Cookie::Signin.read(&app.config.issuer, headers)?;
    Ok(cookie.as_deref().and_then(SigninSecret::parse).map(|secret| secret.id()))
}

/// No token in the body, cookies instead; no refresh token ever lies in a browser. A sign-in whose token turns out too long
/// stays unknown to everybody, and ends when it has been idle.
fn with_cookies(
    app: &App,
    secret: &SigninSecret,
    mut answer: TokenResponse,
    device: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    let access = answer.access_token.take().unwrap_or_default();
    answer.refresh_token = None;
    let issuer = &app.config.issuer;
    let lifetime = u64::try_from(answer.expires_in).unwrap_or(0);
    let cookies = [
        Cookie::Signin.set(issuer, secret.expose(), app.config.refresh.absolute.as_secs()),
        Cookie::set_access(issuer, &access, lifetime)?,
        device,
    ];
    let mut response = Answer(answer).into_response();
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn destination(app: &App, body: &Wants) -> Result<Destination, ApiError> {
    let name = body.client_id.as_deref().unwrap_or(FIRST_PARTY);
    let unknown = || ApiError::from(errors::INVALID_CLIENT);
    let id = ClientId::parse(name).map_err(|_| unknown())?;
    let resource = body.resource.clone();
    let found = app
        .store
        .read(move |tx| {
            let (id, resource) = (id.clone(), resource.clone());
            Box::pin(async move {
                let ClientState { head, client } = clients::state(tx, &id).await?;
                let Some(client) = client else { return Ok(None) };
                let name = audience(&client, resource.as_deref());
                let rules = issue::rules(tx, name.as_slice()).await?;
                Ok(Some((head, client, rules)))
            })
        })
        .await?;
    let (head, client, rules) = found.filter(|(_, client, _)| client.disabled_at.is_none()).ok_or_else(unknown)?;
    if !client.settings.grants.contains(Grant::FirstParty) {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    if rules.is_empty() {
        return Err(errors::INVALID_TARGET.into());
    }
    let wanted = body.scope.as_deref().map(str::parse::<Scope>).transpose().map_err(|_| errors::INVALID_SCOPE)?;
    let scope = client.settings.scopes.grant(wanted.as_ref()).ok_or(errors::INVALID_SCOPE)?;
    let target = Target::new(app, &client, rules, app.clock.now())?;
    let organisation = Choice::read(body.organization.as_deref())?.asked(None).map(str::to_owned);
    Ok(Destination { head, client, scope, target, organisation, proof: None })
}

fn audience<'a>(client: &'a Client, wanted: Option<&str>) -> Option<&'a str> {
    let mut allowed = client.settings.audiences.iter().map(AudienceId::as_str);
    match wanted {
        Some(wanted) => allowed.find(|audience| *audience == wanted),
        None => allowed.next(),
    }
}
