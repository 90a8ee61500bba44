//! The second factor of a sign-in: who owes one, and what is done with what somebody types (MFA-01 to MFA-03). Nobody checks a
//! code without the limits, and what was shown is used up in the transaction of what it opens.

use zeroize::Zeroizing;

use super::{TENANT, context::Context, error::ApiError, mail};
use crate::{
    app::App,
    domain::{
        assurance::{Level, Method},
        audit::{AuditEvent, Event, Source},
        email::Email,
        factor::{Kind, Typed, Used},
        known_device,
        limits::{AccountLimit, account_key},
        mail::Letter,
        mail_token::{Purpose, TokenId},
        otp::{self, Seed},
        pending::{Pending, PendingId},
        time::{Timestamp, retry_after_secs},
        user::UserId,
    },
    errors,
    keys::KeyProvider,
    secret::PlainSecret,
    store::{
        StoreError, Tx, audit,
        dialect::{RowKey, lock_rows},
        factors,
        login_limits::{self, Attempt},
        mail_tokens,
        mails::{self, NewMail},
        pending, recovery_codes,
        totps::{self, Totp, seal_context},
        users::{self, Credentials, NewHash},
    },
};

/// The most wrong codes before delays begin (MFA-01).
const FREE: u32 = 5;

/// What somebody showed, right and not used up yet. Only [`check`] makes one, and the check of a passkey.
#[derive(Debug, Clone)]
pub struct Shown {
    user: UserId,
    used: Used,
    /// What the failures before it were counted under.
    counted: String,
    /// The half sign-in that it finishes; none: a sign-in that is made stronger.
    finishes: Option<PendingId>,
    /// What is told of a recovery code.
    told: Option<(NewMail, AuditEvent)>,
}

/// What the first factor of somebody was, who owes the second.
#[derive(Debug, Clone, Default)]
pub struct First {
    /// Whose wrong passwords are forgotten now.
    pub account: Option<String>,
    /// The stored hash of their password, and the same password's with today's parameters.
    pub rehash: Option<(String, String)>,
    /// What was sent by mail, and is used up now.
    pub mailed: Option<TokenId>,
}

/// Lets a sign-in wait for its second factor. Nothing is granted.
///
/// # Errors
/// `form-expired`: what was sent by mail was used up meanwhile; those of the store.
pub async fn owe(app: &App, context: &Context, waits: Pending, first: First) -> Result<(), ApiError> {
    app.metrics.signin("pending");
    let source = context.source(waits.user.as_str());
    let event = AuditEvent::new(Event::LoginPending, app.clock.now(), &source, app.random.bytes()?);
    let event = event.user(waits.user.as_str());
    let now = app.clock.now();
    let kept = app.store.write(move |tx| {
        let (waits, first, event) = (waits.clone(), first.clone(), event.clone());
        Box::pin(async move {
            if let Some(mailed) = &first.mailed
                && !mail_tokens::spend(tx, mailed, Purpose::SignIn, now).await?
            {
                return Err(StoreError::Conflict);
            }
            if let Some(account) = &first.account {
                login_limits::reset(tx, account).await?;
            }
            if let Some((old, new)) = &first.rehash {
                users::renew_hash(tx, &NewHash { user: &waits.user, old: Some(old), new }).await?;
            }
            pending::keep(tx, &waits).await?;
            audit::insert(tx, &event).await
        })
    });
    match kept.await {
        Ok(()) => Ok(()),
        // Used a moment ago, in another tab.
        Err(StoreError::Conflict) => Err(errors::FORM_EXPIRED.into()),
        Err(error) => Err(error.into()),
    }
}

/// Compares what somebody typed with the second factors of `user`; the caller has counted the attempt of their address. `device` is the cookie of a known device: it is counted
/// apart, so that whoever has the password cannot keep its owner out (LOG-06).
///
/// # Errors
/// `second-factor-wrong`; 429 if there were too many wrong ones.
pub async fn check(
    app: &App,
    context: &Context,
    user: &Credentials,
    typed: &PlainSecret,
    device: Option<&str>,
) -> Result<Shown, ApiError> {
    let typed = Typed::parse(typed.expose()).ok_or(errors::SECOND_FACTOR_WRONG)?;
    let (counted, now) = (counted_as(app, user, device)?, app.clock.now());
    let candidates = begin(app, context, user, (&counted, &typed)).await?;
    let used = match &typed {
        Typed::Totp(code) => matching(app.ring.provider(), candidates.totps, code, now).await?,
        Typed::Recovery(code) => candidates.recovery.then(|| Used::Recovery(code.hash(&user.id))),
    };
    let Some(used) = used else {
        wrong(app, context, user).await?;
        return Err(errors::SECOND_FACTOR_WRONG.into());
    };
    app.limiter.give_back(context.address, now);
    let told = match &used {
        Used::Recovery(_) => {
            let source = context.source(user.id.as_str());
            let event = AuditEvent::new(Event::RecoveryCodeUsed, now, &source, app.random.bytes()?);
            Some((mail::notice(app, context, Letter::RecoveryUsed, "")?, event.user(user.id.as_str())))
        }
        Used::Totp { .. } | Used::Passkey { .. } => None,
    };
    Ok(Shown { user: user.id.clone(), used, counted, finishes: None, told })
}

impl Shown {
    /// A passkey of `user`, which was checked. Nobody guesses one: what is forgotten with it are wrong codes.
    ///
    /// # Errors
    /// `internal`: what is stored is malformed.
    pub(super) fn passkey(app: &App, user: &Credentials, used: Used, device: Option<&str>) -> Result<Self, ApiError> {
        let counted = counted_as(app, user, device)?;
        Ok(Self { user: user.id.clone(), used, counted, finishes: None, told: None })
    }

    /// It finishes this half sign-in.
    #[must_use]
    pub fn finishing(self, waits: &Pending) -> Self {
        Self { finishes: Some(waits.id), ..self }
    }

    pub const fn method(&self) -> Method {
        self.used.method()
    }

    /// Uses it up, in the transaction of what it opens: how many attempts it took, this one included; `None` if it was used
    /// meanwhile, or what it finishes is over, and then nothing may be opened.
    ///
    /// # Errors
    /// As any statement.
    pub async fn spend(&self, tx: &mut Tx, now: Timestamp) -> Result<Option<i64>, StoreError> {
        lock_rows(tx, &mut [RowKey::User(self.user.as_str())]).await?;
        if let Some(waits) = &self.finishes
            && pending::find(tx, waits, now).await?.is_none()
        {
            return Ok(None);
        }
        if !factors::spend(tx, &self.user, &self.used, now).await? {
            return Ok(None);
        }
        if let Some(waits) = &self.finishes
            && !pending::finish(tx, waits).await?
        {
            return Ok(None);
        }
        if let Some((notice, event)) = &self.told {
            self.tell(tx, notice, event).await?;
        }
        login_limits::reset(tx, &self.counted).await.map(Some)
    }

    async fn tell(&self, tx: &mut Tx, notice: &NewMail, event: &AuditEvent) -> Result<(), StoreError> {
        let left = recovery_codes::left(tx, &self.user).await?;
        let notice = NewMail { detail: left.to_string(), ..notice.clone() };
        mails::add(tx, &notice, &self.user, None).await?;
        audit::insert(tx, &event.clone().with("left", left)).await
    }
}

/// The user of a half sign-in, with what is needed to check their second factor; `None` if they may not sign in.
///
/// # Errors
/// Those of the store.
pub async fn whose(app: &App, user: &UserId) -> Result<Option<Credentials>, ApiError> {
    let id = user.clone();
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { users::sign_in_state_by_id(tx, &id).await })
    });
    Ok(found.await?.user.filter(|user| user.disabled_at.is_none()))
}

/// Whether a user has a second factor.
///
/// # Errors
/// Those of the store.
pub async fn has(app: &App, user_id: &str) -> Result<bool, ApiError> {
    let id = UserId::parse(user_id).ok_or(errors::TOKEN_INVALID)?;
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { factors::any(tx, &id).await })
    });
    Ok(found.await?)
}

/// Whether a user has a second factor of this kind.
///
/// # Errors
/// Those of the store.
pub async fn has_kind(app: &App, user: &UserId, kind: Kind) -> Result<bool, ApiError> {
    let id = user.clone();
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { factors::list(tx, &id).await })
    });
    Ok(found.await?.iter().any(|factor| factor.kind == kind))
}

/// What attempts at the password of this account are counted under, wherever they come from.
///
/// # Errors
/// `internal`: what is stored is malformed.
pub fn shared(user: &Credentials) -> Result<String, ApiError> {
    let email = Email::parse(&user.email);
    let email = email.map_err(|_| ApiError::new(errors::INTERNAL).log("a stored e-mail address is malformed"))?;
    Ok(account_key(TENANT, email.key().as_str()))
}

/// The step of whichever app shows this code.
///
/// # Errors
/// `internal`: a seed does not open.
pub async fn matching(
    provider: &KeyProvider,
    candidates: Vec<Totp>,
    code: &otp::Code,
    now: Timestamp,
) -> Result<Option<Used>, ApiError> {
    let broken = |error: &dyn std::fmt::Display| ApiError::new(errors::INTERNAL).log(format!("a seed: {error}"));
    let mut found = None;
    // All of them are looked at, whichever is right.
    for totp in candidates {
        let opened = provider.unseal(&totp.sealed, &seal_context(&totp.id)).await;
        let opened: Zeroizing<Vec<u8>> = opened.map_err(|error| broken(&error))?;
        let seed = Seed::from_bytes(&opened).ok_or_else(|| broken(&"it has another length"))?;
        if let Some(step) = otp::step_of(&seed, code, now, totp.last_step) {
            found = Some(Used::Totp { factor: totp.id, step });
        }
    }
    Ok(found)
}

/// By the account, not by its address, so that another address begins no new count; a device that has shown a second factor here
/// before has a count of its own.
fn counted_as(app: &App, user: &Credentials, device: Option<&str>) -> Result<String, ApiError> {
    let shared = shared(user)?;
    let known = known_device::counted_as(app.ring.snapshot().mac_keys(), &shared, device, Level::Two);
    let whose = if known == shared { user.id.as_str() } else { known.as_str() };
    Ok(account_key("second-factor", whose))
}

/// What a code is compared with.
struct Candidates {
    totps: Vec<Totp>,
    /// It is one of their recovery codes.
    recovery: bool,
}

/// Counts the attempt before anything is compared, so that guesses at the same time cannot exceed the limit (LOG-07).
async fn begin(
    app: &App,
    context: &Context,
    user: &Credentials,
    (counted, typed): (&str, &Typed),
) -> Result<Candidates, ApiError> {
    let (id, key, typed, now) = (user.id.clone(), counted.to_owned(), typed.clone(), app.clock.now());
    let limit = AccountLimit { free: app.limiter.account.free.min(FREE) };
    let event = AuditEvent::new(Event::LoginLock, now, &context.source(Source::ANONYMOUS), app.random.bytes()?);
    let event = event.user(id.as_str()).with("factor", "second");
    let notice = mail::notice(app, context, Letter::SecondFactorGuessed, "")?;
    let begun = app.store.write(move |tx| {
        let (id, key, typed, event, notice) = (id.clone(), key.clone(), typed.clone(), event.clone(), notice.clone());
        Box::pin(async move {
            if let Attempt::TooEarly { retry_after } = login_limits::count(tx, &key, limit, now).await? {
                // Once for each delay.
                if let Some(failures) = login_limits::lock(tx, &key).await? {
                    // Its owner hears of the first alone.
                    if failures == i64::from(limit.free) {
                        mails::add(tx, &notice, &id, None).await?;
                    }
                    audit::insert(tx, &event.with("failures", failures)).await?;
                }
                return Ok(Err(retry_after));
            }
            let recovery = match &typed {
                Typed::Recovery(code) => recovery_codes::stands(tx, &id, &code.hash(&id)).await?,
                Typed::Totp(_) => false,
            };
            Ok(Ok(Candidates { totps: totps::of_user(tx, &id).await?, recovery }))
        })
    });
    begun.await?.map_err(|retry_after| {
        app.metrics.signin("locked");
        let error = ApiError::new(errors::TOO_MANY_ATTEMPTS).log(format!("second factor, from {}", context.ip()));
        error.retry_after(retry_after_secs(retry_after))
    })
}

async fn wrong(app: &App, context: &Context, user: &Credentials) -> Result<(), ApiError> {
    app.metrics.signin("failure");
    let source = context.source(Source::ANONYMOUS);
    let event = AuditEvent::new(Event::LoginFail, app.clock.now(), &source, app.random.bytes()?)
        .user(user.id.as_str())
        .with("reason", "second_factor");
    let told = app.store.write(move |tx| {
        let event = event.clone();
        Box::pin(async move { audit::insert(tx, &event).await })
    });
    Ok(told.await?)
}
