//! The verifier: one per service, shared by all its requests.

use std::sync::Arc;

use countersign_jose::{AccessClaims, Error, Policy, Unverified, Verified, profile::AccessToken};
use http::{HeaderMap, Method};

use crate::{
    builder::NeedsAudience,
    claims::{Claims, Requirement},
    clock::{Clock, Moment},
    http::credentials::{self, AccessCookie},
    keys::{FetchError, KeySource, KeyStatus, Keys},
    rejection::Rejection,
};

/// Checks the access tokens of one issuer for one service, in memory. Cheap to clone; clones share the keys.
///
/// ```no_run
/// # async fn run(token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use countersign_verify::Verifier;
///
/// let verifier = Verifier::builder("https://id.example").audience("orders").build()?;
/// let claims = verifier.verify_online(token).await?;
/// println!("{} may: {:?}", claims.sub, claims.roles);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) policy: Policy<AccessToken>,
    pub(crate) keys: KeySource,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) cookie: Option<AccessCookie>,
    pub(crate) clock: Clock,
}

/// Why [`Verifier::ready`] gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The issuer's keys could not be fetched.
    #[error(transparent)]
    Keys(#[from] FetchError),
}

impl Verifier {
    /// Starts with the issuer's URL, exactly as its tokens name it in `iss`. The audience comes next; without it there
    /// is no verifier.
    pub fn builder(issuer: impl Into<String>) -> NeedsAudience {
        NeedsAudience::new(issuer.into())
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Waits until tokens can be checked, or until one try to get there has failed. A service need not call it: without
    /// keys its requests are answered with 503 until there are some, and the tries go on in the background. Calls in a
    /// loop are paced by the back-off.
    ///
    /// # Errors
    /// [`ReadyError`]: what went wrong in that try.
    pub async fn ready(&self) -> Result<(), ReadyError> {
        Ok(self.0.keys.ready().await?)
    }

    /// Checks a token with what is in memory: no I/O, no lock, no waiting. What is missing is fetched in the background
    /// (where a Tokio runtime was ever seen), so a later call may succeed.
    ///
    /// # Errors
    /// [`Rejection`]. A key that the verifier does not have yet is [`Rejection::UnknownKey`].
    pub fn verify(&self, token: &str) -> Result<Claims, Rejection> {
        let now = self.0.clock.now();
        let unverified = self.0.parse(token)?;
        let keys = self.0.keys.find((&unverified).into(), now)?;
        self.0.judge(token, unverified, &keys, now)
    }

    /// As [`verify`](Self::verify), and if the verifier lacks the token's key, waits (2 s at most, unless the builder
    /// says otherwise) for the one fetch that may bring it. Layers and extractors use this one.
    ///
    /// # Errors
    /// [`Rejection`]. [`Rejection::UnknownKey`] means that the issuer was asked and has no such key; as long as it cannot
    /// be asked, [`Rejection::NotReady`].
    pub async fn verify_online(&self, token: &str) -> Result<Claims, Rejection> {
        let now = self.0.clock.now();
        let unverified = self.0.parse(token)?;
        let keys = self.0.keys.find_online((&unverified).into(), now).await?;
        // The wait may have been long enough for the token to expire.
        self.0.judge(token, unverified, &keys, self.0.clock.now())
    }

    /// Checks the token of a request: `Authorization: Bearer` (RFC 6750 §2.1), or the access cookie if the builder
    /// allows it. `Ok(None)`: the request carries none.
    ///
    /// # Errors
    /// [`Rejection`]; its [`response`](Rejection::response) is what the caller should hear.
    pub async fn verify_request(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Claims>, Rejection> {
        match credentials::find(method, headers, self.0.cookie.as_ref())? {
            Some(token) => self.verify_online(token).await.map(Some),
            None => Ok(None),
        }
    }

    /// The state of the keys, for a health page.
    pub fn status(&self) -> KeyStatus {
        self.0.keys.status()
    }
}

impl Inner {
    fn parse<'t>(&self, token: &'t str) -> Result<Unverified<'t>, Rejection> {
        self.policy.parse(token).map_err(|error| Rejection::of_token(error, String::new))
    }

    fn judge(&self, text: &str, token: Unverified<'_>, keys: &Keys, now: Moment) -> Result<Claims, Rejection> {
        let verified = match self.keys {
            KeySource::Remote(_) | KeySource::Given(_) => self.by_id(token, keys, now.unix_secs()),
            KeySource::Shared(_) => self.by_any(text, keys, now.unix_secs()),
        };
        let claims = Claims::new(verified.map_err(|error| Rejection::of_token(error, || keys.names()))?);
        self.requirements.iter().try_for_each(|requirement| requirement.check(&claims))?;
        Ok(claims)
    }

    fn by_id(&self, token: Unverified<'_>, keys: &Keys, now: i64) -> Result<Verified<AccessClaims>, Error> {
        let key = keys.set().pick(token.kid(), token.alg())?;
        self.policy.verify_with(key, token, now)
    }

    /// The first shared secret whose signature holds decides.
    fn by_any(&self, text: &str, keys: &Keys, now: i64) -> Result<Verified<AccessClaims>, Error> {
        let try_one = |key| self.policy.parse(text).and_then(|token| self.policy.verify_with(key, token, now));
        keys.set()
            .iter()
            .map(try_one)
            .find(|outcome| *outcome != Err(Error::Signature))
            .unwrap_or(Err(Error::Signature))
    }
}
