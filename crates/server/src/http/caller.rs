//! Who calls? The route table says what a row needs; this is checked before the handler runs, and leaves the proof behind
//! as a value that only it can make.

use axum::extract::{FromRequestParts, Request};
use countersign_jose::Confirmation;
use http::{HeaderMap, HeaderValue, header, request::Parts};

use super::{
    access_token::{self, Shown, Wanted},
    context::Peer,
    cookies::{Cookie, require_same_origin},
    dpop::{self, Asked},
    error::ApiError,
    revocations, second_factor,
};
use crate::{
    app::App,
    domain::{
        assurance::Level,
        roles::{self, ADMIN},
        session::Sid,
        signin::{LiveSignin, SigninId, SigninSecret},
        time::Timestamp,
    },
    errors,
    routes::Access,
    store::{
        sessions::{self, Authority},
        signins,
    },
};

/// The audience of the account API.
pub const ACCOUNT_AUDIENCE: &str = "api";

/// A signed-in user, checked against the database: the session lives, the account is enabled.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user_id: String,
    /// The session of the access token; `None` when the sign-in cookie spoke.
    pub sid: Option<Sid>,
    /// When the credential that was shown ends, Unix seconds.
    pub expires_at: i64,
    /// The sign-in, if its cookie spoke.
    pub signin: Option<SigninId>,
    /// When they signed in.
    pub auth_time: Timestamp,
    /// How strong that was.
    pub level: Level,
}

/// An administrator: a user with the role, or whoever can open the Unix socket.
#[derive(Debug, Clone)]
pub enum Administrator {
    User(SignedIn),
    Local,
}

impl From<&LiveSignin> for SignedIn {
    fn from(live: &LiveSignin) -> Self {
        Self {
            user_id: live.user_id.clone(),
            sid: None,
            expires_at: live.expires_at.secs(),
            signin: Some(live.id),
            auth_time: live.auth_time,
            level: live.level(),
        }
    }
}

impl Administrator {
    /// Who did it, for the audit.
    pub fn actor(&self) -> &str {
        match self {
            Self::User(user) => &user.user_id,
            Self::Local => "local",
        }
    }
}

/// Lets a request pass that has what its row needs, and leaves the proof in its extensions.
///
/// # Errors
/// `token-missing`, `token-invalid`, `forbidden`; `not-found` for a row that only the Unix socket has.
pub async fn allow(app: &App, access: Access, request: &mut Request) -> Result<(), ApiError> {
    let local = request.extensions().get::<Peer>() == Some(&Peer::Local);
    match access {
        Access::Public | Access::Credential => {}
        Access::Reader => {
            if let Some(reader) = revocations::may_read(app, local, request.headers()).await? {
                request.extensions_mut().insert(reader);
            }
        }
        Access::SignedIn => {
            let user = signed_in(app, asked(request)).await?;
            request.extensions_mut().insert(user);
        }
        Access::Admin if local => {
            request.extensions_mut().insert(Administrator::Local);
        }
        Access::Admin => {
            let user = administrator(app, asked(request)).await?;
            request.extensions_mut().insert(Administrator::User(user));
        }
        Access::Local if local => {
            request.extensions_mut().insert(Administrator::Local);
        }
        // From afar these rows do not exist.
        Access::Local => return Err(errors::NOT_FOUND.into()),
    }
    Ok(())
}

fn asked(request: &Request) -> Asked<'_> {
    Asked { method: request.method(), path: request.uri().path(), headers: request.headers() }
}

async fn signed_in(app: &App, asked: Asked<'_>) -> Result<SignedIn, ApiError> {
    if asked.headers.contains_key(header::AUTHORIZATION) {
        return by_access_token(app, asked, ACCOUNT_AUDIENCE).await.map(|(user, _)| user);
    }
    let cookie = Cookie::Signin.read(&app.config.issuer, asked.headers)?.ok_or(errors::TOKEN_MISSING)?;
    require_same_origin(&app.config.issuer, asked.method, asked.headers)?;
    by_cookie(app, &cookie).await
}

/// A token that verifies, of a session that lives: what a service checks offline, and more, since the store is at hand.
async fn by_access_token(app: &App, asked: Asked<'_>, audience: &str) -> Result<(SignedIn, Vec<String>), ApiError> {
    let wanted = Wanted { audience: Some(audience), ..Wanted::default() };
    let (shown, authority) = of_live_session(app, asked, wanted).await?;
    if authority.sector.is_some() || authority.registered {
        let why =
            "a pairwise client would learn who its people are to others; one that registered itself is a stranger";
        return Err(ApiError::new(errors::FORBIDDEN).log(why));
    }
    in_person(&shown)?;
    let roles = roles::effective(&authority.roles, &[audience]);
    let (sid, user_id, auth_time) = (Some(authority.sid), authority.user_id, authority.auth_time);
    let level = Level::of(&authority.acr);
    Ok((SignedIn { user_id, sid, expires_at: shown.exp(), signin: None, auth_time, level }, roles))
}

/// A person's token, whomever it is meant for, of a session that lives: for what every client may ask the issuer itself.
///
/// # Errors
/// `token-missing`, `token-invalid`
pub async fn of_any_audience(app: &App, asked: Asked<'_>) -> Result<(Shown, Authority), ApiError> {
    of_live_session(app, asked, Wanted::default()).await
}

async fn of_live_session(app: &App, asked: Asked<'_>, wanted: Wanted<'_>) -> Result<(Shown, Authority), ApiError> {
    let shown = verify(app, asked, wanted).await?;
    let sid = shown.sid().ok_or_else(|| refused("not a user's token"))?;
    let (id, names, now) = (sid, shown.names(app), app.steady_now());
    let (authority, stands) = app
        .store
        .read(move |tx| {
            let (id, names) = (id.clone(), names.clone());
            Box::pin(
                async move { Ok((sessions::authority(tx, &id).await?, access_token::stand(tx, &names, now).await?)) },
            )
        })
        .await?;
    let authority = authority.filter(Authority::stands).ok_or_else(|| refused("its session has ended"))?;
    if !stands {
        return Err(refused("it was ended, or roles or scopes have changed since"));
    }
    Ok((shown, authority))
}

/// Whoever is signed in in the browser that has this cookie.
///
/// # Errors
/// `token-invalid`
pub async fn by_cookie(app: &App, cookie: &str) -> Result<SignedIn, ApiError> {
    let id = SigninSecret::parse(cookie).ok_or_else(|| refused("not a sign-in cookie"))?.id();
    let found = app.store.read(move |tx| Box::pin(async move { signins::find(tx, &id).await })).await?;
    let found = found.ok_or_else(|| refused("no such sign-in"))?;
    let live = found.live(app.clock.now(), app.config.refresh.idle).map_err(|over| refused(&format!("{over:?}")))?;
    Ok(SignedIn::from(&live))
}

/// A token that this issuer made, whomever it is meant for and even if it has expired: enough to sign out.
///
/// # Errors
/// `token-missing`, `token-invalid`
pub async fn authentic(app: &App, asked: Asked<'_>) -> Result<Shown, ApiError> {
    let shown = verify(app, asked, Wanted { expired_too: true, ..Wanted::default() }).await?;
    in_person(&shown)?;
    Ok(shown)
}

/// Who acts for a person is not the person: what is asked here only they may do.
fn in_person(shown: &Shown) -> Result<(), ApiError> {
    if shown.is_exchanged() { Err(refused("somebody acts for its person")) } else { Ok(()) }
}

async fn verify(app: &App, asked: Asked<'_>, wanted: Wanted<'_>) -> Result<Shown, ApiError> {
    let (scheme, token) = presented(asked.headers).ok_or(errors::TOKEN_MISSING)?;
    // TOK-26: which check failed is for the log alone.
    let shown = Shown::read(app, token, wanted).map_err(|error| refused(&error.to_string()))?;
    match (scheme, shown.confirmation()) {
        (Scheme::Bearer, Confirmation::Bearer) => {}
        (Scheme::Dpop, Confirmation::Key(key)) => dpop::beside_token(app, asked, token, key).await?,
        // RFC 9449, section 7.2: whoever holds the token alone may have stolen it.
        (Scheme::Bearer, Confirmation::Key(_)) => return Err(refused("it is bound to a key, and came alone").bound()),
        (Scheme::Dpop, Confirmation::Bearer) => return Err(refused("it is bound to no key").bound()),
        (_, Confirmation::Unknown) => return Err(refused("it asks for a confirmation that is not known")),
    }
    Ok(shown)
}

fn refused(why: &str) -> ApiError {
    ApiError::new(errors::TOKEN_INVALID).log(why)
}

async fn administrator(app: &App, asked: Asked<'_>) -> Result<SignedIn, ApiError> {
    let (user, roles) = by_access_token(app, asked, ADMIN).await?;
    if !roles.iter().any(|role| role == ADMIN) {
        return Err(errors::FORBIDDEN.into());
    }
    // ADM-01: whoever has a second factor administers with it; a session from before it does not.
    if user.level < Level::Two && second_factor::has(app, &user.user_id).await? {
        return Err(errors::STEP_UP_NEEDED.into());
    }
    Ok(user)
}

/// What a token asks of whoever presents it, by their own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// `Authorization: Bearer` or `DPoP`, exactly one (RFC 6750, section 2.1; RFC 9449, section 7.1).
fn presented(headers: &HeaderMap) -> Option<(Scheme, &str)> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value =
        values.next().filter(|_| values.next().is_none()).and_then(|value: &HeaderValue| value.to_str().ok())?;
    let (scheme, token) = value.split_once(' ')?;
    let scheme = match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        _ if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return None,
    };
    Some((scheme, token.trim_start_matches(' ')))
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing_row("SignedIn"))
    }
}

impl<S: Sync> FromRequestParts<S> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing_row("Administrator"))
    }
}

/// The handler asks for more than its row in the table promises: a bug, and never an open door.
fn missing_row(what: &str) -> ApiError {
    ApiError::new(errors::INTERNAL).log(format!("a handler wants {what}, its row in the route table does not"))
}
