//! How a verifier is set up. Everything that can be wrong with a configuration is said here, not at the first token.

mod address;
mod checks;
mod error;
mod keys;
mod revocations;

use std::time::Duration;

use countersign_jose::{self as jose, JwkSet, VerifyingKey, jwe::Decryptor};

pub(crate) use address::fetchable;
use address::{Part, usable};
pub use error::BuildError;
use revocations::Log;

use crate::{
    cache::TokenCache,
    claims::Requirement,
    clock::Clock,
    dpop::{Dpop, Gate},
    feed::Credentials,
    http::credentials::AccessCookie,
    introspect::Introspector,
    keys::{Limits, Teller},
    revocation::{Lease, Profile},
    verifier::{Inner, Verifier},
};

const LEEWAY: Duration = Duration::from_secs(10);
/// The issuer's own default cap (`access_token_ttl_cap`).
const MAX_LIFETIME: Duration = Duration::from_secs(3_600);
const COOLDOWN: Duration = Duration::from_secs(30);
const MAX_STALE: Duration = Duration::from_secs(24 * 3_600);
const MAX_WAIT: Duration = Duration::from_secs(2);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ENTRIES: usize = 2_000_000;
const CACHED_TOKENS: usize = 100_000;

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
            decryptor: None,
        }
    }
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
    decryptor: Option<Decryptor>,
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
        let (teller, told) = Teller::new();
        let following = self.following(lease, site.as_ref(), told)?;
        let introspector = site
            .filter(|site| site.credentials.is_some())
            .map(|site| Introspector::new(site, clock.clone(), self.limits.max_wait));
        let cache = (self.cached_tokens > 0).then(|| TokenCache::new(self.cached_tokens));
        let dpop = self.dpop.as_ref().map(Gate::new).transpose()?;
        let decryptor = self.decryptor.take();
        let keys = self.key_source(teller)?;
        let inner =
            Inner { policy, keys, requirements, cookie, clock, following, cache, introspector, dpop, decryptor };
        Ok(Verifier::new(inner, lease))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::FetchError;

    fn build(issuer: &str) -> Result<Verifier, BuildError> {
        Verifier::builder(issuer).audience("orders").build()
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
