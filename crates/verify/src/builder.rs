//! How a verifier is set up. Everything that can be wrong with a configuration is said here, not at the first token.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_jose::{self as jose, Algorithm, JwkSet, VerifyingKey, profile::AccessToken};
use http::Uri;
use url::{Host, Url};
use zeroize::Zeroizing;

#[cfg(feature = "test-issuer")]
use crate::test_issuer::TestFeed;
use crate::{
    cache::TokenCache,
    claims::Requirement,
    clock::Clock,
    dpop::{Dpop, Gate},
    feed::{Credentials, Follower, HttpTransport, Runner, Settings, Site},
    following::{Following, Source},
    http::credentials::AccessCookie,
    introspect::Introspector,
    keys::{Address, FetchError, KeySource, Limits},
    net,
    random::Random,
    revocation::{Lease, Profile, Revocations, micros},
    verifier::{Inner, Verifier},
};

const LEEWAY: Duration = Duration::from_secs(10);
/// The issuer's own default cap (`access_token_ttl_cap`).
const MAX_LIFETIME: Duration = Duration::from_secs(3_600);
const COOLDOWN: Duration = Duration::from_secs(30);
const SHORTEST_COOLDOWN: Duration = Duration::from_secs(1);
const MAX_STALE: Duration = Duration::from_secs(24 * 3_600);
const MAX_WAIT: Duration = Duration::from_secs(2);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ENTRIES: usize = 2_000_000;
const SMALLEST_MAX_ENTRIES: usize = 16;
const CACHED_TOKENS: usize = 100_000;

/// Why a verifier could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is no `https` URL without query and fragment (RFC 8414 §2); plain `http` is for loopback only.
    #[error("the issuer {url:?} is not usable: {reason}")]
    Issuer {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of the keys is not usable; the same rules apply, a query is allowed.
    #[error("the address of the keys {url:?} is not usable: {reason}")]
    JwksUri {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of the issuer's metadata is not usable; the same rules apply.
    #[error("the address of the metadata {url:?} is not usable: {reason}")]
    MetadataUri {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of the revocation feed is not usable; the same rules apply.
    #[error("the address of the revocation feed {url:?} is not usable: {reason}")]
    FeedUri {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An empty audience would match nothing.
    #[error("the audience is empty")]
    Audience,
    /// More than one of [`jwks_uri`](VerifierBuilder::jwks_uri), [`keys`](VerifierBuilder::keys) and
    /// [`shared_secret`](VerifierBuilder::shared_secret): one verifier has one source of keys.
    #[error("keys from two sources; choose one of jwks_uri(), keys() and shared_secret()")]
    TwoKeySources,
    /// None of the given keys is usable.
    #[error("the given keys are not usable: {0}")]
    Keys(FetchError),
    /// A shared secret is no base64url, shorter than 32 bytes, or itself a key file.
    #[error("the shared secret is not usable: {0}")]
    Secret(jose::Error),
    /// The settings of proofs cannot work.
    #[error("dpop() is not usable: {reason}")]
    Dpop {
        /// What is wrong with them.
        reason: String,
    },
    /// Not an X.509 certificate in DER.
    #[error("the root certificate is not usable: {0}")]
    RootCertificate(String),
}

/// A verifier that still needs its audience.
#[derive(Debug)]
#[must_use]
pub struct NeedsAudience {
    issuer: String,
}

impl NeedsAudience {
    pub(crate) fn new(issuer: String) -> Self {
        Self { issuer }
    }

    /// This service's name, as `aud` must contain it, to the letter (RFC 9068 §4).
    pub fn audience(self, audience: impl Into<String>) -> VerifierBuilder {
        VerifierBuilder {
            issuer: self.issuer,
            audiences: vec![audience.into()],
            jwks_uri: None,
            keys: None,
            secrets: Vec::new(),
            extra_roots: Vec::new(),
            leeway: LEEWAY,
            max_lifetime: MAX_LIFETIME,
            requirements: Vec::new(),
            cookie: false,
            clock: Clock::system(),
            fetch_timeout: FETCH_TIMEOUT,
            limits: Limits { cooldown: COOLDOWN, max_stale: MAX_STALE, max_wait: MAX_WAIT },
            log: Log::default(),
            profile: Profile::default(),
            metadata_uri: None,
            feed_uri: None,
            credentials: None,
            max_entries: MAX_ENTRIES,
            cached_tokens: CACHED_TOKENS,
            dpop: None,
        }
    }
}

/// Whether the verifier follows the revocation log, and whose.
#[derive(Debug, Default)]
enum Log {
    #[default]
    Issuer,
    Without,
    #[cfg(feature = "test-issuer")]
    Test(Arc<TestFeed>),
}

/// A verifier in the making. Every setting has a safe default.
#[derive(Debug)]
#[must_use]
pub struct VerifierBuilder {
    issuer: String,
    audiences: Vec<String>,
    jwks_uri: Option<String>,
    keys: Option<JwkSet>,
    secrets: Vec<Result<VerifyingKey, jose::Error>>,
    extra_roots: Vec<Vec<u8>>,
    leeway: Duration,
    max_lifetime: Duration,
    requirements: Vec<Requirement>,
    cookie: bool,
    clock: Clock,
    fetch_timeout: Duration,
    limits: Limits,
    log: Log,
    profile: Profile,
    metadata_uri: Option<String>,
    feed_uri: Option<String>,
    credentials: Option<Credentials>,
    max_entries: usize,
    cached_tokens: usize,
    dpop: Option<Dpop>,
}

/// What is checked.
impl VerifierBuilder {
    /// Another name of this service; one of its names in `aud` is enough.
    pub fn or_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The difference between clocks that is forgiven: 10 s by default, 60 s at most; a longer one is lowered to that
    /// (TOK-15).
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The longest life (`exp` − `iat`) of a token that is accepted: 1 h by default, the issuer's own default cap.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// A scope, or several separated by spaces, that every token needs.
    pub fn require_scope(mut self, scope: impl Into<String>) -> Self {
        self.requirements.push(Requirement::Scope(scope.into()));
        self
    }

    /// A role that the owner of every token needs.
    pub fn require_role(mut self, role: impl Into<String>) -> Self {
        self.requirements.push(Requirement::AnyRole(vec![role.into()]));
        self
    }

    /// Takes the token from the issuer's access cookie, too (`__Host-access`; `access` for a plain-HTTP loopback
    /// issuer): for a service behind the same host as the issuer. Requests that change state must then come from the
    /// issuer's origin, which the browser tells by `Origin` or `Sec-Fetch-Site`.
    pub fn accept_cookie(mut self) -> Self {
        self.cookie = true;
        self
    }

    /// Takes tokens that are bound to a key, too, with a proof by that key in each request (`Authorization: DPoP`, RFC 9449).
    /// Without this they are refused, and so they are as bearer tokens in any case.
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// Where the time comes from; a test sets it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

/// Where the keys come from: by default `{issuer}/.well-known/jwks.json`, kept fresh in the background.
impl VerifierBuilder {
    /// Another address of the issuer's JWK set; `https`, or plain `http` on loopback.
    pub fn jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.jwks_uri = Some(uri.into());
        self
    }

    /// Fixed public keys; they are not fetched, and a rotation needs a new verifier.
    pub fn keys(mut self, keys: JwkSet) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The secret that the issuer shares with this audience alone (HS256): the text that `countersign audience add`
    /// showed once, base64url of at least 32 bytes. Call it twice while one secret replaces another. Nothing is fetched.
    pub fn shared_secret(mut self, secret: impl AsRef<str>) -> Self {
        let key = jose::b64::decode(secret.as_ref()).map(Zeroizing::new);
        self.secrets.push(key.and_then(|bytes| VerifyingKey::hmac(Algorithm::HS256, "shared", &bytes)));
        self
    }

    /// A certificate authority (X.509, DER) to trust beside Mozilla's: a company's own, for example.
    pub fn root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// How long one fetch may take, from name resolution to the last byte: 5 s by default.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// The pause between two fetches that unknown key ids may cause: 30 s by default, 1 s at least.
    pub fn refetch_cooldown(mut self, cooldown: Duration) -> Self {
        self.limits.cooldown = cooldown.max(SHORTEST_COOLDOWN);
        self
    }

    /// How long keys are used while the issuer cannot be reached, before the verifier answers
    /// [`NotReady`](crate::Rejection::NotReady): 24 h by default. A key that the issuer removes is refused within the
    /// `max-age` of its key set (5 min by default) while it can be reached, and within this time if it cannot.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.limits.max_stale = max_stale;
        self
    }

    /// How long [`verify_online`](Verifier::verify_online) waits for a fetch: 2 s by default.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.limits.max_wait = max_wait;
        self
    }
}

/// How revocations reach the verifier: from the feed that the issuer's metadata names, followed in the background.
impl VerifierBuilder {
    /// How long the service goes on with what it knows when it does not hear from the issuer:
    /// [`Profile::Balanced`], 10 s, by default. See also [`Verifier::with_profile`].
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Does without revocations: a token is accepted until it expires, whatever happens to its session, its user or its
    /// key. For issuers that have no revocation feed.
    pub fn without_revocation(mut self) -> Self {
        self.log = Log::Without;
        self
    }

    /// This service's own client at the issuer: to read the feed, where it is not open to everybody, and to ask about
    /// single tokens (RFC 7662) while the view of the log is too old. Sent in `Authorization: Basic`.
    pub fn client_credentials(mut self, client_id: impl AsRef<str>, secret: impl AsRef<str>) -> Self {
        self.credentials = Some(Credentials::new(client_id.as_ref(), secret.as_ref()));
        self
    }

    /// Another address of the issuer's metadata (RFC 8414), which names the feed; by default
    /// `{issuer}/.well-known/openid-configuration`. It must name the same `issuer` all the same.
    pub fn metadata_uri(mut self, uri: impl Into<String>) -> Self {
        self.metadata_uri = Some(uri.into());
        self
    }

    /// Reads the feed somewhere else than the metadata says: from a relay near this service. The relay needs no trust, since
    /// every line is signed with the keys that the issuer's own metadata names.
    pub fn revocation_feed(mut self, uri: impl Into<String>) -> Self {
        self.feed_uri = Some(uri.into());
        self
    }

    /// How many revocations are held at most: 2 million by default, about 80 bytes each. Beyond that the oldest are
    /// dropped, and every token that is older than they are is refused instead: correct, and its client refreshes.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries.max(SMALLEST_MAX_ENTRIES);
        self
    }

    /// About how many verified tokens are remembered, so that their signatures are not checked at each request: 100,000
    /// by default, with about 2 KiB each; the table grows as it is needed. Whether a token is revoked, expired or stale is
    /// asked at each request all the same. 0: none.
    pub fn cached_tokens(mut self, tokens: usize) -> Self {
        self.cached_tokens = tokens;
        self
    }

    #[cfg(feature = "test-issuer")]
    pub(crate) fn test_feed(mut self, feed: Arc<TestFeed>) -> Self {
        self.log = Log::Test(feed);
        self
    }
}

impl VerifierBuilder {
    /// The verifier. Does not wait for the issuer: inside a Tokio runtime the first fetch starts in the background,
    /// elsewhere with the first use in one. An issuer that is down does not stop the service from starting.
    ///
    /// # Errors
    /// [`BuildError`]: the configuration cannot work.
    pub fn build(mut self) -> Result<Verifier, BuildError> {
        let issuer = usable(&self.issuer, Part::Issuer)
            .map_err(|reason| BuildError::Issuer { url: self.issuer.clone(), reason })?;
        if self.audiences.iter().any(String::is_empty) {
            return Err(BuildError::Audience);
        }
        let cookie = self.cookie.then(|| AccessCookie::of_issuer(&issuer));
        let lease = Lease::from(self.profile);
        let policy = self.policy();
        let (clock, requirements) = (self.clock.clone(), self.requirements.clone());
        let site = self.site()?;
        let following = self.following(lease, site.as_ref())?;
        let introspector = site
            .filter(|site| site.credentials.is_some())
            .map(|site| Introspector::new(site, clock.clone(), self.limits.max_wait));
        let cache = (self.cached_tokens > 0).then(|| TokenCache::new(self.cached_tokens));
        let dpop = self.dpop.as_ref().map(Gate::new).transpose()?;
        let keys = self.key_source()?;
        let inner = Inner { policy, keys, requirements, cookie, clock, following, cache, introspector, dpop };
        Ok(Verifier::new(inner, lease))
    }

    /// Where the issuer's feed is found, if it is followed.
    fn site(&mut self) -> Result<Option<Arc<Site>>, BuildError> {
        if !matches!(self.log, Log::Issuer) {
            return Ok(None);
        }
        let default = || format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let text = self.metadata_uri.take().unwrap_or_else(default);
        let metadata = fetchable(&text).map_err(|reason| BuildError::MetadataUri { url: text, reason })?;
        let feed = self.feed_uri.take().map(|url| match fetchable(&url) {
            Ok(uri) => Ok(uri),
            Err(reason) => Err(BuildError::FeedUri { url, reason }),
        });
        let client = net::client(self.fetch_timeout, &self.extra_roots)
            .map_err(|error| BuildError::RootCertificate(error.to_string()))?;
        Ok(Some(Arc::new(Site {
            issuer: self.issuer.clone(),
            client,
            metadata,
            feed: feed.transpose()?,
            credentials: self.credentials.take(),
            timeout: self.fetch_timeout,
            found: Mutex::default(),
        })))
    }

    fn following(&mut self, lease: Lease, site: Option<&Arc<Site>>) -> Result<Option<Following>, BuildError> {
        let revocations = Arc::new(Revocations::new(self.max_entries));
        let source = match (std::mem::take(&mut self.log), site) {
            #[cfg(feature = "test-issuer")]
            (Log::Test(feed), _) => Source::Test(feed),
            (Log::Issuer, Some(site)) => {
                let settings = Arc::new(Settings {
                    revocations: Arc::clone(&revocations),
                    clock: self.clock.clone(),
                    random: Random::System,
                    tightest: micros(lease.bound).unsigned_abs().into(),
                    nudge: tokio::sync::Notify::new(),
                });
                let transport = HttpTransport::new(Arc::clone(site));
                let follower = Follower::new(transport, Arc::clone(&settings), &self.issuer);
                Source::Issuer(Runner::new(follower, settings))
            }
            (Log::Without | Log::Issuer, _) => return Ok(None),
        };
        Ok(Some(Following { revocations, source, issuer: self.issuer.clone(), bound: lease.bound }))
    }

    fn policy(&self) -> jose::Policy<AccessToken> {
        let mut names = self.audiences.iter();
        let first = names.next().cloned().unwrap_or_default();
        let builder = jose::Verifier::<AccessToken>::builder().issuer(&self.issuer).audience(first);
        names
            .fold(builder, jose::verifier::Builder::or_audience)
            .leeway(self.leeway)
            .max_lifetime(self.max_lifetime)
            .policy()
    }

    fn key_source(self) -> Result<KeySource, BuildError> {
        match (self.keys, self.jwks_uri, self.secrets.is_empty()) {
            (Some(keys), None, true) => KeySource::given(&keys).map_err(BuildError::Keys),
            (None, None, false) => {
                let secrets: Result<_, _> = self.secrets.into_iter().collect();
                Ok(KeySource::shared(secrets.map_err(BuildError::Secret)?))
            }
            (None, given, true) => {
                let text =
                    given.unwrap_or_else(|| format!("{}/.well-known/jwks.json", self.issuer.trim_end_matches('/')));
                let uri = fetchable(&text).map_err(|reason| BuildError::JwksUri { url: text, reason })?;
                let address = Address { uri, timeout: self.fetch_timeout, extra_roots: self.extra_roots };
                KeySource::remote(address, self.clock, self.limits)
                    .map_err(|error| BuildError::RootCertificate(error.to_string()))
            }
            _ => Err(BuildError::TwoKeySources),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Issuer,
    JwksUri,
}

pub(crate) fn fetchable(text: &str) -> Result<Uri, &'static str> {
    usable(text, Part::JwksUri)?.as_str().parse().map_err(|_| "not a URL that HTTP can carry")
}

fn usable(text: &str, part: Part) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "not an absolute URL")?;
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => {}
        ("http", Some(host)) if is_loopback(&host) => {}
        ("http", _) => return Err("plain http is for loopback only"),
        _ => return Err("it must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not contain a user name or a password");
    }
    if url.fragment().is_some() {
        return Err("it must not have a fragment");
    }
    if part == Part::Issuer && url.query().is_some() {
        return Err("it must not have a query");
    }
    Ok(url)
}

/// By name or by address; `localhost` is loopback by RFC 6761 §6.3.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(issuer: &str) -> Result<Verifier, BuildError> {
        Verifier::builder(issuer).audience("orders").build()
    }

    // KEY-07: https only, except loopback
    #[test]
    fn an_issuer_is_https_or_loopback() {
        for good in [
            "https://id.example",
            "https://id.example/",
            "https://id.example/tenant/a",
            "https://10.0.0.7:8443",
            "http://localhost:8080",
            "http://id.localhost",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert!(build(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.example",
            "http://id.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://10.0.0.7",
            "ftp://id.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://user:pw@id.example",
            "https://id.example?x=1",
            "https://id.example#x",
        ] {
            assert!(matches!(build(bad), Err(BuildError::Issuer { .. })), "{bad}");
        }
    }

    #[test]
    fn the_address_of_the_keys_follows_the_same_rules() {
        let with = |uri: &str| Verifier::builder("https://id.example").audience("orders").jwks_uri(uri).build();
        assert!(with("https://keys.example/set?tenant=1").is_ok());
        assert!(with("http://127.0.0.1:1/jwks").is_ok());
        assert!(matches!(with("http://keys.example/set"), Err(BuildError::JwksUri { .. })));
        let start = || Verifier::builder("https://id.example").audience("orders").profile(Profile::Strict);
        let metadata = start().metadata_uri("http://id.example/metadata").build();
        assert!(matches!(metadata, Err(BuildError::MetadataUri { .. })));
        assert!(matches!(start().revocation_feed("ftp://relay").build(), Err(BuildError::FeedUri { .. })));
        assert!(start().revocation_feed("https://relay.internal/revocations/0").build().is_ok());
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let start = || Verifier::builder("https://id.example").audience("orders");
        assert_eq!(Verifier::builder("https://id.example").audience("").build().err(), Some(BuildError::Audience));
        assert_eq!(start().or_audience("").build().err(), Some(BuildError::Audience));
        let two = start().shared_secret(jose::b64::encode([7; 32])).jwks_uri("https://id.example/keys").build();
        assert_eq!(two.err(), Some(BuildError::TwoKeySources));
        assert!(matches!(start().root_certificate(*b"no certificate").build(), Err(BuildError::RootCertificate(_))));
        // TOK-04
        for bad in [jose::b64::encode([7; 31]), "not base64!".repeat(8), String::new()] {
            assert!(matches!(start().shared_secret(&bad).build(), Err(BuildError::Secret(_))), "{bad}");
        }
        let empty = JwkSet::parse(br#"{"keys":[]}"#).expect("an empty set");
        assert!(matches!(start().keys(empty).build(), Err(BuildError::Keys(FetchError::NoUsableKey { skipped: 0 }))));
    }

    #[test]
    fn building_needs_no_runtime_and_no_issuer() {
        let verifier = build("http://127.0.0.1:1").expect("lazy");
        assert!(!verifier.status().ready);
    }
}
