//! A browser's sign-in without a session: the clients open theirs when they redeem their codes.

use crate::{
    app::App,
    domain::{
        assurance::{Level, amr},
        audit::{AuditEvent, Event},
        browser::RequestName,
        mail_token::{Purpose, TokenId},
        pending::FirstFactor,
        rsn::Rsn,
        session::EndReason,
        signin::{SigninId, SigninSecret},
        time::Timestamp,
        upstream::{Identity, UpstreamName},
        user::UserId,
    },
    errors,
    http::{
        context::Context,
        error::PageError,
        login::{Authenticated, success},
        second_factor::Shown,
        ui::errand::Errand,
    },
    store::{
        StoreError, Tx, audit,
        dialect::{RowKey, lock_rows},
        login_limits, mail_tokens,
        sessions::{self, Act},
        signins::{self, NewSignin},
        upstreams::{self, LinkedBy},
        users::{self, NewHash, NewUser},
    },
};

/// Somebody of whom it is known who they are.
#[derive(Debug, Clone)]
pub(in crate::http::ui) struct Entrant {
    pub user: UserId,
    pub auth_rsn: Rsn,
    pub auth_time: Timestamp,
    pub by: By,
    /// They have a second factor.
    pub owes: bool,
    /// The one that they have shown.
    pub second: Option<Shown>,
    /// What attempts at their password are counted under, wherever they come from; none: they came without one.
    pub shared: Option<String>,
}

/// How it became known, with what that changes.
#[derive(Debug, Clone)]
pub(in crate::http::ui) enum By {
    Password {
        /// Whose failures are forgotten now; none: that was done before.
        account: Option<String>,
        /// The stored hash, and the same password's with today's parameters.
        rehash: Option<(String, String)>,
        /// What waited for the password.
        link: Option<RequestName>,
    },
    Upstream {
        name: UpstreamName,
        /// The account that is made of it, and whose it is.
        new: Option<(Box<NewUser>, Identity)>,
    },
    /// A code or a link that was sent by mail.
    Mail {
        /// What is used up with it; none if it was, when the first factor was shown.
        token: Option<TokenId>,
    },
    /// A passkey, and nothing else.
    Passkey,
    /// The sign-in that this browser has is made stronger.
    StepUp {
        /// What was shown for it before.
        amr: String,
    },
}

impl Entrant {
    pub fn by_password(who: Authenticated, link: Option<RequestName>, now: Timestamp) -> Self {
        let stored = who.user.password_hash.unwrap_or_default();
        let rehash = who.rehashed.map(|new| (stored, new));
        let by = By::Password { account: Some(who.account), rehash, link };
        let (owes, shared) = (who.user.second_factor, Some(who.shared));
        Self { user: who.user.id, auth_rsn: who.auth_rsn, auth_time: now, by, owes, second: None, shared }
    }

    /// RFC 8176
    fn amr(&self) -> String {
        let first = match &self.by {
            By::Password { .. } => FirstFactor::Password.amr(),
            By::Mail { .. } => FirstFactor::Mail.amr(),
            // How somebody signed in elsewhere is not ours to say.
            By::Upstream { .. } | By::Passkey => "",
            By::StepUp { amr } => amr,
        };
        self.second.as_ref().map_or_else(|| first.to_owned(), |shown| amr(first, shown.method()))
    }

    pub fn level(&self) -> Level {
        if self.second.is_some() { Level::Two } else { Level::One }
    }

    /// No absolute lifetime grows by a code: only whoever shows all factors begins a new one.
    fn begins(&self, now: Timestamp) -> Timestamp {
        if matches!(self.by, By::StepUp { .. }) { self.auth_time } else { now }
    }
}

/// Everything that the transaction writes.
#[derive(Debug, Clone)]
struct Writes {
    entrant: Entrant,
    browser: [u8; 32],
    signin: NewSignin,
    /// The same person's sign-in of this browser, which goes on under a new id.
    same: Option<SigninId>,
    /// What this browser had before, if it is another person's or over.
    before: Option<SigninId>,
    event: AuditEvent,
    created: AuditEvent,
    act: Act,
}

/// Signs the person in. The id is a new one in any case (CSR-03); the sessions of a sign-in go on if it was the same person's,
/// and end if it was another's.
///
/// # Errors
/// Those of the store; `form-expired` if somebody else made the account meanwhile, or what was shown was used up.
pub(super) async fn open(
    app: &App,
    context: &Context,
    entrant: &Entrant,
    errand: &Errand,
    before: Option<SigninId>,
) -> Result<SigninSecret, PageError> {
    let secret = SigninSecret::new(&app.random.bytes()?);
    let (user, now) = (&entrant.user, app.clock.now());
    let act = app.act(context, user.as_str(), now)?;
    let event = |event| {
        let random = app.random.bytes()?;
        Ok::<_, PageError>(AuditEvent::new(event, now, &act.source, random).user(user.as_str()))
    };
    let signin = NewSignin {
        id: secret.id(),
        user_id: user.to_string(),
        auth_time: entrant.auth_time,
        amr: entrant.amr(),
        acr: entrant.level().as_str().to_owned(),
        auth_rsn: entrant.auth_rsn,
        device: context.device(),
        ip: context.ip(),
        created_at: now,
        expires_at: entrant.begins(now).plus(app.config.refresh.absolute),
    };
    let same = errand.signin().filter(|live| live.user_id == user.as_str()).map(|live| live.id);
    let (success, created) = (event(Event::LoginSuccess)?, event(Event::UserCreated)?);
    let browser = errand.browser().hash();
    let writes = Writes { entrant: entrant.clone(), browser, signin, same, before, event: success, created, act };
    let written = app.store.write(move |tx| {
        let writes = writes.clone();
        Box::pin(async move { write(tx, &writes).await })
    });
    match written.await {
        Ok(()) => Ok(secret),
        Err(StoreError::Conflict) => Err(errors::FORM_EXPIRED.into()),
        Err(error) => Err(error.into()),
    }
}

/// `Conflict` if the account that was to be made exists by now, or what was shown was used up meanwhile.
async fn write(tx: &mut Tx, writes: &Writes) -> Result<(), StoreError> {
    let mut event = writes.event.clone();
    if let Some(shown) = &writes.entrant.second {
        let attempts = shown.spend(tx, writes.act.now).await?.ok_or(StoreError::Conflict)?;
        event = success(&event, attempts).with("amr", writes.signin.amr.as_str());
    }
    let event = arrive(tx, writes, event).await?;
    let renewed = match &writes.same {
        Some(same) => signins::renew(tx, same, &writes.signin).await?,
        None => false,
    };
    if !renewed {
        // What has ended meanwhile is not brought back by a code.
        if matches!(writes.entrant.by, By::StepUp { .. }) {
            return Err(StoreError::Conflict);
        }
        if let Some(before) = &writes.before {
            sessions::end_signin(tx, before, EndReason::Superseded, &writes.act).await?;
        }
        signins::insert(tx, &writes.signin).await?;
    }
    audit::insert(tx, &event).await
}

/// What changes with the way somebody came. What changes is locked first, and in order: the user before sign-ins and sessions,
/// all before the log.
async fn arrive(tx: &mut Tx, writes: &Writes, event: AuditEvent) -> Result<AuditEvent, StoreError> {
    let user = &writes.entrant.user;
    match &writes.entrant.by {
        By::Password { account, rehash, link } => {
            let event = match account {
                Some(account) => success(&event, login_limits::reset(tx, account).await?),
                None => event,
            };
            if let Some((old, new)) = rehash {
                users::renew_hash(tx, &NewHash { user, old: Some(old), new }).await?;
            }
            match link {
                Some(link) => Ok(match linked(tx, writes, link).await? {
                    Some(identity) => event.with("linked", identity.issuer),
                    None => event,
                }),
                None => Ok(event),
            }
        }
        By::Upstream { name, new } => {
            if let Some((account, identity)) = new {
                let theirs = (user, LinkedBy::Signup);
                let made =
                    users::insert(tx, account).await? && upstreams::link(tx, identity, theirs, writes.act.now).await?;
                if !made {
                    return Err(StoreError::Conflict);
                }
                audit::insert(tx, &writes.created.clone().with("upstream", name.as_str())).await?;
            }
            Ok(event.with("upstream", name.as_str()))
        }
        By::Mail { token } => {
            if let Some(token) = token
                && !mail_tokens::spend(tx, token, Purpose::SignIn, writes.act.now).await?
            {
                return Err(StoreError::Conflict);
            }
            Ok(event.with("by", "mail"))
        }
        By::Passkey | By::StepUp { .. } => Ok(event),
    }
}

/// Gives the account the way in that waited for its password. Not if the password, or whatever else this sign-in rests on, was
/// taken back while it was being checked: the sign-in is dead then, and so is what it would leave behind.
async fn linked(tx: &mut Tx, writes: &Writes, link: &RequestName) -> Result<Option<Identity>, StoreError> {
    let (user, now) = (&writes.entrant.user, writes.act.now);
    lock_rows(tx, &mut [RowKey::User(user.as_str())]).await?;
    let Some(identity) = upstreams::kept(tx, link, (&writes.browser, user), now).await? else { return Ok(None) };
    let stands = users::by_id(tx, user).await?.is_some_and(|found| found.min_rsn <= writes.entrant.auth_rsn);
    let linked = stands && upstreams::link(tx, &identity, (user, LinkedBy::Password), now).await?;
    Ok(Some(identity).filter(|_| linked))
}
