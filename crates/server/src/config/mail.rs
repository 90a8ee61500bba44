//! How mails are sent.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use lettre::{Address, message::Mailbox};
use url::{Host, Url};

use super::{ConfigError, Reader};
use crate::domain::network::is_localhost;

/// How mails are sent, and what that means for those who sign in.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `None`: mails are written into the folder.
    pub smtp: Option<Smtp>,
    pub folder: PathBuf,
    pub from: Mailbox,
    /// For each step of the conversation with the server.
    pub timeout: Duration,
    /// Nobody signs in with a password before their address is verified.
    pub required: bool,
}

/// A mail server that takes our mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub security: Security,
    pub password_file: Option<PathBuf>,
    pub password_env: Option<String>,
    /// A certificate authority besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// How the connection is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// TLS by STARTTLS, or not at all.
    StartTls,
    /// Not at all: the server is this machine.
    Plain,
}

impl Reader<'_> {
    pub(super) fn mail(&self, listen: SocketAddr) -> Result<Mail, ConfigError> {
        let smtp = self.smtp()?;
        let folder = match self.text("mail.folder") {
            "" => PathBuf::from(self.text("data")).join("mails"),
            folder => PathBuf::from(folder),
        };
        let auto = smtp.is_some();
        Ok(Mail {
            folder,
            from: self.sender(listen)?,
            timeout: self.duration("mail.timeout", Duration::from_secs(1)..=Duration::from_mins(10))?,
            required: self.choice("mail.verification", &[("auto", auto), ("required", true), ("optional", false)])?,
            smtp,
        })
    }

    fn smtp(&self) -> Result<Option<Smtp>, ConfigError> {
        const NAME: &str = "mail.smtp";
        if self.text(NAME).is_empty() {
            return Ok(None);
        }
        let refuse = |reason: &str| self.refuse(NAME, reason);
        let url = Url::parse(self.text(NAME)).map_err(|_| refuse("is not a URL such as smtps://user@host:465"))?;
        if url.password().is_some() {
            return Err(refuse("holds a password; put it into a file (mail.password_file), or set mail.password_env"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refuse("has no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let required = match url.query() {
            None => false,
            Some("tls=required") => true,
            Some(_) => return Err(refuse("has a query; only ?tls=required is known")),
        };
        let (security, port) = match url.scheme() {
            "smtps" => (Security::Implicit, 465),
            "smtp" if required || !is_this_machine(&host) => (Security::StartTls, 587),
            "smtp" => (Security::Plain, 25),
            _ => return Err(refuse("must begin with smtps:// or smtp://")),
        };
        if !matches!(url.path(), "" | "/") {
            return Err(refuse("has a path"));
        }
        let path = |name| Some(self.text(name)).filter(|text| !text.is_empty());
        let user = percent_decoded(url.username()).ok_or_else(|| refuse("has a user that is not UTF-8"))?;
        Ok(Some(Smtp {
            host,
            port: url.port().unwrap_or(port),
            user: Some(user).filter(|user| !user.is_empty()),
            security,
            password_file: path("mail.password_file").map(PathBuf::from),
            password_env: path("mail.password_env").map(str::to_owned),
            ca_file: path("mail.ca_file").map(PathBuf::from),
        }))
    }

    fn sender(&self, listen: SocketAddr) -> Result<Mailbox, ConfigError> {
        const NAME: &str = "mail.from";
        let text = self.text(NAME);
        if !text.is_empty() {
            return text.parse().map_err(|_| self.refuse(NAME, "is not an address such as no-reply@example.com"));
        }
        let issuer = self.issuer(listen)?;
        let host = Url::parse(issuer.as_str()).ok().and_then(|url| match url.host() {
            Some(Host::Domain(name)) => Some(name.to_owned()),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => None,
        });
        let address = Address::new("no-reply", host.unwrap_or_else(|| "localhost".to_owned()));
        let address = address.map_err(|_| self.refuse(NAME, "must be set: the issuer's host has no mailboxes"))?;
        Ok(Mailbox::new(None, address))
    }
}

fn is_this_machine(host: &str) -> bool {
    is_localhost(host) || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The user of a URL as it was meant: `ada%40example.com` is an address.
fn percent_decoded(user: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Origin, Settings};

    fn mail(pairs: &[(&str, &str)]) -> Result<Mail, String> {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.set(name, (*value).to_owned(), Origin::Flag).unwrap();
        }
        Config::new(&settings).map(|config| config.mail).map_err(|error| error.to_string())
    }

    fn smtp(url: &str) -> Result<Smtp, String> {
        mail(&[("mail.smtp", url)]).map(|mail| mail.smtp.unwrap())
    }

    #[test]
    fn without_a_server_mails_go_into_a_folder_and_nobody_has_to_verify() {
        let mail = mail(&[("data", "/d")]).unwrap();
        assert!(mail.smtp.is_none() && !mail.required);
        assert_eq!(mail.folder, PathBuf::from("/d/mails"));
        assert_eq!(mail.from.to_string(), "no-reply@localhost");
    }

    #[test]
    fn a_server_makes_verified_addresses_the_rule() {
        let with = |more: &[(&str, &str)]| {
            let pairs: Vec<_> = [("mail.smtp", "smtps://mx.example"), ("issuer", "https://id.example")]
                .into_iter()
                .chain(more.iter().copied())
                .collect();
            mail(&pairs).unwrap()
        };
        assert!(with(&[]).required);
        assert!(!with(&[("mail.verification", "optional")]).required);
        assert_eq!(with(&[]).from.to_string(), "no-reply@id.example");
        assert_eq!(with(&[("mail.from", "Ex <a@b.example>")]).from.to_string(), "Ex <a@b.example>");
        assert!(mail(&[("mail.verification", "required")]).unwrap().required);
    }

    #[test]
    fn a_server_elsewhere_is_never_spoken_to_in_the_clear() {
        let far = smtp("smtp://ada%40example.com@mx.example").unwrap();
        assert_eq!((far.security, far.port, far.user.as_deref()), (Security::StartTls, 587, Some("ada@example.com")));
        let implicit = smtp("smtps://mx.example").unwrap();
        assert_eq!((implicit.security, implicit.port, implicit.user), (Security::Implicit, 465, None));
        for near in ["smtp://localhost:2525", "smtp://127.0.0.1:2525", "smtp://[::1]:2525"] {
            assert_eq!(smtp(near).unwrap().security, Security::Plain, "{near}");
        }
        assert_eq!(smtp("smtp://localhost:2525?tls=required").unwrap().security, Security::StartTls);
        assert_eq!(smtp("smtp://[2001:db8::1]").unwrap().security, Security::StartTls);
    }

    // ADM-06
    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = smtp("smtps://ada:hunter2@mx.example").unwrap_err();
        assert!(error.contains("mail.password_file") && !error.contains("hunter2"), "{error}");
        for bad in
            ["mx.example:25", "http://mx.example", "smtp://", "smtps://mx.example/x", "smtps://mx.example?tls=none"]
        {
            assert!(smtp(bad).is_err(), "{bad}");
        }
    }
}
