//! Revoking, so that a test sees a protected service refuse.

use countersign_jose::{AccessClaims, Claims as _, b64, revocation::Kind};

use super::{TestIssuer, must};

/// # Revoking
/// Verifiers that [`verifier`](Self::verifier) made refuse from the next call on; one that follows the feed of a
/// [`TestServer`](crate::TestServer), as soon as it has heard of it.
///
/// ```
/// use countersign_verify::{Rejection, TestIssuer};
///
/// let issuer = TestIssuer::new("https://id.test").audience("orders");
/// let verifier = issuer.verifier(); // in the service under test
/// let token = issuer.token().sub("usr_1").sid("phone").sign();
/// assert!(verifier.verify(&token).is_ok());
///
/// issuer.revoke_session("phone");
/// assert!(matches!(verifier.verify(&token), Err(Rejection::Revoked { .. })));
/// assert!(verifier.verify(&issuer.token().sub("usr_1").sid("laptop").sign()).is_ok());
/// ```
impl TestIssuer {
    /// Ends everything that the user holds now. What is issued afterwards is good.
    pub fn revoke_user(&self, sub: impl AsRef<str>) {
        self.revoke(Kind::User, sub.as_ref());
    }

    /// Ends a session: every token with this `sid`, also one that is issued afterwards.
    pub fn revoke_session(&self, sid: impl AsRef<str>) {
        self.revoke(Kind::Session, sid.as_ref());
    }

    /// Ends one token, given as it was signed.
    ///
    /// # Panics
    /// If it is no token.
    pub fn revoke_token(&self, token: impl AsRef<str>) {
        let payload = must(token.as_ref().split('.').nth(1).ok_or("no token"));
        let claims = must(AccessClaims::from_json(&must(b64::decode(payload))));
        self.revoke(Kind::Token, &claims.jti);
    }

    /// Ends everything that was issued to a client until now.
    pub fn revoke_client(&self, client_id: impl AsRef<str>) {
        self.revoke(Kind::Client, client_id.as_ref());
    }

    /// Ends everything that was issued in the default tenant until now.
    pub fn revoke_tenant(&self) {
        self.revoke(Kind::Tenant, countersign_jose::revocation::DEFAULT_TENANT);
    }

    /// Ends everything that was ever signed with a key; it stays published, as in a cache that is out of date. The first
    /// key is `test-1`.
    pub fn revoke_key(&self, kid: impl AsRef<str>) {
        self.revoke(Kind::Key, kid.as_ref());
    }

    /// Ends everything that was issued until now.
    pub fn revoke_everything(&self) {
        self.feed.raise_floor(self.clock.now());
    }

    /// From now on no verifier hears from this issuer's log, as when the network is cut. With a clock that the test sets,
    /// `clock.advance` then shows what a service does when its view has grown too old.
    pub fn cut_feed(&self) {
        self.feed.set_cut(true);
    }

    /// The feed is back.
    pub fn restore_feed(&self) {
        self.feed.set_cut(false);
    }

    fn revoke(&self, kind: Kind, value: &str) {
        self.feed.revoke(kind, value, self.clock.now());
    }
}
