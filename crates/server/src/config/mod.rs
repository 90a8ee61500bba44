//! Configuration: flags > environment > file > default, understood as a whole, at the start and at each reload.

mod acme;
mod key_stores;
mod keys;
mod mail;
mod otel;
mod settings;
mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

pub use acme::Acme;
pub use key_stores::{KeyStores, Kms, Pkcs11, SecretPlace, Transit};
pub use keys::{Change, KEYS, Key, Kind};
pub use mail::{Mail, Security, Smtp};
pub use otel::Otel;
pub use settings::{Origin, Setting, Settings, shown};
pub use tls::Tls;
use url::Url;

use crate::{
    domain::{audience_id::AudienceId, key_store::KeyPlace, language::Language, network::Network, scope::Scope},
    secret::PlainSecret,
};

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("unknown configuration key `{name}` ({origin}); did you mean `{nearest}`?")]
    Unknown { name: String, origin: Origin, nearest: &'static str },
    #[error("cannot read {path}: {reason}")]
    File { path: String, reason: String },
    #[error("`{name}` = `{value}` ({origin}): {reason}")]
    Value { name: &'static str, value: String, origin: Origin, reason: String },
}

impl ConfigError {
    fn unknown(name: &str, origin: &Origin) -> Self {
        let by_distance = |key: &&Key| strsim::osa_distance(key.name, name);
        let nearest = KEYS.iter().min_by_key(by_distance).map_or("issuer", |key| key.name);
        Self::Unknown { name: name.to_owned(), origin: origin.clone(), nearest }
    }
}

/// The issuer's public URL, without a trailing slash: the value of `iss`, the origin of its pages and cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host with its port, as people know it.
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or(self.as_str(), |(_, host)| host)
    }

    /// Browsers may send cookies with the prefix `__Host-` only over HTTPS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

/// Which database.
#[derive(Debug, Clone)]
pub enum Database {
    /// `countersign.db` in the data folder.
    Sqlite,
    Postgres {
        /// May hold a password.
        url: PlainSecret,
        pool: usize,
    },
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    Open,
    Closed,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Refresh tokens and sessions (sessions.md).
#[derive(Debug, Clone)]
pub struct Refresh {
    pub grace: Duration,
    pub idle: Duration,
    pub absolute: Duration,
}

/// Clients that register themselves.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Whether they may, with an initial access token.
    pub registration: bool,
    /// What they may ask for at most.
    pub scopes: Scope,
    pub audience: AudienceId,
}

/// How long what is over can still be looked at.
#[derive(Debug, Clone)]
pub struct Retention {
    pub sessions: Duration,
    pub deletion: Duration,
    pub audit: Duration,
}

/// Proofs of possession (RFC 9449).
#[derive(Debug, Clone)]
pub struct Dpop {
    /// Whether every proof needs a nonce.
    pub nonce: bool,
    pub nonce_ttl: Duration,
    pub max_age: Duration,
}

/// argon2id and its threads.
#[derive(Debug, Clone)]
pub struct Passwords {
    pub min_length: usize,
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// 0: one less than the machine has cores, at least 1.
    pub workers: usize,
    pub queue: usize,
}

/// How much anybody may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub account_free: u32,
    pub address_per_minute: u32,
    pub global_per_second: u32,
    pub connections: usize,
    pub connections_per_address: usize,
}

/// Who may read the revocation feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedAccess {
    Open,
    /// Clients that authenticate with a secret.
    Client,
}

/// The revocation feed's readers.
#[derive(Debug, Clone)]
pub struct Feed {
    pub access: FeedAccess,
    pub readers: usize,
    pub readers_per_address: usize,
    pub anchors_per_minute: u32,
}

/// Where the key-encryption key is, and when signing keys change.
#[derive(Debug, Clone)]
pub struct Keys {
    /// What guards the key-encryption key.
    pub place: KeyPlace,
    /// Tokens are signed in that store, by keys that never leave it.
    pub sign_there: bool,
    pub stores: KeyStores,
    pub kek_file: Option<PathBuf>,
    pub kek_env: Option<String>,
    pub rotate_every: Duration,
    pub publish_for: Duration,
    pub wait_for_verifiers: Duration,
}

/// Everything the server needs to know, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub issuer: Issuer,
    pub listen: SocketAddr,
    /// How long requests are still taken after the order to stop.
    pub drain_for: Duration,
    pub data: PathBuf,
    pub database: Database,
    /// Of pages and mails, for whoever has chosen none.
    pub language: Language,
    pub registration: Registration,
    /// Whether people may have a code sent to their address in place of typing their password.
    pub sign_in_by_mail: bool,
    pub clients: Clients,
    pub access_token_ttl: Duration,
    pub access_token_ttl_cap: Duration,
    pub refresh: Refresh,
    pub retention: Retention,
    /// Where the high-water mark is, if not in the data folder.
    pub mark_file: Option<PathBuf>,
    pub dpop: Dpop,
    pub passwords: Passwords,
    pub limits: Limits,
    pub feed: Feed,
    pub keys: Keys,
    pub mail: Mail,
    /// Networks inside that may be called for a client.
    pub outbound_allow: Vec<Network>,
    /// `None`: plain HTTP; a proxy ends TLS, or nobody comes from outside.
    pub tls: Option<Tls>,
    /// The certificate is fetched and renewed by the server itself; `tls` is none then.
    pub acme: Option<Acme>,
    pub trusted_proxies: Vec<IpAddr>,
    pub metrics_listen: Option<SocketAddr>,
    pub otel: Option<Otel>,
    pub log_level: String,
    pub log_format: LogFormat,
}

impl Config {
    /// Understands the settings.
    ///
    /// # Errors
    /// The first value that is malformed, out of its range, or unsafe, with where it came from.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let read = Reader(settings);
        let listen = read.parsed::<SocketAddr>("listen", "an address and a port, such as 127.0.0.1:8080")?;
        let config = Self {
            issuer: read.issuer(listen)?,
            listen,
            drain_for: read.duration("drain_for", Duration::ZERO..=Duration::from_mins(10))?,
            data: PathBuf::from(read.text("data")),
            database: read.database()?,
            sign_in_by_mail: read.choice("sign_in_by_mail", &[("off", false), ("on", true)])?,
            language: read.choice("language", &Language::ALL.map(|language| (language.as_str(), language)))?,
            registration: read
                .choice("registration", &[("open", Registration::Open), ("closed", Registration::Closed)])?,
            clients: Clients {
                registration: read.choice("clients.registration", &[("off", false), ("token", true)])?,
                scopes: read
                    .list::<String>("clients.scopes", "scopes")?
                    .join(" ")
                    .parse()
                    .map_err(|_| read.refuse("clients.scopes", "are no scopes"))?,
                audience: AudienceId::parse(read.text("clients.audience"))
                    .map_err(|error| read.refuse("clients.audience", error.to_string()))?,
            },
            access_token_ttl: read.duration("access_token_ttl", SECOND..=DAY)?,
            access_token_ttl_cap: read.duration("access_token_ttl_cap", SECOND..=DAY)?,
            refresh: Refresh {
                grace: read.duration("refresh.grace", Duration::ZERO..=Duration::from_mins(1))?,
                idle: read.duration("refresh.idle", MINUTE..=YEARS)?,
                absolute: read.duration("refresh.absolute", MINUTE..=YEARS)?,
            },
            retention: Retention {
                sessions: read.duration("retention.sessions", MINUTE..=YEARS)?,
                deletion: read.duration("retention.deletion", MINUTE..=YEARS)?,
                audit: read.duration("retention.audit", MINUTE..=YEARS)?,
            },
            mark_file: Some(read.text("mark_file")).filter(|text| !text.is_empty()).map(PathBuf::from),
            dpop: Dpop {
                nonce: read.choice("dpop.nonce", &[("off", false), ("required", true)])?,
                nonce_ttl: read.duration("dpop.nonce_ttl", Duration::from_secs(10)..=Duration::from_hours(1))?,
                max_age: read.duration("dpop.max_age", SECOND..=Duration::from_mins(10))?,
            },
            passwords: read.passwords()?,
            limits: read.limits()?,
            feed: read.feed(listen)?,
            keys: read.keys()?,
            mail: read.mail(listen)?,
            outbound_allow: read.list("outbound.allow", "networks such as 10.1.0.0/16, or addresses,")?,
            tls: read.tls(listen)?,
            acme: read.acme(listen)?,
            trusted_proxies: read.list("trusted_proxies", "IP addresses")?,
            metrics_listen: read.optional("metrics.listen", "an address and a port, such as 127.0.0.1:9090")?,
            otel: read.otel()?,
            log_level: read.text("log.level").to_owned(),
            log_format: read.choice("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
        };
        if config.access_token_ttl > config.access_token_ttl_cap {
            return Err(read.refuse("access_token_ttl", "is longer than access_token_ttl_cap"));
        }
        Ok(config)
    }

    pub(crate) fn refuse_log_level(&self, reason: &str) -> ConfigError {
        let reason = format!("is not a log level: {reason}");
        ConfigError::Value { name: "log.level", value: self.log_level.clone(), origin: Origin::Default, reason }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const YEARS: Duration = Duration::from_hours(24 * 365 * 5);

struct Reader<'a>(&'a Settings);

impl Reader<'_> {
    fn text(&self, name: &'static str) -> &str {
        self.0.setting(name).value.trim()
    }

    fn refuse(&self, name: &'static str, reason: impl Into<String>) -> ConfigError {
        let setting = self.0.setting(name);
        let value = keys::find(name).map_or_else(String::new, |key| shown(key, setting));
        ConfigError::Value { name, value, origin: setting.origin.clone(), reason: reason.into() }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str, wanted: &str) -> Result<T, ConfigError> {
        self.text(name).parse().map_err(|_| self.refuse(name, format!("is not {wanted}")))
    }

    fn optional<T: std::str::FromStr>(&self, name: &'static str, wanted: &str) -> Result<Option<T>, ConfigError> {
        if self.text(name).is_empty() { Ok(None) } else { self.parsed(name, wanted).map(Some) }
    }

    fn list<T: std::str::FromStr>(&self, name: &'static str, wanted: &str) -> Result<Vec<T>, ConfigError> {
        let items = self.text(name).split(',').map(str::trim).filter(|item| !item.is_empty());
        let parse = |item: &str| item.parse().map_err(|_| self.refuse(name, format!("`{item}`: {wanted} are wanted")));
        items.map(parse).collect()
    }

    fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let found = choices.iter().find(|(word, _)| *word == self.text(name));
        let words = || choices.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" or ");
        found.map(|(_, value)| *value).ok_or_else(|| self.refuse(name, format!("must be {}", words())))
    }

    fn number<T>(&self, name: &'static str, range: std::ops::RangeInclusive<T>) -> Result<T, ConfigError>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let value = self.parsed(name, "a whole number")?;
        if range.contains(&value) {
            return Ok(value);
        }
        Err(self.refuse(name, format!("must be between {} and {}", range.start(), range.end())))
    }

    fn duration(&self, name: &'static str, range: std::ops::RangeInclusive<Duration>) -> Result<Duration, ConfigError> {
        let value = humantime::parse_duration(self.text(name))
            .map_err(|_| self.refuse(name, "is not a duration such as 10s, 15m or 90d"))?;
        if range.contains(&value) {
            return Ok(value);
        }
        let shown = |bound: &Duration| humantime::format_duration(*bound).to_string();
        Err(self.refuse(name, format!("must be between {} and {}", shown(range.start()), shown(range.end()))))
    }

    fn issuer(&self, listen: SocketAddr) -> Result<Issuer, ConfigError> {
        let text = match self.text("issuer") {
            "" => format!("http://localhost:{}", listen.port()),
            text => text.to_owned(),
        };
        let refuse = |reason: &str| self.refuse("issuer", reason);
        let url = Url::parse(&text).map_err(|_| refuse("is not a URL such as https://id.example.com"))?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(refuse("has no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(refuse("plain http is allowed on localhost only; use https")),
            _ => return Err(refuse("must begin with https://")),
        }
        // `Origin` values and `iss` are compared byte by byte, so only one spelling is accepted.
        let origin = url.origin().ascii_serialization();
        if text.trim_end_matches('/') != origin {
            return Err(refuse(&format!("must be an origin without path, query or user, in lower case: {origin}")));
        }
        Ok(Issuer(origin))
    }

    fn database(&self) -> Result<Database, ConfigError> {
        match self.text("database") {
            "" => Ok(Database::Sqlite),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => Ok(Database::Postgres {
                url: PlainSecret::new(url.to_owned()),
                pool: self.number("database_pool", 2..=1000)?,
            }),
            _ => Err(self.refuse("database", "must begin with postgres:// or be empty")),
        }
    }

    fn passwords(&self) -> Result<Passwords, ConfigError> {
        Ok(Passwords {
            min_length: self.number("password.min_length", 15..=64)?,
            memory_kib: self.number("password.memory_kib", 7168..=1_048_576)?,
            iterations: self.number("password.iterations", 1..=20)?,
            parallelism: self.number("password.parallelism", 1..=16)?,
            workers: self.number("password.workers", 0..=256)?,
            queue: self.number("password.queue", 1..=100_000)?,
        })
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        Ok(Limits {
            account_free: self.number("limits.account_free", 1..=100)?,
            address_per_minute: self.number("limits.address_per_minute", 1..=1_000_000_000)?,
            global_per_second: self.number("limits.global_per_second", 1..=1_000_000_000)?,
            connections: self.number("limits.connections", 16..=1_000_000)?,
            connections_per_address: self.number("limits.connections_per_address", 1..=1_000_000)?,
        })
    }

    fn feed(&self, listen: SocketAddr) -> Result<Feed, ConfigError> {
        // Whoever knows a user's id sees in the feed that it was signed out everywhere: not for strangers.
        let auto = match self.issuer(listen)?.is_https() || !listen.ip().is_loopback() {
            true => FeedAccess::Client,
            false => FeedAccess::Open,
        };
        let choices = [("auto", auto), ("open", FeedAccess::Open), ("client", FeedAccess::Client)];
        Ok(Feed {
            access: self.choice("feed.access", &choices)?,
            readers: self.number("feed.readers", 1..=1_000_000)?,
            readers_per_address: self.number("feed.readers_per_address", 1..=1_000_000)?,
            anchors_per_minute: self.number("feed.anchors_per_minute", 1..=1_000_000_000)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(flags: &[(&str, &str)]) -> Result<Config, String> {
        let flags: Vec<_> = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(Some(std::path::Path::new("/dev/null")), std::iter::empty(), &flags);
        settings.and_then(|settings| Config::new(&settings)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_configured_is_a_loopback_issuer_with_sqlite() {
        let config = config(&[]).unwrap();
        assert_eq!(config.issuer.as_str(), "http://localhost:8080");
        assert!(matches!(config.database, Database::Sqlite));
        assert_eq!(config.refresh.grace, Duration::from_secs(10));
    }

    #[test]
    fn the_default_issuer_follows_the_port() {
        assert_eq!(config(&[("listen", "127.0.0.1:9000")]).unwrap().issuer.as_str(), "http://localhost:9000");
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = config(&[("refresh.grase", "1s")]).unwrap_err();
        assert_eq!(error, "unknown configuration key `refresh.grase` (flag); did you mean `refresh.grace`?");
    }

    #[test]
    fn unsafe_issuers_are_refused() {
        for issuer in
            ["http://id.example", "https://id.example/path", "https://u@id.example", "HTTPS://id.example", "x"]
        {
            assert!(config(&[("issuer", issuer)]).is_err(), "{issuer}");
        }
        for issuer in ["https://id.example", "https://id.example:8443", "http://127.0.0.1:1", "http://id.localhost:1"] {
            assert_eq!(config(&[("issuer", issuer)]).unwrap().issuer.as_str(), issuer);
        }
    }

    #[test]
    fn the_environment_beats_the_file_and_a_flag_beats_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "access_token_ttl = \"5m\"\n[refresh]\ngrace = \"1s\"\nidle = \"1d\"\n").unwrap();
        let variables =
            [("COUNTERSIGN_REFRESH_GRACE".to_owned(), "2s".to_owned()), ("HOME".to_owned(), "/".to_owned())];
        let flags = [("refresh.idle".to_owned(), "2d".to_owned())];
        let settings = Settings::load(Some(file.path()), variables.into_iter(), &flags).unwrap();
        let config = Config::new(&settings).unwrap();
        assert_eq!(config.access_token_ttl, Duration::from_mins(5));
        assert_eq!(config.refresh.grace, Duration::from_secs(2));
        assert_eq!(config.refresh.idle, Duration::from_hours(48));
        let origins: Vec<_> = settings.iter().filter(|(key, _)| key.name == "refresh.grace").collect();
        assert_eq!(origins[0].1.origin.to_string(), "environment COUNTERSIGN_REFRESH_GRACE");
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_within_its_bounds_or_is_refused_by_name(
            text in prop_oneof![".{0,40}", "[0-9.+-]{1,25} ?[a-zµ]{0,8}", "([0-9]{1,20} ?(ns|us|ms|s|m|h|d|w|M|y) ?){1,4}"],
        ) {
            match config(&[("refresh.grace", &text)]) {
                Ok(config) => prop_assert!(config.refresh.grace <= MINUTE),
                Err(error) => prop_assert!(error.contains("refresh.grace"), "{}", error),
            }
        }

        #[test]
        fn a_duration_is_as_long_as_it_says(number in 0..3_000_u64, unit in 0..4_usize) {
            let (name, seconds) = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)][unit];
            let wanted = Duration::from_secs(number * seconds);
            match config(&[("refresh.idle", &format!("{number}{name}"))]) {
                Ok(config) => prop_assert_eq!(config.refresh.idle, wanted),
                Err(_) => prop_assert!(!(MINUTE..=YEARS).contains(&wanted)),
            }
        }
    }

    // ADM-06
    #[test]
    fn a_database_password_is_never_shown() {
        let error = config(&[("database", "mysql://u:hunter2@h/db")]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
