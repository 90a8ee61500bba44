//! A verifier is built once and refuses to be built without what it cannot do without.

use std::{fmt::Debug, marker::PhantomData, time::Duration};

pub use crate::key_set::KeySet;
use crate::{
    Error, Policy, Verified, VerifyingKey,
    policy::seconds,
    profile::{Generic, Profile},
};

/// A [`Policy`] with the keys of the one issuer that it trusts.
#[derive(Debug, Clone)]
pub struct Verifier<P> {
    policy: Policy<P>,
    keys: KeySet,
}

impl<P: Profile> Verifier<P> {
    /// Starts a verifier. Issuer, audience and key must be set before it can be built, as far as the kind of token has them.
    ///
    /// ```compile_fail,E0599
    /// use countersign_jose::{Verifier, profile::AccessToken};
    /// let verifier = Verifier::<AccessToken>::builder().issuer("https://id.example").build(); // no audience, no key
    /// ```
    /// ```compile_fail,E0599
    /// use countersign_jose::{Verifier, profile::AccessToken};
    /// let policy = Verifier::<AccessToken>::builder().audience("orders").policy(); // no issuer
    /// ```
    pub fn builder() -> Builder<P, P::Issuer, P::Audience, Missing> {
        Builder { policy: Policy::new(), keys: KeySet::default(), state: PhantomData }
    }

    /// Checks a token: text, header, signature with the key that its `kid` names, claims. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// As [`Policy::parse`], [`KeySet::pick`] and [`Policy::verify_with`].
    pub fn verify(&self, token: &str, now: i64) -> Result<Verified<P::Claims>, Error> {
        if let Some(recognised) = self.keys.recognise(token) {
            return self.policy.verify_recognised(recognised, now);
        }
        let token = self.policy.parse(token)?;
        self.policy.verify_among(&self.keys, token, now).map(|(claims, _)| claims)
    }

    /// The checks without the keys.
    pub fn policy(&self) -> &Policy<P> {
        &self.policy
    }
}

/// Builds a [`Verifier`] or a [`Policy`]. `I`, `A` and `K` say whether issuer, audience and key are set.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder<P, I, A, K> {
    policy: Policy<P>,
    keys: KeySet,
    state: PhantomData<(I, A, K)>,
}

/// Must still be set.
#[derive(Debug, Clone, Copy)]
pub struct Missing;

/// Was set.
#[derive(Debug, Clone, Copy)]
pub struct Given;

/// This kind of token does not have it.
#[derive(Debug, Clone, Copy)]
pub struct Unused;

/// [`Missing`], [`Given`] or [`Unused`].
pub trait Requirement: sealed::Sealed + Debug + Clone + Copy {}
impl Requirement for Missing {}
impl Requirement for Given {}
impl Requirement for Unused {}

/// Nothing is missing: [`Given`] or [`Unused`].
pub trait Ready: Requirement {}
impl Ready for Given {}
impl Ready for Unused {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Missing {}
    impl Sealed for super::Given {}
    impl Sealed for super::Unused {}
}

impl<P: Profile, A, K> Builder<P, Missing, A, K> {
    /// The issuer that `iss` must name, exactly. (Of a client assertion it is the client.)
    pub fn issuer(mut self, issuer: impl Into<String>) -> Builder<P, Given, A, K> {
        self.policy.issuer = Some(issuer.into());
        self.state()
    }
}

impl<P: Profile, I, K> Builder<P, I, Missing, K> {
    /// The name of this verifier, which `aud` must contain, exactly.
    pub fn audience(mut self, audience: impl Into<String>) -> Builder<P, I, Given, K> {
        self.policy.audiences.push(audience.into());
        self.state()
    }
}

impl<P: Profile, I, K> Builder<P, I, Missing, K> {
    /// Accepts a token whomever it is meant for. For the issuer alone, where it asks whether it signed something at all:
    /// a service that does this accepts what was given to another service.
    pub fn any_audience(self) -> Builder<P, I, Unused, K> {
        self.state()
    }
}

impl<P: Profile, I, K> Builder<P, I, Given, K> {
    /// Another name of this verifier; one of its names in `aud` is enough.
    pub fn or_audience(mut self, audience: impl Into<String>) -> Self {
        self.policy.audiences.push(audience.into());
        self
    }
}

impl<P: Profile, I, A, K> Builder<P, I, A, K> {
    /// Adds a key of the issuer.
    pub fn key(mut self, key: VerifyingKey) -> Builder<P, I, A, Given> {
        self.keys.push(key);
        self.state()
    }

    /// Adds keys of the issuer.
    pub fn keys(mut self, keys: impl IntoIterator<Item = VerifyingKey>) -> Builder<P, I, A, Given> {
        keys.into_iter().for_each(|key| self.keys.push(key));
        self.state()
    }

    /// The difference between clocks that is forgiven, at most [`MAX_LEEWAY`](crate::limits::MAX_LEEWAY) (a longer one is lowered
    /// to it); [`DEFAULT_LEEWAY`](crate::limits::DEFAULT_LEEWAY) by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.policy.set_leeway(leeway);
        self
    }

    /// The longest lifetime (`exp` − `iat`) that is accepted. Makes `iat` required.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.policy.max_lifetime = Some(seconds(lifetime));
        self
    }

    /// How long ago a token may have been issued. Makes `iat` required.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.policy.max_age = Some(seconds(age));
        self
    }

    /// Accepts expired tokens, too: to log out, an authentic token is enough however old it is.
    pub fn accept_expired(mut self) -> Self {
        self.policy.expired_too = true;
        self
    }

    fn state<I2, A2, K2>(self) -> Builder<P, I2, A2, K2> {
        Builder { policy: self.policy, keys: self.keys, state: PhantomData }
    }
}

impl<I, A, K> Builder<Generic, I, A, K> {
    /// Accepts tokens without a type, or with the type `JWT`. Any kind of token that the same issuer signs for the same audience
    /// without a type of its own then passes for one of these (RFC 8725 §2.8).
    pub fn accept_untyped(mut self) -> Self {
        self.policy.untyped_too = true;
        self
    }
}

impl<P: Profile, I: Ready, A: Ready, K> Builder<P, I, A, K> {
    /// The checks alone, for a caller that keeps its keys elsewhere.
    pub fn policy(self) -> Policy<P> {
        self.policy
    }
}

impl<P: Profile, I: Ready, A: Ready> Builder<P, I, A, Given> {
    /// The verifier.
    pub fn build(self) -> Verifier<P> {
        Verifier { policy: self.policy, keys: self.keys }
    }
}
