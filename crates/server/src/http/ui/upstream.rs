//! `/ui/upstream`: signing in with another OpenID provider. A person leaves with a `state` that is of use in this browser
//! alone, and once; who comes back is known by issuer and subject, never by an e-mail address.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, Uri};

use super::{
    Frame,
    errand::Errand,
    signin::{By, Entrant, Filled, Link, enter, shown},
};
use crate::{
    app::App,
    config::Registration,
    domain::{
        browser::RequestName,
        email::Email,
        rsn::{self, Rsn},
        time::Timestamp,
        upstream::{Arrival, Claim, Identity, Metadata, NoAccount, Refused, Trip, Upstream, UpstreamName},
        user::UserId,
    },
    errors::{self, Code},
    http::{
        TENANT,
        authorize::{go, known_browser, signin},
        body::Form,
        context::Context,
        error::{ApiError, PageError},
    },
    store::{
        StoreError, revocations, upstreams,
        users::{self, Credentials, NewUser, SignInState},
    },
    upstream::{UpstreamError, discover, redeem, redirect_uri, until},
};

/// The parameters of an upstream's answer.
pub const ANSWER: &[&str] = &["state", "code", "iss", "error", "error_description"];

/// `GET /ui/upstream?request=…&upstream=…`: to the other provider.
pub async fn leave(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let errand = match Errand::find(&app, &headers, query.get("request"), signin(&app, &headers)?).await {
        Ok(errand) => errand,
        Err(stop) => return stop.into_response(&app, &context),
    };
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let name = query.get("upstream").and_then(|name| UpstreamName::parse(name).ok());
    let upstream = find(&app, name).await?;
    let metadata = match discover(&app, &upstream.issuer).await {
        Ok(metadata) => metadata,
        Err(error) => return failed(&app, &context, &errand, &upstream, &error).await,
    };
    let trip = trip(&app, &errand, &upstream, metadata)?;
    let hint = errand.login_hint();
    let to = trip.metadata.authorize(&trip, &upstream.client_id, &redirect_uri(&app, &upstream.name), hint);
    let back_by = until(trip.created_at);
    let left = app.store.write(move |tx| {
        let trip = trip.clone();
        Box::pin(async move {
            // R1: the head of the log when the ceremony begins.
            let head = revocations::head(tx).await?.rsn;
            upstreams::leave(tx, &trip, head, back_by).await
        })
    });
    left.await?;
    go(&to)
}

/// `GET /ui/upstream/callback/{name}?state=…&code=…`: back from there.
pub async fn come_back(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, PageError> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let state = query.get("state").and_then(RequestName::parse).ok_or(errors::FORM_EXPIRED)?;
    let (hash, now) = (known_browser(&app, &headers)?.hash(), app.clock.now());
    let back = app.store.write(move |tx| {
        let state = state.clone();
        Box::pin(async move { upstreams::come_back(tx, &state, &hash, now).await })
    });
    let (trip, head) = back.await?.ok_or(errors::FORM_EXPIRED)?;
    let errand = match Errand::find(&app, &headers, Some(&trip.request), signin(&app, &headers)?).await {
        Ok(errand) => errand,
        Err(stop) => return stop.into_response(&app, &context),
    };
    let upstream = find(&app, Some(trip.upstream.clone())).await?;
    if name != trip.upstream.as_str() {
        return failed(&app, &context, &errand, &upstream, &Refused::MixUp.into()).await;
    }
    let came = match arrival(&app, &upstream, &trip, &query).await {
        Ok(came) => came,
        Err(error) => return failed(&app, &context, &errand, &upstream, &error).await,
    };
    match settle(&app, &upstream, came, head).await? {
        Settled::Known(entrant) => {
            // Nobody has guessed anything; people of one office share an address.
            app.limiter.give_back(context.address, now);
            enter(&app, &context, &headers, errand, *entrant).await
        }
        Settled::Claimed(claim, email) => ask_for_password(&app, &context, &errand, &upstream, (claim, &email)).await,
        Settled::Nobody(why) => {
            let words = (Frame::new(&app, &context).words.no_account)(&upstream.label, why);
            refused(&app, &context, &errand, errors::UPSTREAM_NO_ACCOUNT, &words).await
        }
    }
}

fn trip(app: &App, errand: &Errand, upstream: &Upstream, metadata: Metadata) -> Result<Trip, PageError> {
    let random = |bytes: [u8; 32]| countersign_jose::b64::encode(bytes);
    Ok(Trip {
        name: RequestName::new(&app.random.bytes()?),
        browser: errand.browser().hash(),
        request: errand.name(),
        upstream: upstream.name.clone(),
        metadata,
        nonce: random(app.random.bytes()?),
        verifier: random(app.random.bytes()?),
        fresh: errand.wants_fresh(),
        created_at: app.clock.now(),
    })
}

async fn find(app: &App, name: Option<UpstreamName>) -> Result<Upstream, PageError> {
    let missing = || PageError::new(errors::NOT_FOUND).detail("there is no such other way to sign in");
    let name = name.ok_or_else(missing)?;
    let found = app.store.read(move |tx| {
        let name = name.clone();
        Box::pin(async move { upstreams::find(tx, TENANT, &name).await })
    });
    found.await?.ok_or_else(missing)
}

async fn arrival(app: &App, upstream: &Upstream, trip: &Trip, query: &Form) -> Result<Arrival, UpstreamError> {
    let code = trip.metadata.code(|name| query.get(name))?;
    redeem(app, upstream, trip, code).await
}

/// What follows from who somebody is.
enum Settled {
    Known(Box<Entrant>),
    /// An account has the address that the upstream has verified. It may be another person's: its password will tell.
    Claimed(Claim, Email),
    Nobody(NoAccount),
}

/// What is known here of somebody.
enum Found {
    Account(SignInState),
    SameAddress(UserId),
    Nothing,
}

async fn settle(app: &App, upstream: &Upstream, came: Arrival, head: Rsn) -> Result<Settled, PageError> {
    let entrant = |user: UserId, auth_rsn: Rsn, (owes, new): (bool, Option<(Box<NewUser>, Identity)>)| {
        let (by, auth_time) = (By::Upstream { name: upstream.name.clone(), new }, came.auth_time);
        Settled::Known(Box::new(Entrant { user, auth_rsn, auth_time, by, owes, second: None, shared: None }))
    };
    match (lookup(app, &came).await?, came.email.clone()) {
        (
            Found::Account(SignInState {
                user: Some(Credentials { disabled_at: None, id, min_rsn, second_factor, .. }),
                ..
            }),
            _,
        ) => {
            // Their sessions were ended while they were away: what they did before does not count any more.
            if min_rsn > head {
                return Err(errors::FORM_EXPIRED.into());
            }
            Ok(entrant(id, rsn::of_sign_in(head, min_rsn), (second_factor, None)))
        }
        (Found::Account(_), _) => Ok(Settled::Nobody(NoAccount::Unusable)),
        // The same words whether the address is known here or not (LOG-05).
        (_, None) => Ok(Settled::Nobody(NoAccount::NoAddress)),
        (Found::SameAddress(user), Some(email)) => Ok(Settled::Claimed(Claim { identity: came.identity, user }, email)),
        (Found::Nothing, Some(_)) if !upstream.signup || app.config.registration == Registration::Closed => {
            Ok(Settled::Nobody(NoAccount::None))
        }
        (Found::Nothing, Some(email)) => {
            let now = app.clock.now();
            let user = new_user(UserId::new(app.random.bytes()?), email, now);
            let id = user.id.clone();
            let new = Some((Box::new(user), came.identity.clone()));
            Ok(entrant(id, rsn::of_sign_in(head, Rsn::default()), (false, new)))
        }
    }
}

async fn lookup(app: &App, came: &Arrival) -> Result<Found, StoreError> {
    let (identity, email) = (came.identity.clone(), came.email.clone());
    let read = app.store.read(move |tx| {
        let (identity, email) = (identity.clone(), email.clone());
        Box::pin(async move {
            if let Some(user) = upstreams::user(tx, &identity).await? {
                return users::sign_in_state_by_id(tx, &user).await.map(Found::Account);
            }
            let Some(email) = email else { return Ok(Found::Nothing) };
            let known = users::by_email(tx, TENANT, email.key()).await?;
            Ok(known.map_or(Found::Nothing, |user| Found::SameAddress(user.id)))
        })
    });
    read.await
}

fn new_user(id: UserId, email: Email, now: Timestamp) -> NewUser {
    let email_verified_at = Some(now);
    NewUser { id, tenant: TENANT.to_owned(), email, email_verified_at, password_hash: None, created_at: now }
}

/// Never by the address alone: whoever has the password has the account, and may give it a second way in.
async fn ask_for_password(
    app: &App,
    context: &Context,
    errand: &Errand,
    upstream: &Upstream,
    (claim, email): (Claim, &Email),
) -> Result<Response, PageError> {
    let name = RequestName::new(&app.random.bytes()?);
    let (kept, hash, by) = (name.clone(), errand.browser().hash(), until(app.clock.now()));
    let keep = app.store.write(move |tx| {
        let (name, claim) = (kept.clone(), claim.clone());
        Box::pin(async move { upstreams::keep(tx, &name, &hash, &claim, by).await })
    });
    keep.await?;
    let link = Link { name, upstream: upstream.name.clone(), label: upstream.label.clone() };
    shown(app, context, errand, &Filled { email: email.as_str(), problem: None, link: Some(&link) }).await
}

/// The log says why; the person can try again, or come in another way.
async fn failed(
    app: &App,
    context: &Context,
    errand: &Errand,
    upstream: &Upstream,
    error: &UpstreamError,
) -> Result<Response, PageError> {
    tracing::warn!(upstream = %upstream.name, %error, "a sign-in with an upstream failed");
    app.metrics.signin("failure");
    let words = (Frame::new(app, context).words.sign_in.failed)(&upstream.label);
    refused(app, context, errand, errors::UPSTREAM_FAILED, &words).await
}

async fn refused(
    app: &App,
    context: &Context,
    errand: &Errand,
    code: Code,
    words: &str,
) -> Result<Response, PageError> {
    shown(app, context, errand, &Filled { problem: Some((code, words)), ..Filled::default() }).await
}
