//! One conversation with a mail server (RFC 5321), by lettre. Each step has its own time, and a mail counts as sent when the
//! server has said so after its last byte: whatever happens after that is nobody's concern.

use std::{fmt, future::Future, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};

use crate::{
    config::{self, Security},
    secret::PlainSecret,
};

/// Of the step after the last byte: servers look at a mail before they take it (RFC 5321, section 4.5.3.2.6).
const PATIENCE_AT_THE_END: u32 = 4;

/// A step of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The connection, its TLS if it begins with that, the greeting, EHLO.
    Connect,
    StartTls,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    /// After the last byte of the mail.
    End,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "at the connection",
            Self::StartTls => "at STARTTLS",
            Self::Auth => "at AUTH",
            Self::MailFrom => "at MAIL FROM",
            Self::RcptTo => "at RCPT TO",
            Self::Data => "at DATA",
            Self::End => "after the mail's last byte",
        })
    }
}

/// Why a server did not take a mail.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{stage}: {reason}")]
pub struct SmtpError {
    pub stage: Stage,
    pub reason: String,
    /// The server's word, and not a connection that broke or stalled.
    pub is_reply: bool,
    /// It will never take this mail.
    pub is_final: bool,
}

/// A mail server.
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Smtp {
    /// # Errors
    /// In words: the certificate cannot be read or is none.
    pub fn new(
        config: &config::Smtp,
        password: Option<&PlainSecret>,
        hello: &str,
        timeout: Duration,
    ) -> Result<Self, String> {
        let tls = match config.security {
            Security::Implicit | Security::StartTls => Some(tls(config)?),
            Security::Plain => None,
        };
        let user = config.user.clone();
        let credentials = user.zip(password).map(|(user, secret)| Credentials::new(user, secret.expose().to_owned()));
        let (host, port, security) = (config.host.clone(), config.port, config.security);
        Ok(Self { host, port, security, tls, credentials, hello: ClientId::Domain(hello.to_owned()), timeout })
    }

    /// For the operator.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens a conversation, as far as the server wants to know who speaks.
    ///
    /// # Errors
    /// [`SmtpError`]
    pub async fn connect(&self) -> Result<Conversation, SmtpError> {
        let implicit = self.tls.clone().filter(|_| self.security == Security::Implicit);
        let server = (self.host.as_str(), self.port);
        let connected = AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &self.hello, implicit, None);
        let mut connection = step(Stage::Connect, self.timeout, connected).await?;
        if let (Security::StartTls, Some(tls)) = (self.security, &self.tls) {
            step(Stage::StartTls, self.timeout, connection.starttls(tls.clone(), &self.hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
            step(Stage::Auth, self.timeout, connection.auth(MECHANISMS, credentials)).await?;
        }
        Ok(Conversation { connection, timeout: self.timeout })
    }
}

/// A server that listens.
#[expect(missing_debug_implementations, reason = "lettre's connection has none")]
pub struct Conversation {
    connection: AsyncSmtpConnection,
    timeout: Duration,
}

impl Conversation {
    /// Hands one mail over. `Ok` means that the server answers for it from here on.
    ///
    /// # Errors
    /// [`SmtpError`]; unless it is the server's word about this mail, the conversation is over.
    pub async fn send(&mut self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), SmtpError> {
        let parameters = self.parameters(from, to, mail)?;
        let timeout = self.timeout;
        let connection = &mut self.connection;
        step(Stage::MailFrom, timeout, connection.command(Mail::new(Some(from.clone()), parameters))).await?;
        step(Stage::RcptTo, timeout, connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        step(Stage::Data, timeout, connection.command(Data)).await?;
        step(Stage::End, timeout * PATIENCE_AT_THE_END, connection.message(mail)).await?;
        Ok(())
    }

    /// Says goodbye. What was taken was taken, whatever the server answers.
    pub async fn quit(mut self) {
        let _ = tokio::time::timeout(self.timeout, self.connection.quit()).await;
    }

    /// RFC 6531 for addresses, RFC 6152 for content that are not ASCII.
    fn parameters(&self, from: &Address, to: &Address, mail: &[u8]) -> Result<Vec<MailParameter>, SmtpError> {
        let mut parameters = Vec::new();
        let refuse = |reason: &str| SmtpError {
            stage: Stage::MailFrom,
            reason: reason.to_owned(),
            is_reply: true,
            is_final: true,
        };
        let server = self.connection.server_info();
        let plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !plain(from) || !plain(to) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(refuse("the server takes no addresses in other scripts (SMTPUTF8)"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(refuse("the server takes no mails in other scripts (8BITMIME)"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }
}

fn tls(config: &config::Smtp) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let unreadable = |error: &dyn fmt::Display| format!("mail.ca_file {}: {error}", path.display());
        let pem = std::fs::read(path).map_err(|error| unreadable(&error))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| unreadable(&error))?);
    }
    builder.build_rustls().map_err(|error| format!("no TLS for the mail server: {error}"))
}

async fn step<T>(
    stage: Stage,
    timeout: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, SmtpError> {
    match tokio::time::timeout(timeout, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(SmtpError {
            stage,
            reason: words(&error),
            is_reply: error.is_permanent() || error.is_transient(),
            // What is said about the recipient or the mail itself stays so. What is said about us, our operator can change.
            is_final: error.is_permanent() && matches!(stage, Stage::RcptTo | Stage::Data | Stage::End),
        }),
        Err(_) => {
            let reason = format!("no answer within {timeout:?}");
            Err(SmtpError { stage, reason, is_reply: false, is_final: false })
        }
    }
}

/// With the causes: the outer error says only that something failed.
fn words(error: &Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    words
}
