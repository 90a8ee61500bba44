//! What handlers put into mails. The link of a mail is sealed before the transaction that may queue it begins, so that it costs
//! the same whoever asks, and whether there is an account or not (LOG-05).

use countersign_jose::b64;

use super::{TENANT, context::Context, error::ApiError};
use crate::{
    app::App,
    domain::{
        assurance::Level,
        email::EmailKey,
        known_device,
        language::Language,
        limits::{AccountLimit, account_key},
        mail::Letter,
        mail_token::{MailToken, Purpose},
        time::{Timestamp, retry_after_secs},
    },
    errors,
    mail::seal_context,
    store::{
        StoreError, Tx,
        invitations::{self, Invitation},
        login_limits::{self, Attempt},
        mail_tokens::{self, NewToken, Standing},
        mails::{self, NewMail},
    },
};

/// A link that a mail will carry, if there is one to send.
#[derive(Debug, Clone)]
pub struct Link {
    mail: String,
    token: MailToken,
    sealed: Vec<u8>,
    language: Language,
    now: Timestamp,
}

impl Link {
    /// In the language of the request that it answers, unless whoever gets it has chosen one.
    ///
    /// # Errors
    /// The random source or the key provider failed.
    pub async fn new(app: &App, context: &Context) -> Result<Self, ApiError> {
        let (mail, token) = (mail_id(app)?, MailToken::new(&app.random.bytes()?));
        let sealed = app.ring.provider().seal(token.expose().as_bytes(), &seal_context(&mail)).await;
        let sealed = sealed.map_err(|error| ApiError::new(errors::INTERNAL).log(error.to_string()))?;
        let language = context.language(app.config.language);
        Ok(Self { mail, token, sealed, language, now: app.clock.now() })
    }

    pub const fn token(&self) -> &MailToken {
        &self.token
    }

    /// Queues it for whoever has the account, if there is one, and it may have another link; then that user's id. It goes to
    /// `address`, or to the account's own. The statements are the same in every case.
    ///
    /// # Errors
    /// As any statement.
    pub async fn send(
        &self,
        tx: &mut Tx,
        letter: Letter,
        account: &EmailKey,
        address: Option<&str>,
    ) -> Result<Option<String>, StoreError> {
        let Some(purpose) = letter.purpose() else { return Ok(None) };
        let (id, now) = (self.token.id(purpose), self.now);
        let token = NewToken { id, purpose, tenant: TENANT, account, address, now };
        let user = mail_tokens::issue(tx, &token).await?;
        let mail = self.new_mail(letter, String::new());
        mails::add_link(tx, &mail, &self.sealed, &id).await?;
        Ok(user)
    }
}

impl Link {
    /// Queues it for whoever is invited, and keeps the invitation that it opens.
    ///
    /// # Errors
    /// As any statement.
    pub async fn invite(&self, tx: &mut Tx, invitation: &Invitation) -> Result<(), StoreError> {
        let name = invitation.organisation_name.clone();
        let mail = self.new_mail(Letter::Invitation, name);
        let to = (&*invitation.address, &*invitation.email_key, invitation.expires_at);
        mails::add_for_address(tx, &mail, &self.sealed, to).await?;
        invitations::insert(tx, &self.token.id(Purpose::Invite), invitation).await
    }

    fn new_mail(&self, letter: Letter, detail: String) -> NewMail {
        NewMail { id: self.mail.clone(), letter, language: self.language, detail, now: self.now }
    }
}

/// A mail without a link, about what this request does; in its language, unless whoever gets it has chosen one.
///
/// # Errors
/// The random source failed.
pub fn notice(app: &App, context: &Context, letter: Letter, detail: &str) -> Result<NewMail, ApiError> {
    let language = context.language(app.config.language);
    Ok(NewMail { id: mail_id(app)?, letter, language, detail: detail.to_owned(), now: app.clock.now() })
}

/// What mails to an address are counted under, whoever asks for them.
pub fn counted(to: &EmailKey) -> String {
    account_key("mail", to.as_str())
}

/// The same for mails to sign in with: a device that has signed in to the account before is counted apart, so that no stranger
/// keeps its owner waiting (LOG-06).
pub fn counted_for(app: &App, to: &EmailKey, device: Option<&str>) -> String {
    let shared = account_key(TENANT, to.as_str());
    let known = known_device::counted_as(app.ring.snapshot().mac_keys(), &shared, device, Level::One);
    if known == shared { counted(to) } else { account_key("mail", &known) }
}

/// Counts a mail that somebody wants sent: the first few go at once, the next must wait, ever longer. Some: how long.
///
/// # Errors
/// As any statement.
pub async fn count(tx: &mut Tx, limit: AccountLimit, key: &str, now: Timestamp) -> Result<Option<u64>, StoreError> {
    Ok(match login_limits::count(tx, key, limit, now).await? {
        Attempt::Counted { .. } => None,
        Attempt::TooEarly { retry_after } => Some(retry_after_secs(retry_after)),
    })
}

/// Forgets how many mails were sent: their reader has used one.
///
/// # Errors
/// As any statement.
pub async fn forgive(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    login_limits::reset(tx, key).await.map(drop)
}

/// Finds what a link was about, without using it: mail programs follow links, too (LOG-09).
///
/// # Errors
/// `mail-link-invalid`
pub async fn look(app: &App, purpose: Purpose, typed: &str) -> Result<(MailToken, Standing), ApiError> {
    let token = MailToken::parse(typed).ok_or(errors::MAIL_LINK_INVALID)?;
    let (id, now) = (token.id(purpose), app.clock.now());
    let found = app.store.read(move |tx| Box::pin(async move { mail_tokens::find(tx, &id, purpose, now).await }));
    Ok((token, found.await?.ok_or(errors::MAIL_LINK_INVALID)?))
}

/// 429 for whoever had too many mails sent.
pub fn too_many(retry_after: u64) -> ApiError {
    ApiError::new(errors::TOO_MANY_ATTEMPTS).log("too many mails to one address").retry_after(retry_after)
}

fn mail_id(app: &App) -> Result<String, ApiError> {
    Ok(b64::encode(app.random.bytes::<16>()?))
}
