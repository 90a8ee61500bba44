//! A browser's sign-in without a session: the clients open theirs when they redeem their codes.

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        session::EndReason,
        signin::{Signin, SigninId, SigninSecret},
        user::UserId,
    },
    http::{
        context::Context,
        error::PageError,
        login::{Authenticated, success},
    },
    store::{
        StoreError, Tx, audit, login_limits,
        sessions::{self, Act},
        signins::{self, NewSignin},
        users::{self, NewHash},
    },
};

/// Everything that the transaction writes.
#[derive(Debug, Clone)]
struct Writes {
    user: UserId,
    account: String,
    rehash: Option<(String, String)>,
    signin: NewSignin,
    /// The same person's sign-in of this browser, which goes on under a new id.
    same: Option<SigninId>,
    /// What this browser had before, if it is another person's or over.
    before: Option<SigninId>,
    event: AuditEvent,
    act: Act,
}

/// Signs the person in. The id is a new one in any case (CSR-03); the sessions of a sign-in go on if it was the same person's,
/// and end if it was another's.
///
/// # Errors
/// Those of the store.
pub(super) async fn open(
    app: &App,
    context: &Context,
    who: &Authenticated,
    live: Option<&Signin>,
    before: Option<SigninId>,
) -> Result<SigninSecret, PageError> {
    let secret = SigninSecret::new(&app.random.bytes()?);
    let (user, now) = (who.user.id.clone(), app.clock.now());
    let act = app.act(context, user.as_str(), now)?;
    let event = AuditEvent::new(Event::LoginSuccess, now, &act.source, app.random.bytes()?).user(user.as_str());
    let signin = NewSignin {
        id: secret.id(),
        user_id: user.to_string(),
        auth_time: now,
        amr: "pwd".to_owned(),
        acr: "1".to_owned(),
        auth_rsn: who.auth_rsn,
        device: context.device(),
        ip: context.ip(),
        expires_at: now.plus(app.config.refresh.absolute),
    };
    let rehash = who.rehashed.clone().map(|new| (who.user.password_hash.clone().unwrap_or_default(), new));
    let same = live.filter(|live| live.user_id == user.as_str()).map(|live| live.id);
    let writes = Writes { user, account: who.account.clone(), rehash, signin, same, before, event, act };
    app.store
        .write(move |tx| {
            let writes = writes.clone();
            Box::pin(async move { write(tx, &writes).await })
        })
        .await?;
    Ok(secret)
}

async fn write(tx: &mut Tx, writes: &Writes) -> Result<(), StoreError> {
    let attempts = login_limits::reset(tx, &writes.account).await?;
    // What changes is locked first, and in order: the user before sign-ins and sessions, all before the log.
    if let Some((old, new)) = &writes.rehash {
        users::renew_hash(tx, &NewHash { user: &writes.user, old: Some(old), new }).await?;
    }
    let renewed = match &writes.same {
        Some(same) => signins::renew(tx, same, &writes.signin).await?,
        None => false,
    };
    if !renewed {
        if let Some(before) = &writes.before {
            sessions::end_signin(tx, before, EndReason::Superseded, &writes.act).await?;
        }
        signins::insert(tx, &writes.signin).await?;
    }
    audit::insert(tx, &success(&writes.event, attempts)).await
}
