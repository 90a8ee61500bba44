//! `grant_type=authorization_code`: a code for the first tokens of a new session (OAuth 2.1 §4.1.3, OpenID Connect Core §3.1.3).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use countersign_jose::{Algorithm, IdClaims, profile::IdToken};
use http::HeaderMap;
use serde::Serialize;

use super::{
    TokenResponse,
    client::{AuthenticatedClient, ClaimedClient},
};
use crate::{
    app::App,
    domain::{
        audience::AudienceRules,
        audit::{AuditEvent, Event},
        client::Grant,
        code::{Authorized, Code, CodeHash, Presented, Verdict},
        id_token::{self, IdGrant},
        person, roles,
        session::{EndReason, Nonce, Sid},
        signin::SigninId,
    },
    errors,
    http::{
        TENANT,
        body::Form,
        context::Context,
        dpop::{self, Proven},
        error::OAuthError,
        issue::{self, Issued, Target},
        person::person_of,
    },
    store::{
        StoreError, Tx, audit,
        clients::{self, ClientState},
        codes,
        dialect::{RowKey, lock_rows},
        proofs::{self, Unspendable, UsedProof},
        sessions::{self, Act, Authority, NewSession},
    },
};

/// The answer: with the scope `openid` an ID token as well.
#[derive(Debug, Serialize)]
struct CodeResponse {
    #[serde(flatten)]
    tokens: TokenResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// A session to open for its first tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening<'a> {
    pub user_id: &'a str,
    pub signin: SigninId,
    /// Space-separated.
    pub scope: &'a str,
    /// Space-separated.
    pub audience: &'a str,
    /// The organisation that it is to speak for.
    pub organisation: Option<&'a str>,
}

/// Everything that redeeming needs.
#[derive(Debug, Clone)]
struct Redemption {
    code: CodeHash,
    session: NewSession,
    /// What UserInfo tells besides the claims of the scope.
    claims: Option<String>,
    proof: Option<UsedProof>,
    event: AuditEvent,
    act: Act,
}

/// What came of it.
enum Outcome {
    /// The session is open; what its first token may say.
    Open(Option<Box<Authority>>),
    /// Somebody else was faster with the same code; their session has ended.
    Replayed,
    /// The code expired this moment, or the sign-in has ended since.
    Over,
}

pub(super) async fn exchange(
    app: &App,
    context: &Context,
    (headers, proof): (&HeaderMap, Option<&Proven>),
    form: &Form,
) -> Result<Response, OAuthError> {
    let refuse = |why: &str| OAuthError::new(errors::CODE_INVALID).log(why);
    let (code, verifier) = (form.require("code")?, form.require("code_verifier")?);
    let hash = Code::parse(code).ok_or_else(|| refuse("not a code"))?.hash();
    let claimed = ClaimedClient::read(headers, form)?;
    let (state, found) = load(app, &claimed, hash).await?;
    let client = claimed.prove(app, state).await?;
    if !client.settings.grants.contains(Grant::AuthorizationCode) {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    let (authorized, rules) = found.ok_or_else(|| refuse("no such code"))?;
    let now = app.clock.now();
    let shown = Presented {
        client_id: client.id.as_str(),
        redirect_uri: form.get("redirect_uri"),
        verifier,
        dpop_jkt: proof.map(Proven::thumbprint),
    };
    match authorized.judge(&shown, now) {
        Verdict::Refused(why) => return Err(refuse(why.as_str())),
        Verdict::Replayed(sid) => {
            end(app, context, &client, sid, proof.map(Proven::used)).await?;
            return Err(errors::CODE_REUSED.into());
        }
        Verdict::Redeem => {}
    }
    let target = Target::new(app, &client, rules, now)?.proved(&client, proof)?;
    let proof = proof.map(Proven::used);
    let redemption = Redemption { proof, ..redemption(app, context, &client, &target, (hash, &authorized))? };
    let (sid, nonce) = (redemption.session.sid.clone(), redemption.session.nonce.clone());
    let authority = match redeem(app, redemption).await? {
        Outcome::Open(authority) => authority.map(|authority| *authority),
        Outcome::Replayed => return Err(errors::CODE_REUSED.into()),
        Outcome::Over => return Err(refuse("the code or its sign-in is over")),
    };
    crate::failpoint::hit("code.committed");
    let said = Said { nonce: authorized.nonce.as_deref(), claims: authorized.id_token_claims.as_deref() };
    first_tokens(app, &client, &target, authority, (&sid, &nonce, said)).await
}

/// What the client said about its ID token.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    nonce: Option<&'a str>,
    /// The claims that it asked for one by one.
    claims: Option<&'a str>,
}

/// The first tokens of a session that was opened: `own` are the parts of its refresh token, and what the client said about its
/// ID token.
pub(super) async fn first_tokens(
    app: &App,
    client: &AuthenticatedClient,
    target: &Target,
    authority: Option<Authority>,
    own: (&Sid, &Nonce, Said<'_>),
) -> Result<Response, OAuthError> {
    let (sid, nonce, said) = own;
    let signed_for = authority.clone();
    let issued = issue::for_session(app, authority, client.head(), target, None).await?;
    let id_token = identity(app, client, signed_for, target, (&said, &issued)).await?;
    let renewable = client.settings.grants.contains(Grant::RefreshToken);
    let tokens = TokenResponse {
        token_type: issued.token_type,
        access_token: Some(issued.access_token),
        expires_in: issued.expires_in,
        refresh_token: renewable.then(|| app.ring.snapshot().mac_keys().seal(sid, 0, nonce)),
        scope: issued.scope,
        sid: Some(sid.to_string()),
    };
    Ok(Json(CodeResponse { tokens, id_token }).into_response())
}

/// In one snapshot: the client with the head of the log, what the code stands for, and the rules of its audiences.
async fn load(
    app: &App,
    claimed: &ClaimedClient,
    code: CodeHash,
) -> Result<(ClientState, Option<(Authorized, Vec<AudienceRules>)>), OAuthError> {
    let id = claimed.id().clone();
    let loaded = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move {
            let state = clients::state(tx, &id).await?;
            let Some(authorized) = codes::find(tx, &code).await? else { return Ok((state, None)) };
            let names: Vec<&str> = authorized.audience.split_ascii_whitespace().collect();
            let rules = issue::rules(tx, &names).await?;
            Ok((state, Some((authorized, rules))))
        })
    });
    Ok(loaded.await?)
}

fn redemption(
    app: &App,
    context: &Context,
    client: &AuthenticatedClient,
    target: &Target,
    (code, authorized): (CodeHash, &Authorized),
) -> Result<Redemption, OAuthError> {
    let opening = Opening {
        user_id: &authorized.user_id,
        signin: authorized.signin,
        scope: &authorized.scope,
        audience: &authorized.audience,
        organisation: authorized.organisation.as_deref(),
    };
    let session = session(app, client, target, &opening)?;
    let act = app.act(context, client.id.as_str(), target.now)?;
    let event = created(app, &act, &session, &authorized.user_id)?;
    Ok(Redemption { code, session, claims: authorized.userinfo_claims.clone(), proof: None, event, act })
}

/// The session that a client's grant opens.
pub(super) fn session(
    app: &App,
    client: &AuthenticatedClient,
    target: &Target,
    opening: &Opening<'_>,
) -> Result<NewSession, OAuthError> {
    let (now, settings) = (target.now, &client.settings);
    Ok(NewSession {
        sid: app.subjects.sid(settings, opening.user_id, &app.random.bytes()?),
        signin: opening.signin,
        client_id: client.id.to_string(),
        tenant: TENANT.to_owned(),
        scope: opening.scope.to_owned(),
        audience: opening.audience.to_owned(),
        // A confidential client proves itself at each refresh, and may change its key (RFC 9449, section 5).
        dpop_jkt: target.key.clone().filter(|_| !client.credential.is_confidential()),
        organisation: opening.organisation.map(str::to_owned),
        nonce: Nonce::new(app.random.bytes()?),
        at_exp: target.exp(),
        expires_at: now.plus(settings.refresh_absolute.unwrap_or(app.config.refresh.absolute)),
        idle_expires_at: now.plus(settings.refresh_idle.unwrap_or(app.config.refresh.idle)),
        now,
    })
}

/// What the audit hears of it.
pub(super) fn created(app: &App, act: &Act, session: &NewSession, user_id: &str) -> Result<AuditEvent, OAuthError> {
    Ok(AuditEvent::new(Event::SessionCreated, session.now, &act.source, app.random.bytes()?)
        .user(user_id)
        .client(&session.client_id)
        .session(session.sid.as_str()))
}

async fn redeem(app: &App, redemption: Redemption) -> Result<Outcome, OAuthError> {
    let redeemed = app.store.write(move |tx| {
        let redemption = redemption.clone();
        Box::pin(async move { write(tx, &redemption).await })
    });
    redeemed.await?.map_err(dpop::unspendable)
}

async fn write(tx: &mut Tx, redemption: &Redemption) -> Result<Result<Outcome, Unspendable>, StoreError> {
    let Redemption { code, session, claims, proof, event, act } = redemption;
    if let Err(refused) = proofs::spend(tx, proof.as_ref()).await? {
        return Ok(Err(refused));
    }
    // Whoever signs in anew or out locks the sign-in before its codes and sessions, so here it comes first, too.
    lock_rows(tx, &mut [RowKey::Signin(session.signin.as_bytes())]).await?;
    if !codes::redeem(tx, code, &session.sid, session.now).await? {
        // Presented twice at once: both were good, one was first.
        let Some(first) = codes::find(tx, code).await?.and_then(|code| code.redeemed) else {
            return Ok(Ok(Outcome::Over));
        };
        sessions::end_session(tx, &first, EndReason::Reuse, act).await?;
        return Ok(Ok(Outcome::Replayed));
    }
    if sessions::open(tx, session).await?.is_none() {
        return Ok(Ok(Outcome::Over));
    }
    if let Some(claims) = claims {
        sessions::tell(tx, &session.sid, claims).await?;
    }
    audit::insert(tx, event).await?;
    Ok(Ok(Outcome::Open(sessions::authority(tx, &session.sid).await?.map(Box::new))))
}

/// The second valid use: whatever the first one got dies now (OAU-05). A proof that was seen before makes it no valid one.
pub(super) async fn end(
    app: &App,
    context: &Context,
    client: &AuthenticatedClient,
    sid: Sid,
    proof: Option<UsedProof>,
) -> Result<(), OAuthError> {
    let act = app.act(context, client.id.as_str(), app.clock.now())?;
    let ended = app.store.write(move |tx| {
        let (sid, act, proof) = (sid.clone(), act.clone(), proof.clone());
        Box::pin(async move {
            if let Err(refused) = proofs::spend(tx, proof.as_ref()).await? {
                return Ok(Err(refused));
            }
            sessions::end_session(tx, &sid, EndReason::Reuse, &act).await?;
            Ok(Ok(()))
        })
    });
    ended.await?.map_err(dpop::unspendable)
}

/// The ID token that goes with an access token of the scope `openid`.
async fn identity(
    app: &App,
    client: &AuthenticatedClient,
    authority: Option<Authority>,
    target: &Target,
    (said, issued): (&Said<'_>, &Issued),
) -> Result<Option<String>, OAuthError> {
    let openid = issued.scope.split(' ').any(|word| word == "openid");
    let Some(authority) = authority.filter(|_| openid) else { return Ok(None) };
    let mut claims = id_claims(app, client, &authority, target, (said, &issued.access_token));
    if let Some(names) = said.claims {
        let audiences: Vec<&str> = target.audiences.iter().map(|rules| rules.audience.as_str()).collect();
        let roles = roles::effective(&authority.roles, &audiences);
        let person = person_of(&authority, &claims.sub, &roles);
        claims.extra = person::single(&person, names, &client.settings.scopes);
    }
    let broken = |error: &dyn std::fmt::Display| OAuthError::new(errors::INTERNAL).log(error.to_string());
    let key = app.ring.snapshot().signer_for(id_alg(client)).map_err(|error| broken(&error))?;
    let token = key.sign::<IdToken>(&claims).await?;
    match &client.settings.sign_in.id_token_encryption {
        Some(recipient) => recipient.encrypt(&token).map(Some).map_err(|error| broken(&error)),
        None => Ok(Some(token)),
    }
}

fn id_alg(client: &AuthenticatedClient) -> Algorithm {
    client.settings.sign_in.id_token_alg.unwrap_or(id_token::DEFAULT_ALG)
}

fn id_claims(
    app: &App,
    client: &AuthenticatedClient,
    authority: &Authority,
    target: &Target,
    (said, access_token): (&Said<'_>, &str),
) -> IdClaims {
    id_token::build(
        &IdGrant {
            issuer: app.config.issuer.as_str(),
            subject: &app.subjects.for_client(&client.settings, &authority.user_id),
            client_id: client.id.as_str(),
            sid: authority.sid.as_str(),
            auth_time: authority.auth_time,
            amr: &authority.amr,
            acr: &authority.acr,
            nonce: said.nonce,
            access_token,
            alg: id_alg(client),
            exp: target.exp(),
        },
        target.now,
    )
}
