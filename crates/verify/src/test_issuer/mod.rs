//! A real issuer in memory, for the tests of a protected service: its tokens are signed, its verifier checks them, and
//! it makes every kind of wrong token on purpose.

mod feed;
mod key;
mod revoke;
mod server;
mod token;
mod wrong;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use countersign_jose::{Algorithm, Jwk, JwkSet, SigningKey};

use crate::{builder::VerifierBuilder, clock::Clock, verifier::Verifier};
pub(crate) use feed::TestFeed;
pub use key::TestKey;
pub use server::TestServer;
pub use token::TestToken;

/// An issuer for tests, with keys of its own. Clones share the keys.
///
/// ```
/// use countersign_verify::TestIssuer;
///
/// let issuer = TestIssuer::new("https://id.test").audience("orders");
/// let verifier = issuer.verifier();
///
/// let token = issuer.token().sub("usr_1").role("admin").scope("orders:read orders:write").sign();
/// let claims = verifier.verify(&token)?;
/// assert!(claims.has_role("admin") && claims.has_scope("orders:write"));
///
/// for (name, token) in issuer.all_wrong() {
///     assert!(verifier.verify(&token).is_err(), "{name}");
/// }
/// # Ok::<(), countersign_verify::Rejection>(())
/// ```
#[derive(Clone)]
pub struct TestIssuer {
    url: String,
    audience: String,
    clock: Clock,
    ring: Arc<Mutex<Ring>>,
    serial: Arc<AtomicU64>,
    feed: Arc<TestFeed>,
}

struct Ring {
    active: Arc<SigningKey>,
    published: Vec<Jwk>,
    generation: u32,
}

impl TestIssuer {
    /// An issuer of this URL for the audience `api`, with an ES256 key and the machine's clock.
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        Self {
            feed: Arc::new(TestFeed::new(&url)),
            url,
            audience: "api".into(),
            clock: Clock::system(),
            ring: Arc::new(Mutex::new(Ring::new(Algorithm::ES256))),
            serial: Arc::default(),
        }
    }

    /// The audience of its tokens and of its verifier.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// The time of its tokens and of its verifier.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Signs with a new key of this algorithm; earlier keys are forgotten. Not for shared secrets.
    ///
    /// # Panics
    /// For HS256, which has no public key.
    #[must_use]
    pub fn algorithm(self, alg: Algorithm) -> Self {
        *self.ring() = Ring::new(alg);
        self
    }

    /// Signs with a new key from now on. The earlier ones stay published; verifiers made before do not know the new one
    /// unless they fetch from [`serve`](Self::serve).
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn rotate(&self) {
        let mut ring = self.ring();
        ring.generation += 1;
        let key = new_key(ring.active.alg(), &format!("test-{}", ring.generation));
        ring.published.push(public_half(&key));
        ring.active = Arc::new(key);
    }

    /// Publishes only the key that it signs with, as after an emergency.
    ///
    /// # Panics
    /// Never: the key has a public half.
    pub fn forget_old_keys(&self) {
        let mut ring = self.ring();
        ring.published = vec![public_half(&ring.active)];
    }

    /// Its public keys.
    pub fn jwks(&self) -> JwkSet {
        JwkSet::from(self.ring().published.clone())
    }

    /// A verifier of its tokens that fetches nothing. What the issuer revokes it knows at once.
    ///
    /// # Panics
    /// If the issuer's URL or the audience is not usable.
    pub fn verifier(&self) -> Verifier {
        must(self.verifier_builder().build())
    }

    /// As [`verifier`](Self::verifier), before it is built, to add what the service under test asks for.
    pub fn verifier_builder(&self) -> VerifierBuilder {
        self.fetching_verifier_builder().keys(self.jwks()).test_feed(Arc::clone(&self.feed))
    }

    /// A token for `usr_test`, ten minutes long, with neither roles nor scope.
    pub fn token(&self) -> TestToken {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        TestToken::new(self.clone(), now.unix_secs(), serial).with(|claims| claims.rsn = Some(self.feed.rsn(now)))
    }

    /// A client's key, for tokens that are bound to it ([`TestToken::bound_to`]).
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn client_key(&self) -> TestKey {
        TestKey::new(self.clone())
    }

    /// Tokens that no verifier may accept, each with the name of what is wrong with it: one assertion over all of them
    /// tests that a service checks its tokens.
    pub fn all_wrong(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let issuer = self.clone();
        wrong::ALL.iter().map(move |(name, make)| (*name, make(&issuer.token().role("admin"))))
    }

    /// Publishes its keys at a loopback address, for a verifier that fetches them: see [`TestServer::verifier_builder`].
    ///
    /// # Errors
    /// No address could be bound.
    pub async fn serve(&self) -> std::io::Result<TestServer> {
        TestServer::start(self.clone()).await
    }

    fn fetching_verifier_builder(&self) -> VerifierBuilder {
        Verifier::builder(&self.url).audience(&self.audience).clock(self.clock.clone())
    }

    fn active(&self) -> Arc<SigningKey> {
        Arc::clone(&self.ring().active)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn new(alg: Algorithm) -> Self {
        let key = new_key(alg, "test-1");
        Self { published: vec![public_half(&key)], active: Arc::new(key), generation: 1 }
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer").field("url", &self.url).field("audience", &self.audience).finish_non_exhaustive()
    }
}

fn new_key(alg: Algorithm, kid: &str) -> SigningKey {
    must(SigningKey::generate(alg, kid))
}

fn public_half(key: &SigningKey) -> Jwk {
    must(key.public_jwk().ok_or("a shared secret has no public half"))
}

/// This issuer exists for tests, where a failure should stop the test at once.
#[expect(clippy::panic, reason = "a test that cannot be set up must fail")]
fn must<T, E: fmt::Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("the test issuer cannot do this: {error}"))
}
