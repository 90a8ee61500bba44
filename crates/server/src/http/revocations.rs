//! `/revocations/…`: the signed feed of the revocation log, its keys, and the anchor of its time.

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use countersign_jose::{
    FeedTimeClaims, b64,
    profile::FeedTime,
    revocation::{EntryId, Kind, Scope},
    sign,
};
use http::{HeaderMap, HeaderValue, header};

use super::{
    context::{Context, Cut},
    error::ApiError,
    token, well_known,
};
use crate::{
    app::App,
    config::FeedAccess,
    domain::time::retry_after_secs,
    errors,
    feed::{self, Ask, Full, Reader, Refused, Said, Who},
    store::revocations,
};

/// Seconds after which a reader that found no place may try again.
const FULL_RETRY: u64 = 5;

/// What the row's access asks for. None: nobody had to say who they are.
///
/// # Errors
/// `invalid-client`
pub async fn may_read(app: &App, local: bool, headers: &HeaderMap) -> Result<Option<Reader>, ApiError> {
    match app.config.feed.access {
        FeedAccess::Client if !local => {
            let client = token::authenticate_header(app, headers).await?;
            let scope = Scope { issuer: app.config.issuer.as_str(), tenant: &client.tenant };
            let name = EntryId::of(Kind::Client, scope, client.id.as_str());
            Ok(Some(Reader { name: client.id.as_str().into(), client: name, since: client.head() }))
        }
        FeedAccess::Client | FeedAccess::Open => Ok(None),
    }
}

/// `GET /revocations/{stream}?after=…`: the lines above a position. `Accept: text/event-stream` keeps the connection and
/// sends what comes; `wait_ms` waits for news, one heartbeat at most; otherwise what there is. Never 304: the answer also
/// says that it is fresh.
pub async fn feed(
    State(app): State<App>,
    context: Context,
    Path(stream): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    known(&stream)?;
    let ask = Ask::read(request.uri().query().unwrap_or_default(), request.headers())?;
    let [spread] = app.random.bytes()?;
    let cut = request.extensions().get::<Cut>().map(|cut| cut.0.clone());
    let reader = request.extensions().get::<Reader>().cloned();
    let address = (!context.is_local()).then_some(context.address);
    let said = Said::read(request.headers(), address, reader.as_ref().map(|reader| &*reader.name));
    let who = Who { address, cut, spread, reader, said };
    Ok(feed::answer(&app.feed, ask, who).await?)
}

/// `GET /revocations/{stream}/time?n=…`: what time it is at the database, read after the question arrived, signed with the
/// asker's nonce of 16 random bytes. It bounds how old an asker believes the feed to be.
pub async fn time(
    State(app): State<App>,
    context: Context,
    Path(stream): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    known(&stream)?;
    let nonce = nonce(request.uri().query().unwrap_or_default())?;
    let clock = app.clock.now();
    if !context.is_local() {
        app.limiter
            .take_anchor(context.address, clock)
            .map_err(|early| ApiError::new(errors::OVERLOADED).retry_after(retry_after_secs(early.retry_after)))?;
    }
    let steady = app.steady_now();
    let now = app.store.read(move |tx| Box::pin(revocations::time(tx, steady))).await?;
    let iss = app.config.issuer.as_str().to_owned();
    let claims = FeedTimeClaims { iss, nonce, now: now.micros(), ..FeedTimeClaims::default() };
    let signed = sign::<FeedTime>(&*app.ring.snapshot().feed_signer()?, &claims);
    let mut response = signed.map_err(|error| ApiError::new(errors::INTERNAL).log(error.to_string()))?.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    Ok(response)
}

/// `GET /revocations/{stream}/jwks.json`: the feed's public keys. They verify no token, and a token's keys no line.
pub async fn jwks(
    State(app): State<App>,
    Path(stream): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    known(&stream)?;
    Ok(well_known::key_set(&app, &app.ring.feed_jwks(), &headers))
}

fn known(stream: &str) -> Result<(), ApiError> {
    let unknown = || ApiError::new(errors::NOT_FOUND).detail("there is one stream, 0");
    (stream == feed::STREAM).then_some(()).ok_or_else(unknown)
}

/// `n`, as it was sent: 16 bytes in base64url.
fn nonce(query: &str) -> Result<String, ApiError> {
    let bad = || ApiError::new(errors::MALFORMED_FORM).detail("n must be 16 random bytes in base64url");
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "n");
    let (_, nonce) = values.next().filter(|_| values.next().is_none()).ok_or_else(bad)?;
    b64::decode_array::<16>(&*nonce).map_err(|_| bad())?;
    Ok(nonce.into_owned())
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let words = refused.to_string();
        match refused {
            Refused::Cursor(_) | Refused::Wait | Refused::Parameter => Self::new(errors::MALFORMED_FORM).detail(words),
            Refused::Full(Full::Address) => Self::new(errors::TOO_MANY_READERS).retry_after(FULL_RETRY),
            Refused::Full(Full::All) => Self::new(errors::OVERLOADED).log(words).retry_after(FULL_RETRY),
            Refused::Dark => Self::new(errors::UNAVAILABLE).log(words).retry_after(1),
        }
    }
}
