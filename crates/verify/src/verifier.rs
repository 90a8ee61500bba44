//! The verifier: one per service, shared by all its requests.

use std::{borrow::Cow, sync::Arc, time::Duration};

use countersign_jose::{AccessClaims, Error, Policy, Unverified, Verified, jwe::Decryptor, profile::AccessToken};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tokio::sync::broadcast;

use crate::{
    builder::NeedsAudience,
    cache::TokenCache,
    claims::{Checked, Claims, Requirement},
    clock::{Clock, Moment},
    dpop::{self, Asked, DpopFault, Gate},
    following::Following,
    guard,
    http::credentials::{self, AccessCookie, Scheme},
    introspect::Introspector,
    keys::{FetchError, KeySource, KeyStatus, Keys},
    rejection::Rejection,
    revocation::{Guard, Lease, Profile, RevocationEvent, RevocationStatus, Standing, State},
};

/// Checks the access tokens of one issuer for one service, in memory. Cheap to clone; clones share keys and revocations.
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
pub struct Verifier {
    inner: Arc<Inner>,
    lease: Lease,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) policy: Policy<AccessToken>,
    pub(crate) keys: KeySource,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) cookie: Option<AccessCookie>,
    pub(crate) clock: Clock,
    /// `None`: the verifier was told to do without.
    pub(crate) following: Option<Following>,
    pub(crate) cache: Option<TokenCache>,
    pub(crate) introspector: Option<Introspector>,
    /// `None`: no proofs are taken.
    pub(crate) dpop: Option<Gate>,
    /// `None`: encrypted tokens are not for this service.
    pub(crate) decryptor: Option<Decryptor>,
}

/// Why [`Verifier::ready`] gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The issuer's keys could not be fetched.
    #[error(transparent)]
    Keys(#[from] FetchError),
    /// The issuer's revocation feed could not be followed.
    #[error("{0}")]
    Revocations(String),
}

impl Verifier {
    /// Starts with the issuer's URL, exactly as its tokens name it in `iss`. The audience comes next; without it there
    /// is no verifier.
    pub fn builder(issuer: impl Into<String>) -> NeedsAudience {
        NeedsAudience::new(issuer.into())
    }

    pub(crate) fn new(inner: Inner, lease: Lease) -> Self {
        Self { inner: Arc::new(inner), lease }
    }

    /// This verifier with another profile, for some of a service's routes: keys, revocations and cache are shared.
    ///
    /// ```
    /// # let issuer = countersign_verify::TestIssuer::new("https://id.test");
    /// # let verifier = issuer.verifier();
    /// use countersign_verify::{Profile, VerifyLayer};
    ///
    /// let payments = VerifyLayer::new(verifier.with_profile(Profile::Strict));
    /// let everything_else = VerifyLayer::new(verifier);
    /// ```
    #[must_use]
    pub fn with_profile(&self, profile: Profile) -> Self {
        self.with_lease(profile.into())
    }

    /// This verifier with a tighter bound on the age of its view of the revocation log. It may only tighten, and what is
    /// older is refused even with [`Profile::Available`].
    #[must_use]
    pub fn fresh_within(&self, bound: Duration) -> Self {
        self.with_lease(self.lease.within(bound))
    }

    fn with_lease(&self, lease: Lease) -> Self {
        if let Some(following) = &self.inner.following {
            following.tighten(lease.bound);
        }
        Self { inner: Arc::clone(&self.inner), lease }
    }

    /// Waits until tokens can be checked, or until one try to get there has failed. A service need not call it: without
    /// keys and revocations its requests are answered with 503 until there are some, and the tries go on in the
    /// background. Calls in a loop are paced by the back-off.
    ///
    /// # Errors
    /// [`ReadyError`]: what went wrong in that try.
    pub async fn ready(&self) -> Result<(), ReadyError> {
        self.inner.keys.ready().await?;
        let Some(following) = &self.inner.following else { return Ok(()) };
        following.start();
        following.look(self.inner.clock.now());
        following.revocations.ready().await.map_err(ReadyError::Revocations)
    }

    /// Checks a token with what is in memory: no I/O, no lock, no waiting. What is missing is fetched in the background
    /// (where a Tokio runtime was ever seen), so a later call may succeed.
    ///
    /// # Errors
    /// [`Rejection`]. A key that the verifier does not have yet is [`Rejection::UnknownKey`]; a view of the revocation
    /// log that is older than the profile allows, [`Rejection::Stale`]. A token that is bound to a key is
    /// [`Rejection::Dpop`]: only [`verify_request`](Self::verify_request) takes one.
    pub fn verify(&self, token: &str) -> Result<Claims, Rejection> {
        let claims = self.at_once(token)?;
        dpop::as_bearer(&claims)?;
        Ok(claims)
    }

    #[inline]
    fn at_once(&self, token: &str) -> Result<Claims, Rejection> {
        let now = self.inner.clock.now();
        let token = &*self.inner.opened(token)?;
        if let Some(outcome) = self.inner.cached(token, now, self.lease) {
            return outcome;
        }
        if let Some(outcome) = self.inner.recognised(token, now, self.lease) {
            return outcome;
        }
        let unverified = self.inner.parse(token)?;
        self.inner.refuse_killed(unverified.kid(), now)?;
        let keys = self.inner.keys.find((&unverified).into(), now)?;
        self.inner.judge(token, unverified, &keys, (now, self.lease))
    }

    /// As [`verify`](Self::verify), and waits for the issuer where that helps, 2 s at most unless the builder says
    /// otherwise: for the one fetch that may bring an unknown key, and, while the view of the revocation log is too old,
    /// for the issuer's own word on the token (RFC 7662, if the builder has
    /// [`client_credentials`](crate::VerifierBuilder::client_credentials)). Layers and extractors use this one.
    ///
    /// # Errors
    /// [`Rejection`]. [`Rejection::UnknownKey`] means that the issuer was asked and has no such key; as long as it cannot
    /// be asked, [`Rejection::NotReady`].
    pub async fn verify_online(&self, token: &str) -> Result<Claims, Rejection> {
        let claims = self.online(token).await?;
        dpop::as_bearer(&claims)?;
        Ok(claims)
    }

    /// Whoever presents it: the callers ask what the token asks of its bearer.
    async fn online(&self, token: &str) -> Result<Claims, Rejection> {
        // The issuer is asked about what is inside as well: what is around it was made for this service alone.
        let token = &*self.inner.opened(token)?;
        match self.inner.verify_waiting(token, self.lease).await {
            Err(stale @ Rejection::Stale { .. }) => self.ask_issuer(token, stale).await,
            outcome => outcome,
        }
    }

    /// Everything but the revocation of the token is known to be good.
    async fn ask_issuer(&self, token: &str, stale: Rejection) -> Result<Claims, Rejection> {
        let Some(introspector) = &self.inner.introspector else { return Err(stale) };
        match introspector.is_active(token).await {
            // Revoked wins: what is known here may be newer than what the issuer's answer was when it left.
            Some(true) => self.inner.verify_waiting(token, self.lease.known()).await,
            Some(false) => Err(Rejection::Inactive),
            None => Err(stale),
        }
    }

    /// Checks the token of a request: `Authorization: Bearer` (RFC 6750 §2.1), the access cookie if the builder allows it, or
    /// `Authorization: DPoP` with a proof (RFC 9449 §7.1) if the builder has [`dpop`](crate::VerifierBuilder::dpop).
    /// `Ok(None)`: the request carries none. The URI is the request's own, with its whole path.
    ///
    /// # Errors
    /// [`Rejection`]; its [`response_to`](Rejection::response_to) is what the caller should hear.
    pub async fn verify_request(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Claims>, Rejection> {
        let Some(presented) = credentials::find(method, headers, self.inner.cookie.as_ref())? else { return Ok(None) };
        match presented.scheme {
            Scheme::Bearer => self.verify_online(presented.token).await.map(Some),
            Scheme::Dpop => self.verify_bound(presented.token, Asked { method, uri, headers }).await.map(Some),
        }
    }

    /// Each check of the proof follows those of the token, so that a stranger without a token cannot make this service verify
    /// signatures or remember anything.
    async fn verify_bound(&self, token: &str, asked: Asked<'_>) -> Result<Claims, Rejection> {
        let Some(gate) = &self.inner.dpop else { return Err(Rejection::Dpop(DpopFault::NotAccepted)) };
        let claims = self.online(token).await?;
        let key = dpop::bound_to(&claims)?;
        let now = self.inner.clock.now();
        gate.check(asked, (token, key), (now, self.inner.secs(now))).map_err(Rejection::Dpop)?;
        Ok(claims)
    }

    /// Whether proofs are taken.
    pub(crate) fn takes_proofs(&self) -> bool {
        self.inner.dpop.is_some()
    }

    /// The nonce that the answer to a request with a proof hands out, where there are nonces.
    pub(crate) fn next_nonce(&self) -> Option<HeaderValue> {
        self.inner.dpop.as_ref()?.next_nonce(self.inner.clock.now())
    }

    /// Waits until a token that was accepted dies: it is revoked, it expires, or the verifier's view grows too old to
    /// tell. For whatever outlives its request: a WebSocket, a stream, a long job. The answer says why.
    ///
    /// ```
    /// # async fn serve(verifier: countersign_verify::Verifier, claims: countersign_verify::Claims) {
    /// # async fn messages() {}
    /// tokio::select! {
    ///     () = messages() => {}
    ///     why = verifier.guard(&claims) => println!("closed: {why}"),
    /// }
    /// # }
    /// ```
    pub fn guard(&self, claims: &Claims) -> impl Future<Output = Rejection> + Send + use<> {
        guard::death(Arc::clone(&self.inner), Arc::clone(claims.checked()), self.lease)
    }

    /// The state of the keys, for a health page.
    pub fn status(&self) -> KeyStatus {
        self.inner.keys.status()
    }

    /// The state of the revocations, for a health page or a metric; `None` if the verifier does without.
    pub fn revocation_status(&self) -> Option<RevocationStatus> {
        let now = self.inner.clock.now();
        let following = self.inner.following.as_ref()?;
        following.look(now);
        Some(following.revocations.status(now, following.bound))
    }

    /// What happens to the view of the revocation log from now on; `None` if the verifier does without. Whoever reads too
    /// slowly misses the oldest events.
    pub fn events(&self) -> Option<broadcast::Receiver<RevocationEvent>> {
        Some(self.inner.following.as_ref()?.revocations.events())
    }
}

/// A signed token has two dots, an encrypted one four.
fn is_encrypted(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').nth(2).is_some()
}

impl Inner {
    /// The signed token inside of an encrypted one; any other text as it is.
    #[inline]
    fn opened<'t>(&self, token: &'t str) -> Result<Cow<'t, str>, Rejection> {
        match &self.decryptor {
            Some(decryptor) if is_encrypted(token) => decrypted(decryptor, token).map(Cow::Owned),
            _ => Ok(Cow::Borrowed(token)),
        }
    }

    fn parse<'t>(&self, token: &'t str) -> Result<Unverified<'t>, Rejection> {
        self.policy.parse(token).map_err(|error| Rejection::of_token(error, String::new))
    }

    async fn verify_waiting(&self, token: &str, lease: Lease) -> Result<Claims, Rejection> {
        let now = self.clock.now();
        if let Some(outcome) = self.cached(token, now, lease) {
            return outcome;
        }
        if let Some(outcome) = self.recognised(token, now, lease) {
            return outcome;
        }
        let unverified = self.parse(token)?;
        self.refuse_killed(unverified.kid(), now)?;
        let keys = self.keys.find_online((&unverified).into(), now).await?;
        // The wait may have been long enough for the token to expire.
        self.judge(token, unverified, &keys, (self.clock.now(), lease))
    }

    /// The outcome for a token whose signature is known to hold.
    #[inline]
    fn cached(&self, token: &str, now: Moment, lease: Lease) -> Option<Result<Claims, Rejection>> {
        let cache = self.cache.as_ref()?;
        // Taken first: what the log says of the token is then fetched from memory while its text is still being compared.
        let view = self.view(now);
        let look = |checked: &Arc<Checked>| {
            let current = self.keys.are_current(&checked.keys, now);
            current.then(|| self.admit(checked, view.as_deref(), now, lease))
        };
        cache.find(token, look).flatten()
    }

    /// The view of the log of this moment; `None` for a verifier that does without.
    #[inline]
    fn view(&self, now: Moment) -> Option<Guard<Arc<State>>> {
        self.following.as_ref().map(|following| following.look(now))
    }

    /// The time by which a proof is judged: a local clock that was set back must not make an old one good again.
    fn secs(&self, now: Moment) -> i64 {
        let log = self.view(now).map_or(0, |view| view.time / 1_000_000);
        now.unix_secs().max(log)
    }

    /// The outcome for a token whose header was seen before on a token that these keys signed: the header is not read again and the
    /// key is known. Everything else is checked as always.
    fn recognised(&self, text: &str, now: Moment, lease: Lease) -> Option<Result<Claims, Rejection>> {
        let keys = self.keys.fresh(now)?;
        let token = keys.set().recognise(text)?;
        let kid = token.key().kid();
        Some(self.refuse_killed(kid, now).and_then(|()| {
            let claims = self.policy.verify_recognised(token, now.unix_secs());
            let claims = claims.map_err(|error| Rejection::of_token(error, || keys.names()))?;
            self.accept(Checked::new(claims, kid, (text, &keys)), now, lease)
        }))
    }

    fn refuse_killed(&self, kid: Option<&str>, now: Moment) -> Result<(), Rejection> {
        match &self.following {
            Some(following) => following.refuse_killed(&following.look(now), kid),
            None => Ok(()),
        }
    }

    fn judge(
        &self,
        text: &str,
        token: Unverified<'_>,
        keys: &Arc<Keys>,
        (now, lease): (Moment, Lease),
    ) -> Result<Claims, Rejection> {
        let kid = token.kid().map(str::to_owned);
        let verified = match self.keys {
            KeySource::Remote(_) | KeySource::Given(_) => self.by_id(token, keys, now.unix_secs()),
            KeySource::Shared(_) => self.by_any(text, keys, now.unix_secs()).map(|claims| (claims, kid)),
        };
        let (claims, kid) = verified.map_err(|error| Rejection::of_token(error, || keys.names()))?;
        self.accept(Checked::new(claims, kid.as_deref(), (text, keys)), now, lease)
    }

    fn accept(&self, checked: Checked, now: Moment, lease: Lease) -> Result<Claims, Rejection> {
        let checked = Arc::new(checked);
        if let Some(cache) = &self.cache {
            cache.insert(&checked, now.unix_secs());
        }
        self.admit(&checked, self.view(now).as_deref(), now, lease)
    }

    #[inline]
    fn admit(
        &self,
        checked: &Arc<Checked>,
        view: Option<&Arc<State>>,
        now: Moment,
        lease: Lease,
    ) -> Result<Claims, Rejection> {
        let standing = self.stands_by(view, checked, now, lease)?;
        let claims = Claims::new(Arc::clone(checked), standing);
        self.requirements.iter().try_for_each(|requirement| requirement.check(&claims))?;
        Ok(claims)
    }

    /// What changes with time: expiry, revocation, and how fresh the knowledge of both is.
    pub(crate) fn stands(&self, checked: &Checked, now: Moment, lease: Lease) -> Result<Standing, Rejection> {
        self.stands_by(self.view(now).as_deref(), checked, now, lease)
    }

    #[inline]
    fn stands_by(
        &self,
        view: Option<&Arc<State>>,
        checked: &Checked,
        now: Moment,
        lease: Lease,
    ) -> Result<Standing, Rejection> {
        let check_times = |at| {
            let checked = self.policy.check_times(&checked.claims, at);
            checked.map_err(|error| Rejection::of_token(error, String::new))
        };
        let (Some(following), Some(view)) = (&self.following, view) else {
            check_times(now.unix_secs())?;
            return Ok(Standing::Good);
        };
        // A local clock that is behind must not accept what the log has already forgotten.
        check_times(now.unix_secs().max(view.time / 1_000_000))?;
        following.judge(view, checked, now, lease)
    }

    /// The key's own name counts, not the one that the token may or may not give: a thief of a key would leave it out.
    fn by_id(
        &self,
        token: Unverified<'_>,
        keys: &Keys,
        now: i64,
    ) -> Result<(Verified<AccessClaims>, Option<String>), Error> {
        let named = token.kid().map(str::to_owned);
        let (claims, key) = self.policy.verify_among(keys.set(), token, now)?;
        Ok((claims, key.kid().map(str::to_owned).or(named)))
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

/// Encryption says nothing of who wrote: what comes out is a text that still has to be verified (TOK-10, TOK-11).
fn decrypted(decryptor: &Decryptor, token: &str) -> Result<String, Rejection> {
    // Whatever is wrong here, the issuer's keys have nothing to do with it.
    let broken = Rejection::Malformed;
    let content = decryptor.decrypt(token).map_err(broken)?;
    if !content.cty().is_some_and(|cty| cty.eq_ignore_ascii_case("JWT")) {
        return Err(broken(Error::ContentType { expected: "JWT", got: content.cty().map(str::to_owned) }));
    }
    str::from_utf8(&content).map(str::to_owned).map_err(|_| broken(Error::Utf8))
}
