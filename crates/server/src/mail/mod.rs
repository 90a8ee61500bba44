//! Mails: what waits in the store is handed to a mail server, or written into a folder while there is none
//! (`store/mails.rs`). At least once; twice only if the server's word was lost, and then with the same `Message-ID`.

mod folder;
mod message;
pub mod smtp;
mod words;

use std::{
    fs,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lettre::Address;
use tracing::{info, warn};
use zeroize::Zeroizing;

use self::{
    message::{Opened, Sender},
    smtp::{Conversation, Smtp, SmtpError},
};
use crate::{
    app::App,
    clock::Stopwatch,
    config::{self, Config},
    domain::{
        audit::harmless,
        mail::RETRIES,
        mail_token::{MailToken, Purpose},
        time::Timestamp,
    },
    outbox,
    secret::PlainSecret,
    store::{
        StoreError,
        mails::{self, Mail},
        outbox::MAILS,
    },
};

/// How many mails one conversation carries at most.
const AT_ONCE: u32 = 32;
/// No mail is begun after this time in one conversation: what is left goes in the next.
const ONE_CONVERSATION: Duration = Duration::from_mins(5);
/// Of so many steps is the longest way of a mail: three to the server, three with it, and four times as long at its end.
const STEPS: u32 = 10;
/// How often the numbers for the metrics are read.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// What a sealed token is sealed for.
pub(crate) fn seal_context(id: &str) -> String {
    format!("mail|{id}")
}

/// Where mails go.
#[derive(Debug)]
enum Way {
    Server(Smtp),
    Folder(PathBuf),
}

/// Sends mails.
#[derive(Debug)]
pub struct Mailer {
    way: Way,
    known: Arc<Known>,
}

/// What is remembered across a reload.
#[derive(Debug, Default)]
struct Known {
    /// Taken by the server, and not noted as that yet: the database was away.
    taken: Mutex<Vec<String>>,
    counted: Mutex<Option<Timestamp>>,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, thiserror::Error)]
enum Unsent {
    #[error(transparent)]
    Server(#[from] SmtpError),
    #[error("the folder for mails: {0}")]
    Folder(String),
    /// Nobody will ever send it.
    #[error("{0}")]
    Hopeless(String),
    /// The conversation ended before it was this one's turn.
    #[error("{0}")]
    Untried(String),
}

impl Unsent {
    fn is_final(&self) -> bool {
        match self {
            Self::Server(error) => error.is_final,
            Self::Hopeless(_) => true,
            Self::Folder(_) | Self::Untried(_) => false,
        }
    }

    /// Whether the next mail may go better.
    fn is_about_this_mail(&self) -> bool {
        match self {
            Self::Server(error) => error.is_reply,
            Self::Hopeless(_) => true,
            Self::Folder(_) | Self::Untried(_) => false,
        }
    }
}

impl Mailer {
    /// Reads the password and the certificate.
    ///
    /// # Errors
    /// In words: one of them is missing.
    pub fn new(config: &Config) -> Result<Self, String> {
        let way = match &config.mail.smtp {
            None => Way::Folder(config.mail.folder.clone()),
            Some(server) => {
                let password = password(server)?;
                let hello = config.mail.from.email.domain();
                Way::Server(Smtp::new(server, password.as_ref(), hello, config.mail.timeout)?)
            }
        };
        Ok(Self { way, known: Arc::default() })
    }

    /// The same for another configuration.
    ///
    /// # Errors
    /// As [`Mailer::new`].
    pub fn renewed(&self, config: &Config) -> Result<Self, String> {
        Ok(Self { known: Arc::clone(&self.known), ..Self::new(config)? })
    }

    /// Speaks with the mail server, up to where a mail would begin; nothing without one.
    ///
    /// # Errors
    /// What it said, or why it was not reached.
    pub async fn try_server(&self) -> Result<(), String> {
        if let Way::Server(server) = &self.way {
            server.connect().await.map_err(|error| error.to_string())?.quit().await;
        }
        Ok(())
    }

    /// For the operator.
    pub fn name(&self) -> String {
        match &self.way {
            Way::Server(server) => server.name(),
            Way::Folder(folder) => folder.display().to_string(),
        }
    }

    /// Whether people get their mails.
    pub const fn has_server(&self) -> bool {
        matches!(self.way, Way::Server(_))
    }
}

fn password(server: &config::Smtp) -> Result<Option<PlainSecret>, String> {
    let text = match (&server.password_env, &server.password_file) {
        (Some(variable), _) => {
            std::env::var(variable).map_err(|_| format!("mail.password_env: the variable {variable} is not set"))?
        }
        (None, Some(path)) => fs::read_to_string(path)
            .map_err(|error| format!("mail.password_file {}: {error}", path.display()))?
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
        (None, None) if server.user.is_some() => {
            return Err("mail.smtp names a user; set mail.password_file or mail.password_env".to_owned());
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(PlainSecret::new(text)))
}

/// Sends until `stop`. What is under way then is sent after the next start.
pub async fn keep_sending(app: App, stop: impl Future<Output = ()>) {
    let turn = || {
        let app = app.newest();
        async move { round(&app).await }
    };
    outbox::keep("mails", stop, turn).await;
}

/// Sends what is due now; returns how many mails that were.
///
/// # Errors
/// Those of the store; what was taken and not noted as done is tried again.
pub async fn round(app: &App) -> Result<usize, StoreError> {
    note_taken(app).await?;
    let now = app.clock.now();
    if !app.store.read(move |tx| Box::pin(MAILS.is_due(tx, now))).await? {
        count(app, false).await?;
        return Ok(0);
    }
    // Nobody else tries them for as long as this may take.
    let lease = ONE_CONVERSATION + app.config.mail.timeout * (STEPS + 2);
    let due = app.store.write(move |tx| Box::pin(mails::take(tx, now, lease, AT_ONCE))).await?;
    let mut sending = Sending { app, watch: Stopwatch::start(), conversation: None, broken: None };
    for mail in &due {
        let sent = sending.send(mail, now).await;
        settle(app, mail, sent, now).await?;
    }
    if let Some(conversation) = sending.conversation {
        conversation.quit().await;
    }
    count(app, true).await?;
    Ok(due.len())
}

/// Notes what the server took while the database was away, before anything is tried again.
async fn note_taken(app: &App) -> Result<(), StoreError> {
    let taken = app.mailer.known.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for id in taken {
        let done = id.clone();
        let noted = app.store.write(move |tx| {
            let id = done.clone();
            Box::pin(async move { MAILS.done(tx, &id).await })
        });
        noted.await?;
        app.mailer.known.taken.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != id);
    }
    Ok(())
}

/// One round's way to the server.
struct Sending<'a> {
    app: &'a App,
    watch: Stopwatch,
    conversation: Option<Conversation>,
    /// Why nothing more is tried in this round.
    broken: Option<String>,
}

impl Sending<'_> {
    async fn send(&mut self, mail: &Mail, now: Timestamp) -> Result<(), Unsent> {
        if mail.expires_at <= now {
            return Err(Unsent::Hopeless("it was not taken in time".to_owned()));
        }
        if self.broken.is_none() && (self.app.is_draining() || self.watch.elapsed() > ONE_CONVERSATION) {
            self.broken = Some("it was not its turn yet".to_owned());
        }
        if let Some(why) = &self.broken {
            return Err(Unsent::Untried(why.clone()));
        }
        let sent = self.try_to_send(mail, now).await;
        if let Err(error) = &sent {
            // What a server says after an error is not always about the next command.
            self.conversation = None;
            if !error.is_about_this_mail() {
                self.broken = Some(error.to_string());
            }
        }
        sent
    }

    async fn try_to_send(&mut self, mail: &Mail, now: Timestamp) -> Result<(), Unsent> {
        let app = self.app;
        let to: Address = mail
            .address
            .parse()
            .map_err(|_| Unsent::Hopeless("its address is one that mail cannot have".to_owned()))?;
        let opened = link(app, mail).await?;
        let host = app.config.issuer.host();
        let from = &app.config.mail.from;
        let bytes =
            message::compose(Sender { from, host, now }, mail, &to, opened.as_ref()).map_err(Unsent::Hopeless)?;
        match &app.mailer.way {
            Way::Server(server) => {
                let conversation = match self.conversation.take() {
                    Some(conversation) => conversation,
                    None => server.connect().await.map_err(elsewhere)?,
                };
                self.conversation.insert(conversation).send(&from.email, &to, &bytes).await?;
            }
            Way::Folder(folder) => {
                let name = format!("{:016}-{}-{}", now.micros(), mail.letter.as_str(), mail.id);
                let path =
                    folder::write(folder, &name, bytes).await.map_err(|error| Unsent::Folder(error.to_string()))?;
                show(app, mail, &path.display().to_string(), opened.as_ref().map(|opened| opened.link.as_str()));
            }
        }
        Ok(())
    }
}

/// The server's word before it has heard of any mail is about none.
fn elsewhere(error: SmtpError) -> SmtpError {
    SmtpError { is_reply: false, is_final: false, ..error }
}

/// The link is for whoever develops on this machine; a log of a deployment never holds one (AUD-02).
fn show(app: &App, mail: &Mail, file: &str, link: Option<&str>) {
    let letter = mail.letter.as_str();
    match link.filter(|_| !app.config.issuer.is_https()) {
        Some(link) => info!(letter, file, link, "a mail was written, since no mail server is set (mail.smtp)"),
        None => info!(letter, file, "a mail was written, since no mail server is set (mail.smtp)"),
    }
}

async fn link(app: &App, mail: &Mail) -> Result<Option<Opened>, Unsent> {
    let (Some(purpose), Some(sealed)) = (mail.letter.purpose(), &mail.sealed) else { return Ok(None) };
    let unreadable = |why: String| Unsent::Hopeless(format!("its link cannot be read: {why}"));
    let opened = app.ring.provider().unseal(sealed, &seal_context(&mail.id)).await;
    let opened = opened.map_err(|error| unreadable(error.to_string()))?;
    let token = std::str::from_utf8(&opened).ok().and_then(MailToken::parse);
    let token = token.ok_or_else(|| unreadable("it is no token".to_owned()))?;
    let code = (purpose == Purpose::SignIn).then(|| Zeroizing::new(token.code().to_string()));
    Ok(Some(Opened { link: token.link(app.config.issuer.as_str(), purpose), code }))
}

async fn settle(app: &App, mail: &Mail, sent: Result<(), Unsent>, now: Timestamp) -> Result<(), StoreError> {
    let id = mail.id.clone();
    match sent {
        Ok(()) => {
            app.metrics.mail("delivered");
            app.mailer.known.taken.lock().unwrap_or_else(PoisonError::into_inner).push(id);
            note_taken(app).await
        }
        Err(Unsent::Untried(why)) => {
            // Its turn did not come: this was no attempt.
            let next = (now.plus(RETRIES.wait(1)), mail.attempts - 1);
            put_off(app, id, next, harmless(&why.replace(&mail.address, "…"))).await
        }
        Err(error) => {
            // An address is personal: neither the log nor the operator needs it.
            let problem = harmless(&error.to_string().replace(&mail.address, "…"));
            let (letter, attempt) = (mail.letter.as_str(), mail.attempts);
            let next = now.plus(RETRIES.wait(attempt));
            if error.is_final() || RETRIES.is_last(attempt) || next >= mail.expires_at {
                app.metrics.mail("dead");
                warn!(mail = id, letter, attempt, problem, "a mail was given up");
                let given_up = app.store.write(move |tx| {
                    let (id, problem) = (id.clone(), problem.clone());
                    Box::pin(async move { mails::give_up(tx, &id, &problem, now).await })
                });
                return given_up.await;
            }
            app.metrics.mail("retried");
            info!(mail = id, letter, attempt, problem, "a mail was not taken; trying again later");
            put_off(app, id, (next, attempt), problem).await
        }
    }
}

async fn put_off(app: &App, id: String, next: (Timestamp, i64), problem: String) -> Result<(), StoreError> {
    let put_off = app.store.write(move |tx| {
        let (id, problem) = (id.clone(), problem.clone());
        Box::pin(async move { mails::again(tx, &id, next, &problem).await })
    });
    put_off.await
}

/// Brings the metrics up to date, now and then.
async fn count(app: &App, changed: bool) -> Result<(), StoreError> {
    let now = app.clock.now();
    let last = *app.mailer.known.counted.lock().unwrap_or_else(PoisonError::into_inner);
    if !changed && last.is_some_and(|last| now.since(last) < COUNT_EVERY) {
        return Ok(());
    }
    let counts = app.store.read(|tx| Box::pin(mails::counts(tx))).await?;
    app.metrics.mails(counts.waiting, counts.dead);
    *app.mailer.known.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    Ok(())
}
