//! The checks of RFC 9449 §4.3 that need no memory: all but the number of headers and the single use.

use std::time::Duration;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use serde_json::Value;

use super::{Nonces, TYP, Target, token_hash};
use crate::{
    Algorithm, Claims, DpopClaims, Error, Jwk, Unverified, VerifyingKey, b64,
    error::clip,
    json::Reader,
    limits::{DEFAULT_LEEWAY, DEFAULT_PROOF_AGE, MAX_LEEWAY, MAX_PROOF_BYTES},
    policy::seconds,
};

/// Why a proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Its text, its key, its signature, its claims or its age.
    #[error(transparent)]
    Token(#[from] Error),
    /// An algorithm that signs no proofs ([`Algorithm::signs_proofs`]).
    #[error("{0} signs no proofs")]
    Algorithm(Algorithm),
    /// Another key than the one that the token is bound to.
    #[error("the token is bound to the key {expected:?}, the proof is by {got:?}")]
    Key {
        /// The thumbprint that was asked for.
        expected: String,
        /// The thumbprint of the key in the proof.
        got: String,
    },
    /// `htm`: it was made for another method.
    #[error("expected the method {expected:?}, got {got:?}")]
    Method {
        /// The request's.
        expected: String,
        /// The proof's.
        got: String,
    },
    /// `htu`: it was made for another target.
    #[error("expected the target {expected:?}, got {got:?}")]
    Target {
        /// The request's, normalised; several are separated by a space.
        expected: String,
        /// The proof's.
        got: String,
    },
    /// `ath`: it was made for another access token, or for none.
    #[error("the proof is not for this access token")]
    TokenHash,
    /// `nonce`: it has none, or none that the server made a moment ago. The client tries again with a new one.
    #[error("the proof has no nonce that is fresh")]
    Nonce,
}

/// What a request asks of its proof.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'r> {
    method: &'r str,
    targets: &'r [Target],
    token: Option<&'r str>,
    key: Option<&'r str>,
}

impl<'r> Demand<'r> {
    /// A proof for a request with this method, as the request has it, to this target: one of them, if what received the
    /// request has several names.
    pub fn new(method: &'r str, targets: &'r [Target]) -> Self {
        Self { method, targets, token: None, key: None }
    }

    /// The access token that the request carries, and the thumbprint that it is bound to (`cnf.jkt`).
    #[must_use]
    pub fn with_token(mut self, token: &'r str, key: &'r str) -> Self {
        (self.token, self.key) = (Some(token), Some(key));
        self
    }
}

/// What shows that a proof was made a moment ago (RFC 9449 §4.3, checks 10 and 11).
#[derive(Debug, Clone, Copy)]
pub enum Freshness<'n> {
    /// Its `iat`, by the client's clock. A nonce is not looked at.
    Recent,
    /// A nonce that the server made a moment ago; the client's clock may show anything.
    Nonce(&'n Nonces),
}

/// Checks proofs. It remembers nothing: a proof that was used before passes here again.
#[derive(Debug, Clone, Copy)]
pub struct Checker {
    max_age: i64,
    leeway: i64,
}

impl Default for Checker {
    /// Accepts a proof of the last [`DEFAULT_PROOF_AGE`], and clocks that differ by [`DEFAULT_LEEWAY`].
    fn default() -> Self {
        Self { max_age: seconds(DEFAULT_PROOF_AGE), leeway: seconds(DEFAULT_LEEWAY) }
    }
}

impl Checker {
    /// How long ago a proof may have been made.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = seconds(age);
        self
    }

    /// The difference between clocks that is forgiven, at most [`MAX_LEEWAY`].
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = seconds(leeway.min(MAX_LEEWAY));
        self
    }

    /// Checks a proof of at most [`MAX_PROOF_BYTES`]. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`ProofError`], the first reason; what costs little is looked at before the signature.
    pub fn check(
        &self,
        proof: &str,
        demand: &Demand<'_>,
        freshness: Freshness<'_>,
        now: i64,
    ) -> Result<Proof, ProofError> {
        let proof = Unverified::parse_up_to(proof, MAX_PROOF_BYTES)?;
        if proof.typ() != Some(TYP) {
            return Err(Error::Type { expected: TYP.into(), got: proof.typ().map(clip) }.into());
        }
        if !proof.alg().signs_proofs() {
            return Err(ProofError::Algorithm(proof.alg()));
        }
        let key = embedded_key(&proof)?;
        let thumbprint = key.thumbprint();
        if let Some(expected) = demand.key.filter(|expected| *expected != thumbprint) {
            return Err(ProofError::Key { expected: clip(expected), got: thumbprint });
        }
        let key = VerifyingKey::from_jwk_as(&key, proof.alg())?.without_kid();
        let authentic = proof.verify_signature(&key)?;
        let claims = DpopClaims::from_json(authentic.payload())?;
        claims.rules()?;
        let target = demand.check(&claims)?;
        let until = self.until(&claims, freshness, now)?;
        Ok(Proof { id: id(&thumbprint, target, &claims.jti), thumbprint, claims, until })
    }

    /// Until when the proof may be accepted, if it may be now.
    fn until(&self, claims: &DpopClaims, freshness: Freshness<'_>, now: i64) -> Result<i64, ProofError> {
        if let Freshness::Nonce(nonces) = freshness {
            let nonce = claims.nonce.as_deref().ok_or(ProofError::Nonce)?;
            return nonces.recognise(nonce, now).ok_or(ProofError::Nonce);
        }
        let (iat, limit) = (claims.iat, self.max_age);
        if iat > now.saturating_add(self.leeway) {
            return Err(Error::IssuedInFuture { iat, now }.into());
        }
        let until = iat.saturating_add(limit).saturating_add(self.leeway);
        if now > until {
            return Err(Error::TooOld { limit, got: now.saturating_sub(iat) }.into());
        }
        // The last second counts.
        Ok(until.saturating_add(1))
    }
}

impl<'r> Demand<'r> {
    /// The target that was meant.
    fn check(&self, claims: &DpopClaims) -> Result<&'r Target, ProofError> {
        if claims.htm != self.method {
            return Err(ProofError::Method { expected: clip(self.method), got: clip(&claims.htm) });
        }
        let meant = Target::parse(&claims.htu);
        let target = self.targets.iter().find(|target| meant.as_ref() == Some(*target)).ok_or_else(|| {
            let expected: Vec<_> = self.targets.iter().map(Target::as_str).collect();
            ProofError::Target { expected: clip(&expected.join(" ")), got: clip(&claims.htu) }
        })?;
        if let Some(token) = self.token {
            let got = claims.ath.as_deref().ok_or(Error::ClaimMissing { claim: "ath" })?;
            let same = verify_slices_are_equal(token_hash(token).as_bytes(), got.as_bytes());
            same.map_err(|_| ProofError::TokenHash)?;
        }
        Ok(target)
    }
}

/// The public key in the header (RFC 9449 §4.2). With private members it is refused: its owner has given it away.
fn embedded_key(proof: &Unverified<'_>) -> Result<Jwk, Error> {
    let header = b64::decode(proof.header_text().trim_end_matches('.'))?;
    match Reader::map(&header)?.get("jwk") {
        Some(Value::Object(members)) => Jwk::from_members(members),
        Some(_) => Err(Error::HeaderMalformed { member: "jwk" }),
        None => Err(Error::HeaderMissing { member: "jwk" }),
    }
}

/// A thumbprint has one length, so that no two triples are written alike.
fn id(thumbprint: &str, target: &Target, jti: &str) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [thumbprint, target.as_str(), "\0", jti] {
        hash.update(part.as_bytes());
    }
    let mut id = [0; 32];
    id.copy_from_slice(hash.finish().as_ref());
    id
}

/// A proof that passed every check of [`Checker`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    thumbprint: String,
    claims: DpopClaims,
    id: [u8; 32],
    until: i64,
}

impl Proof {
    /// The thumbprint of the key that signed it, base64url: what `cnf.jkt` of a token says (RFC 9449 §6.1).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Its claims.
    pub fn claims(&self) -> &DpopClaims {
        &self.claims
    }

    /// A hash of its key, its target and its `jti`. Whoever has accepted a proof with this id accepts no other with it until
    /// [`until`](Self::until).
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// From this second since 1970 on the same text is refused for its age, or for its nonce's.
    pub fn until(&self) -> i64 {
        self.until
    }
}
