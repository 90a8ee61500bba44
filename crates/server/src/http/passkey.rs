//! Passkeys that are used: what a browser is asked for, and who it was that answered (MFA-04). What was shown is used up in the
//! transaction of what it opens, as any second factor is.

use serde_json::Value;

use super::{
    context::Context,
    error::ApiError,
    mail,
    second_factor::{self, Shown},
};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event, Source},
        browser::BrowserSecret,
        factor::Used,
        mail::Letter,
        passkey::{
            Asked, CredentialId, Refusal, RelyingParty, Verification,
            answer::{Assertion, Credential},
            asserted,
            challenge::{self, Binding, Purpose},
            heard, options,
        },
        rsn::{self, Rsn},
        user::UserId,
    },
    errors,
    store::{
        audit, mails,
        passkeys::{self, Passkey},
        users::{self, Credentials},
    },
};

/// The question that an answer must be one to.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The browser, and its request.
    pub browser: &'a BrowserSecret,
    pub request: &'a str,
    /// Whose passkey must be shown; none: whoever's it is signs in.
    pub whose: Option<&'a UserId>,
    /// The cookie of a known device.
    pub device: Option<&'a str>,
}

/// Somebody who has shown a passkey of theirs. Only [`check`] makes one.
#[derive(Debug)]
pub struct Recognised {
    pub user: Credentials,
    /// R1: the head of the log when the passkey was looked at.
    pub auth_rsn: Rsn,
    /// The passkey, not used up yet.
    pub shown: Shown,
    /// What attempts at their password are counted under, wherever they come from.
    pub shared: String,
}

/// The site that passkeys are made for.
///
/// # Errors
/// `passkeys-unavailable`
pub fn site(app: &App) -> Result<RelyingParty, ApiError> {
    RelyingParty::of(app.config.issuer.as_str()).ok_or_else(|| errors::PASSKEYS_UNAVAILABLE.into())
}

/// The refusal as its sender hears it: what is wrong stands in the log.
pub fn refused(refusal: Refusal) -> ApiError {
    let code = if refusal == Refusal::Expired { errors::PASSKEY_LATE } else { errors::PASSKEY_REFUSED };
    ApiError::new(code).log(refusal.to_string())
}

/// A new challenge, which is worth nothing but for this.
///
/// # Errors
/// The random source failed.
pub fn challenge(app: &App, binding: &Binding) -> Result<String, ApiError> {
    let random = app.random.bytes()?;
    Ok(challenge::draw(app.ring.snapshot().mac_keys(), binding, random, app.clock.now()))
}

impl Question<'_> {
    fn binding(&self) -> Binding {
        let (browser, request) = (self.browser.hash(), self.request.as_bytes());
        match self.whose {
            None => Binding::new(Purpose::SignIn, &[&browser, request]),
            Some(user) => Binding::new(Purpose::Second, &[&browser, request, user.as_str().as_bytes()]),
        }
    }

    fn verification(&self) -> Verification {
        if self.whose.is_some() { Verification::Welcome } else { Verification::Required }
    }

    /// The question as the browser's script reads it; `None` if there are no passkeys here, or the person has none. Where nobody is
    /// known it says nothing about anybody, and asks the store nothing (LOG-05).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ask(&self, app: &App) -> Result<Option<Value>, ApiError> {
        let Ok(site) = site(app) else { return Ok(None) };
        let passkeys = match self.whose {
            None => Vec::new(),
            Some(user) => {
                let user = user.clone();
                let read = app.store.read(move |tx| {
                    let user = user.clone();
                    Box::pin(async move { passkeys::of_user(tx, &user).await })
                });
                let passkeys = read.await?;
                if passkeys.is_empty() {
                    return Ok(None);
                }
                passkeys
            }
        };
        let challenge = challenge(app, &self.binding())?;
        Ok(Some(options::get(&site, &passkeys, &challenge, self.verification())))
    }
}

/// Checks what a browser answers. A passkey that is not known, somebody else's or a disabled person's is answered as one whose signature is
/// wrong (LOG-05).
///
/// # Errors
/// `passkey-refused`, `passkey-late`
pub async fn check(app: &App, context: &Context, answer: &str, question: Question<'_>) -> Result<Recognised, ApiError> {
    let site = site(app)?;
    let answer: Credential<Assertion> =
        serde_json::from_str(answer).map_err(|_| refused(Refusal::Malformed("the answer")))?;
    let (ring, now) = (app.ring.snapshot(), app.clock.now());
    let asked = Asked { site: &site, keys: ring.mac_keys(), binding: &question.binding(), now };
    let heard = heard(asked, &answer).map_err(refused)?;
    let Some((passkey, user, head)) = find(app, &answer).await? else {
        return Err(fail(app, context, None, Refusal::Unknown).await?);
    };
    let stands = user.disabled_at.is_none() && (user.email_verified_at.is_some() || !app.config.mail.required);
    if !stands || question.whose.is_some_and(|whose| *whose != user.id) {
        return Err(fail(app, context, Some(&user), Refusal::Owner).await?);
    }
    let shown = match asserted(&site, (&answer, heard), &passkey.known, question.verification()) {
        Ok(shown) => shown,
        Err(Refusal::Count { stored, shown }) => {
            copied(app, context, &passkey, (stored, shown)).await?;
            return Err(refused(Refusal::Count { stored, shown }));
        }
        Err(refusal) => return Err(fail(app, context, Some(&user), refusal).await?),
    };
    app.limiter.give_back(context.address, now);
    let challenge = shown.challenge().clone();
    let used = Used::Passkey { factor: passkey.id, challenge, count: shown.count, backup: shown.backup };
    let shown = Shown::passkey(app, &user, used, question.device)?;
    let (auth_rsn, shared) = (rsn::of_sign_in(head, user.min_rsn), second_factor::shared(&user)?);
    Ok(Recognised { user, auth_rsn, shown, shared })
}

/// The passkey, its owner and the head of the log of one moment.
async fn find(app: &App, answer: &Credential<Assertion>) -> Result<Option<(Passkey, Credentials, Rsn)>, ApiError> {
    let Some(credential) = CredentialId::parse(&answer.id) else { return Ok(None) };
    let found = app.store.read(move |tx| {
        let credential = credential.clone();
        Box::pin(async move {
            let Some(passkey) = passkeys::find(tx, &credential).await? else { return Ok(None) };
            let state = users::sign_in_state_by_id(tx, &passkey.user).await?;
            Ok(state.user.map(|user| (passkey, user, state.head)))
        })
    });
    Ok(found.await?)
}

/// Notes a passkey that was not right; the answer to it.
async fn fail(
    app: &App,
    context: &Context,
    user: Option<&Credentials>,
    refusal: Refusal,
) -> Result<ApiError, ApiError> {
    app.metrics.signin("failure");
    let source = context.source(Source::ANONYMOUS);
    let event = AuditEvent::new(Event::LoginFail, app.clock.now(), &source, app.random.bytes()?);
    let event = event.with("reason", "passkey");
    let event = match user {
        Some(user) => event.user(user.id.as_str()),
        None => event,
    };
    let told = app.store.write(move |tx| {
        let event = event.clone();
        Box::pin(async move { audit::insert(tx, &event).await })
    });
    told.await?;
    Ok(refused(refusal))
}

/// Tells the owner that there is a copy of their passkey.
async fn copied(app: &App, context: &Context, passkey: &Passkey, (stored, shown): (u32, u32)) -> Result<(), ApiError> {
    app.metrics.signin("failure");
    let source = context.source(Source::ANONYMOUS);
    let event = AuditEvent::new(Event::PasskeyCopied, app.clock.now(), &source, app.random.bytes()?)
        .user(passkey.user.as_str())
        .with("factor", passkey.id.as_str())
        .with("stored", i64::from(stored))
        .with("shown", i64::from(shown));
    let (notice, user) = (mail::notice(app, context, Letter::PasskeyCopied, &passkey.name)?, passkey.user.clone());
    let told = app.store.write(move |tx| {
        let (event, notice, user) = (event.clone(), notice.clone(), user.clone());
        Box::pin(async move {
            mails::add(tx, &notice, &user, None).await?;
            audit::insert(tx, &event).await
        })
    });
    Ok(told.await?)
}
