//! A sign-in and its first session, in one transaction with all that a success changes.

use super::{Destination, authenticate::Authenticated};
use crate::{
    app::App,
    domain::{
        assurance::amr,
        audit::{AuditEvent, Event},
        session::{EndReason, Nonce, Sid},
        signin::{SigninId, SigninSecret},
        user::UserId,
    },
    errors,
    http::{
        TENANT,
        context::Context,
        dpop::{self, Proven},
        error::ApiError,
        second_factor::Shown,
    },
    store::{
        StoreError, Tx, audit, login_limits,
        proofs::{self, Unspendable, UsedProof},
        sessions::{self, Act, Authority, NewSession},
        signins::{self, NewSignin},
        users::{self, NewHash},
    },
};

/// A sign-in that was written, and what its owner gets.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub sid: Sid,
    pub nonce: Nonce,
    pub secret: SigninSecret,
    /// What its first access token may say.
    pub authority: Option<Authority>,
}

/// Everything that the transaction writes.
#[derive(Debug, Clone)]
struct Writes {
    user: UserId,
    account: String,
    rehash: Option<(String, String)>,
    /// The browser's sign-in before this one, which ends now (CSR-03).
    superseded: Option<SigninId>,
    signin: NewSignin,
    session: NewSession,
    proof: Option<UsedProof>,
    second: Option<Shown>,
    event: AuditEvent,
    act: Act,
}

/// What was opened, or that nothing stands any more that it would rest on.
type Opened = Result<Option<Authority>, Unspendable>;

/// The password in `amr` (RFC 8176).
const PASSWORD: &str = "pwd";

/// Writes the sign-in; `superseded` is the one that the same browser had before.
pub(super) async fn open(
    app: &App,
    context: &Context,
    to: &Destination,
    who: &Authenticated,
    superseded: Option<SigninId>,
) -> Result<SignedIn, ApiError> {
    let secret = SigninSecret::new(&app.random.bytes()?);
    let session = session(app, to, who, &secret)?;
    let (sid, nonce) = (session.sid.clone(), session.nonce.clone());
    let act = app.act(context, who.user.id.as_str(), to.target.now)?;
    let event =
        AuditEvent::new(Event::LoginSuccess, act.now, &context.source(who.user.id.as_str()), app.random.bytes()?)
            .user(who.user.id.as_str())
            .client(to.client.id.as_str())
            .session(sid.as_str());
    let rehash = who.rehashed.clone().map(|new| (who.user.password_hash.clone().unwrap_or_default(), new));
    let signin = NewSignin {
        id: secret.id(),
        user_id: who.user.id.to_string(),
        auth_time: who.second.as_ref().map_or(act.now, |second| second.auth_time),
        amr: who.second.as_ref().map_or_else(|| PASSWORD.to_owned(), |second| amr(PASSWORD, second.shown.method())),
        acr: who.level().as_str().to_owned(),
        auth_rsn: who.auth_rsn,
        device: context.device(),
        ip: context.ip(),
        created_at: act.now,
        expires_at: act.now.plus(app.config.refresh.absolute),
    };
    let user = who.user.id.clone();
    let proof = to.proof.as_ref().map(Proven::used);
    let second = who.second.as_ref().map(|second| second.shown.clone());
    let over = if second.is_some() { errors::MFA_TICKET_INVALID } else { errors::INVALID_CREDENTIALS };
    let account = who.account.clone();
    let writes = Writes { user, account, rehash, superseded, signin, session, proof, second, event, act };
    let opened = app
        .store
        .write(move |tx| {
            let writes = writes.clone();
            Box::pin(async move { write(tx, &writes).await })
        })
        .await?;
    // None: everything of this user or client was ended while the password was being checked.
    let authority = Some(opened.map_err(dpop::unspendable)?.ok_or(over)?);
    Ok(SignedIn { sid, nonce, secret, authority })
}

fn session(app: &App, to: &Destination, who: &Authenticated, secret: &SigninSecret) -> Result<NewSession, ApiError> {
    let (now, settings) = (to.target.now, &to.client.settings);
    let audiences: Vec<&str> = to.target.audiences.iter().map(|rules| rules.audience.as_str()).collect();
    Ok(NewSession {
        sid: Sid::new(who.user.id.as_str(), &app.random.bytes()?),
        signin: secret.id(),
        client_id: to.client.id.to_string(),
        tenant: TENANT.to_owned(),
        scope: to.scope.to_string(),
        audience: audiences.join(" "),
        // A confidential client shows its secret at each refresh, and may change its key (RFC 9449, section 5).
        dpop_jkt: to.target.key.clone().filter(|_| !to.client.credential.is_confidential()),
        organisation: to.organisation.clone(),
        nonce: Nonce::new(app.random.bytes()?),
        at_exp: to.target.exp(),
        expires_at: now.plus(settings.refresh_absolute.unwrap_or(app.config.refresh.absolute)),
        idle_expires_at: now.plus(settings.refresh_idle.unwrap_or(app.config.refresh.idle)),
        now,
    })
}

async fn write(tx: &mut Tx, writes: &Writes) -> Result<Opened, StoreError> {
    if let Err(refused) = proofs::spend(tx, writes.proof.as_ref()).await? {
        return Ok(Err(refused));
    }
    let attempts = match &writes.second {
        // Those at the password were forgotten when it was right.
        Some(shown) => match shown.spend(tx, writes.act.now).await? {
            Some(attempts) => attempts,
            None => return Ok(Ok(None)),
        },
        None => login_limits::reset(tx, &writes.account).await?,
    };
    // What changes is locked first, and in order: the user before sign-ins and sessions, all before the log.
    if let Some((old, new)) = &writes.rehash {
        users::renew_hash(tx, &NewHash { user: &writes.user, old: Some(old), new }).await?;
    }
    if let Some(old) = &writes.superseded {
        sessions::end_signin(tx, old, EndReason::Superseded, &writes.act).await?;
    }
    signins::insert(tx, &writes.signin).await?;
    if sessions::open(tx, &writes.session).await?.is_none() {
        return Ok(Ok(None));
    }
    audit::insert(tx, &success(&writes.event, attempts)).await?;
    sessions::authority(tx, &writes.session.sid).await.map(Ok)
}

/// The event of a success; it says if failures came before it.
pub(in crate::http) fn success(event: &AuditEvent, attempts: i64) -> AuditEvent {
    match attempts - 1 {
        failures @ 1.. => {
            AuditEvent { event: Event::LoginSuccessAfterFail, ..event.clone() }.with("failures", failures)
        }
        _ => event.clone(),
    }
}
