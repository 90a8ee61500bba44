//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4): a device asks whether its person has allowed it, and
//! gets the first tokens of a new session once they have.
//!
//! The session belongs to a sign-in of its own: the person allowed a device on another one, and signing out there, on a machine that is
//! perhaps not even theirs, says nothing about it. Signing out everywhere ends both.

use axum::response::Response;
use http::HeaderMap;

use super::{
    client::{AuthenticatedClient, ClaimedClient},
    code::{self, Opening},
};
use crate::{
    app::App,
    domain::{
        audience::AudienceRules,
        audit::AuditEvent,
        client::Grant,
        code::{Code, CodeHash},
        device::{Approval, DeviceGrant, SLACK, SLOWER, Verdict},
        session::EndReason,
        signin::SigninSecret,
        time::Timestamp,
    },
    errors,
    http::{
        body::Form,
        context::Context,
        dpop::{self, Proven},
        error::OAuthError,
        issue::{self, Target},
    },
    store::{
        StoreError, Tx, audit,
        clients::{self, ClientState},
        devices::{self, Pace},
        proofs::{self, UsedProof},
        sessions::{self, Act, Authority, NewSession},
        signins::{self, NewSignin},
    },
};

/// Everything that redeeming writes.
#[derive(Debug, Clone)]
struct Redemption {
    device: CodeHash,
    signin: NewSignin,
    session: NewSession,
    event: AuditEvent,
    act: Act,
}

/// What came of it.
enum Outcome {
    Open(Option<Box<Authority>>),
    /// Somebody else was faster with the same code; their session has ended.
    Replayed,
    /// It expired this moment, or who allowed it was disabled or signed out everywhere since.
    Over,
}

pub(super) async fn poll(
    app: &App,
    context: &Context,
    (headers, proof): (&HeaderMap, Option<&Proven>),
    form: &Form,
) -> Result<Response, OAuthError> {
    let refuse = |why: &str| OAuthError::new(errors::DEVICE_CODE_INVALID).log(why);
    let hash = Code::parse(form.require("device_code")?).ok_or_else(|| refuse("not a device code"))?.hash();
    let claimed = ClaimedClient::read(headers, form)?;
    let client = claimed.prove(app, load(app, &claimed).await?).await?;
    if !client.settings.grants.contains(Grant::DeviceCode) {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    if client.settings.dpop_bound && proof.is_none() {
        return Err(errors::DPOP_MISSING.into());
    }
    let now = app.clock.now();
    let found = ask(app, &client, (hash, now), proof.map(Proven::used)).await?;
    let (grant, rules) = found.ok_or_else(|| refuse("no such device code of this client"))?;
    // It may have been taken from the client since the device asked for it.
    if !client.settings.audiences.iter().any(|audience| audience.as_str() == grant.audience) {
        return Err(refuse("the client may not have its audience any more"));
    }
    let approval = match grant.judge(now) {
        Verdict::Redeem(approval) => approval,
        Verdict::Replayed(sid) => {
            code::end(app, context, &client, sid, None).await?;
            return Err(errors::CODE_REUSED.into());
        }
        Verdict::Pending => return Err(errors::DEVICE_PENDING.into()),
        Verdict::SlowDown => return Err(errors::DEVICE_TOO_FAST.into()),
        Verdict::Denied => return Err(errors::DEVICE_DENIED.into()),
        Verdict::Expired => return Err(errors::DEVICE_EXPIRED.into()),
    };
    let target = Target::new(app, &client, rules, now)?.proved(&client, proof)?;
    let redemption = redemption(app, context, &client, &target, (hash, &grant, approval))?;
    let (sid, nonce) = (redemption.session.sid.clone(), redemption.session.nonce.clone());
    let authority = match redeem(app, redemption).await? {
        Outcome::Open(authority) => authority.map(|authority| *authority),
        Outcome::Replayed => return Err(errors::CODE_REUSED.into()),
        Outcome::Over => return Err(refuse("it is over, or who allowed it may not any more")),
    };
    crate::failpoint::hit("device.committed");
    code::first_tokens(app, &client, &target, authority, (&sid, &nonce, code::Said::default())).await
}

async fn load(app: &App, claimed: &ClaimedClient) -> Result<ClientState, OAuthError> {
    let id = claimed.id().clone();
    let loaded = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { clients::state(tx, &id).await })
    });
    Ok(loaded.await?)
}

/// The device has asked: counted in the store, so that every replica knows how fast it asks.
async fn ask(
    app: &App,
    client: &AuthenticatedClient,
    (id, now): (CodeHash, Timestamp),
    used: Option<UsedProof>,
) -> Result<Option<(DeviceGrant, Vec<AudienceRules>)>, OAuthError> {
    let client_id = client.id.to_string();
    let asked = app.store.write(move |tx| {
        let (client_id, used) = (client_id.clone(), used.clone());
        Box::pin(async move {
            if let Err(refused) = proofs::spend(tx, used.as_ref()).await? {
                return Ok(Err(refused));
            }
            let pace = Pace { slack: SLACK, slower: SLOWER };
            let Some(grant) = devices::poll(tx, (&id, client_id.as_str()), pace, now).await? else {
                return Ok(Ok(None));
            };
            let rules = issue::rules(tx, &[grant.audience.as_str()]).await?;
            Ok(Ok(Some((grant, rules))))
        })
    });
    asked.await?.map_err(dpop::unspendable)
}

fn redemption(
    app: &App,
    context: &Context,
    client: &AuthenticatedClient,
    target: &Target,
    (device, grant, approval): (CodeHash, &DeviceGrant, Approval),
) -> Result<Redemption, OAuthError> {
    let signin = NewSignin {
        // Nobody holds its secret: there is no browser that could show it.
        id: SigninSecret::new(&app.random.bytes()?).id(),
        user_id: approval.user_id,
        auth_time: approval.auth_time,
        amr: approval.amr,
        acr: approval.acr,
        auth_rsn: approval.auth_rsn,
        device: context.device(),
        ip: context.ip(),
        created_at: target.now,
        expires_at: target.now.plus(app.config.refresh.absolute),
    };
    let opening = Opening {
        user_id: &signin.user_id,
        signin: signin.id,
        scope: &grant.scope,
        audience: &grant.audience,
        organisation: None,
    };
    let session = code::session(app, client, target, &opening)?;
    let act = app.act(context, client.id.as_str(), target.now)?;
    let event = code::created(app, &act, &session, &signin.user_id)?;
    Ok(Redemption { device, signin, session, event, act })
}

async fn redeem(app: &App, redemption: Redemption) -> Result<Outcome, OAuthError> {
    let redeemed = app.store.write(move |tx| {
        let redemption = redemption.clone();
        Box::pin(async move { write(tx, &redemption).await })
    });
    Ok(redeemed.await?)
}

async fn write(tx: &mut Tx, redemption: &Redemption) -> Result<Outcome, StoreError> {
    let Redemption { device, signin, session, event, act } = redemption;
    if !devices::redeem(tx, device, &session.sid, session.now).await? {
        let Some(first) = devices::redeemed(tx, device).await? else { return Ok(Outcome::Over) };
        sessions::end_session(tx, &first, EndReason::Reuse, act).await?;
        return Ok(Outcome::Replayed);
    }
    signins::insert(tx, signin).await?;
    if sessions::open(tx, session).await?.is_none() {
        return Ok(Outcome::Over);
    }
    audit::insert(tx, event).await?;
    Ok(Outcome::Open(sessions::authority(tx, &session.sid).await?.map(Box::new)))
}
