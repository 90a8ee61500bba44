//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): a service trades a token that was shown to it for one
//! that it calls the next service with.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use countersign_jose::{AccessClaims, Unverified};
use http::HeaderMap;
use serde::Serialize;

use super::{
    TokenResponse,
    client::{self, AuthenticatedClient},
};
use crate::{
    app::App,
    domain::{
        audience::AudienceRules,
        audit::{AuditEvent, Event},
        client::{AccessTokenFormat, Grant},
        exchange::{ACCESS_TOKEN, Asker, Exchanged, Refusal, Shown},
        scope::Scope,
        session::Sid,
    },
    errors,
    http::{
        access_token::{self, Wanted},
        body::Form,
        context::Context,
        dpop::{self, Proven},
        error::OAuthError,
        introspect,
        issue::{self, Exchange, Target},
    },
    store::{
        audit, proofs,
        sessions::{self, Authority},
    },
};

/// The answer (RFC 8693 §2.2.1).
#[derive(Debug, Serialize)]
struct ExchangeResponse {
    #[serde(flatten)]
    tokens: TokenResponse,
    issued_token_type: &'static str,
}

/// A token of ours that came with the request.
struct Presented {
    shown: access_token::Shown,
    /// What it says, or stands for.
    claims: AccessClaims,
    kid: Option<String>,
}

/// Of one moment: what the new token is made of.
struct Found {
    /// Every token that was shown stands.
    stands: bool,
    /// None for a client's own token.
    authority: Option<Authority>,
    rules: Vec<AudienceRules>,
}

pub(super) async fn exchange(
    app: &App,
    context: &Context,
    (headers, proof): (&HeaderMap, Option<&Proven>),
    form: &Form,
) -> Result<Response, OAuthError> {
    let client = client::authenticate(app, headers, form).await?;
    // A public client has proved nothing that an entitlement could rest on.
    if !client.settings.grants.contains(Grant::TokenExchange) || !client.credential.is_confidential() {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    only_access_tokens(form)?;
    let subject = Presented::read(app, form.require("subject_token")?).await?;
    let actor = match form.get("actor_token") {
        Some(text) => Some(Presented::read(app, text).await?),
        None => None,
    };
    let asker = Asker { id: client.id.as_str(), settings: &client.settings, key: proof.map(Proven::thumbprint) };
    for token in [Some(&subject), actor.as_ref()].into_iter().flatten() {
        asker.may_show(&token.claims)?;
    }
    let audiences = asker.audiences(&subject.claims, target(form)?)?;
    let wanted = form.get("scope").map(str::parse::<Scope>).transpose().map_err(|_| errors::INVALID_SCOPE)?;
    let scope = asker.scope(&subject.claims, wanted.as_ref())?;
    let exchanged = asker.exchange(subject.shown(), actor.as_ref().map(Presented::shown))?;
    let found = load(app, (&subject, actor.as_ref()), audiences).await?;
    let target = aimed(app, &client, &found, proof)?;
    if exchanged.until <= target.now.secs() {
        return Err(not_standing("it expires now"));
    }
    note(app, context, &client, (&subject.claims, &exchanged, &target), proof).await?;
    let issued = issue::for_exchange(
        app,
        &client,
        &target,
        &Exchange { subject: &subject.claims, authority: found.authority.as_ref(), scope: &scope, made: &exchanged },
    )
    .await?;
    let tokens = TokenResponse {
        token_type: issued.token_type,
        access_token: Some(issued.access_token),
        expires_in: issued.expires_in,
        refresh_token: None,
        scope: issued.scope,
        sid: None,
    };
    Ok(Json(ExchangeResponse { tokens, issued_token_type: ACCESS_TOKEN }).into_response())
}

impl Presented {
    /// An access token that this issuer made and that has not expired.
    async fn read(app: &App, text: &str) -> Result<Self, OAuthError> {
        let shown = access_token::Shown::read(app, text, Wanted::default());
        let shown = shown.map_err(|error| not_standing(&error.to_string()))?;
        if shown.lifetime() > i64::try_from(app.config.access_token_ttl_cap.as_secs()).unwrap_or(i64::MAX) {
            return Err(not_standing("it lives longer than any verifier accepts"));
        }
        let (claims, kid) = match &shown {
            access_token::Shown::Signed(claims) => {
                let header = Unverified::parse(text).ok();
                (AccessClaims::clone(claims), header.and_then(|header| header.kid().map(str::to_owned)))
            }
            access_token::Shown::Opaque(reference) => {
                let claims = introspect::claims_of(app, reference).await?;
                let kid = app.ring.snapshot().refresh_kid(reference.key).map(str::to_owned);
                (claims.ok_or_else(|| not_standing("nobody would be given it any more"))?, kid)
            }
        };
        Ok(Self { shown, claims, kid })
    }

    fn shown(&self) -> Shown<'_> {
        Shown { claims: &self.claims, kid: self.kid.as_deref() }
    }
}

/// RFC 8693 §2.1: each token comes with its kind, and this is the only one.
fn only_access_tokens(form: &Form) -> Result<(), OAuthError> {
    form.require("subject_token_type")?;
    if form.get("actor_token").is_some() {
        form.require("actor_token_type")?;
    } else if form.get("actor_token_type").is_some() {
        return Err(OAuthError::new(errors::MISSING_PARAMETER).detail("actor_token is missing"));
    }
    for name in ["subject_token_type", "actor_token_type", "requested_token_type"] {
        if form.get(name).is_some_and(|kind| kind != ACCESS_TOKEN) {
            return Err(OAuthError::new(errors::EXCHANGE_REFUSED).detail(format!("{name} must be {ACCESS_TOKEN}")));
        }
    }
    Ok(())
}

/// The audience, by its name (RFC 8693) or as a resource (RFC 8707), which are the same here.
fn target(form: &Form) -> Result<Option<&str>, OAuthError> {
    match (form.get("audience"), form.get("resource")) {
        (Some(audience), Some(resource)) if audience != resource => {
            Err(OAuthError::new(errors::INVALID_TARGET).detail("audience and resource name different services"))
        }
        (audience, resource) => Ok(audience.or(resource)),
    }
}

/// In one snapshot, newer than the head that came with the client (revocation rule R3).
async fn load(
    app: &App,
    (subject, actor): (&Presented, Option<&Presented>),
    audiences: Vec<String>,
) -> Result<Found, OAuthError> {
    let mut names = subject.shown.names(app);
    names.extend(actor.into_iter().flat_map(|actor| actor.shown.names(app)));
    let sid = subject.claims.sid.as_deref().and_then(Sid::parse);
    let now = app.steady_now();
    let loaded = app.store.read(move |tx| {
        let (names, sid, audiences) = (names.clone(), sid.clone(), audiences.clone());
        Box::pin(async move {
            let authority = match &sid {
                Some(sid) => sessions::authority(tx, sid).await?,
                None => None,
            };
            let wanted: Vec<&str> = audiences.iter().map(String::as_str).collect();
            let rules = issue::rules(tx, &wanted).await?;
            // An audience that is gone is not left out: the token would be for fewer than was asked for.
            let rules = if rules.len() == wanted.len() { rules } else { Vec::new() };
            Ok(Found { stands: access_token::stand(tx, &names, now).await?, authority, rules })
        })
    });
    let found = loaded.await?;
    let alive = match &found.authority {
        // What its person may do by another organisation, the token that was shown does not say.
        Some(authority) => {
            let spoke_for = subject.claims.org.as_ref().map(|org| org.id.as_str());
            authority.stands() && authority.organisation.as_deref() == spoke_for
        }
        None => subject.claims.sid.is_none(),
    };
    if found.stands && alive { Ok(found) } else { Err(not_standing("it, or what it rests on, has ended")) }
}

fn aimed(app: &App, client: &AuthenticatedClient, found: &Found, proof: Option<&Proven>) -> Result<Target, OAuthError> {
    if found.rules.is_empty() {
        return Err(errors::INVALID_TARGET.into());
    }
    let target = Target::new(app, client, found.rules.clone(), app.clock.now())?;
    // A reference would lead to no session of this client: what it says travels with it.
    let format = match target.format {
        AccessTokenFormat::Opaque => AccessTokenFormat::Signed,
        format @ (AccessTokenFormat::Signed | AccessTokenFormat::Encrypted) => format,
    };
    Target { format, ..target }.proved(client, proof)
}

/// Who acts for whom, where: in the audit before the token leaves (ADM-04).
async fn note(
    app: &App,
    context: &Context,
    client: &AuthenticatedClient,
    (subject, made, target): (&AccessClaims, &Exchanged, &Target),
    proof: Option<&Proven>,
) -> Result<(), OAuthError> {
    let source = context.source(client.id.as_str());
    let audiences: Vec<&str> = target.audiences.iter().map(|rules| rules.audience.as_str()).collect();
    let mut event = AuditEvent::new(Event::TokenExchanged, target.now, &source, app.random.bytes()?)
        .client(client.id.as_str())
        .with("audience", audiences.join(" "))
        .with("actor", made.act["sub"].as_str().unwrap_or_default())
        .with("of", subject.jti.as_str());
    event = match &subject.sid {
        Some(sid) => event.user(&subject.sub).session(sid),
        None => event.with("subject", subject.sub.as_str()),
    };
    let used = proof.map(Proven::used);
    let written = app.store.write(move |tx| {
        let (event, used) = (event.clone(), used.clone());
        Box::pin(async move {
            if let Err(refused) = proofs::spend(tx, used.as_ref()).await? {
                return Ok(Err(refused));
            }
            audit::insert(tx, &event).await?;
            Ok(Ok(()))
        })
    });
    written.await?.map_err(dpop::unspendable)
}

impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Unproved => errors::DPOP_MISSING,
            Refusal::OtherKey => errors::DPOP_PROOF,
            Refusal::Audience(_) => errors::INVALID_TARGET,
            Refusal::Scope => errors::INVALID_SCOPE,
            Refusal::NotForYou | Refusal::Confirmation | Refusal::ActorActs | Refusal::TooDeep => {
                errors::EXCHANGE_REFUSED
            }
        };
        Self::new(code).detail(refusal.to_string())
    }
}

/// TOK-26: which check failed is for the log alone.
fn not_standing(why: &str) -> OAuthError {
    OAuthError::new(errors::EXCHANGE_REFUSED)
        .detail("subject_token or actor_token is no access token of this issuer that stands")
        .log(why)
}
