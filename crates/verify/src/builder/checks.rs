//! What is asked of each token.

use std::time::Duration;

use countersign_jose::{self as jose, jwe::Decryptor, profile::AccessToken};

use super::VerifierBuilder;
use crate::{claims::Requirement, clock::Clock, dpop::Dpop};

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

    /// What a role of the owner of every token must permit.
    pub fn require_permission(mut self, permission: impl Into<String>) -> Self {
        self.requirements.push(Requirement::Permission(permission.into()));
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

    /// Opens access tokens that were encrypted to this service, too. The decryptor's keys are bound to their algorithms, and it
    /// says which ones may encrypt the content: the header of a token chooses nothing. What comes out is a signed token and is
    /// checked like any other; a plain signed one is still taken.
    ///
    /// ```
    /// use countersign_verify::{Verifier, jose::jwe::{ContentAlgorithm, DecryptionKey, Decryptor, KeyAlgorithm}};
    ///
    /// let key = DecryptionKey::generate(KeyAlgorithm::EcdhEsA256KW, "orders-1")?; // the public half is registered at the issuer
    /// let verifier = Verifier::builder("https://id.example")
    ///     .audience("orders")
    ///     .decryptor(Decryptor::new(key).accept([ContentAlgorithm::A256GCM]))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decryptor(mut self, decryptor: Decryptor) -> Self {
        self.decryptor = Some(decryptor);
        self
    }

    /// Where the time comes from; a test sets it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub(super) fn policy(&self) -> jose::Policy<AccessToken> {
        let mut names = self.audiences.iter();
        let first = names.next().cloned().unwrap_or_default();
        let builder = jose::Verifier::<AccessToken>::builder().issuer(&self.issuer).audience(first);
        names
            .fold(builder, jose::verifier::Builder::or_audience)
            .leeway(self.leeway)
            .max_lifetime(self.max_lifetime)
            .policy()
    }
}
