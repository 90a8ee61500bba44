//! How a verifier is told to check proofs.

use std::{fmt, time::Duration};

use countersign_jose::{
    b64,
    dpop::{Nonces, Target},
    limits::DEFAULT_PROOF_AGE,
};
use zeroize::Zeroizing;

use crate::builder::fetchable;

const MAX_KEPT: usize = 1_000_000;
const MAX_KEPT_OF_KEY: usize = 100_000;
const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// How proofs of possession are checked (RFC 9449): by which URL clients call this service, how old a proof may be, and how
/// many are remembered. For [`VerifierBuilder::dpop`](crate::VerifierBuilder::dpop).
///
/// ```
/// use countersign_verify::{Dpop, Verifier};
///
/// # fn build() -> Result<Verifier, countersign_verify::BuildError> {
/// Verifier::builder("https://id.example").audience("orders").dpop(Dpop::at("https://api.example/orders")).build()
/// # }
/// # build().unwrap();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Dpop {
    reach: Reach,
    pub(super) max_age: Duration,
    nonces: Option<Secret>,
    nonce_lifetime: Duration,
    pub(super) max_kept: usize,
    pub(super) max_kept_of_key: usize,
}

/// What makes the nonces; `None` if it was no such text.
#[derive(Clone)]
struct Secret(Option<Zeroizing<[u8; 32]>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where the URL that a client used is known from.
#[derive(Debug, Clone)]
enum Reach {
    /// One of these is in front of the request's own path.
    At(Vec<String>),
    /// What the proxy says.
    Forwarded,
}

impl Dpop {
    /// Clients call this service by this URL: its scheme and host, and a path if a proxy cuts one off. The path of each request is
    /// appended. Nothing that a request says about itself is believed.
    pub fn at(url: impl Into<String>) -> Self {
        Self::new(Reach::At(vec![url.into()]))
    }

    /// Another URL of the same service.
    pub fn or_at(mut self, url: impl Into<String>) -> Self {
        if let Reach::At(urls) = &mut self.reach {
            urls.push(url.into());
        }
        self
    }

    /// The URL is what `X-Forwarded-Proto` and `X-Forwarded-Host` say. Only behind a proxy that sets both itself, whatever the
    /// client sent, and where nobody reaches the service but through it: whoever can choose these headers can make a proof
    /// for one service pass at another of the same audience.
    pub fn forwarded() -> Self {
        Self::new(Reach::Forwarded)
    }

    fn new(reach: Reach) -> Self {
        let (max_kept, max_kept_of_key) = (MAX_KEPT, MAX_KEPT_OF_KEY);
        let (max_age, nonce_lifetime) = (DEFAULT_PROOF_AGE, NONCE_LIFETIME);
        Self { reach, max_age, nonces: None, nonce_lifetime, max_kept, max_kept_of_key }
    }

    /// How long ago a proof may have been made by the client's clock: 60 s by default. Not asked where there are nonces.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Every proof must carry a nonce of this service (RFC 9449 §9): then none can be made before it is needed, by somebody who
    /// has a client's key for a moment, and a client's clock may be wrong. Costs one refused request whenever a nonce ends. The
    /// secret, base64url of 32 bytes, makes the nonces; replicas of one service need the same.
    pub fn nonces(mut self, secret: impl AsRef<str>) -> Self {
        let bytes = b64::decode(secret.as_ref()).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        self.nonces = Some(Secret(key.map(Zeroizing::new)));
        self
    }

    /// How long a nonce is good: 5 minutes by default.
    pub fn nonce_lifetime(mut self, lifetime: Duration) -> Self {
        self.nonce_lifetime = lifetime;
        self
    }

    /// How many used proofs are remembered at most, about 40 bytes each: 1 million by default. Each is remembered for one to three
    /// times as long as a proof is good; when there is no room, requests with a proof are answered with 503.
    pub fn max_kept(mut self, proofs: usize) -> Self {
        self.max_kept = proofs.max(1);
        self
    }

    /// How many of these may be of one key, so that no client takes the room of the others: 100,000 by default.
    pub fn max_kept_of_key(mut self, proofs: usize) -> Self {
        self.max_kept_of_key = proofs.max(1);
        self
    }

    /// The URLs, checked.
    pub(super) fn targets(&self) -> Result<Vec<Target>, String> {
        let Reach::At(urls) = &self.reach else { return Ok(Vec::new()) };
        let target = |url: &String| {
            let refused = |reason: &str| format!("{url:?}: {reason}");
            fetchable(url).map_err(refused)?;
            Target::parse(url).filter(|_| !url.contains('?')).ok_or_else(|| refused("it must not have a query"))
        };
        urls.iter().map(target).collect()
    }

    /// What makes the nonces, checked.
    pub(super) fn made_nonces(&self) -> Result<Option<Nonces>, String> {
        let Some(Secret(key)) = &self.nonces else { return Ok(None) };
        let key = key.as_ref().ok_or("the secret of the nonces is not base64url of 32 bytes")?;
        Ok(Some(Nonces::new(key, self.nonce_lifetime)))
    }

    /// How long a proof can be used at the most, by a clock that is right.
    pub(super) fn good_for(&self) -> Duration {
        if self.nonces.is_some() { self.nonce_lifetime } else { self.max_age }
    }
}
